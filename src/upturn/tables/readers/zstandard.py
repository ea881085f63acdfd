"""A Zstandard frame (RFC 8878), decompressed only where its size is bounded beforehand."""

from collections.abc import Iterator

ZIP_METHOD = 93
_MAGIC = (0xFD2FB528).to_bytes(4, "little")
_BLOCK = 128 * 1024  # the most that one block holds
_RLE, _COMPRESSED = 1, 2  # 0 is a block as it is


class BrokenFrameError(ValueError):
    """These bytes are no Zstandard frame that may be decompressed."""


def decompress(data: bytes, most: int) -> bytes:
    """What a frame holds.

    Parameters
    ----------
    data
        One frame.
    most
        The most bytes that it may hold. Before anything is decompressed, the headers of its blocks
        bound its size.

    Raises
    ------
    BrokenFrameError
        For other bytes, and for more than may be.
    """
    from numcodecs.zstd import Zstd

    first_block, claimed = _header(data)
    if max(claimed, sum(_blocks(data, first_block))) > most:
        raise BrokenFrameError(f"more than {most / 1e6:g} MB")
    try:
        return bytes(Zstd().decode(data))
    except (RuntimeError, ValueError) as error:
        raise BrokenFrameError(str(error)) from None


def _header(data: bytes) -> tuple[int, int]:
    """Where the first block begins, and the size that the frame claims to hold (0 if none).

    RFC 8878, section 3.1.1.1.
    """
    if _take(data, 0, 4) != _MAGIC:
        raise BrokenFrameError("no Zstandard frame")
    descriptor = _take(data, 4, 1)[0]
    one_segment = descriptor >> 5 & 1
    place = 5 + (0 if one_segment else 1) + (0, 1, 2, 4)[descriptor & 3]
    width = (one_segment, 2, 4, 8)[descriptor >> 6]
    claimed = int.from_bytes(_take(data, place, width), "little")
    return place + width, claimed


def _blocks(data: bytes, place: int) -> Iterator[int]:
    """The most that each block of a frame holds: section 3.1.1.2."""
    last = 0
    while not last:
        header = int.from_bytes(_take(data, place, 3), "little")
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        if kind > _COMPRESSED or (kind == _COMPRESSED and size > _BLOCK):
            raise BrokenFrameError("a block of no known kind")
        yield _BLOCK if kind == _COMPRESSED else size
        place += 3 + (1 if kind == _RLE else size)


def _take(data: bytes, place: int, count: int) -> bytes:
    found = data[place : place + count]
    if len(found) < count:
        raise BrokenFrameError("it ends in the middle")
    return found
