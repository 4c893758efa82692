"""Tax ids and bank accounts of the country packs have valid check digits; python-stdnum is the second opinion."""

import numpy as np
import pytest
import stdnum.de.vat
import stdnum.gb.vat
import stdnum.iban
import stdnum.us.ein
import stdnum.us.rtn

from generation.engine.packs.identifiers import digits_of
from generation.engine.packs.pack import SUPPORTED_COUNTRIES, PartyKind, pack_for

DRAWS = np.random.default_rng(20250101).integers(0, 2**64, 10_000, dtype=np.uint64)
EDGES = np.array([0, 1, 96, 97, 2**32, 2**63, 2**64 - 1], np.uint64)
WORDS = np.concatenate([DRAWS, EDGES])
TAX_ID_CHECKERS = {"DE": stdnum.de.vat, "GB": stdnum.gb.vat, "US": stdnum.us.ein}


def texts(column: np.ndarray) -> list[str]:
    return [value.decode() for value in column.tolist()]


@pytest.mark.parametrize("country", SUPPORTED_COUNTRIES)
@pytest.mark.parametrize("kind", ["company", "partner"])
def test_every_tax_id_is_valid(country: str, kind: PartyKind) -> None:
    ids = texts(pack_for(country).tax_ids(kind, WORDS))

    assert len(ids) == len(WORDS)
    assert all(TAX_ID_CHECKERS[country].is_valid(one) for one in ids)


@pytest.mark.parametrize("country", ["DE", "GB"])
def test_every_iban_is_valid(country: str) -> None:
    ibans = texts(pack_for(country).ibans(WORDS))

    assert all(stdnum.iban.is_valid(one, check_country=False) for one in ibans)
    assert {one[:2] for one in ibans} == {country}
    assert {len(one) for one in ibans} == {22}  # both countries: 22 characters


def test_every_american_account_has_a_valid_routing_number() -> None:
    accounts = texts(pack_for("US").ibans(WORDS))

    assert all(stdnum.us.rtn.is_valid(one.split("/")[0]) for one in accounts)
    assert all(len(one.split("/")[1]) == 10 for one in accounts)


@pytest.mark.parametrize("country", SUPPORTED_COUNTRIES)
def test_counting_up_never_repeats_a_number(country: str) -> None:
    words = np.uint64(2**63) + np.arange(100_000, dtype=np.uint64)
    pack = pack_for(country)

    assert len(set(pack.tax_ids("partner", words).tolist())) == len(words)
    assert len(set(pack.ibans(words).tolist())) == len(words)


def test_a_company_and_a_partner_from_one_word_differ() -> None:
    for country in SUPPORTED_COUNTRIES:
        pack = pack_for(country)
        assert not np.any(pack.tax_ids("company", DRAWS) == pack.tax_ids("partner", DRAWS))


def test_digits_stand_with_the_highest_first() -> None:
    assert digits_of(np.array([5, 90_210], np.uint64), 5).tolist() == [[0, 0, 0, 0, 5], [9, 0, 2, 1, 0]]
