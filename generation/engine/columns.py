"""Arrow columns from integer arrays. No Python loop touches a row, and buffers are shared where possible."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.errors import EngineError

Ints = NDArray[np.integer]
_SMALL = 512  # values of a dictionary that is written whole
_SPARSE = 8  # values for each row from which on sorting the rows beats a look at all values
_NULL = (1 << 32) - 1  # the key of null, -1, without its sign
_WORD_BITS = 63  # of a number that is not negative


def text(raw: NDArray[np.bytes_]) -> pa.StringArray:
    """Fixed-width bytes of shape (n,), each of full width, as strings; the bytes are not copied."""
    offsets = _offsets(raw.dtype.itemsize, _room(len(raw) + 1))
    buffers = [None, offsets, pa.py_buffer(np.ascontiguousarray(raw))]
    return pa.Array.from_buffers(pa.string(), len(raw), buffers)


@lru_cache(maxsize=16)
def _offsets(width: int, length: int) -> pa.Buffer:
    """Where texts of this width begin; kept, because all columns of ids share them."""
    return pa.py_buffer(np.arange(0, width * length, width, dtype=np.int32))


def _room(length: int) -> int:
    """A power of two in which so many rows have room, so that few different buffers are kept."""
    return 1 << max(length, 1 << 16).bit_length()


def optional_text(raw: NDArray[np.bytes_], present: NDArray[np.bool_]) -> pa.StringArray:
    """Like `text`, with null where not `present`."""
    offsets = np.zeros(len(raw) + 1, np.int32)
    np.cumsum(present, out=offsets[1:])
    offsets *= raw.dtype.itemsize
    buffers = [_bits(present), pa.py_buffer(offsets), pa.py_buffer(raw[present])]
    return pa.Array.from_buffers(pa.string(), len(raw), buffers)


def _bits(flags: NDArray[np.bool_]) -> pa.Buffer:
    """Flags of shape (n,) as Arrow has them, one bit each."""
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


def money(minor: Ints, scale: int, present: NDArray[np.bool_] | None = None) -> pa.Array:
    """Minor units of shape (n,) as decimal64(18, scale) on the same buffer, null where not `present`; readers see decimal(18, scale)."""
    values = np.ascontiguousarray(minor, np.int64)
    nulls = None if present is None else _bits(present)
    return pa.Array.from_buffers(pa.decimal64(18, scale), len(values), [nulls, pa.py_buffer(values)])


def dates(day: Ints, epoch: int) -> pa.Array:
    """Day numbers of shape (n,), counted from `epoch` days after 1970-01-01, as date32."""
    return pa.array(day.astype(np.int32) + np.int32(epoch)).view(pa.date32())


def timestamps(second: Ints, present: NDArray[np.bool_] | None = None) -> pa.Array:
    """Seconds since 1970-01-01 UTC of shape (n,) as timestamp[us, UTC]; null where not `present`."""
    micro = second.astype(np.int64) * 1_000_000
    array = pa.array(micro) if present is None else pa.array(micro, mask=~present)
    return array.view(pa.timestamp("us", "UTC"))


def category(codes: Ints, values: Sequence[str] | pa.Array) -> pa.DictionaryArray:
    """Codes of shape (n,) into `values`; a negative code is null.

    Raises: EngineError: two values are equal, and pyarrow would write such a dictionary with bytes that depend on the heap;
    or a code has no value.
    """
    if not isinstance(values, pa.Array):
        if len(set(values)) < len(values):
            raise EngineError(
                "a dictionary with equal values would make the bytes of the file depend on the heap"
            )
        values = pa.array(values, pa.string())
    return _coded(np.ascontiguousarray(codes, np.int32), values)


def listed(values: Sequence[str], at: Ints) -> pa.DictionaryArray:
    """The values of the rows at these places, shape of `at`; values may repeat."""
    names = sorted(set(values))
    return category(np.array([names.index(value) for value in values], np.int64)[at], names)


def _coded(keys: NDArray[np.int32], values: pa.Array) -> pa.DictionaryArray:
    """Like `category`, on the buffer of the keys. One look at the largest key costs less than pyarrow's at each."""
    if keys.max(initial=-1) >= len(values):
        raise EngineError(f"a code has no value: there are {len(values)}")
    present = _bits(keys >= 0) if keys.min(initial=0) < 0 else None
    indices = pa.Array.from_buffers(pa.int32(), len(keys), [present, pa.py_buffer(keys)])
    return pa.DictionaryArray.from_arrays(indices, values, safe=False)


