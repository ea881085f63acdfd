import os
import stat

import pytest

from upturn.checks.errors import DataError
from upturn.show.text.files import write_text


def test_a_text_is_written_as_it_is(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    write_text(path, "é\r\nx\n")
    assert path.read_bytes() == "é\r\nx\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) & 0o111 == 0
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(DataError, match="expected to write it, but got: No space left on device"):
        write_text(tmp_path / "a.csv", "x")
    assert list(tmp_path.iterdir()) == []
