"""Zstandard frames: read as another implementation writes them, bounded before they are."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numcodecs.zstd import Zstd

from upturn.tables.readers.zstandard import BrokenFrameError, decompress


@given(st.binary(min_size=1, max_size=2000), st.integers(1, 1000), st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_was_compressed(part, times, checksum):
    data = part * times
    assert decompress(Zstd(1, checksum=checksum).encode(data), 2 * len(data) + 131072) == data


def test_too_much_is_refused_before_it_is_unpacked():
    bomb = Zstd(19).encode(bytes(50_000_000))
    assert len(bomb) < 10_000
    with pytest.raises(BrokenFrameError, match="more than 1 MB"):
        decompress(bomb, 1_000_000)
    hidden = bytearray(bomb)
    hidden[4] &= 0b00111111  # claims no size, as a stream does: the blocks tell all the same
    with pytest.raises(BrokenFrameError):
        decompress(bytes(hidden), 1_000_000)


@given(st.binary(max_size=60))
def test_other_bytes(data):
    for frame in (data, b"\x28\xb5\x2f\xfd" + data):
        with contextlib.suppress(BrokenFrameError):
            assert len(decompress(frame, 1000)) <= 1000


@pytest.mark.parametrize("length", range(1, 30, 3))
def test_one_that_ends_in_the_middle(length):
    with pytest.raises(BrokenFrameError):
        decompress(Zstd().encode(b"abcdefgh" * 4 + bytes(40))[:length], 100_000)
