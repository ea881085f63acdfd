"""Look through an HDF5 file in a process of its own: its links, its storage, then every value.

Run as ``python -P foreign_hdf5.py PATH ALLOWED``. It prints how many bytes all arrays hold; where
these are at most ALLOWED it reads them too, with memory for little more. It is a script because
the HDF5 library runs without end on some damaged files, or crashes, and no exception ends that.
"""

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py

SPARE_BYTES = 256_000_000  # of address space, for what the library itself needs

FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)


class ForeignFileError(ValueError):
    """The file asks for what no saved fit needs."""


def objects(group: h5py.Group, seen: set[int]) -> Iterator[h5py.HLObject]:
    """All groups and datasets below a group, each once; nothing outside the file is opened.

    Raises
    ------
    ForeignFileError
        For a soft or external link, for a second name of the same object, and for values that are
        kept in another file.
    """
    for name in group:
        if type(group.get(name, getlink=True)) is not h5py.HardLink:
            raise ForeignFileError(f"{name!r} is a link to somewhere else, and none is followed")
        member = group[name]
        address = h5py.h5o.get_info(member.id).addr
        if address in seen:  # a group within itself would be read without end
            raise ForeignFileError(f"{name!r} has two names, which nothing in a saved fit has")
        seen.add(address)
        if isinstance(member, h5py.Dataset):
            check_storage(member, name)
        yield member
        if isinstance(member, h5py.Group):
            yield from objects(member, seen)


def check_storage(dataset: h5py.Dataset, name: str) -> None:
    """Refuse values from other files; not even the shape is asked for before.

    Raises
    ------
    ForeignFileError
    """
    created = dataset.id.get_create_plist()
    if created.get_layout() == h5py.h5d.VIRTUAL or created.get_external_count():
        raise ForeignFileError(f"{name!r} keeps its values in another file, and none is followed")
    if any(created.get_filter(i)[0] not in FILTERS for i in range(created.get_nfilters())):
        raise ForeignFileError(f"{name!r} is compressed in a way that no saved fit is")


def unpacked_bytes(dataset: h5py.Dataset) -> int:
    """What the values take in memory, a chunk at least."""
    if dataset.shape is None:
        return 0
    chunks = dataset.chunks or dataset.shape
    sizes = map(max, dataset.shape, chunks)
    return math.prod(map(int, sizes)) * int(dataset.dtype.itemsize)


def limit_memory(allowed: int) -> None:
    """Let this process have no more than so many bytes beyond what it has, where that is known."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        most = pages * resource.getpagesize() + allowed + SPARE_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (ImportError, OSError, ValueError):
        return


def look(path: str, allowed: int) -> int:
    """Check a file and read it as xarray will; what all its arrays take in memory."""
    limit_memory(allowed)
    with h5py.File(path, "r") as file:
        members = [file, *objects(file["/"], set())]
        arrays = [member for member in members if isinstance(member, h5py.Dataset)]
        total = sum(map(unpacked_bytes, arrays))
        if total <= allowed:
            for member in members:
                if not isinstance(member, h5py.Datatype):
                    dict(member.attrs)
            for array in arrays:
                array[()]
    return total


if __name__ == "__main__":
    print(look(sys.argv[1], int(sys.argv[2])))
