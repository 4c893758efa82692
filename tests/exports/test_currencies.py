"""Exports carry both amounts of documents in foreign currency: the document's with its currency, and the company's."""

import csv
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from lxml import etree

from tests.exports.conftest import Books, Exported

Line = tuple[Decimal, str, Decimal]  # amount and currency of the document, company currency; debit positive


def of_books(books: Books, company: str, year: int) -> list[Line]:
    """The journal lines in foreign currency of a company's fiscal year, before the year-end close."""
    found: list[Line] = duckdb.execute(
        f"""select document_amount, document_currency, debit - credit from {books.table("journal_lines")}
        where company_code = '{company}' and fiscal_year = {year} and period < 13
          and document_currency <> (select currency from {books.table("companies")} where company_code = '{company}')"""
    ).fetchall()
    assert len({currency for _, currency, _ in found}) == 2
    return sorted(found)


def test_the_fec_names_amount_and_currency(books: Books, exported: Exported) -> None:
    """Montantdevise is signed as debit less credit. Source: Livre des procédures fiscales, article A47 A-1, VII."""
    (file,) = exported("fec").glob("*FEC20251231.txt")
    with file.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))

    def number(text: str) -> Decimal:
        return Decimal(text.replace(",", "."))

    found = sorted(
        (number(line["Montantdevise"]), line["Idevise"], number(line["Debit"]) - number(line["Credit"]))
        for line in lines
        if line["Idevise"]
    )
    assert found == [line for line in of_books(books, "FR01", 2025) if line[0]]  # differences have no amount


def test_sap_has_both_amounts_of_every_item(books: Books, exported: Exported) -> None:
    """WRBTR and PSWSL are the document's, DMBTR the company's. Source: SAP, ABAP Dictionary, table BSEG."""
    folder = exported("sap") / "US01"
    with (folder / "BSEG.csv").open(encoding="utf-8", newline="") as stream:
        items = list(csv.DictReader(stream))
    with (folder / "ACDOCA.csv").open(encoding="utf-8", newline="") as stream:
        universal = list(csv.DictReader(stream))

    expected = of_books(books, "US01", 2025)
    assert (
        sorted(
            (Decimal(item["WSL"]), item["RWCUR"], Decimal(item["HSL"]))
            for item in universal
            if item["RWCUR"] != "USD" and item["GJAHR"] == "2025"
        )
        == expected
    )
    found = {
        (Decimal(item["WRBTR"]), item["PSWSL"], Decimal(item["DMBTR"]))
        for item in items
        if item["PSWSL"] != "USD"
    }
    assert {(abs(amount), currency, abs(posted)) for amount, currency, posted in expected} <= found


def _saf_t_lines(file: Path) -> Iterator[Line]:
    for line in etree.parse(file).getroot().iter("{*}Line"):
        for name, sign in (("DebitAmount", 1), ("CreditAmount", -1)):
            amount = line.find(f"{{*}}{name}")
            if amount is not None and amount.find("{*}CurrencyCode") is not None:
                yield (
                    sign * Decimal(amount.findtext("{*}CurrencyAmount")),
                    amount.findtext("{*}CurrencyCode"),
                    sign * Decimal(amount.findtext("{*}Amount")),
                )


def test_saf_t_states_the_currency_amount(books: Books, exported: Exported) -> None:
    """A line in foreign currency has CurrencyCode and CurrencyAmount. Source: OECD SAF-T 2.0, AmountStructure."""
    file = next(
        path for path in exported("saf_t").rglob("*.xml") if "US01" in path.name and "2025" in path.name
    )

    assert sorted(_saf_t_lines(file), key=lambda line: (abs(line[0]), *line)) == sorted(
        of_books(books, "US01", 2025), key=lambda line: (abs(line[0]), *line)
    )


def test_gobd_has_currency_and_amount_of_the_document(books: Books, exported: Exported) -> None:
    columns = re.compile(r'"(?P<currency>[A-Z]{3})";(?P<amount>-?[\d.,]+)')
    file = exported("gobd") / "1000" / "2025" / "buchungen.csv"
    found = sorted(
        (Decimal(match["amount"].replace(",", ".")), match["currency"])
        for text in file.read_text(encoding="utf-8").splitlines()
        if (match := columns.search(text)) and match["currency"] != "EUR"
    )
    assert found == sorted((amount, currency) for amount, currency, _ in of_books(books, "1000", 2025))


@pytest.mark.parametrize(("company", "currency"), [("US01", "USD"), ("1000", "EUR")])
def test_the_bank_knows_its_own_currency_only(company: str, currency: str, exported: Exported) -> None:
    files = sorted((exported("camt053") / company).glob("*.xml"))
    assert files
    for file in files:
        assert {node.get("Ccy") for node in etree.parse(file).getroot().iter("{*}Amt")} == {currency}
