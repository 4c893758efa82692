"""Tax ids of the countries with valid check digits, a whole array at a time, by the name of their scheme.

A scheme takes random words, uint64 of shape (n,), a salt, and the registry digits of the address of each word, uint8 of
shape (n, width); it returns text of fixed width, bytes of shape (n,).
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from generation.engine.packs.identifiers import (
    Digits,
    Text,
    Words,
    american_eins,
    british_vat_ids,
    digits_of,
    german_vat_ids,
    spread,
    text_of,
)

PATTERN: Final = "pattern"
LEAST_FREE_DIGITS: Final = 6
_MOST_FREE_DIGITS: Final = 12
_LETTERS: Final = 26
_USCC_ALPHABET: Final = np.frombuffer(b"0123456789ABCDEFGHJKLMNPQRTUWXY", np.uint8) - np.uint8(ord("0"))
_ORGANISATION_WEIGHTS: Final = np.array([3, 7, 9, 10, 5, 8, 4, 2], np.int64)
_SPANISH_FORMS: Final = np.frombuffer(b"AB", np.uint8) - np.uint8(ord("0"))


def french_tva(words: Words, salt: int, registry: Digits) -> Text:
    """Numéro de TVA: FR, a key of two digits, the SIREN of nine digits, whose last is a Luhn digit.

    Source: art. 286 ter CGI; R. 123-235 Code de commerce; key (12 + 3 × (SIREN mod 97)) mod 97.
    """
    body = digits_of(spread(words, 60_000_000, salt) + np.uint64(30_000_000), 8)
    siren = np.concatenate([body, _luhn(body)], axis=1)
    number = siren.astype(np.int64) @ 10 ** np.arange(8, -1, -1)
    return text_of("FR", digits_of(((12 + 3 * (number % 97)) % 97).astype(np.uint64), 2), siren)


def italian_iva(words: Words, salt: int, registry: Digits) -> Text:
    """Partita IVA: IT, seven digits, the office of the province (three), a Luhn digit. A company's codice fiscale is the same.

    Source: DPR 633/1972 art. 35; DM 23 December 1976.
    """
    body = np.concatenate(
        [digits_of(spread(words, 9_000_000, salt) + np.uint64(1_000_000), 7), registry], axis=1
    )
    return text_of("IT", body, _luhn(body))


def spanish_nif(words: Words, salt: int, registry: Digits) -> Text:
    """NIF of a company (formerly CIF) with its country: ES, A or B by legal form, seven digits, a Luhn digit.

    Source: Real Decreto 1065/2007 art. 22; Orden EHA/451/2008.
    """
    number = spread(words, 18_000_000, salt)
    body = digits_of(number // np.uint64(2) + np.uint64(1_000_000), 7)
    form = _SPANISH_FORMS[(number % np.uint64(2)).astype(np.intp)][:, None]
    return text_of("ES", form, body, _luhn(body))


def canadian_gst(words: Words, salt: int, registry: Digits) -> Text:
    """GST/HST account: business number of nine digits, the last a Luhn digit, RT, account 0001.

    Source: Canada Revenue Agency, guide RC2, “The business number”.
    """
    body = digits_of(spread(words, 20_000_000, salt) + np.uint64(70_000_000), 8)
    return text_of(body, _luhn(body), "RT0001")


def chinese_uscc(words: Words, salt: int, registry: Digits) -> Text:
    """Unified social credit identifier: 91 for enterprises, division (six digits), organisation code (nine), check character.

    Source: GB 32100-2015 (weights 3^i modulo 31); the organisation code by GB 11714-1997 (modulo 11, X for 10).
    """
    organisation = digits_of(spread(words, 90_000_000, salt) + np.uint64(10_000_000), 8)
    rest = (11 - organisation @ _ORGANISATION_WEIGHTS % 11) % 11
    x = ord("X") - ord("0")
    inner = np.where(rest == 10, x, rest).astype(np.uint8)[:, None]
    first = np.broadcast_to(np.array([9, 1], np.uint8), (len(words), 2))
    body = np.concatenate([first, registry, organisation, inner], axis=1)
    values = np.where(body == x, 29, body).astype(np.int64)  # X is number 29 of the alphabet
    weights = np.array([pow(3, place, 31) for place in range(17)], np.int64)
    check = _USCC_ALPHABET[(31 - values @ weights % 31) % 31][:, None]
    return text_of(body, check)


def japanese_invoice(words: Words, salt: int, registry: Digits) -> Text:
    """Number of a qualified invoice issuer: T and the corporate number of 13 digits, whose first is a check digit.

    Source: ordinance of the Ministry of Finance 70/2014 art. 2 (9 − Σ P·Q mod 9); Consumption Tax Act art. 57-2.
    """
    body = digits_of(spread(words, 9_000_000_000, salt) + np.uint64(10_000_000_000), 12)
    weights = np.where(np.arange(12) % 2 == 0, 2, 1)  # 1 for the last digit
    check = (9 - body.astype(np.int64) @ weights % 9).astype(np.uint8)[:, None]
    return text_of("T", check, body)


def indian_gstin(words: Words, salt: int, registry: Digits) -> Text:
    """GSTIN: state (two digits), PAN of a company, 1, Z, check character modulo 36.

    Source: CGST Rules 2017, rule 10; PAN by Income-tax Rules 1962, rule 114 (fourth letter C: company).
    """
    number = spread(words, 26**4 * 26 * 9_000, salt)
    serial, number = number % np.uint64(9_000) + np.uint64(1_000), number // np.uint64(9_000)
    drawn = []
    for _ in range(5):
        drawn.append((number % np.uint64(_LETTERS)).astype(np.uint8))
        number //= np.uint64(_LETTERS)
    first, second, third, name, last = (column[:, None] + np.uint8(10) for column in drawn)
    company = np.full_like(first, 12)  # C
    tail = np.broadcast_to(np.array([1, 35], np.uint8), (len(words), 2))
    body = np.concatenate(
        [registry, first, second, third, company, name, digits_of(serial, 4), last, tail], axis=1
    )
    doubled = body.astype(np.int64) * np.where(np.arange(14) % 2 == 1, 2, 1)
    check = ((36 - (doubled // 36 + doubled % 36).sum(axis=1) % 36) % 36).astype(np.uint8)[:, None]
    return text_of(_base_36(np.concatenate([body, check], axis=1)))


def patterned(pattern: str, words: Words, salt: int) -> Text:
    """Text in which each `#` is a digit and each `?` a letter; there are no check digits."""
    free = min(pattern.count("#"), _MOST_FREE_DIGITS)
    digits = digits_of(spread(words, 10**free, salt), free)
    mixed = words * np.uint64(0x9E3779B97F4A7C15)
    parts: list[str | Digits] = []
    used = letters = 0
    for character in pattern:
        if character == "#":
            parts.append(digits[:, used % free][:, None])
            used += 1
        elif character == "?":
            letter = mixed >> np.uint64(40 + letters % 5 * 4)
            parts.append(
                (letter % np.uint64(_LETTERS)).astype(np.uint8)[:, None] + np.uint8(ord("A") - ord("0"))
            )
            letters += 1
        else:
            parts.append(character)
    return text_of(*parts)


def _luhn(body: Digits) -> Digits:
    """Check digit behind the digits of each row, shape (n, 1). Source: ISO/IEC 7812-1 annex B."""
    doubled = body[:, ::-1].astype(np.int64)
    doubled[:, 0::2] = doubled[:, 0::2] * 2 // 10 + doubled[:, 0::2] * 2 % 10
    check: Digits = (-doubled.sum(axis=1) % 10).astype(np.uint8)[:, None]
    return check


def _base_36(values: Digits) -> Digits:
    """Values 0 to 35 as the distance of 0 to 9 and A to Z from “0” in ASCII."""
    return np.where(values > 9, values + np.uint8(7), values).astype(np.uint8)


TAX_ID_SCHEMES: Final[Mapping[str, Callable[[Words, int, Digits], Text]]] = {
    "german_vat": lambda words, salt, registry: german_vat_ids(words, salt),
    "british_vat": lambda words, salt, registry: british_vat_ids(words, salt),
    "american_ein": lambda words, salt, registry: american_eins(words, salt),
    "french_tva": french_tva,
    "italian_iva": italian_iva,
    "spanish_nif": spanish_nif,
    "canadian_gst": canadian_gst,
    "chinese_uscc": chinese_uscc,
    "japanese_invoice": japanese_invoice,
    "indian_gstin": indian_gstin,
}
# Digits of the place of registration that stand in a tax id: every city of the pack then has so many.
REGISTRY_WIDTHS: Final[Mapping[str, int]] = {"italian_iva": 3, "chinese_uscc": 6, "indian_gstin": 2}
