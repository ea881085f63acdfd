import os

import pytest

from upturn.checks import processors


@pytest.mark.parametrize(
    ("text", "count"), [("150000 100000\n", 2), ("max 100000\n", 8), ("50000 100000", 1), ("", 8)]
)
def test_the_share_of_a_container(text, count, tmp_path, monkeypatch):
    monkeypatch.setattr(processors, "QUOTA", tmp_path / "cpu.max")
    (tmp_path / "cpu.max").write_text(text)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert processors.usable() == count


def test_the_processors_it_may_run_on(monkeypatch, tmp_path):
    monkeypatch.setattr(processors, "QUOTA", tmp_path / "none")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert processors.usable() == 2
