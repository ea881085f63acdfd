"""Files that are no fit, that were changed, or for which there is no room."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import upturn
from benchmarks.speed import interruptions
from upturn.checks.errors import DataError
from upturn.posterior import files


def refused(path):
    with pytest.raises(DataError) as error:
        upturn.load(path)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_files_that_are_not_there_or_no_fit(tmp_path, saved):
    (tmp_path / "text.nc").write_text("task,score\n" * 100)
    (tmp_path / "empty.nc").write_text("")
    (tmp_path / "cut.nc").write_bytes(saved.read_bytes()[:20_000])
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.zarr").write_text("x")
    foreign = xr.Dataset({"a": ("x", [1.0, 2.0])})
    foreign.to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    foreign.to_zarr(tmp_path / "foreign.zarr", zarr_format=3, consolidated=False)
    for name in ("text.nc", "empty.nc", "cut.nc", "folder", "file.zarr"):
        assert "expected a saved fit (.nc or .zarr), but got something unreadable" in refused(
            tmp_path / name
        )
    for name in ("foreign.nc", "foreign.zarr"):
        assert "expected a fit saved by upturn, but got another file" in refused(tmp_path / name)
    for name in ("missing.nc", "a" * 5000 + ".nc", "no\0.nc"):
        assert "there is no such file" in refused(tmp_path / name)


def test_nothing_is_unpickled(tmp_path):
    """The second version of Zarr lets a file name pickle as its codec: such a file is not read."""
    import zarr

    group = zarr.open_group(tmp_path / "evil.zarr", mode="w", zarr_format=2)
    group.create_array("a", shape=(1,), chunks=(1,), dtype="i4", fill_value=0)
    meta = tmp_path / "evil.zarr" / "a" / ".zarray"
    codec = {"id": "pickle", "protocol": 4}
    array = json.loads(meta.read_text()) | {"filters": None, "compressor": codec}
    meta.write_text(json.dumps(array))
    attributes = tmp_path / "evil.zarr" / "a" / ".zattrs"
    attributes.write_text(json.dumps({"_ARRAY_DIMENSIONS": ["x"]}))
    evil = f"cposix\nsystem\n(S'touch {tmp_path}/pwned'\ntR."
    (tmp_path / "evil.zarr" / "a" / "0").write_text(evil)
    assert "expected a saved fit" in refused(tmp_path / "evil.zarr")
    assert not (tmp_path / "pwned").exists()


def changed(name, change):
    return pytest.param(change, id=name)


def meta(**values):
    def change(found):
        found.attrs["upturn"] = json.dumps(json.loads(found.attrs["upturn"]) | values)

    return change


def attribute(value):
    def change(found):
        found.attrs["upturn"] = value

    return change


def group(name, function):
    def change(found):
        found[name] = xr.DataTree(function(found[name].to_dataset()))

    return change


def without(name):
    def change(found):
        del found[name]

    return change


def constant(function):
    return group("constant_data", function)


def index(function):
    return constant(lambda d: d.assign(curve_index=function(d["curve_index"])))


@pytest.mark.parametrize(
    "change",
    [
        *(changed(f"no {g}", without(g)) for g in ("posterior", "emergence", "sample_stats")),
        *(changed(f"no {g}", without(g)) for g in ("observed_data", "constant_data")),
        changed("no attribute", lambda t: t.attrs.clear()),
        changed("no JSON", attribute("{")),
        changed("a list", attribute("[1]")),
        changed("a number", attribute(5)),
        changed("numbers", attribute(np.array([1, 2]))),
        changed("deep", attribute("[" * 100_000)),
        changed("newer", meta(schema=99)),
        changed("schema in words", meta(schema="one")),
        changed("endless schema", meta(schema=float("inf"))),
        changed("no arguments", meta(arguments={})),
        changed("arguments of no kind", meta(arguments=None)),
        changed("no model", meta(model="hinge")),
        changed("a wrong prior", meta(arguments={"priors": {"rate": "wide"}, "axis": ["flops"]})),
        changed("priors of no kind", meta(arguments={"priors": 5, "axis": ["flops"]})),
        changed("notes of no kind", meta(notes=5)),
        changed("other labels", meta(labels=["nobody"])),
        changed("no rate", group("posterior", lambda d: d.drop_vars("rate"))),
        changed("no gain", group("emergence", lambda d: d.drop_vars("gain"))),
        changed("no p_change", group("sample_stats", lambda d: d.drop_vars("p_change"))),
        changed("no y", group("observed_data", lambda d: d.drop_vars("y"))),
        changed("fewer draws", group("posterior", lambda d: d.isel(draw=slice(3)))),
        changed("fewer curves", group("posterior", lambda d: d.isel(curve=slice(2)))),
        changed("no curves", group("emergence", lambda d: d.isel(curve=slice(0)))),
        changed("turned", group("posterior", lambda d: d.transpose("curve", "chain", "draw"))),
        changed("words", group("sample_stats", lambda d: d.assign(khat=("curve", list("abc"))))),
        changed("fewer observations", group("observed_data", lambda d: d.isel(obs=slice(3)))),
        changed("fewer points", group("constant_data", lambda d: d.isel(obs=slice(3)))),
        changed("a large index", index(lambda i: i + 10**9)),
        changed("a negative index", index(lambda i: i - 1)),
        changed("a broken index", index(lambda i: i * 0.5)),
        changed("out of order", index(lambda i: i.copy(data=i.values[::-1]))),
        changed("of no kind", constant(lambda d: d.assign(kind=("curves", list("abc"))))),
        changed("broken groups", constant(lambda d: d.assign(group=d["group"] + 0.5))),
        changed("many groups", constant(lambda d: d.assign(group=d["group"] + 10**6))),
        changed("endings", group("constant_data", lambda d: d.isel(limit=slice(1)))),
    ],
)  # fmt: skip
def test_a_file_that_was_changed(loaded, saved, monkeypatch, change):
    """In memory, where a change takes no second; through a file the tests below go."""
    found = loaded.copy()
    change(found)
    monkeypatch.setattr(files, "_attempt", lambda source: (found, ""))
    text = refused(saved)
    assert "fit.nc" in text
    assert "expected a" in text


def test_what_reads_a_changed_file_reads_one_that_was_not(loaded, saved, monkeypatch):
    monkeypatch.setattr(files, "_attempt", lambda source: (loaded.copy(), ""))
    assert len(upturn.load(saved).curves) == 3


def test_a_changed_file_on_the_disk(loaded, tmp_path):
    found = loaded.copy()
    group("posterior", lambda d: d.drop_vars("rate"))(found)
    found.to_netcdf(tmp_path / "changed.nc", engine="h5netcdf")
    text = refused(tmp_path / "changed.nc")
    assert "changed.nc" in text
    assert "expected a" in text


def test_a_newer_schema_says_what_to_do(saved, tmp_path):
    found = files.load(saved)
    meta(schema=99)(found)
    found.to_netcdf(tmp_path / "newer.nc", engine="h5netcdf")
    assert "but got schema 99; use the version of upturn that wrote it" in refused(
        tmp_path / "newer.nc"
    )


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on the size of files")
@pytest.mark.parametrize(("ending", "size"), [(".nc", 40_000), (".zarr", 300)])
def test_a_disk_that_is_full(ending, size, fit, tmp_path):
    """HDF5 used to end the process, where it could not close its file."""
    import resource

    target = tmp_path / f"f{ending}"
    fit.save(target)
    before = interruptions.files(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        with pytest.raises(DataError, match="expected to write it, but got: File too large"):
            fit.save(target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert interruptions.files(tmp_path) == before


def test_a_large_fit_for_which_there_is_no_room(fit, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "HELD_BYTES", 1)
    fit.save(tmp_path / "f.nc")
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(DataError, match="No space left on device"):
        fit.save(tmp_path / "g.nc")
    assert [p.name for p in tmp_path.iterdir()] == ["f.nc"]
