"""camt.053 against the schema of ISO 20022, and its balances and sums by hand.

The schema comes with the package camt053 of the registry (`make exports-check`); it is not in this repository.
"""

import os
import re
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from lxml import etree

from tests.exports.conftest import Books, Exported

NAMES = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}
COMPANIES = ("1000", "FR01", "US01")


def statements(exported: Exported, company: str) -> list[etree._Element]:
    return [etree.parse(file).getroot() for file in sorted((exported("camt053") / company).glob("*.xml"))]


def text(node: etree._Element, path: str) -> str:
    return str(node.findtext(path, namespaces=NAMES))


def signed(node: etree._Element) -> Decimal:
    amount = Decimal(text(node, "c:Amt"))
    return amount if text(node, "c:CdtDbtInd") == "CRDT" else -amount


@pytest.mark.exports
def test_every_statement_is_valid_by_the_schema_of_iso_20022(exported: Exported) -> None:
    packages = Path(os.environ["EXPORT_SCHEMAS"])
    schema = etree.XMLSchema(etree.parse(packages / "camt053" / "xsd" / "camt.053.001.08.xsd"))

    files = list(exported("camt053").rglob("*.xml"))

    assert len(files) == len(COMPANIES) * 18
    for file in files:
        assert schema.validate(etree.parse(file)), (file.name, schema.error_log)


@pytest.mark.parametrize("company", COMPANIES)
def test_entries_lead_from_the_opening_to_the_closing_balance_month_by_month(
    exported: Exported, company: str
) -> None:
    before = Decimal(0)
    for document in statements(exported, company):
        kinds = {
            text(one, "c:Tp/c:CdOrPrtry/c:Cd"): signed(one) for one in document.iterfind(".//c:Bal", NAMES)
        }
        entries = [signed(entry) for entry in document.iterfind(".//c:Ntry", NAMES)]
        assert set(kinds) == {"OPBD", "CLBD"}
        assert kinds["OPBD"] == before
        assert kinds["OPBD"] + sum(entries) == kinds["CLBD"]
        for tag, side in (("TtlCdtNtries", 1), ("TtlDbtNtries", -1)):
            mine = [side * amount for amount in entries if side * amount > 0]
            summary = document.find(f".//c:{tag}", NAMES)
            assert (int(text(summary, "c:NbOfNtries")), Decimal(text(summary, "c:Sum"))) == (
                len(mine),
                sum(mine),
            )
        before = kinds["CLBD"]


@pytest.mark.parametrize("company", COMPANIES)
def test_every_line_of_the_bank_is_an_entry_with_its_document(
    exported: Exported, books: Books, company: str
) -> None:
    found = [
        (signed(entry), text(entry, "c:BookgDt/c:Dt"), text(entry, ".//c:EndToEndId"))
        for document in statements(exported, company)
        for entry in document.iterfind(".//c:Ntry", NAMES)
    ]

    lines = duckdb.execute(
        f"SELECT amount, value_date::VARCHAR, reference FROM {books.table('bank_statement_lines')} "
        f"WHERE company_code = '{company}' ORDER BY line_number"
    ).fetchall()
    assert found == lines


def test_accounts_parties_and_mark(exported: Exported) -> None:
    german, american = (statements(exported, company)[2] for company in ("1000", "US01"))

    assert re.fullmatch(r"DE\d{20}", text(german, ".//c:Acct/c:Id/c:IBAN"))
    assert "/" in text(american, ".//c:Acct/c:Id/c:Othr/c:Id")
    assert text(american, ".//c:Ownr/c:Nm") == "Example & Sons <Stores> Inc"
    assert german.findall(".//c:RltdPties/c:Dbtr/c:Pty/c:Nm", NAMES)
    assert german.findall(".//c:RltdPties/c:Cdtr/c:Pty/c:Nm", NAMES)
    assert "Synthetic data" in text(german, ".//c:GrpHdr/c:AddtlInf")
