"""Tax ids and bank accounts of the country packs have valid check digits; python-stdnum is the second opinion."""

import re

import numpy as np
import pytest
import stdnum.ca.bn
import stdnum.cn.uscc
import stdnum.de.vat
import stdnum.es.iban
import stdnum.es.nif
import stdnum.fr.siren
import stdnum.fr.tva
import stdnum.gb.vat
import stdnum.iban
import stdnum.in_.gstin
import stdnum.it.iva
import stdnum.jp.cn
import stdnum.us.ein
import stdnum.us.rtn
from stdnum.iso7064 import mod_11_10

from generation.engine.packs.identifiers import digits_of
from generation.engine.packs.pack import COUNTRIES, PartyKind, pack_for

DRAWS = np.random.default_rng(20250101).integers(0, 2**64, 10_000, dtype=np.uint64)
EDGES = np.array([0, 1, 96, 97, 2**32, 2**63, 2**64 - 1], np.uint64)
WORDS = np.concatenate([DRAWS, EDGES])
TAX_ID_CHECKERS = {
    "DE": stdnum.de.vat, "GB": stdnum.gb.vat, "US": stdnum.us.ein, "FR": stdnum.fr.tva, "IT": stdnum.it.iva, "ES": stdnum.es.nif,
    "CA": stdnum.ca.bn, "CN": stdnum.cn.uscc, "JP": stdnum.jp.cn, "IN": stdnum.in_.gstin,
}  # fmt: skip
IBAN_LENGTHS = {"DE": 22, "GB": 22, "FR": 27, "IT": 27, "ES": 24}


def texts(column: np.ndarray) -> list[str]:
    return [value.decode() for value in column.tolist()]


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("kind", ["company", "partner"])
def test_every_tax_id_is_valid(country: str, kind: PartyKind) -> None:
    ids = texts(pack_for(country).tax_ids(kind, WORDS))

    assert len(ids) == len(WORDS)
    assert all(TAX_ID_CHECKERS[country].is_valid(one.removeprefix("T")) for one in ids)
    assert {one[0] for one in ids} == {"T"} or country != "JP"  # T and the corporate number


@pytest.mark.parametrize("country", IBAN_LENGTHS)
def test_every_iban_is_valid(country: str) -> None:
    ibans = texts(pack_for(country).ibans(WORDS))

    assert all(stdnum.iban.is_valid(one, check_country=False) for one in ibans)
    assert {one[:2] for one in ibans} == {country}
    assert {len(one) for one in ibans} == {IBAN_LENGTHS[country]}


def test_national_check_digits_inside_ibans_are_right() -> None:
    french, italian, spanish = (texts(pack_for(country).ibans(WORDS)) for country in ("FR", "IT", "ES"))

    assert all(stdnum.es.iban.is_valid(one) for one in spanish)
    assert all(
        int(one[4:27]) % 97 == 0 for one in french
    )  # the RIB key makes the whole number a multiple of 97
    assert all(one[4] == italian_letter(one[5:]) for one in italian)
    # The example of the Italian Banking Association: IT60 X 05428 11101 000000123456.
    assert italian_letter("0542811101000000123456") == "X"


def italian_letter(digits: str) -> str:
    odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21]
    return chr(65 + sum(odd[int(d)] if place % 2 == 0 else int(d) for place, d in enumerate(digits)) % 26)


def test_a_french_vat_number_holds_a_valid_siren() -> None:
    assert all(stdnum.fr.siren.is_valid(one[4:]) for one in texts(pack_for("FR").tax_ids("partner", WORDS)))


@pytest.mark.parametrize(
    ("country", "place"), [("CN", slice(2, 8)), ("IN", slice(0, 2)), ("IT", slice(9, 12))]
)
def test_tax_ids_name_the_place_of_the_address(country: str, place: slice) -> None:
    pack = pack_for(country)
    registry = {city.name: city.registry for city in pack.cities}

    cities = pack.addresses(WORDS).city

    for one, city in zip(texts(pack.tax_ids("partner", WORDS)), cities, strict=True):
        assert one[place] == registry[city]


def test_chinese_bank_codes_carry_their_check_digit() -> None:
    # ISO 7064 mod 11,10, as in 102100099996, the head office of ICBC.
    assert all(mod_11_10.is_valid(bank) for bank in (*pack_for("CN").file.bank.banks, "102100099996"))


@pytest.mark.parametrize(
    ("country", "form"),
    [
        ("CA", r"0\d{3}\d{5}/\d{7}"),  # 0, institution, transit / account
        ("CN", r"\d{12}/\d{12}"),
        ("JP", r"\d{4}\d{3}/\d{7}"),  # bank, branch / account
        ("IN", r"[A-Z]{4}0\d{6}/\d{12}"),  # IFSC / account
    ],
)
def test_domestic_accounts_have_the_form_of_the_country(country: str, form: str) -> None:
    assert all(re.fullmatch(form, one) for one in texts(pack_for(country).ibans(WORDS)))


def test_every_american_account_has_a_valid_routing_number() -> None:
    accounts = texts(pack_for("US").ibans(WORDS))

    assert all(stdnum.us.rtn.is_valid(one.split("/")[0]) for one in accounts)
    assert all(len(one.split("/")[1]) == 10 for one in accounts)


@pytest.mark.parametrize("country", COUNTRIES)
def test_counting_up_never_repeats_a_number(country: str) -> None:
    words = np.uint64(2**63) + np.arange(100_000, dtype=np.uint64)
    pack = pack_for(country)

    assert len(set(pack.tax_ids("partner", words).tolist())) == len(words)
    assert len(set(pack.ibans(words).tolist())) == len(words)


def test_a_company_and_a_partner_from_one_word_differ() -> None:
    for country in COUNTRIES:
        pack = pack_for(country)
        assert not np.any(pack.tax_ids("company", DRAWS) == pack.tax_ids("partner", DRAWS))


def test_digits_stand_with_the_highest_first() -> None:
    assert digits_of(np.array([5, 90_210], np.uint64), 5).tolist() == [[0, 0, 0, 0, 5], [9, 0, 2, 1, 0]]
