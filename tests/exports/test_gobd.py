"""The GoBD medium read as audit software reads it: index.xml says what the files are, the files must be that.

Source: BMF, Beschreibungsstandard zur Datenträgerüberlassung (gdpdu-01-09-2004.dtd), element order and meaning.
"""

import csv
import re
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from lxml import etree

from tests.exports.conftest import Books, Exported

Rows = list[dict[str, str]]


@pytest.fixture(params=["2024", "2025"])
def medium(request: pytest.FixtureRequest, exported: Exported) -> Path:
    return exported("gobd") / "1000" / str(request.param)


def index_of(medium: Path) -> etree._Element:
    return etree.parse(medium / "index.xml", etree.XMLParser(load_dtd=True, no_network=True)).getroot()


def columns_of(table: etree._Element) -> list[etree._Element]:
    return list(table.xpath("VariableLength/VariablePrimaryKey | VariableLength/VariableColumn"))


def rows_of(medium: Path, table: etree._Element) -> Rows:
    names = [column.findtext("Name") for column in columns_of(table)]
    with (medium / table.findtext("URL")).open(encoding="utf-8", newline="") as stream:
        found = list(csv.reader(stream, delimiter=table.findtext("VariableLength/ColumnDelimiter")))
    assert all(len(row) == len(names) for row in found)
    return [dict(zip(names, row, strict=True)) for row in found]


def tables_of(medium: Path) -> dict[str, Rows]:
    return {table.findtext("Name"): rows_of(medium, table) for table in index_of(medium).iter("Table")}


def amount(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def test_only_the_german_company_has_a_medium_for_each_year(exported: Exported) -> None:
    assert [path.name for path in exported("gobd").iterdir()] == ["1000"]
    assert {path.name for path in (exported("gobd") / "1000").iterdir()} == {"2024", "2025"}


def test_the_index_follows_its_grammar_and_lists_every_file(medium: Path) -> None:
    document = etree.parse(medium / "index.xml")
    with (medium / "gdpdu-01-09-2004.dtd").open() as grammar:
        dtd = etree.DTD(grammar)

    assert dtd.validate(document), dtd.error_log
    assert document.docinfo.system_url == "gdpdu-01-09-2004.dtd"
    listed = {url.text for url in document.iter("URL")}
    assert listed | {"index.xml", "gdpdu-01-09-2004.dtd"} == {path.name for path in medium.iterdir()}
    assert "Synthetic data" in document.findtext("DataSupplier/Comment")


def test_elements_stand_in_the_order_of_the_standard(medium: Path) -> None:
    # by hand from the standard, so that a mistake in the grammar beside the index is seen, too
    order = [
        "URL",
        "Name",
        "Description",
        "Validity",
        "UTF8",
        "DecimalSymbol",
        "DigitGroupingSymbol",
        "VariableLength",
    ]
    for table in index_of(medium).iter("Table"):
        assert [child.tag for child in table] == order
        tags = [child.tag for child in table.find("VariableLength")]
        assert tags[:3] == ["ColumnDelimiter", "RecordDelimiter", "TextEncapsulator"]
        kinds = ["VariablePrimaryKey", "VariableColumn", "ForeignKey"]
        assert tags[3:] == sorted(tags[3:], key=kinds.index)
        assert "VariablePrimaryKey" in tags


def test_every_value_is_of_the_kind_that_the_index_says(medium: Path) -> None:
    for table in index_of(medium).iter("Table"):
        rows = rows_of(medium, table)
        for column in columns_of(table):
            values = [row[column.findtext("Name")] for row in rows if row[column.findtext("Name")]]
            if column.find("Date") is not None:
                assert all(datetime.strptime(value, "%d.%m.%Y") for value in values)  # noqa: DTZ007
            elif column.find("Numeric") is not None:
                places = column.findtext("Numeric/Accuracy")
                form = rf"-?\d+,\d{{{places}}}" if places else r"-?\d+"
                assert all(re.fullmatch(form, value) for value in values), column.findtext("Name")


def test_primary_keys_are_unique_and_foreign_keys_resolve(medium: Path) -> None:
    tables = tables_of(medium)
    for table in index_of(medium).iter("Table"):
        rows = tables[table.findtext("Name")]
        keys = [key.findtext("Name") for key in table.iter("VariablePrimaryKey")]
        assert len({tuple(row[key] for key in keys) for row in rows}) == len(rows)
        for foreign in table.iter("ForeignKey"):
            target = tables[foreign.findtext("References")]
            known = {next(iter(row.values())) for row in target}
            assert {row[foreign.findtext("Name")] for row in rows} - {""} <= known


def test_the_journal_gives_the_trial_balances_of_the_books(medium: Path, books: Books) -> None:
    tables = tables_of(medium)
    period = {row["Beleg"]: row["Periode"] for row in tables["Belege"]}
    moved: dict[tuple[str, str], list[Decimal]] = {}
    for row in tables["Buchungen"]:
        sums = moved.setdefault((period[row["Beleg"]], row["Konto"]), [Decimal(0), Decimal(0)])
        sums[0] += amount(row["Soll"])
        sums[1] += amount(row["Haben"])

    listed = {
        (row["Periode"], row["Konto"]): [amount(row["Soll"]), amount(row["Haben"])]
        for row in tables["SummenSalden"]
    }
    assert {key: sums for key, sums in listed.items() if any(sums)} == moved
    query = f"FROM {books.table('journal_lines')} WHERE company_code = '1000' AND fiscal_year = {medium.name}"
    assert duckdb.execute(f"SELECT count(*) {query}").fetchall() == [(len(tables["Buchungen"]),)]
