"""The FEC read by the rules of the tax code, with no line of ours.

Source: Livre des procédures fiscales, article A47 A-1 (arrêté of 29 July 2013), VII.
"""

import csv
import re
from collections import defaultdict
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path

import duckdb
import pytest
from stdnum.fr import siren

from tests.exports.conftest import Books, Exported, export_into

FIELDS = [
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum",
    "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet",
    "ValidDate", "Montantdevise", "Idevise",
]  # fmt: skip
REQUIRED = set(FIELDS) - {"CompAuxNum", "CompAuxLib", "EcritureLet", "DateLet", "Montantdevise", "Idevise"}
YEARS = {
    "20241231": (date(2024, 7, 1), date(2024, 12, 31)),
    "20251231": (date(2025, 1, 1), date(2025, 12, 31)),
}
Lines = list[dict[str, str]]


@pytest.fixture(params=YEARS)
def fec(request: pytest.FixtureRequest, exported: Exported) -> Path:
    (file,) = exported("fec").glob(f"*FEC{request.param}.txt")
    return file


def lines_of(file: Path) -> Lines:
    with file.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def amount(text: str) -> Decimal:
    assert re.fullmatch(r"-?\d+,\d{2}", text)
    return Decimal(text.replace(",", "."))


def day(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007  # a day has no zone


def test_only_the_french_company_has_a_file_for_each_year_named_by_siren_and_closing_day(
    exported: Exported,
) -> None:
    names = sorted(file.name for file in exported("fec").iterdir())

    number = names[0][:9]
    assert siren.is_valid(number)
    assert names == sorted(f"{number}FEC{day}{end}" for day in YEARS for end in (".txt", "-description.txt"))


def test_eighteen_fields_in_their_order_and_none_empty_that_is_required(fec: Path) -> None:
    header, *records = fec.read_bytes().decode().removesuffix("\r\n").split("\r\n")

    assert header.split("\t") == FIELDS
    assert all(record.count("\t") == len(FIELDS) - 1 for record in records)
    assert not [line for line in lines_of(fec) if any(not line[field] for field in REQUIRED)]


def test_every_entry_and_the_file_balance(fec: Path) -> None:
    balance: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines_of(fec):
        debit, credit = amount(line["Debit"]), amount(line["Credit"])
        assert debit >= 0 <= credit
        assert not (debit and credit)
        balance[line["EcritureNum"]] += debit - credit

    assert not any(balance.values())


def test_entries_are_numbered_without_a_gap_in_the_order_of_their_validation(fec: Path) -> None:
    entries = [
        (int(key), list(group)) for key, group in groupby(lines_of(fec), lambda line: line["EcritureNum"])
    ]

    assert [number for number, _ in entries] == list(range(1, len(entries) + 1))
    for _, lines in entries:
        assert len({(line["JournalCode"], line["EcritureDate"], line["ValidDate"]) for line in lines}) == 1
    valid = [day(lines[0]["ValidDate"]) for _, lines in entries]
    assert valid == sorted(valid)
    assert all(day(lines[0]["EcritureDate"]) <= on for (_, lines), on in zip(entries, valid, strict=True))


def test_days_lie_in_the_fiscal_year_and_accounts_begin_as_in_the_plan_comptable(fec: Path) -> None:
    first, last = YEARS[fec.stem[-8:]]
    lines = lines_of(fec)

    assert all(first <= day(line["EcritureDate"]) <= last for line in lines)
    assert all(re.fullmatch(r"[1-7]\d{2}[0-9A-Z]*", line["CompteNum"]) for line in lines)


def test_the_file_begins_with_the_opening_balances_and_shows_no_closing_of_result_accounts(
    fec: Path, books: Books
) -> None:
    first, last = YEARS[fec.stem[-8:]]
    by_account: dict[str, Decimal] = defaultdict(Decimal)
    opening: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines_of(fec):
        moved = amount(line["Debit"]) - amount(line["Credit"])
        by_account[line["CompteNum"]] += moved
        if line["JournalCode"] == "AN":
            assert line["EcritureNum"] == "1"
            opening[line["CompteNum"]] += moved

    # the close writes the trial balances from sums of its own: period 12 is before the result is closed
    tables = books.table("trial_balances")
    where = f"company_code = 'FR01' AND fiscal_year = {last.year}"
    expected = duckdb.execute(
        f"SELECT account, closing_balance FROM {tables} WHERE {where} AND period = 12"
    ).fetchall()
    assert {key: value for key, value in by_account.items() if value} == {k: v for k, v in expected if v}
    if first.year == 2025:
        brought = duckdb.execute(
            f"SELECT account, opening_balance FROM {tables} WHERE {where} AND period = 1"
        ).fetchall()
        assert opening == {account: value for account, value in brought if value}


def test_lettering_joins_items_that_balance_on_one_account_of_one_partner(fec: Path) -> None:
    lettered: dict[str, Lines] = defaultdict(list)
    on_partners = 0
    for line in lines_of(fec):
        assert bool(line["EcritureLet"]) == bool(line["DateLet"])
        assert bool(line["CompAuxNum"]) == bool(line["CompAuxLib"])
        on_partners += bool(line["CompAuxNum"])
        if line["EcritureLet"]:
            lettered[line["EcritureLet"]].append(line)

    for lines in lettered.values():
        assert len({(line["CompteNum"], line["CompAuxNum"]) for line in lines}) == 1
        assert sum(amount(line["Debit"]) - amount(line["Credit"]) for line in lines) == 0
        assert max(line["EcritureDate"] for line in lines) == lines[0]["DateLet"]
    # most of what is invoiced in a year is paid in it; the rest is open at its end
    assert 0.5 < sum(map(len, lettered.values())) / on_partners < 1


def test_pieces_are_the_marked_documents_of_the_books(fec: Path, books: Books) -> None:
    entries = books.table("journal_entries")
    known = {
        row[0] for row in duckdb.execute(f"SELECT DISTINCT source_document_id FROM {entries}").fetchall()
    }

    pieces = {line["PieceRef"] for line in lines_of(fec) if line["JournalCode"] != "AN"}
    assert pieces <= known


def test_the_description_says_that_the_data_is_synthetic(exported: Exported) -> None:
    for file in exported("fec").glob("*-description.txt"):
        assert "Synthetic data" in file.read_text(encoding="utf-8")


def test_the_same_books_give_the_same_bytes(exported: Exported, books: Books, tmp_path: Path) -> None:
    again = export_into(books, "fec", tmp_path)

    assert {file.name: file.read_bytes() for file in again.iterdir()} == {
        file.name: file.read_bytes() for file in exported("fec").iterdir()
    }
