"""XBRL GL as an XBRL 2.1 instance: contexts and units of facts, words of the enumerations, and the sums of the books.

The taxonomy is in no package that can be had here, so that an XBRL processor cannot load it. The rules below are those of
XBRL 2.1 §4 and of the enumerations and tuples of XBRL GL 2006-10-25.
"""

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from lxml import etree

from tests.exports.conftest import Books, Exported

CASES = [("1000", 2024), ("FR01", 2025), ("US01", 2025)]
JOURNALS = {"cd", "cr", "fa", "gi", "gj", "im", "jc", "pj", "pl", "sj", "se", "ud"}
DOCUMENTS = {
    "check", "debit-memo", "credit-memo", "finance-charge", "invoice", "order-customer", "order-vendor", "payment-other",
    "reminder", "tegata", "voucher", "shipment", "receipt", "manual-adjustment", "other",
}  # fmt: skip
NUMBERS = {"amount", "totalDebit", "totalCredit", "entryNumberCounter", "amountOriginalAmount"}


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request: pytest.FixtureRequest, exported: Exported) -> tuple[str, int, Path]:
    company, year = request.param
    return company, year, exported("xbrl_gl") / f"{company}-{year}.xbrl"


def texts(node: etree._Element, name: str) -> list[str]:
    return [str(found.text) for found in node.iter(f"{{*}}{name}")]


def test_every_fact_has_its_context_and_numbers_a_unit(case: tuple[str, int, Path]) -> None:
    root = etree.parse(case[2]).getroot()
    assert etree.QName(root).localname == "xbrl"
    assert [etree.QName(child).localname for child in root] == [
        "schemaRef",
        "context",
        "unit",
        "unit",
        "accountingEntries",
    ]
    contexts, units = (
        {node.get("id") for node in root.iterfind(f"{{*}}{tag}")} for tag in ("context", "unit")
    )
    for node in root[-1].iter(etree.Element):
        name = etree.QName(node).localname
        if len(node):
            assert not node.attrib
            continue
        assert node.get("contextRef") in contexts
        assert (node.get("unitRef") in units) == (name in NUMBERS), name
        assert node.text


def test_entries_balance_and_use_the_words_of_the_taxonomy(case: tuple[str, int, Path]) -> None:
    root = etree.parse(case[2]).getroot()
    for entry in root.iter("{*}entryHeader"):
        sums = {"D": Decimal(0), "C": Decimal(0)}
        for line in entry.iter("{*}entryDetail"):
            sums[line.findtext("{*}debitCreditCode")] += Decimal(line.findtext("{*}amount"))
        assert {sums["D"], sums["C"]} == {
            Decimal(text) for tag in ("totalDebit", "totalCredit") for text in texts(entry, tag)
        }

    assert set(texts(root, "sourceJournalID")) <= JOURNALS
    assert set(texts(root, "documentType")) <= DOCUMENTS
    assert set(texts(root, "identifierType")) == {"C", "V"}
    assert set(texts(root, "entryType")) <= {"standard", "recurring", "adjusting"}
    assert [int(text) for text in texts(root, "entryNumberCounter")] == list(
        range(1, len(texts(root, "entryNumber")) + 1)
    )
    assert "Synthetic data" in texts(root, "entriesComment")[0]


def test_lines_are_those_of_the_journal(case: tuple[str, int, Path], books: Books) -> None:
    company, year, file = case
    root = etree.parse(file).getroot()
    found = sorted(
        (entry.findtext("{*}entryNumber"), int(line.findtext("{*}lineNumber")), line.findtext("{*}account/{*}accountMainID"),
         Decimal(line.findtext("{*}amount")) * (1 if line.findtext("{*}debitCreditCode") == "D" else -1))
        for entry in root.iter("{*}entryHeader")
        for line in entry.iter("{*}entryDetail")
    )  # fmt: skip

    expected = duckdb.execute(
        f"SELECT document_id, line_number, account, debit - credit FROM {books.table('journal_lines')} "
        f"WHERE company_code = '{company}' AND fiscal_year = {year} ORDER BY document_id, line_number"
    ).fetchall()
    assert found == expected
