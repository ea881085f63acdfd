"""What a saved fit may hold, checked before anything of it is read.

A file from somebody else may be made to fill the memory, to hang the library that reads it, or to
name other files of this machine, whose contents would then be part of the answer. All of these are
refused here.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

# Draws hardly compress. A file beyond these was made to fill the memory.
SMALL_BYTES = 64_000_000

LARGEST_RATIO = 100

READ_TWICE_BYTES = 1_000_000_000  # of larger fits, what the other process reads is no data

PATIENCE = 20.0  # seconds, and one more for each 5 MB

DESCRIPTION_BYTES = 16_000_000  # of one zarr.json

FRAME_HEADER_BYTES = 18  # of Zstandard, at most: RFC 8878, section 3.1.1.1

SCRIPT = Path(__file__).with_name("foreign_hdf5.py")

CODECS = {"bytes", "zstd"}

WIDTHS = {
    f"{kind}{bits}": bits // 8
    for kind in ("int", "uint", "float")
    for bits in (8, 16, 32, 64)
} | {"bool": 1}  # fmt: skip


def check(source: Path) -> None:
    """Refuse what names other files, and what unpacks to far more than any fit does.

    Raises
    ------
    ValueError
        Saying what is wrong with it.
    """
    if source.is_dir():
        stored = sum(part.stat().st_size for part in files_in(source))
        unpacked = zarr_bytes(source)
        check_chunks(source)
    elif source.is_file():
        stored, unpacked = source.stat().st_size, hdf5_bytes(source)
    else:
        raise ValueError("neither a file nor a folder")
    if unpacked > SMALL_BYTES + LARGEST_RATIO * stored:
        raise ValueError(f"{stored:,} bytes that claim to hold {unpacked:,}")


# ---- Zarr ----------------------------------------------------------------------------------------


def files_in(folder: Path) -> Iterator[Path]:
    """The files of a folder at any depth.

    Raises
    ------
    ValueError
        For links, pipes and other things that are neither files nor folders.
    """
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_symlink():
                raise ValueError(
                    f"{entry.name!r} is a link to somewhere else, and none is followed"
                )
            if entry.is_dir(follow_symlinks=False):
                yield from files_in(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
            else:
                raise ValueError(f"{entry.name!r} is neither a file nor a folder")


def zarr_bytes(source: Path) -> int:
    """What all arrays unpack to, by their own descriptions (Zarr 3: one zarr.json a node)."""
    return sum(array_bytes(described) for _, described in arrays_in(source))


def arrays_in(source: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """The folders of the arrays of a store, with what is said of each."""
    for path in source.rglob("zarr.json"):
        if path.stat().st_size > DESCRIPTION_BYTES:
            raise ValueError(f"a description of more than {DESCRIPTION_BYTES / 1e6:g} MB")
        described = json.loads(path.read_bytes())
        if described.get("consolidated_metadata"):
            raise ValueError("descriptions of arrays in two places")
        if described["node_type"] == "array":
            yield path.parent, described


def array_bytes(described: Mapping[str, Any]) -> int:
    """What an array takes in memory, a chunk at least.

    Raises
    ------
    ValueError
        For shapes that are no counts, and for encodings that `save` does not use.
    """
    shape = lengths(described["shape"], least=0)
    return max(prod(shape) * width_of(described), chunk_bytes(described))


def chunk_bytes(described: Mapping[str, Any]) -> int:
    """What a chunk of an array unpacks to."""
    grid = described["chunk_grid"]
    if grid["name"] != "regular" or described.get("storage_transformers"):
        raise ValueError("chunks that no saved fit has")
    if not {codec["name"] for codec in described["codecs"]} <= CODECS:
        raise ValueError("values encoded in a way that no saved fit has")
    return prod(lengths(grid["configuration"]["chunk_shape"], least=1)) * width_of(described)


def width_of(described: Mapping[str, Any]) -> int:
    """Bytes of an element."""
    kind = described["data_type"]
    if isinstance(kind, str):
        return WIDTHS[kind]
    if kind["name"] != "fixed_length_utf32":
        raise ValueError(f"values of the type {kind['name']!r}, which no saved fit has")
    return lengths([kind["configuration"]["length_bytes"]], least=0)[0]


def lengths(given: Any, least: int) -> list[int]:
    """Counts, as JSON gives them."""
    if not isinstance(given, list):
        raise ValueError("a shape that is no list")
    for value in given:
        if type(value) is not int or value < least:
            raise ValueError(f"a shape with a length of {value!r}")
    return given


def check_chunks(source: Path) -> None:
    """Refuse arrays that lack a chunk, and chunks that hold, or claim, more than they may.

    Raises
    ------
    ValueError
    """
    for folder, described in arrays_in(source):
        chunks = chunks_in(folder)
        due = number_of_chunks(described)
        if len(chunks) != due:
            raise ValueError(f"{folder.name!r} has {len(chunks):,} chunks of {due:,}")
        if any(codec["name"] == "zstd" for codec in described["codecs"]):
            for chunk in chunks:
                check_frame(chunk, folder.name, chunk_bytes(described))


def chunks_in(folder: Path) -> list[Path]:
    """The files of an array's values."""
    values = folder / "c"
    if values.is_dir():
        return list(files_in(values))
    return [values] if values.exists() else []


def number_of_chunks(described: Mapping[str, Any]) -> int:
    """How many there are of an array: `save` writes them all."""
    cut = described["chunk_grid"]["configuration"]["chunk_shape"]
    return prod(-(-n // size) for n, size in zip(described["shape"], cut, strict=True))


def check_frame(chunk: Path, name: str, most: int) -> None:
    """Refuse a compressed chunk whose header claims more than there may be."""
    import zstandard

    with chunk.open("rb") as file:
        start = file.read(FRAME_HEADER_BYTES)
    try:
        claimed = zstandard.frame_content_size(start)
    except zstandard.ZstdError:
        raise ValueError(f"{name!r} has a chunk that is cut off") from None
    if not 0 <= claimed <= most:
        raise ValueError(f"{name!r} has a chunk that unpacks to more than it may")


# ---- HDF5 ----------------------------------------------------------------------------------------


def hdf5_bytes(source: Path) -> int:
    """What all datasets unpack to, by another process, which ends where the library does not.

    Raises
    ------
    ValueError
        Where it ends without an answer.
    """
    size = source.stat().st_size
    seconds = PATIENCE + size / 5_000_000
    allowed = min(SMALL_BYTES + LARGEST_RATIO * size, READ_TWICE_BYTES)
    # -P: not from the current folder, where anybody's h5py.py may lie
    command = [sys.executable, "-P", os.fspath(SCRIPT), os.path.abspath(source), str(allowed)]
    one_thread = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1")
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds,
            check=False, stdin=subprocess.DEVNULL, env=os.environ | one_thread,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ValueError(f"nothing could be read in {seconds:.0f} s") from None
    if done.returncode or not done.stdout.strip().isdigit():
        last = (done.stderr.strip().splitlines() or [""])[-1]  # "OSError: why"
        why = "more memory needed than it claims" if last == "MemoryError" else last
        raise ValueError(
            why.partition(": ")[2] or why or f"reading it ends with code {done.returncode}"
        )
    return int(done.stdout)
