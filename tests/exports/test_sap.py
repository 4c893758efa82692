"""BKPF, BSEG and ACDOCA by the rules of the ABAP Dictionary: keys, lengths, sides, and the sums of the books.

Source: SAP, ABAP Dictionary, tables BKPF, BSEG (ERP 6.0) and ACDOCA (S/4HANA): key fields, field lengths; posting keys as delivered.
"""

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.exports.conftest import Books, Exported

KEYS = {
    "BKPF": ("MANDT", "BUKRS", "BELNR", "GJAHR"),
    "BSEG": ("MANDT", "BUKRS", "BELNR", "GJAHR", "BUZEI"),
    "ACDOCA": ("RCLNT", "RLDNR", "RBUKRS", "GJAHR", "BELNR", "DOCLN"),
}
LENGTHS = {
    "MANDT": 3, "RCLNT": 3, "BUKRS": 4, "RBUKRS": 4, "BELNR": 10, "GJAHR": 4, "BUZEI": 3, "DOCLN": 6, "BLART": 2, "BLDAT": 8,
    "BUDAT": 8, "MONAT": 2, "POPER": 3, "CPUDT": 8, "CPUTM": 6, "USNAM": 12, "STBLG": 10, "STJAH": 4, "BKTXT": 25, "WAERS": 5,
    "HWAER": 5, "BSTAT": 1, "AWTYP": 5, "AWKEY": 20, "AUGDT": 8, "AUGBL": 10, "BSCHL": 2, "KOART": 1, "SHKZG": 1, "DRCRK": 1,
    "MWSKZ": 2, "PSWSL": 5, "ZUONR": 18, "SGTXT": 50, "KOSTL": 10, "RCNTR": 10, "ANLN1": 12, "HKONT": 10, "RACCT": 10,
    "KUNNR": 10, "LIFNR": 10, "MATNR": 40, "RLDNR": 2, "RWCUR": 5, "RHCUR": 5, "TIMESTAMP": 14,
}  # fmt: skip
FIXED = {
    "MANDT",
    "RCLNT",
    "BELNR",
    "GJAHR",
    "BUZEI",
    "DOCLN",
    "BUDAT",
    "BLDAT",
    "MONAT",
    "POPER",
    "BSCHL",
    "KOART",
    "SHKZG",
}
# Posting keys: account type and side. Source: table TBSL as delivered.
POSTING_KEYS = {
    "01": ("D", "S"), "05": ("D", "S"), "11": ("D", "H"), "15": ("D", "H"), "21": ("K", "S"), "25": ("K", "S"), "31": ("K", "H"),
    "35": ("K", "H"), "40": ("S", "S"), "50": ("S", "H"), "70": ("A", "S"), "75": ("A", "H"), "86": ("S", "S"), "96": ("S", "H"),
    "89": ("M", "S"), "99": ("M", "H"),
}  # fmt: skip
Rows = list[dict[str, str]]


@pytest.fixture(scope="module", params=["1000", "FR01", "US01"])
def tables(request: pytest.FixtureRequest, exported: Exported) -> dict[str, Rows]:
    folder: Path = exported("sap") / request.param
    found = {}
    for file in folder.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as stream:
            found[file.stem] = list(csv.DictReader(stream))
    assert "Synthetic data" in (folder / "README.txt").read_text()
    return found


def test_keys_are_unique_and_fields_fit_their_lengths(tables: dict[str, Rows]) -> None:
    for name, key in KEYS.items():
        rows = tables[name]
        assert len({tuple(row[field] for field in key) for row in rows}) == len(rows) > 0
        for row in rows:
            for field, value in row.items():
                assert len(value) <= LENGTHS.get(field, 20), (field, value)
                assert field not in FIXED or len(value) == LENGTHS[field], (field, value)


