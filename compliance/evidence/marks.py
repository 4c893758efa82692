"""Marks inside document ids: a keyed 40-bit tag of each id's body, and the check that anybody can run.

Scheme `document-id/v1`. A document id is 18 characters: two letters for the kind of document, 8 Crockford
base32 digits of a 40-bit body, 8 digits of a 40-bit tag. The tag is a function of the body under a key that is
published below, so anybody can detect our ids offline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

MARK_SCHEME = "document-id/v1"
# Published on purpose: with it anybody can tell that an id came from this software. It protects nothing and
# is never rotated, because a change would leave every id that is out in the world undetectable.
PUBLIC_KEY = bytes.fromhex("64617461 73796e74 682d6d61 726b2d31")  # "datasynth-mark-1"

PREFIX_LETTERS, DIGITS = 2, 8
ID_LENGTH = PREFIX_LETTERS + 2 * DIGITS
BODY_BITS = 40
_BLOCK_BYTES = 16

_ALPHABET = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32: no I, L, O, U
_NOT_A_DIGIT = 255


def _digit_values() -> NDArray[np.uint8]:
    """Value of each byte as a base32 digit, `_NOT_A_DIGIT` for the rest; small letters count as capitals."""
    values = np.full(256, _NOT_A_DIGIT, dtype=np.uint8)
    for alphabet in (_ALPHABET, _ALPHABET.lower()):
        values[np.frombuffer(alphabet, dtype=np.uint8)] = np.arange(32, dtype=np.uint8)
    return values


_DIGIT_VALUES = _digit_values()
_IS_LETTER = np.isin(np.arange(256), np.frombuffer(ascii_letters.encode(), np.uint8))


def _pseudorandom_words(key: bytes, body: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """First 64 bits of AES(key, body as little-endian block), shape (n,); one call of the cipher a batch.

    Source: AES is a pseudorandom permutation of 128-bit blocks (FIPS 197); every body is one whole block, so
    ECB is exactly one evaluation of that permutation each.
    """
    n = len(body)
    blocks = np.zeros((n, 2), dtype="<u8")
    blocks[:, 0] = body
    words = np.empty((n + 1, 2), dtype="<u8")  # update_into asks for room for one block more
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    if n:
        encryptor.update_into(blocks.data.cast("B"), words.data.cast("B"))
    return words[:n, 0]


@dataclass(frozen=True, slots=True)
class PublicMark:
    """The tag under the published key."""

    def tag(self, body: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Tags of id bodies: shape (n,), values < 2**40, for bodies of shape (n,) with values < 2**40."""
        return _pseudorandom_words(PUBLIC_KEY, body) >> np.uint64(64 - BODY_BITS)


Ids: TypeAlias = "pa.Array | pa.ChunkedArray | Sequence[str]"


def is_marked(ids: Ids) -> NDArray[np.bool_]:
    """Which ids carry our tag, shape (n,); an id of another shape, or null, does not.

    Args: ids: strings of any length. A foreign id of our shape passes with probability 2**-40.
    """
    characters, candidates = _characters(ids)
    marked = np.zeros(len(candidates), dtype=np.bool_)
    digits = _DIGIT_VALUES[characters[:, PREFIX_LETTERS:]]
    has_prefix = _IS_LETTER[characters[:, :PREFIX_LETTERS]].all(axis=1)
    well_formed = has_prefix & (digits != _NOT_A_DIGIT).all(axis=1)
    body, tag = _number(digits[:, :DIGITS]), _number(digits[:, DIGITS:])
    marked[candidates] = well_formed & (tag == PublicMark().tag(body))
    return marked


def _number(digits: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Base32 digits, shape (n, 8), most significant first, as numbers of shape (n,)."""
    number = np.zeros(len(digits), dtype=np.uint64)
    for place in range(DIGITS):
        number = (number << np.uint64(5)) | digits[:, place]
    return number


def _characters(ids: Ids) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Bytes of the ids of the right length, shape (m, 18), and which of the n ids those are, shape (n,)."""
    column = ids if isinstance(ids, pa.ChunkedArray) else pa.chunked_array([pa.array(ids, pa.string())])
    characters, candidates = [np.empty((0, ID_LENGTH), np.uint8)], [np.empty(0, np.bool_)]
    for chunk in column.chunks:
        text = chunk.cast(pa.large_string()).cast(pa.large_binary())
        fits = np.asarray(compute.binary_length(text).fill_null(0)) == ID_LENGTH
        fixed = text.filter(pa.array(fits)).cast(pa.binary(ID_LENGTH))
        data = fixed.buffers()[1] if len(fixed) else b""
        row_bytes = np.frombuffer(data, np.uint8, len(fixed) * ID_LENGTH, fixed.offset * ID_LENGTH)
        characters.append(row_bytes.reshape(-1, ID_LENGTH))
        candidates.append(fits)
    return np.concatenate(characters), np.concatenate(candidates)
