"""Digits and text as columns, and the tax ids and accounts of Germany, Britain and America; more in tax_ids.py, accounts.py.

Every function takes random words, uint64 of shape (n,), and returns text of fixed width, bytes of shape (n,).
Words that differ modulo the size of the number space give different numbers, so counting up repeats nothing.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Digits = NDArray[np.uint8]
Text = NDArray[np.bytes_]

_STEP: Final = np.uint64(1_000_003)  # a prime: permutes every number space used here
# Prefixes assigned to a campus. Source: irs.gov, "How EINs are assigned and valid EIN prefixes".
_EIN_PREFIXES: Final = np.array(
    [
        *range(1, 7),
        *range(10, 17),
        *range(20, 28),
        *range(30, 49),
        *range(50, 69),
        *range(71, 78),
        *range(80, 89),
        *range(90, 96),
        98,
        99,
    ],
    np.uint64,
)
_GB_WEIGHTS: Final = np.array([8, 7, 6, 5, 4, 3, 2], np.int64)
_ABA_WEIGHTS: Final = np.array([3, 7, 1, 3, 7, 1, 3, 7], np.int64)


def german_vat_ids(words: Words, salt: int) -> Text:
    """USt-IdNr: DE and nine digits, the last by ISO 7064 mod 11,10; S11."""
    body = digits_of(spread(words, 90_000_000, salt) + np.uint64(10_000_000), 8)
    product = np.full(len(words), 10, np.int64)
    for column in range(8):
        total = (body[:, column] + product) % 10
        product = 2 * np.where(total == 0, 10, total) % 11
    return text_of("DE", body, ((11 - product) % 10).astype(np.uint8)[:, None])


def british_vat_ids(words: Words, salt: int) -> Text:
    """VAT registration number: GB, seven digits, two check digits by mod 97 with offset 55; S11."""
    body = digits_of(spread(words, 9_000_000, salt) + np.uint64(1_000_000), 7)
    check = 97 - (body @ _GB_WEIGHTS + 55) % 97
    return text_of("GB", body, digits_of(check.astype(np.uint64), 2))


def american_eins(words: Words, salt: int) -> Text:
    """Employer identification number with an assigned prefix, 12-3456789; S10. It has no check digit."""
    number = spread(words, len(_EIN_PREFIXES) * 10_000_000, salt)
    prefix, serial = _EIN_PREFIXES[number // np.uint64(10_000_000)], number % np.uint64(10_000_000)
    return text_of(digits_of(prefix, 2), "-", digits_of(serial, 7))


def american_accounts(words: Words, districts: Sequence[str]) -> Text:
    """ABA routing number with check digit, a slash, ten digits of an account: 011512344/1234567890; S20."""
    bank, account = bank_and_account(words, districts, 9 * 10**9)
    institution = np.array([int(code) for code in districts], np.uint64)[bank] * np.uint64(10_000)
    body = digits_of(institution + account % np.uint64(9973), 8)
    check = (-(body @ _ABA_WEIGHTS) % 10).astype(np.uint8)[:, None]
    return text_of(body, check, "/", digits_of(account + np.uint64(10**9), 10))


def digits_of(numbers: Words, width: int) -> Digits:
    """Decimal digits, the highest first; shape (n, width)."""
    powers = np.array([10**place for place in range(width - 1, -1, -1)], np.uint64)
    return (numbers[:, None] // powers % np.uint64(10)).astype(np.uint8)


def text_of(*parts: str | Digits) -> Text:
    """Join constant text and columns of digits to one array of text."""
    n = next(len(part) for part in parts if not isinstance(part, str))
    columns = [
        np.broadcast_to(np.frombuffer(part.encode(), np.uint8), (n, len(part)))
        if isinstance(part, str)
        else part + np.uint8(ord("0"))
        for part in parts
    ]
    joined = np.ascontiguousarray(np.concatenate(columns, axis=1))
    return joined.view(f"S{joined.shape[1]}").ravel()


def spread(words: Words, size: int, salt: int = 0) -> Words:
    """Words as numbers below `size`; a permutation of the words modulo `size`."""
    space = np.uint64(size)
    return (words % space * _STEP + np.uint64(salt * 7_919 % size)) % space


def bank_and_account(words: Words, banks: Sequence[str], accounts: int) -> tuple[NDArray[np.intp], Words]:
    """Which bank, and a number below `accounts`; both of shape (n,)."""
    number = spread(words, len(banks) * accounts)
    return (number % np.uint64(len(banks))).astype(np.intp), number // np.uint64(len(banks))
