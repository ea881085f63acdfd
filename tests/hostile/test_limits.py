"""Input made to take all the memory or all the time: refused at once, with the limit."""

import json
import shutil
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

import upturn
from tests.hostile.cases import GOOD_TABLE, saved
from tests.hostile.run import run
from tests.hostile.tables import Case
from upturn.checks.errors import DataError
from upturn.model import Model
from upturn.posterior.files import LONGEST_TEXT
from upturn.tables import cells, rules


@pytest.fixture
def fits(tmp_path):
    """A saved fit of each format, as paths."""
    for files in saved().values():
        for name, data in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return tmp_path


def refused(path):
    with pytest.raises(DataError) as found:
        upturn.load(path)
    return str(found.value)


@pytest.mark.parametrize("shape", [[10**6, 10**6], [2**62]])
def test_a_zarr_that_claims_to_be_huge(fits, shape):
    path = fits / "f.zarr" / "posterior" / "level" / "zarr.json"
    described = json.loads(path.read_text())
    described["shape"] = [*shape, *described["shape"][len(shape) :]]
    path.write_text(json.dumps(described))
    assert "expected a saved fit (.nc or .zarr), but got something unread" in refused(
        fits / "f.zarr"
    )


def test_a_netcdf_that_claims_to_be_huge(fits):
    with h5py.File(fits / "f.nc", "a") as file:
        file.create_dataset("posterior/bomb", (10**7, 10**6), dtype="f8", chunks=(1000, 1000))
    assert "that claim to hold 80,000,0" in refused(fits / "f.nc")


@pytest.mark.parametrize(
    ("reader", "message"),
    [
        ("while True: pass", "nothing could be read in 1 s"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            "reading it ends with code -11",
        ),
        ("raise OSError('broken')", "unreadable (broken)"),
    ],
)
def test_a_library_that_hangs_or_crashes(reader, message, fits, monkeypatch, tmp_path):
    script = tmp_path / "reader.py"
    script.write_text(reader)
    monkeypatch.setattr("upturn.posterior.foreign.SCRIPT", script)
    monkeypatch.setattr("upturn.posterior.foreign.PATIENCE", 1.0)
    assert message in refused(fits / "f.nc")


def test_no_module_of_the_folder_is_run(fits, monkeypatch):
    monkeypatch.chdir(fits)
    (fits / "h5py.py").write_text("open('ran', 'w')")
    assert upturn.load("f.nc").model.name == "flat"
    assert not (fits / "ran").exists()


def test_tasks_of_zarr_print_nothing(fits):
    """Of several broken arrays zarr reports one, and asyncio would print the others."""
    for path in (fits / "f.zarr").rglob("zarr.json"):
        described = json.loads(path.read_text())
        if described["node_type"] == "array":
            path.write_text(json.dumps(described | {"codecs": [], "chunk_grid": 5}))
    code = "from upturn.cli import main; main(['summary', 'f.zarr'], prog_name='upturn')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=fits, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Error: 'f.zarr': expected a saved fit")
    assert done.stderr.count("\n") == 1


def test_texts_of_a_saved_fit(fits):
    with h5py.File(fits / "f.nc", "a") as file:
        file["constant_data/flags"][0] = "x" * (LONGEST_TEXT + 1)
    assert f"expected texts of at most {LONGEST_TEXT:,} characters" in refused(fits / "f.nc")


def test_a_saved_fit_that_does_not_fit_into_memory(fits, monkeypatch):
    def fail(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr("xarray.open_datatree", fail)
    assert "expected a saved fit that fits into memory, but it does not" in refused(fits / "f.nc")


def test_nothing_is_unpickled(fits, tmp_path):
    """An object array of Zarr 2 is a pickle: reading one runs what it says."""
    shutil.rmtree(fits / "f.zarr" / "posterior" / "level")
    group = fits / "f.zarr" / "posterior" / "level"
    group.mkdir()
    described = {
        "zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "order": "C",
        "fill_value": None, "compressor": None, "filters": [{"id": "pickle"}],
    }  # fmt: skip
    (group / ".zarray").write_text(json.dumps(described))
    (group / "0").write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path).encode() + b"/ran'\ntR.")
    refused(fits / "f.zarr")
    assert not (tmp_path / "ran").exists()


def seconds(function):
    begun = time.perf_counter()
    with pytest.raises(DataError) as found:
        function()
    return time.perf_counter() - begun, str(found.value)


def test_keys_of_many_parts():
    """Forty thousand characters of these took three quarters of a minute to read."""
    took, message = seconds(lambda: Model.from_toml("a." * 20_000 + "a = 1", "m.toml"))
    assert "m.toml: expected at most 100 dots on a line, but got 20,000" in message
    assert took < 5
    took, _ = seconds(lambda: Model.from_toml(("a." * 99 + "a=1\n") * 400, "m.toml"))
    assert took < 5


def test_columns(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text(",".join(f"c{i}" for i in range(200_000)) + "\n1\n")
    took, message = seconds(lambda: upturn.read(path))
    assert f"expected at most {rules.MAX_COLUMNS:,} columns, but got 200,000" in message
    assert took < 20


def test_long_names(tmp_path):
    """One long name makes all names of its column as wide: four bytes a character each."""
    path = tmp_path / "r.csv"
    path.write_bytes(GOOD_TABLE + b"x" * (cells.MAX_LABEL + 1) + b",m,0.5,,1e20,1e8\n")
    took, message = seconds(lambda: upturn.read(path))
    assert "r.csv, row 7, column task: expected at most 1,000 characters, but got 'xxx" in message
    assert len(message) < 500
    assert took < 20


@pytest.mark.parametrize("name", ["MAX_ROWS", "MAX_POINTS", "MAX_CELLS", "MAX_BYTES"])
def test_the_other_limits_reach_the_command_line(name, monkeypatch):
    monkeypatch.setattr(rules, name, 1)
    assert run(Case({"r.csv": GOOD_TABLE}, ("fit", "r.csv", "--draws", "40"))) == 2


def test_values_at_the_edge_of_floating_point():
    scales = np.array([5e-324, 1e-300, 1.0, 1e300, 1.7e308])
    rows = "".join(f"t,m{i},0.{i + 1},9,{x!r}\n" for i, x in enumerate(scales.tolist()))
    table = b"task,model,score,trials,width\n" + rows.encode()
    command = ("fit", "r.csv", "--axis", "width", "--draws", "40", "--model", "flat")
    assert run(Case({"r.csv": table}, command)) in {0, 1}
