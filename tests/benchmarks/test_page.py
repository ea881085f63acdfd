"""Pages of results, the command, and kernels."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `python -m pytest` puts it there, `pytest` does not
    sys.path.insert(0, str(ROOT))
import upturn
from benchmarks import __main__ as command
from benchmarks.output import report
from benchmarks.references import quadrature
from benchmarks.speed import accelerator, kernel
from tests.support.curves_of_counts import SEED, curve


def test_a_table_reads_as_text():
    assert report.table(["name", "x"], [["a", 1.5], ["long", 12345.6]]).splitlines() == [
        "| name |      x |",
        "|------|-------:|",
        "| a    |    1.5 |",
        "| long | 12,346 |",
    ]


def test_figures_are_written_beside_the_machine_they_were_measured_on(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "FOLDER", tmp_path)
    found = {"grid": np.eye(2), "share": np.float64(0.5), "count": np.int64(3), "names": ("a",)}
    path = report.save("made-up", found, text="a table")
    read = json.loads(path.read_text("utf-8"))
    assert read["grid"] == [[1, 0], [0, 1]]
    assert read["machine"]["versions"]["upturn"] == upturn.__version__
    assert path.with_suffix(".md").read_text("utf-8") == "a table"
    assert not list(tmp_path.glob("*.part"))


def test_the_command_explains_itself():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    measures_named = ("contest", "growth", "speed", "precision", "agreement")
    for name in (*measures_named, "quadrature", "nuts", "render"):
        assert name in done.stdout


@pytest.mark.parametrize("seeds", ["0", "-1", "x"])
@pytest.mark.parametrize("measure", ["speed", "precision", "contest", "agreement"])
def test_there_is_a_seed_at_least(measure, seeds, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", measure, f"--seeds={seeds}"])
    with pytest.raises(SystemExit) as stopped:
        command.main()
    assert stopped.value.code == 2
    assert f"expected a whole number from 1 up, but got '{seeds}'" in capsys.readouterr().err


def test_a_measure_without_jax_says_so(monkeypatch):
    monkeypatch.setattr(accelerator, "find_spec", lambda name: None)
    found = accelerator.run(sizes=(10,), real=True)
    assert (found["rows"], found["real"]) == ([], [])
    assert accelerator.table(found).startswith("device: jax is not installed: pip install")


def test_the_table_of_the_accelerator_names_the_device():
    row = {"curves": 1000, "default": 120.0, "jax": 2.0, "compiling": 30.0, "difference": 1e-3,
           "in_errors": 0.1, "failed": [1, 2]}  # fmt: skip
    found = {"device": "gpu (H200), jax 1", "threads": 2, "rows": [row], "real": []}
    text = accelerator.table(found)
    assert text.startswith("device: gpu (H200), jax 1; default engine on 2 threads")
    cells = [cell.strip() for cell in text.splitlines()[-1].strip("|").split("|")]
    assert cells == ["1,000", "120", "2", "60", "30", "0.001", "0.1", "1", "2"]


@pytest.mark.slow
@pytest.mark.skipif(not kernel.compiler(), reason="there is no C compiler")
@pytest.mark.parametrize("flags", [(), ("-DPORTABLE",)])
def test_the_kernel_by_hand_is_right(flags):
    """Against SciPy's gamma functions, over the whole of the priors."""
    by_hand = kernel.by_hand(*flags)
    rng = np.random.default_rng(SEED)
    for chance, trials in ((math.nan, 30), (0.25, 2000)):
        counts = curve(chance=chance, points=12, trials=trials)
        exact = quadrature.Posterior("hinge", counts)
        p = exact.parameters(rng.standard_normal((64, len(exact.names))))
        found, right = by_hand(counts, p), exact.log_likelihood(p)
        np.testing.assert_allclose(found, right, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(kernel.plain(counts, p), right, rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="multiple"):
        by_hand(counts, {name: values[:9] for name, values in p.items()})


@pytest.mark.skipif(not kernel.compiler(), reason="there is no C compiler")
def test_arithmetic_stays_as_it_was_with_the_kernel_loaded():
    """Subnormal numbers would be zero in all of the process, were fast-math given to the linker."""
    kernel.by_hand()
    assert np.float64(1e-300) * np.float64(1e-20) > 0


@pytest.mark.slow
def test_kernels_are_timed_on_every_curve(monkeypatch):
    def scipy(counts, p):
        return quadrature.Posterior("hinge", counts).log_likelihood(p)

    monkeypatch.setattr(kernel, "plain", scipy)
    monkeypatch.setattr(kernel, "compiler", lambda: "")
    found = kernel.run(particles=64, repeats=1)
    assert len(found["ns"][kernel.OURS]) == len(found["curves"])
    assert (found["ns"][kernel.OURS] > 0).all()
    assert "| C, tuned by hand" in kernel.table(found)
    assert "missing: a C compiler" in kernel.table(found)


def test_a_kernel_that_is_wrong_is_not_timed(monkeypatch):
    monkeypatch.setattr(kernel, "compiler", lambda: "")
    monkeypatch.setattr(kernel, "plain", lambda counts, p: np.zeros(len(p["rate"])))
    with pytest.raises(RuntimeError, match="numba differs from ours"):
        kernel.run(particles=64, repeats=1)


def test_a_ratio_of_kernels_is_that_of_their_times():
    found = {
        "dataset": "made up", "particles": 8, "repeats": 1, "curves": ["a", "b"], "problem": "",
        "points": [5, 6], "compiler": "cc 1", "flags": kernel.FLAGS,
        "ns": {kernel.OURS: [4.0, 9.0], kernel.QUANTILES: [1.0, 1.0], kernel.BY_HAND: [2.0, 3.0]},
        "difference": {kernel.OURS: 0.0, kernel.QUANTILES: 0.0, kernel.BY_HAND: 1e-12},
    }  # fmt: skip
    line = next(line for line in kernel.table(found).splitlines() if "tuned by hand" in line)
    assert [cell.strip() for cell in line.split("|")[2:-1]] == ["2.5", "3", "2.5", "3", "1e-12"]
