"""Zstandard streams (RFC 8878), decompressed piece by piece up to a bound."""

import zstandard

ZIP_METHOD = 93
_PIECE = 256  # bytes of input at a time; of each four of them a block of 128 KiB may be made
_LARGEST_WINDOW = 2**27  # bytes; the most that the reference implementation takes unasked


class BrokenFrameError(ValueError):
    """These bytes are no Zstandard stream that may be decompressed."""


def decompress(data: bytes, most: int) -> bytes:
    """What all frames of a stream hold together.

    Parameters
    ----------
    data
        One frame or several, one after the other.
    most
        The most bytes that they may hold. No more than this and a few MB is ever in memory.

    Raises
    ------
    BrokenFrameError
        For other bytes, for a stream that is cut off, and for more than may be.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    content, frame, place = bytearray(), decompressor.decompressobj(), 0
    while place < len(data):
        if frame.eof:
            frame = decompressor.decompressobj()
        piece = data[place : place + _PIECE]
        try:
            content += frame.decompress(piece)
        except zstandard.ZstdError as error:
            raise BrokenFrameError(str(error)) from None
        if len(content) > most:
            raise BrokenFrameError(f"more than {most / 1e6:g} MB")
        place += len(piece) - len(frame.unused_data)
    if not frame.eof:
        raise BrokenFrameError("it ends in the middle")
    return bytes(content)
