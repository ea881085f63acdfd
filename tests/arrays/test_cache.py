"""Machine code on disk is that of the sources as they are."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import upturn
from upturn.arrays.compilation import announce, on_compilation
from upturn.arrays.compiled import KERNEL_ROOMS, PACKAGE

PROGRAM = """
import numpy as np
from upturn.formulas.kernels.by_group import beta_binomial
out = np.zeros((1, 1, 1))
counts, group = np.array([[3.0]]), np.zeros((1, 1), np.int32)
beta_binomial(np.zeros((1, 1, 1)), np.full((1, 1), 9.0), counts, counts, group, out)
print(out.item(), sum(beta_binomial.stats.cache_hits.values()))
"""


def run(folder: Path) -> tuple[float, int]:
    """A log likelihood that depends on MEAN_MARGIN, and how many kernels came from disk."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "kept")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True, text=True
    )
    value, hits = done.stdout.split()
    return float(value), int(hits)


def test_a_constant_that_changes_in_another_file_is_compiled_anew(tmp_path):
    package = tmp_path / "upturn"
    ignored = shutil.ignore_patterns("__pycache__", "*.csv", "*.gz", "*.zip")
    shutil.copytree(Path(upturn.__file__).parent, package, ignore=ignored)
    first, hits = run(tmp_path)
    assert hits == 0
    assert run(tmp_path) == (first, 1)
    source = package / "arrays/compiled.py"
    text = source.read_text()
    assert text.count("MEAN_MARGIN = 1e-9") == 1
    source.write_text(text.replace("MEAN_MARGIN = 1e-9", "MEAN_MARGIN = 1e-3"))
    changed, hits = run(tmp_path)
    assert hits == 0
    assert abs(changed - first) > 1


def test_kernels_take_what_they_are_made_of_from_the_rooms_that_the_cache_looks_at():
    rooms = tuple("upturn." + room.replace("/", ".") for room in KERNEL_ROOMS)
    with_kernels = [
        path
        for room in KERNEL_ROOMS
        for path in (PACKAGE / room).glob("*.py")
        if "import compiled" in path.read_text()
    ]
    assert len(with_kernels) > 6
    for path in with_kernels:
        for line in path.read_text().splitlines():
            if line.startswith("from upturn"):
                assert line.split()[1].startswith(rooms), f"{path}: {line}"


def test_listeners_hear_of_compilation_once():
    heard = []
    with on_compilation(lambda: heard.append("compiling")):
        announce()
        announce()
    announce()
    assert heard == ["compiling"]


def test_who_stopped_listening_hears_nothing():
    heard = []
    with on_compilation(lambda: heard.append("compiling")):
        pass
    announce()
    assert not heard
