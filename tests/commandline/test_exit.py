"""How a command ends: failures, interrupts, and a closed pipe."""

import os
import signal
import subprocess
import sys
import time

import pytest

import upturn
from tests.support.answers import FAST
from tests.support.commands import HEADER, run


def process(*arguments, **options):
    code = "from upturn.cli import main; main(prog_name='upturn')"
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_failed_curves_are_named(rise, monkeypatch):
    monkeypatch.setattr(upturn.Fit, "failed", ("addition",))
    result = run("fit", rise, *FAST)
    assert result.exit_code == 1
    assert result.stderr.endswith("\nFailed, 1 of 1: 'addition'\n")


def test_an_interrupt_ends_with_one_line(rise, monkeypatch, folder):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(upturn, "fit", interrupted)
    result = run("fit", rise, "-o", "fit.nc")
    assert (result.exit_code, result.output) == (130, "Interrupted.\n")
    assert sorted(os.listdir()) == [rise]


def test_what_nobody_expected_is_not_swallowed(rise, monkeypatch):
    def broken(*_, **__):
        raise ValueError("a fault in the code")

    monkeypatch.setattr(upturn, "fit", broken)
    result = run("fit", rise)
    assert isinstance(result.exception, ValueError)
    assert result.exit_code == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_while_it_runs(folder):
    rows = [
        f"t{t},m{m},{0.1 * (m > 9)},100,1e{18 + m // 4},1e9" for t in range(3000) for m in range(20)
    ]
    (folder / "t.csv").write_text(HEADER + "\n".join(rows))
    # started in the background, the tests themselves ignore Ctrl-C, and would hand that on
    listening = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with process("fit", "t.csv", "-o", "fit.nc", "-o", "fit.csv", **listening) as job:
        time.sleep(4)
        job.send_signal(signal.SIGINT)
        out, err = job.communicate(timeout=30)
    assert (job.returncode, out, err) == (130, "", "Interrupted.\n")
    assert os.listdir() == ["t.csv"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_reader_that_has_enough(folder):
    with process("datasets", "pythia") as job:
        job.stdout.close()  # before the first line is there
        assert job.wait(timeout=30) == 141
        assert job.stderr.read() == ""
