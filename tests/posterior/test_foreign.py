"""Saved fits made to carry other files out, or to fill the memory: refused before they are read."""

import json
import os
import shutil
import tracemalloc
import zlib

import h5py
import numpy as np
import pytest
import zstandard

import upturn
from tests.hostile.cases import saved
from upturn.checks.errors import DataError

SECRET = b"a secret that lies elsewhere: " * 100


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A saved fit of each format, as paths."""
    folder = tmp_path_factory.mktemp("originals")
    for contents in saved().values():
        for name, data in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return folder


@pytest.fixture
def fits(originals, tmp_path):
    """Copies of them, beside a file that is nobody's business."""
    shutil.copytree(originals, tmp_path, dirs_exist_ok=True)
    (tmp_path / "secret").write_bytes(SECRET)
    return tmp_path


def refused(path):
    with pytest.raises(DataError) as error:
        upturn.load(path)
    text = str(error.value)
    assert "\n" not in text
    assert path.name in text
    assert "secret that" not in text
    return text


# --- other files, by HDF5 -------------------------------------------------------------------------


def external_storage(file, secret):
    file.create_dataset(
        "notes", shape=(len(SECRET),), dtype="u1", external=[(str(secret), 0, len(SECRET))]
    )


def external_storage_in_a_deep_group(file, secret):
    file.create_group("posterior/a/b/c").create_dataset(
        "notes", shape=(10,), dtype="u1", external=[(str(secret), 0, 10)]
    )


def external_link(file, secret):
    file["posterior/other"] = h5py.ExternalLink(str(secret), "/")


def soft_link(file, secret):
    file["posterior/other"] = h5py.SoftLink("/emergence/gain")


def soft_link_to_nothing(file, secret):
    file["other"] = h5py.SoftLink("/nowhere")


def virtual_data(file, secret):
    layout = h5py.VirtualLayout(shape=(10,), dtype="u1")
    layout[:] = h5py.VirtualSource(str(secret), "x", shape=(10,))
    file.create_virtual_dataset("posterior/other", layout)


@pytest.mark.parametrize(
    "change",
    [
        external_storage, external_storage_in_a_deep_group, external_link, soft_link,
        soft_link_to_nothing, virtual_data,
    ],
)  # fmt: skip
def test_other_files_are_not_followed(change, fits):
    with h5py.File(fits / "f.nc", "a") as file:
        change(file, fits / "secret")
    assert "and none is followed" in refused(fits / "f.nc")


def test_a_variable_that_is_kept_elsewhere(fits):
    """As the report showed it: a text of the fit itself."""
    with h5py.File(fits / "f.nc", "a") as file:
        shape, dtype = file["constant_data/x"].shape, file["constant_data/x"].dtype
        del file["constant_data/x"]
        size = int(np.prod(shape)) * dtype.itemsize
        file.create_dataset(
            "constant_data/x", shape, dtype, external=[(str(fits / "secret"), 0, size)]
        )
    assert "'x' keeps its values in another file, and none is followed" in refused(fits / "f.nc")


def test_a_group_within_itself(fits):
    """A hard link may make a circle, in which a reader would go round without end."""
    with h5py.File(fits / "f.nc", "a") as file:
        file["posterior/again"] = file["posterior"]
    assert "'again' has two names" in refused(fits / "f.nc")


def test_filters_that_no_fit_has(fits):
    with h5py.File(fits / "f.nc", "a") as file:
        file.create_dataset("posterior/other", data=np.zeros(100), compression="lzf")
    assert "'other' is compressed in a way that no saved fit is" in refused(fits / "f.nc")


# --- other files, by Zarr -------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["posterior/level/c", "posterior/level/zarr.json", "posterior"])
def test_links_in_a_store(place, fits):
    target = fits / "f.zarr" / place
    shutil.move(target, fits / "moved")
    target.symlink_to(fits / "moved")
    assert "is a link to somewhere else, and none is followed" in refused(fits / "f.zarr")


def test_a_store_that_is_reached_by_a_link(fits):
    """The user's own link is no part of the store."""
    (fits / "mine.zarr").symlink_to(fits / "f.zarr")
    (fits / "mine.nc").symlink_to(fits / "f.nc")
    for name in ("mine.zarr", "mine.nc"):
        assert upturn.load(fits / name).model.name == "flat"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_pipes_are_not_waited_for(fits):
    os.mkfifo(fits / "f.zarr" / "pipe")
    assert "'pipe' is neither a file nor a folder" in refused(fits / "f.zarr")
    os.mkfifo(fits / "pipe.nc")
    assert "neither a file nor a folder" in refused(fits / "pipe.nc")


