"""Named randomness, in two kinds. Nothing else in the engine draws.

`stream`  a sequential generator for facts that one shard owns alone.
`hashed`  stateless words keyed by natural keys, for facts that two shards must both know: an order's delivery lag is a
          function of customer and day, so purchasing can recompute what sales decided.
"""

import hashlib
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import DTypeLike, NDArray

Words = NDArray[np.uint64]
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def digest(seed: int, *name: object) -> bytes:
    """Return 16 bytes that depend on the seed, on every part of the name and on their order."""
    return hashlib.blake2b("\x1f".join(map(str, (seed, *name))).encode(), digest_size=16).digest()


def words_of(seed: int, *name: object) -> Words:
    """Return the digest as two unsigned words, shape (2,)."""
    return np.frombuffer(digest(seed, *name), dtype="<u8").astype(np.uint64)


class _Key(ISeedSequence):
    """The key of a generator as numpy asks for it; given as `key`, it costs a draw of the system's entropy that nobody uses."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint64) -> Words:
        return self._words


def stream(seed: int, *name: object) -> np.random.Generator:
    """Return the Philox generator of (company, process, block, purpose, ...). Adding a name changes no other stream."""
    key: Any = _Key(words_of(seed, *name))  # numpy's stubs know just one of its kinds of seeds
    return np.random.Generator(np.random.Philox(key))


def mix(words: Words) -> Words:
    """Scramble words in place; a bijection on uint64.

    Source: finaliser of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
    """
    words ^= words >> np.uint64(30)
    words *= _MULTIPLIERS[0]
    words ^= words >> np.uint64(27)
    words *= _MULTIPLIERS[1]
    words ^= words >> np.uint64(31)
    return words


def hashed(
    seed: int, name: tuple[object, ...], first: NDArray[np.integer], second: NDArray[np.integer]
) -> Words:
    """Return one uniform word per pair of integer keys, shape (n,); each key must lie in [0, 2**32)."""
    key = words_of(seed, *name)
    words: Words = (first.astype(np.uint64) << np.uint64(32)) | second.astype(np.uint64)
    words += key[0]
    mix(words)
    words += key[1] | np.uint64(1)
    return mix(words)


def uniforms(words: Words) -> tuple[NDArray[np.float32], ...]:
    """Split words of shape (n,) into four uniforms in [0, 1) of 16 bits each: plenty for lags and flags."""
    fields = words.view(np.uint16).reshape(-1, 4)
    return tuple(fields[:, place].astype(np.float32) * np.float32(2**-16) for place in range(4))


def quantile_table(weights: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the inverse of a discrete distribution as a table of 65,536 entries.

    A draw is then one gather on 16 random bits, without a binary search, and depends on integers only.
    """
    cumulated = np.cumsum(weights)
    steps = (np.arange(2**16) + 0.5) * (cumulated[-1] / 2**16)
    table: NDArray[np.int32] = np.searchsorted(cumulated, steps).astype(np.int32)
    return table
