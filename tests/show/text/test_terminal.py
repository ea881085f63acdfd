import io
import sys
import time

from upturn.show.text.terminal import print_list, progress


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_a_list(capsys):
    print_list(["name", "n", "words"], [["a", "10", "one"], ["bc", "2", "[b]two[/b]"]], right={1})
    assert capsys.readouterr().out == ("name   n  words\na     10  one\nbc     2  [b]two[/b]\n")


def test_characters_that_the_output_lacks_are_replaced(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    print_list(["é"], [["▁"]])
    sys.stdout.flush()
    assert raw.getvalue().split() == [b"?", b"?"]


def test_no_progress_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress() as told:
        assert told is None


def test_no_progress_when_quiet(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress(quiet=True) as told:
        assert told is None


def test_no_progress_for_what_is_soon_done(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress(patience=60) as told:
        told(1, 2)
    assert stream.getvalue() == ""


def test_progress_for_what_takes_longer(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress(patience=0) as told:
        time.sleep(0.05)
        told(3, 4)
        time.sleep(0.3)
    assert " 75%" in stream.getvalue()
