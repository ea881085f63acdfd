"""Zstandard streams: read as another implementation writes them, never beyond the bound."""

import contextlib
import tracemalloc

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from numcodecs.zstd import Zstd

from upturn.tables.readers.zstandard import BrokenFrameError, decompress

BOUND = 1_000_000


@given(st.binary(min_size=1, max_size=2000), st.integers(1, 1000), st.booleans())
@settings(max_examples=60)
def test_what_was_compressed(part, times, checksum):
    data = part * times
    assert decompress(Zstd(1, checksum=checksum).encode(data), len(data)) == data


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=4))
@settings(max_examples=30)
def test_frames_one_after_the_other(parts):
    assert decompress(b"".join(map(zstandard.compress, parts)), 8000) == b"".join(parts)


def streamed(data):
    """A frame that does not say how much it holds, as a stream does not."""
    stream = zstandard.ZstdCompressor(level=19).compressobj()
    return stream.compress(data) + stream.flush()


BOMB = Zstd(19).encode(bytes(50_000_000))


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(BOMB, id="one that says so"),
        pytest.param(streamed(bytes(50_000_000)), id="one that does not"),
        pytest.param(zstandard.compress(b"small") + BOMB, id="in the second frame"),
        pytest.param(zstandard.compress(bytes(90_000)) * 600, id="in many frames"),
    ],
)
def test_too_much_is_refused_before_it_is_unpacked(bomb):
    assert len(bomb) < 20_000
    tracemalloc.start()
    try:
        with pytest.raises(BrokenFrameError, match="more than 1 MB"):
            decompress(bomb, BOUND)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=60))
def test_other_bytes(data):
    for frame in (data, b"\x28\xb5\x2f\xfd" + data):
        with contextlib.suppress(BrokenFrameError):
            assert len(decompress(frame, 1000)) <= 1000


@pytest.mark.parametrize("length", range(0, 26, 3))
def test_one_that_ends_in_the_middle(length):
    with pytest.raises(BrokenFrameError, match="it ends in the middle"):
        decompress(Zstd().encode(b"abcdefgh" * 4 + bytes(40))[:length], 100_000)
