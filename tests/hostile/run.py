"""Run a case and judge what came of it."""

import re
import signal
import sys
import tempfile
import traceback
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from types import FrameType

from click.testing import CliRunner

from tests.hostile.tables import Case
from upturn import cli

PATIENCE = 60.0  # seconds; a case takes a fraction of one
KEPT = "kept before"
OUTPUTS = ("o.csv", "o.md", "o.json")
_SAYS_WHAT = re.compile(
    r"expected|Invalid value|No such|Missing (argument|option|parameter)|Got unexpected extra"
    r"|requires (an argument|\d+ arguments)|does not take a value|needs the NAME|Did you mean"
)

_ACTING = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format, surrogates, line and paragraph ends
_JOINERS = "\u200c\u200d"  # spell words
_CHOICES = re.compile(r"(?<=[:,])\n\t")  # click lists choices one a line


class HangError(Exception):
    """It took too long."""


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Stop what takes longer."""

    def ring(signum: int, frame: FrameType | None) -> None:
        raise HangError(f"more than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def unraisable() -> Iterator[list[str]]:
    """Collect what Python prints of errors where none can be raised, as in ``__del__``."""
    seen: list[str] = []
    before = sys.unraisablehook
    sys.unraisablehook = lambda found: seen.append(f"{found.err_msg} {found.exc_value!r}")
    try:
        yield seen
    finally:
        sys.unraisablehook = before


def run(case: Case) -> int:
    """Run a case in an empty folder; the exit code.

    Raises
    ------
    AssertionError
        For a traceback, a warning, a hang, a wrong exit code, a message that does not say what was
        expected, and anything left half-written.
    """
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        for name, data in case.files.items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        kept = [Path(name) for name in OUTPUTS if name not in case.files]
        for path in kept:
            path.write_text(KEPT)
        before = _contents()
        with warnings.catch_warnings(), patience(PATIENCE), unraisable() as unseen:
            warnings.simplefilter("error")
            result = CliRunner().invoke(
                cli.main, list(case.arguments), input=case.stdin, prog_name="upturn"
            )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise AssertionError("".join(traceback.format_exception(result.exception)))
        assert not unseen, unseen
        _judge(result.exit_code, result.stdout, result.stderr, before)
        return int(result.exit_code)


def _judge(code: int, stdout: str, stderr: str, before: dict[str, bytes]) -> None:
    after = _contents()
    assert code in {0, 1, 2}, f"exit code {code}"
    assert "Traceback" not in stdout + stderr
    assert not [name for name in after if "upturn." in name], f"left behind: {sorted(after)}"
    if code == 2:
        assert stdout == "", f"printed {stdout[:200]!r} and then refused"
        assert after == before, "wrote something and then refused"
        head, error, line = stderr.rstrip("\n").rpartition("Error: ")
        assert error, f"no message: {stderr!r}"
        assert not head or head.endswith("\n"), f"in the middle of a line: {stderr!r}"
        line = _CHOICES.sub(" ", line)
        assert _SAYS_WHAT.search(line), f"it does not say what was expected: {line}"
        acting = [c for c in line if unicodedata.category(c) in _ACTING and c not in _JOINERS]
        assert not acting, f"control characters in the message: {line!r}"
        assert len(line) < 2500, f"{len(line)} characters in the message"
    else:
        assert "Error: " not in stderr
        assert (code == 1) == ("Failed, " in stderr)
    lost = before.keys() - after.keys()
    assert not lost, f"gone: {sorted(lost)}"
    for name, data in after.items():
        assert name in before or data, f"{name} is empty"


def _contents() -> dict[str, bytes]:
    return {p.as_posix(): p.read_bytes() for p in sorted(Path().rglob("*")) if p.is_file()}