def compact(column: pa.Array) -> pa.Array:
    """A dictionary column without values that none of its rows uses, in the order of the old dictionary; others as they are.

    Small dictionaries stay whole: they cost less than a look at every row. Of one that is no longer than the rows just the
    ends are cut off: what lies between is mostly used. No pass goes over more of a longer one than what lies between the ends.
    """
    if not pa.types.is_dictionary(column.type) or len(column.dictionary) <= _SMALL:
        return column
    indices, values = column.indices, column.dictionary
    keys = (indices.fill_null(-1) if indices.null_count else indices).to_numpy()
    low = min(int(keys.view(np.uint32).min(initial=_NULL)), len(values))  # null counts as the highest
    span = max(int(keys.max(initial=-1)) + 1 - low, 0)
    if len(values) <= len(keys):
        if span == len(values):
            return column
        return _coded(keys - np.int32(low), values.slice(low, span))
    if span > _SPARSE * len(keys):
        some, rank = np.unique(keys, return_inverse=True)
        nulls = int(np.searchsorted(some, 0))  # null is -1
        return _coded(rank.astype(np.int32) - np.int32(nulls), values.take(pa.array(some[nulls:])))
    places = keys - np.int32(low)
    if indices.null_count:
        places[keys < 0] = span
    used = np.zeros(span + 1, np.bool_)  # the last is that of null
    used[places] = True
    some = np.flatnonzero(used[:span])
    rank = np.full(span + 1, -1, np.int32)
    rank[some] = np.arange(len(some), dtype=np.int32)
    return _coded(rank.take(places), values.take(pa.array(some + low)))


def constant(value: str | None, length: int) -> pa.DictionaryArray:
    """One value, or null, `length` times; a dictionary either way, so that the batches of a table agree on the type."""
    return _many(value, _room(length)).slice(0, length)


@lru_cache(maxsize=256)
def _many(value: str | None, length: int) -> pa.DictionaryArray:
    """Kept, because most batches ask for some; they share the buffer of their indices, or of nulls."""
    indices = _nulls(length) if value is None else _zeros(length)
    values = [] if value is None else [value]
    return pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()), safe=False)


@lru_cache(maxsize=8)
def _zeros(length: int) -> pa.Int32Array:
    return pa.array(np.zeros(length, np.int32))


@lru_cache(maxsize=8)
def _nulls(length: int) -> pa.Int32Array:
    return pa.nulls(length, pa.int32())


@lru_cache(maxsize=64)
def numbered(prefix: str, count: int, width: int = 6) -> pa.StringArray:
    """Readable master-data keys, C000001 and so on, rendered without a loop over rows; kept, because every shard asks."""
    if not count:
        return pa.array([], pa.string())
    digits = np.arange(1, count + 1)[:, None] // 10 ** np.arange(width - 1, -1, -1) % 10 + ord("0")
    letters = np.broadcast_to(np.frombuffer(prefix.encode(), np.uint8), (count, len(prefix)))
    return text(np.hstack([letters, digits.astype(np.uint8)]).reshape(-1).view(f"S{len(prefix) + width}"))


def begins(values: Ints) -> NDArray[np.bool_]:
    """Where a run of equal values begins, shape of `values`."""
    is_first = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=is_first[1:])
    return is_first


def distinct(values: Ints) -> NDArray[np.int64]:
    """The different values, ascending. numpy's `unique` loads its masked arrays first, which takes ten milliseconds."""
    ordered = np.sort(values)
    return ordered[begins(ordered)].astype(np.int64)


def line_numbers(owner: Ints) -> NDArray[np.int32]:
    """1, 2, 3 ... within each run of equal owners; `owner` of shape (n,) ascends."""
    steps, start = np.ones(len(owner), np.int32), np.flatnonzero(begins(owner))
    steps[start[1:]] -= np.diff(start).astype(np.int32)
    return np.cumsum(steps, dtype=np.int32)


def stable_order(keys: Ints) -> NDArray[np.int64]:
    """The places of the keys, shape (n,), in the order of the keys; equal ones stay as they come.

    Key and place in one word make the words differ, so that the fastest sort will do: a tenth of the time of a stable one.
    """
    bits = len(keys).bit_length()
    if keys.min(initial=0) < 0 or int(keys.max(initial=0)).bit_length() + bits > _WORD_BITS:
        return np.argsort(keys, kind="stable")
    words = (keys.astype(np.int64) << bits) | np.arange(len(keys))
    words.sort()
    return words & ((1 << bits) - 1)


def sum_by(owner: Ints, values: Ints, count: int) -> NDArray[np.int64]:
    """Exact integer sums of `values` by owner, shape (count,).

    Raises: EngineError: a sum reaches 2**53, where float64 accumulation would no longer be exact.
    """
    sums = np.bincount(owner, weights=values, minlength=count)
    if len(sums) and np.abs(sums).max() >= 2**53:
        raise EngineError("an amount is too large for an exact sum")
    return sums.astype(np.int64)
