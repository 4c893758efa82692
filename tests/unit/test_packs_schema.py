"""The loader of country packs names file and key of every problem, and the command tells them with exit code 2."""

import re
from pathlib import Path

import numpy as np
import pytest
import stdnum.iban

from cli.main import main
from generation.engine.config.company import Company
from generation.engine.packs.pack import COUNTRIES, CountryPack, pack_for, pack_text
from generation.engine.packs.schema import PackError, read_pack
from generation.engine.taxes import tax_codes

FRENCH = pack_text("FR")


def written(folder: Path, text: str) -> Path:
    file = folder / "xx.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('currency = "EUR"', 'currency = "EUX"', "currency: must be a currency of ISO 4217, got 'EUX'"),
        ("weekend = [6, 7]", "weekend = [5, 6]", "weekend: must be [6, 7]"),
        ("average_salary", "averagesalary", "average_salary: Field required"),
        ('tax_id = "french_tva"', 'tax_id = "french"', "identifiers: tax_id: must be one of "),
        (
            "account_digits = 11",
            "account_digits = 10",
            "bank: account_digits: the scheme french_iban has 11, got 10",
        ),
        ('"9011000101"', '"90110001"', "bank: banks: all codes have the same length"),
        ("easter = 39", "easter = 39\nmonth = 1", "holidays[4]: give one of month, easter, feast or dates"),
        ("day = 14", "day = 32", "holidays[6]: day: there is no day 32 of month 7"),
        ("easter = 50", 'feast = "moon"', "asks for the feast 'moon', which feasts does not have"),
        ("until = 2013-12-31", "until = 1999-12-31", "tax: rates[0]: ends on 1999-12-31, before it begins"),
        ("until = 2013-12-31", "until = 2014-12-31", "tax: rates[1]: begins on 2014-01-01, while"),
        (
            "standard_rate_bp = 2000",
            "standard_rate_bp = 1900",
            "tax: standard_rate_bp: is 1900, but the rate in force is 2000",
        ),
        (
            "{number} {street}",
            "{number} {road}",
            "places: line: has {road}; there are {street}, {number}, {unit}",
        ),
        ('"nnnnn"', '"nnnn"', "places: cities: "),
        (
            'kind = "vat"',
            'kind = "sales_tax"',
            "tax: regions: the kind “sales_tax” needs a rate for each region",
        ),
        ('country = "FR"', "country = ", "is not TOML: "),
    ],
)
def test_a_bad_pack_is_refused_with_file_and_key(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in FRENCH
    file = written(tmp_path, FRENCH.replace(old, new, 1))

    with pytest.raises(PackError) as refused:
        read_pack(file)

    assert f"{file}: " in str(refused.value)
    assert expected in str(refused.value)


def test_the_command_refuses_a_bad_pack_with_exit_code_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = written(tmp_path, FRENCH.replace('"EUR"', '"EUX"').replace("average_salary", "averagesalary"))

    assert main(["packs", "check", str(bad)]) == 2
    told = capsys.readouterr().err
    assert "currency" in told
    assert "averagesalary" in told
    assert main(["packs", "check", str(tmp_path / "absent.toml")]) == 2
    assert main(["packs", "show", "XX"]) == 2


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_shipped_pack_is_valid_and_listed(
    country: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["packs", "check", str(written(tmp_path, pack_text(country)))]) == 0
    assert main(["packs"]) == 0
    assert f"{country}" in capsys.readouterr().out
    assert country in Company.model_json_schema()["properties"]["country"]["enum"]


def test_a_pack_of_another_country_needs_no_code(tmp_path: Path) -> None:
    text = FRENCH.replace('country = "FR"', 'country = "AT"').replace(
        'tax_id = "french_tva"', 'tax_id = "pattern"\npattern = "ATU########"'
    )
    text = re.sub(r"banks = \[.*?\]", 'banks = ["90110", "90220"]', text, flags=re.DOTALL)
    pack = CountryPack(read_pack(written(tmp_path, text.replace('"french_iban"', '"iban"'))))
    words = np.arange(1_000, dtype=np.uint64)

    assert len(set(pack.tax_ids("partner", words).tolist())) == 1_000
    assert pack.tax_ids("partner", words)[0].decode().startswith("ATU")
    assert all(stdnum.iban.is_valid(one.decode(), check_country=False) for one in pack.ibans(words))


def test_canadian_tax_follows_the_province_and_purchases_the_seat() -> None:
    codes = tax_codes(pack_for("CA").tax, enabled=True)
    rates = dict(zip(codes.names, codes.rates_bp.tolist(), strict=True))

    assert (rates["S-ON"], rates["S-NS"], rates["S-QC"], rates["P-ON"]) == (1300, 1400, 500, 1300)
    assert codes.names[codes.sales_domestic[0]] == "S-ON"


def test_indian_sales_in_the_state_and_between_states_have_codes_of_their_own() -> None:
    codes = tax_codes(pack_for("IN").tax, enabled=True)
    drawn = codes.draw(
        np.zeros(3), np.ones(3), np.array([False, False, True]), sales=True, retail=False,
        regions=np.array(["MH", "TN", "MH"], object),
    )  # fmt: skip

    assert [codes.names[code] for code in drawn] == ["S-MH", "S-IGST", "S0"]
    assert set(codes.rates_bp[drawn[:2]].tolist()) == {1800}
