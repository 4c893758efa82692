"""Bank accounts of the countries, a whole array at a time: IBANs with all their check digits, and domestic formats.

Every function takes random words, uint64 of shape (n,), codes of banks of one length, and the digits of an account;
it returns text of fixed width, bytes of shape (n,).
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from generation.engine.packs.identifiers import (
    Digits,
    Text,
    Words,
    american_accounts,
    bank_and_account,
    digits_of,
    text_of,
)

LARGEST_SPACE: Final = 18 * 10**12  # products with the step of identifiers.py stay below 2^64
_SPANISH_WEIGHTS: Final = np.array([1, 2, 4, 8, 5, 10, 9, 7, 3, 6], np.int64)
# Values of the digits 0 to 9 in odd places. Source: Italian Banking Association, “Coordinate bancarie nazionali”.
_ITALIAN_ODD: Final = np.array([1, 0, 5, 7, 9, 13, 15, 17, 19, 21], np.int64)


def ibans(words: Words, country: str, banks: Sequence[str], account_digits: int) -> Text:
    """IBAN whose national part is the code of the bank and an account without check digits of its own.

    Source: ISO 13616-1; S10 to S34 by country.
    """
    bank, account = bank_and_account(words, banks, 10**account_digits)
    codes = np.array([list(code.encode()) for code in banks], np.uint8)[bank] - np.uint8(ord("0"))
    return _with_check(country, codes, digits_of(account, account_digits))


def french_ibans(words: Words, country: str, banks: Sequence[str], account_digits: int) -> Text:
    """IBAN with bank and branch (5 + 5), account (11) and the RIB key, 97 − (89 b + 15 g + 3 c) mod 97.

    Source: Comité français d'organisation et de normalisation bancaires, relevé d'identité bancaire.
    """
    bank, account = bank_and_account(words, banks, 10**account_digits)
    branches = np.array([int(code[:5]) * 89 + int(code[5:]) * 15 for code in banks], np.uint64)[bank]
    key = np.uint64(97) - (branches + account % np.uint64(97) * np.uint64(3)) % np.uint64(97)
    codes = digits_of(np.array([int(code) for code in banks], np.uint64)[bank], 10)
    return _with_check(country, codes, digits_of(account, account_digits), digits_of(key, 2))


def italian_ibans(words: Words, country: str, banks: Sequence[str], account_digits: int) -> Text:
    """IBAN with the CIN letter, ABI and CAB (5 + 5) and account (12).

    Source: Italian Banking Association, “Coordinate bancarie nazionali” (the letter is a sum modulo 26).
    """
    bank, account = bank_and_account(words, banks, 10**account_digits)
    body = np.concatenate(
        [
            digits_of(np.array([int(code) for code in banks], np.uint64)[bank], 10),
            digits_of(account, account_digits),
        ],
        axis=1,
    )
    total = _ITALIAN_ODD[body[:, 0::2]].sum(axis=1) + body[:, 1::2].sum(axis=1)
    letter = (total % 26 + (ord("A") - ord("0"))).astype(np.uint8)[:, None]
    return _with_check(country, letter, body)


def spanish_ibans(words: Words, country: str, banks: Sequence[str], account_digits: int) -> Text:
    """IBAN with bank and branch (4 + 4), two check digits of the CCC and account (10).

    Source: Consejo Superior Bancario, código cuenta cliente (weights 2^i modulo 11).
    """
    bank, account = bank_and_account(words, banks, 10**account_digits)
    codes = digits_of(np.array([int(code) for code in banks], np.uint64)[bank], 8)
    number = digits_of(account, account_digits)
    checks = [
        np.where(raw == 10, 1, raw % 11)
        for raw in (11 - codes @ _SPANISH_WEIGHTS[2:] % 11, 11 - number @ _SPANISH_WEIGHTS % 11)
    ]
    return _with_check(country, codes, np.stack(checks, axis=1).astype(np.uint8), number)


def domestic_accounts(words: Words, country: str, banks: Sequence[str], account_digits: int) -> Text:
    """Code of bank and branch, a slash, the account: 095100123/0012345. The codes carry their own check digits."""
    bank, account = bank_and_account(words, banks, 10**account_digits)
    codes = np.array([list(code.encode()) for code in banks], np.uint8)[bank] - np.uint8(ord("0"))
    return text_of(codes, "/", digits_of(account, account_digits))


def _american(words: Words, country: str, banks: Sequence[str], account_digits: int) -> Text:
    return american_accounts(words, banks)


def _with_check(country: str, *parts: Digits) -> Text:
    """An IBAN from its national part; letters stand as the distance of their code from “0”. Source: ISO/IEC 7064."""
    rest = np.zeros(len(parts[0]), np.int64)
    start = [np.broadcast_to(np.uint8(ord(letter) - ord("0")), (len(rest), 1)) for letter in country]
    zeros = np.zeros((len(rest), 2), np.uint8)
    for column in np.concatenate([*parts, *start, zeros], axis=1).T.astype(np.int64):
        value = np.where(column > 9, column - 7, column)  # A is 17 behind 0 in ASCII and stands for 10
        rest = (rest * np.where(value > 9, 100, 10) + value) % 97
    return text_of(country, digits_of((98 - rest).astype(np.uint64), 2), *parts)


class AccountScheme(NamedTuple):
    """How accounts are made, what the code of a bank looks like, and the digits of an account where they are fixed."""

    make: Callable[[Words, str, Sequence[str], int], Text]
    bank: re.Pattern[str]
    digits: int | None


ACCOUNT_SCHEMES: Final = {
    "iban": AccountScheme(ibans, re.compile(r"[0-9A-Z]{3,18}"), None),
    "french_iban": AccountScheme(french_ibans, re.compile(r"[0-9]{10}"), 11),
    "italian_iban": AccountScheme(italian_ibans, re.compile(r"[0-9]{10}"), 12),
    "spanish_iban": AccountScheme(spanish_ibans, re.compile(r"[0-9]{8}"), 10),
    "american": AccountScheme(_american, re.compile(r"[0-9]{4}"), 10),
    "domestic": AccountScheme(domestic_accounts, re.compile(r"[0-9A-Z]{3,18}"), None),
}