# --- sizes ----------------------------------------------------------------------------------------


def described(fits, **changes):
    path = fits / "f.zarr" / "posterior" / "level" / "zarr.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return fits / "f.zarr"


def grid(*chunk):
    return {"name": "regular", "configuration": {"chunk_shape": list(chunk)}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": [-(10**12), 10, 1]}, "a shape with a length of -1000000000000"),
        ({"shape": [4.0, 10, 1]}, "a shape with a length of 4.0"),
        ({"shape": [True, 10, 1]}, "a shape with a length of True"),
        ({"shape": 5}, "a shape that is no list"),
        ({"chunk_grid": grid(10**6, 10**6, 1)}, "bytes that claim to hold 8,000,000,"),
        ({"chunk_grid": grid(0, 10, 1)}, "a shape with a length of 0"),
        ({"codecs": [{"name": "blosc", "configuration": {}}]}, "encoded in a way that no saved"),
        ({"data_type": {"name": "null_terminated_bytes"}}, "values of the type"),
        ({"storage_transformers": [{"name": "x"}]}, "chunks that no saved fit has"),
        ({"consolidated_metadata": {"metadata": {}}}, "descriptions of arrays in two places"),
    ],
)
def test_what_a_store_says_of_itself(changes, message, fits):
    assert message in refused(described(fits, **changes))


def test_a_negative_shape_does_not_cancel_a_huge_one(fits):
    path = described(fits, shape=[-(10**12), 10, 1])
    other = path / "posterior" / "concentration" / "zarr.json"
    if not other.exists():
        other = next(p for p in (path / "emergence").rglob("zarr.json") if "gain" in p.parts)
    other.write_text(json.dumps(json.loads(other.read_text()) | {"shape": [10**12, 10, 1]}))
    assert "a shape with a length of" in refused(path)


def chunk_of(fits):
    folder = fits / "f.zarr" / "posterior" / "level" / "c"
    return next(path for path in folder.rglob("*") if path.is_file())


def peak(function):
    tracemalloc.start()
    try:
        return function(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("says", [True, False])
def test_a_chunk_that_unpacks_to_more_than_its_array(says, fits):
    bomb = zstandard.ZstdCompressor(write_content_size=says)
    if says:
        packed = bomb.compress(bytes(50_000_000))
    else:
        stream = bomb.compressobj()
        packed = stream.compress(bytes(50_000_000)) + stream.flush()
    chunk_of(fits).write_bytes(packed)
    message, most = peak(lambda: refused(fits / "f.zarr"))
    assert "has a chunk that unpacks to more than it may" in message
    assert most < 20_000_000


def packed_zeros(times):
    """A zlib stream of so many times 10 MB of zeros: equal blocks, of which one is compressed."""
    zeros = bytes(10_000_000)
    packer = zlib.compressobj(9)
    first = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    end = packer.flush()[:-4]
    checksum = 1
    for _ in range(times):
        checksum = zlib.adler32(zeros, checksum)
    return first + block * (times - 1) + end + checksum.to_bytes(4)


def test_packed_zeros_are_what_they_say():
    assert zlib.decompress(packed_zeros(3)) == bytes(30_000_000)


def test_a_chunk_of_hdf5_that_unpacks_to_more_than_it_says(fits):
    """Deflate does not say how much it holds: the process that looks has no memory for more."""
    with h5py.File(fits / "f.nc", "a") as file:
        bomb = file.create_dataset(
            "posterior/other", (1000,), dtype="f8", chunks=(1000,), compression="gzip"
        )
        bomb.id.write_direct_chunk((0,), packed_zeros(200))
    assert "expected a saved fit" in refused(fits / "f.nc")


@pytest.mark.parametrize("group", ["posterior", "constant_data", "sample_stats"])
def test_a_chunk_that_was_lost(group, fits):
    """Zarr would fill in nothing, or NaN, and the rest of the fit would look whole."""
    chunks = [p for p in (fits / "f.zarr" / group).rglob("*") if p.is_file() and "c" in p.parts]
    chunks[0].unlink()
    assert "has 0 chunks of 1" in refused(fits / "f.zarr")
