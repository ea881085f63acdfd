"""Points of a Sobol net, scrambled for every curve, replicate and stage by hashing.

The points of a curve depend on the seed and on its labels only, not on other curves, batches or
threads, so that results are the same to the bit however a table is divided.
"""

import hashlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from upturn.arrays.namespaces import NUMPY
from upturn.arrays.types import Floats
from upturn.sampling.particles import point_kernels
from upturn.sampling.particles.directions import sobol_words

type Keys = NDArray[np.uint64]
type Words = NDArray[np.uint32]

LONGEST_NET = 16  # 2^16 points a stream


def keys(seed: int, labels: list[str], replicates: int) -> Keys:
    """One 64-bit key for each replicate of each curve.

    Returns
    -------
    array (curve * replicate,)
    """
    digests = [
        int.from_bytes(hashlib.blake2b(f"{seed}\x1f{label}".encode(), digest_size=8).digest())
        for label in labels
    ]
    first = np.array(digests, dtype=np.uint64)[:, None]
    return _mix(first + _odd(np.arange(replicates, dtype=np.uint64))).reshape(-1)


def uniforms(key: Keys, stream: int, dimensions: int, start: int, count: int) -> Floats:
    """Points start … start + count of a scrambled Sobol net in (0, 1).

    Parameters
    ----------
    key : array (row,)
    stream : int
        Different streams of one key are independent.
    dimensions, start, count : int

    Returns
    -------
    array (row, dimension, count)
    """
    return scrambled(net(dimensions, start, count), seeds(key, stream, dimensions))


def seeds(key: Keys, stream: int, dimensions: int) -> Words:
    """The seeds that scramble each dimension of a stream's net: (row, dimension)."""
    dimension = np.arange(dimensions, dtype=np.uint64) + np.uint64(64 * (stream + 1))
    return (_mix(key[:, None] + _odd(dimension)) >> np.uint64(32)).astype(np.uint32)


def net(dimensions: int, start: int, count: int) -> Words:
    """Points start … start + count of the Sobol net, bits reversed: (dimension, point)."""
    if start + count > 2**LONGEST_NET:
        raise ValueError(f"a stream has {2**LONGEST_NET} points, but got {start + count}")
    words = _reversed_net(dimensions, LONGEST_NET if start + count > 4096 else 12)
    return words[:, start : start + count]


def scrambled(net: Words, seeds: Words, xp: Any = NUMPY) -> Floats:
    """The net scrambled by each row's seeds, in (0, 1): (row, dimension, point)."""
    if xp is NUMPY:
        out = np.empty((*seeds.shape, net.shape[1]))
        point_kernels.scramble(np.ascontiguousarray(net), seeds, out)
        return out
    words = _scramble(net, seeds[:, :, None], xp)
    points: Floats = (words.astype(np.float64) + 0.5) * 2.0**-32
    return points


def shuffles(key: Keys, stream: int, count: int) -> NDArray[np.intp]:
    """A permutation of 0 … count - 1 for each key: (row, count)."""
    item = np.arange(count, dtype=np.uint64)[None, :]
    base = _mix(key[:, None] + _odd(np.full((1, 1), stream + 1_000_003, dtype=np.uint64)))
    return np.argsort(_mix(base + _odd(item)), axis=1, kind="stable")


def uniform(key: Keys, stream: int) -> Floats:
    """One independent uniform number for each key: (row,)."""
    base = _mix(key + _odd(np.full(1, stream + 2_000_003, dtype=np.uint64)))
    return ((base >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


def _odd(index: Keys) -> Keys:
    """Multiples of the golden ratio: the increments of splitmix64 (Steele et al. 2014)."""
    return (index + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)


def _mix(x: Keys) -> Keys:
    """The finaliser of splitmix64: every bit of the key moves every bit of the result."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@lru_cache(maxsize=64)
def _reversed_net(dimensions: int, log2_count: int) -> Words:
    """The first points of the Sobol net (Joe & Kuo 2008) as 32-bit words, bits reversed."""
    return _reverse(np.ascontiguousarray(sobol_words(dimensions, 2**log2_count)))


def _scramble(reversed_words: Words, seed: Words, xp: Any) -> Words:
    """Owen scrambling of bit-reversed words by the hash of Laine & Karras (2011).

    Each bit of the result depends only on the bits above it, as in Owen's nested permutation; see
    Burley (2020), "Practical hash-based Owen scrambling".
    """
    x = reversed_words + seed
    for factor in (0x6C50B47C, 0xB82F1E52, 0xC7AFE638, 0x8D22F6E6):
        x ^= x * np.uint32(factor)
    return _reverse(x, xp)


def _reverse(x: Words, xp: Any = NUMPY) -> Words:
    """The bits of each 32-bit word in reverse order."""
    swaps = [(4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)]
    if xp is NUMPY:
        x = x.byteswap()
    else:
        swaps = [(16, 0x0000FFFF), (8, 0x00FF00FF), *swaps]
    for shift, mask in swaps:
        s, m = np.uint32(shift), np.uint32(mask)
        x = ((x >> s) & m) | ((x & m) << s)
    return x
