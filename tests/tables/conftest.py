"""Fixtures of the tests of tables."""

import pytest

from upturn.tables.results import read


@pytest.fixture
def read_csv(tmp_path, monkeypatch):
    """Read text as the file r.csv."""
    monkeypatch.chdir(tmp_path)

    def read_text(text, **options):
        (tmp_path / "r.csv").write_text(text, encoding="utf-8")
        return read("r.csv", **options)

    return read_text