def test_every_item_has_its_head_a_side_and_a_posting_key_that_fit(tables: dict[str, Rows]) -> None:
    heads = {(row["BELNR"], row["GJAHR"]): row for row in tables["BKPF"]}
    for item in tables["BSEG"]:
        assert heads[item["BELNR"], item["GJAHR"]]["BSTAT"] == ""
        assert POSTING_KEYS[item["BSCHL"]] == (item["KOART"], item["SHKZG"])
        own = heads[item["BELNR"], item["GJAHR"]]["HWAER"]
        # an exchange difference is nothing in the currency of its document
        assert Decimal(item["DMBTR"]) > 0 <= Decimal(item["WRBTR"]), item
        assert Decimal(item["WRBTR"]) > 0 or item["PSWSL"] != own
        assert bool(item["KUNNR"]) == (item["KOART"] == "D")
        assert bool(item["LIFNR"]) == (item["KOART"] == "K")


def test_documents_balance_and_both_tables_say_the_same(tables: dict[str, Rows]) -> None:
    classic: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for item in tables["BSEG"]:
        classic[item["BELNR"], item["GJAHR"]] += Decimal(item["DMBTR"]) * (1 if item["SHKZG"] == "S" else -1)
    universal: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in tables["ACDOCA"]:
        universal[line["BELNR"], line["GJAHR"]] += Decimal(line["HSL"])
        assert (Decimal(line["HSL"]) > 0) == (line["DRCRK"] == "S")

    assert not any(classic.values())
    assert not any(universal.values())
    assert set(universal) == {(row["BELNR"], row["GJAHR"]) for row in tables["BKPF"]}
    assert set(classic) == {(row["BELNR"], row["GJAHR"]) for row in tables["BKPF"] if not row["BSTAT"]}


def test_the_journal_gives_the_balances_of_the_books(tables: dict[str, Rows], books: Books) -> None:
    company = tables["BKPF"][0]["BUKRS"]
    balance: dict[str, Decimal] = defaultdict(Decimal)
    for line in tables["ACDOCA"]:
        balance[line["RACCT"].lstrip("0")] += Decimal(line["HSL"])

    last = duckdb.execute(
        f"SELECT ltrim(account, '0'), arg_max(closing_balance, fiscal_year::INT * 100 + period) FROM {books.table('trial_balances')} "
        f"WHERE company_code = '{company}' GROUP BY account"
    ).fetchall()
    assert {key: value for key, value in balance.items() if value} == {
        key: value for key, value in last if value
    }


def test_cleared_items_balance_and_reversals_point_at_each_other(tables: dict[str, Rows]) -> None:
    cleared: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for item in tables["BSEG"]:
        assert bool(item["AUGBL"]) == bool(item["AUGDT"])
        if item["AUGBL"]:
            assert item["KOART"] in "DK"
            side = 1 if item["SHKZG"] == "S" else -1
            cleared[item["AUGBL"], item["AUGDT"], item["KUNNR"] + item["LIFNR"]] += side * Decimal(
                item["DMBTR"]
            )
    heads = {(row["BELNR"], row["GJAHR"]): row for row in tables["BKPF"]}
    reversed_ = [row for row in tables["BKPF"] if row["STBLG"]]

    assert cleared
    assert not any(cleared.values())
    assert reversed_
    for row in reversed_:
        other = heads[row["STBLG"], row["STJAH"]]
        assert (other["STBLG"], other["STJAH"]) == (row["BELNR"], row["GJAHR"])


def test_documents_name_the_marked_ids_and_tax_codes_of_the_dataset(
    tables: dict[str, Rows], books: Books
) -> None:
    known = {
        row[0]
        for row in duckdb.execute(f"SELECT document_id FROM {books.table('journal_entries')}").fetchall()
    }

    assert {row["AWKEY"] for row in tables["BKPF"]} <= known
    assert {row["MWSKZ"] for row in tables["BSEG"]} - {""} <= {row["MWSKZ"] for row in tables["T007S"]}
