"""Tax ids and bank accounts with valid check digits, a whole array at a time.

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
    body = digits_of(_spread(words, 90_000_000, salt) + np.uint64(10_000_000), 8)
    product = np.full(len(words), 10, np.int64)
    for column in range(8):
        total = (body[:, column] + product) % 10
        product = 2 * np.where(total == 0, 10, total) % 11
    return text_of("DE", body, ((11 - product) % 10).astype(np.uint8)[:, None])


def british_vat_ids(words: Words, salt: int) -> Text:
    """VAT registration number: GB, seven digits, two check digits by mod 97 with offset 55; S11."""
    body = digits_of(_spread(words, 9_000_000, salt) + np.uint64(1_000_000), 7)
    check = 97 - (body @ _GB_WEIGHTS + 55) % 97
    return text_of("GB", body, digits_of(check.astype(np.uint64), 2))


def american_eins(words: Words, salt: int) -> Text:
    """Employer identification number with an assigned prefix, 12-3456789; S10. It has no check digit."""
    number = _spread(words, len(_EIN_PREFIXES) * 10_000_000, salt)
    prefix, serial = _EIN_PREFIXES[number // np.uint64(10_000_000)], number % np.uint64(10_000_000)
    return text_of(digits_of(prefix, 2), "-", digits_of(serial, 7))


def german_ibans(words: Words, banks: Sequence[str]) -> Text:
    """IBAN: DE, two check digits, eight digits of a bank, ten of an account; S22."""
    bank, account = _bank_and_account(words, banks, 10**10)
    bank_digits = np.array([int(code) for code in banks], np.uint64)[bank]
    rest = bank_digits % np.uint64(97) * np.uint64(10**10 % 97) + account % np.uint64(97)
    check = _iban_check(rest, 131400)  # D = 13, E = 14
    return text_of("DE", digits_of(check, 2), digits_of(bank_digits, 8), digits_of(account, 10))


def british_ibans(words: Words, banks: Sequence[str]) -> Text:
    """IBAN: GB, two check digits, four letters of a bank, six digits of a branch, eight digits; S22."""
    bank, account = _bank_and_account(words, banks, 10**8)
    as_numbers = ["".join(str(int(character, 36)) for character in code) for code in banks]  # A = 10 … Z = 35
    rests = np.array([int(number) % 97 for number in as_numbers], np.uint64)[bank]
    rest = rests * np.uint64(10**8 % 97) + account % np.uint64(97)
    check = _iban_check(rest, 161100)  # G = 16, B = 11
    letters = np.array([list(code.encode()) for code in banks], np.uint8)[bank] - np.uint8(ord("0"))
    return text_of("GB", digits_of(check, 2), letters, digits_of(account, 8))


def american_accounts(words: Words, districts: Sequence[str]) -> Text:
    """ABA routing number with check digit, a slash, ten digits of an account: 011512344/1234567890; S20."""
    bank, account = _bank_and_account(words, districts, 9 * 10**9)
    institution = np.array([int(code) for code in districts], np.uint64)[bank] * np.uint64(10_000)
    body = digits_of(institution + account % np.uint64(9973), 8)
    check = (-(body @ _ABA_WEIGHTS) % 10).astype(np.uint8)[:, None]
    return text_of(body, check, "/", digits_of(account + np.uint64(10**9), 10))


def _iban_check(rest: Words, country: int) -> Words:
    """Check digits of an IBAN from its account part modulo 97. Source: ISO 13616-1, ISO/IEC 7064."""
    return np.uint64(98) - (rest * np.uint64(10**6 % 97) + np.uint64(country)) % np.uint64(97)


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


def _spread(words: Words, size: int, salt: int = 0) -> Words:
    """Words as numbers below `size`; a permutation of the words modulo `size`."""
    space = np.uint64(size)
    return (words % space * _STEP + np.uint64(salt * 7_919 % size)) % space


def _bank_and_account(words: Words, banks: Sequence[str], accounts: int) -> tuple[NDArray[np.intp], Words]:
    number = _spread(words, len(banks) * accounts)
    return (number % np.uint64(len(banks))).astype(np.intp), number // np.uint64(len(banks))
