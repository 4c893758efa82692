"""SQL in a real PostgreSQL with keys and checks on, JSON Lines and XLSX read back by other libraries: all equal the tables."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import psycopg
import pytest
from django.conf import settings

from core.tenancy import OWNER_ALIAS
from generation.engine.exports import xlsx
from generation.engine.exports.files import ExportFolder
from generation.engine.exports.source import Source
from generation.engine.exports.task import Task
from generation.engine.plan.build import build_plan
from generation.engine.schema.catalogue import TABLES
from tests.exports.conftest import Books, Exported


@pytest.fixture
def loaded(exported: Exported, books: Books, db: None) -> Iterator[psycopg.Connection]:
    """The script carried out in the test server, in a schema of its own that goes away again."""
    owner, name = settings.DATABASES[OWNER_ALIAS], books.config.name
    place: dict[str, Any] = {
        key.lower(): owner[key] for key in ("HOST", "PORT", "USER", "PASSWORD") if owner[key]
    }
    with psycopg.connect(dbname=owner["NAME"], autocommit=True, **place) as server:
        server.execute((exported("sql") / f"{name}.sql").read_bytes())
        server.execute(f'SET search_path TO "{name}"')
        yield server
        server.execute(f'DROP SCHEMA "{name}" CASCADE')


def test_the_script_loads_with_its_keys_and_equals_the_tables(
    loaded: psycopg.Connection, books: Books
) -> None:
    for table in TABLES.values():
        money = [column.name for column in table.columns if column.kind == "money"]
        sums = ", ".join(["count(*)", *(f"sum({name})" for name in money)])
        expected = duckdb.execute(f"SELECT {sums} FROM {books.table(table.name)}").fetchall()
        assert loaded.execute(f'SELECT {sums} FROM "{table.name}"').fetchall() == expected, table.name
    kinds: dict[str, int] = dict(
        loaded.execute(
            "SELECT contype::text, count(*) FROM pg_constraint WHERE connamespace = %s::regnamespace AND contype IN ('p', 'f', 'c') "
            "GROUP BY contype", [books.config.name],
        ).fetchall()
    )  # fmt: skip
    references = sum(bool(column.references) for table in TABLES.values() for column in table.columns)
    assert kinds["p"] == len(TABLES)
    assert kinds["f"] > references
    assert kinds["c"] == 5
    comment = loaded.execute("SELECT obj_description(%s::regnamespace)", [books.config.name]).fetchall()
    assert "Synthetic data" in comment[0][0]


def test_text_with_quotes_and_times_come_back_as_they_are(loaded: psycopg.Connection, books: Books) -> None:
    for table, column in (
        ("companies", "name"),
        ("accounts", "name"),
        ("customers", "street"),
        ("journal_entries", "created_at"),
    ):
        ours = {row[0] for row in loaded.execute(f"SELECT {column} FROM {table}").fetchall()}
        theirs = {row[column] for row in books.rows(table)}
        assert ours == theirs, table


@pytest.mark.parametrize(
    "broken",
    [
        "INSERT INTO journal_lines SELECT * FROM journal_lines LIMIT 1",
        "UPDATE journal_lines SET account = 'NONE' WHERE line_number = 1",
        "UPDATE journal_lines SET debit = -1 WHERE line_number = 1",
        "DELETE FROM companies WHERE company_code = '1000'",
    ],
)
def test_the_constraints_refuse_what_breaks_the_books(loaded: psycopg.Connection, broken: str) -> None:
    with pytest.raises(psycopg.IntegrityError):
        loaded.execute(broken)


def test_json_lines_are_the_rows_of_the_tables(exported: Exported, books: Books) -> None:
    about = json.loads((exported("jsonl") / "about.json").read_text())
    assert about["synthetic"] is True
    assert {path.name for path in exported("jsonl").iterdir()} == {*about["files"], "about.json"}
    for table in ("companies", "journal_entries", "journal_lines", "assets"):
        with (exported("jsonl") / f"{table}.jsonl").open(encoding="utf-8") as stream:
            rows = [json.loads(line, parse_float=Decimal) for line in stream]
        stored = books.rows(table)
        assert len(rows) == len(stored)
        columns = [column.name for column in TABLES[table].columns]
        assert {tuple(_plain(row[name]) for name in columns) for row in rows} == {
            tuple(map(_plain, row.values())) for row in stored
        }


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S.%f}Z"
    return value.isoformat() if isinstance(value, date) else value


def workbook(books: Books, company: int, tables: set[str], root: Path, **options: int) -> openpyxl.Workbook:
    """The workbook of a company with the rows of these tables, read by another library."""
    plan = build_plan(books.config)
    files: dict[str, list[str]] = {}
    for file in books.files:
        if file.table in tables:
            files.setdefault(file.table, []).append(file.path)
    code = plan.companies[company].code
    with Source(books.root, files, company=code, scale=plan.scale) as source:
        task = Task(books.config, plan.companies[company], None, source, ExportFolder(root, "xlsx"))
        xlsx.write(task, **options)
    return openpyxl.load_workbook(root / "exports" / "xlsx" / f"{code}.xlsx", read_only=True)


def test_a_workbook_holds_the_rows_of_its_company_and_no_formula(books: Books, tmp_path: Path) -> None:
    book = workbook(books, 2, {"companies", "customers", "bank_statement_lines", "assets"}, tmp_path)

    assert book.sheetnames == ["about", *(xlsx.sheet_name(table) for table in TABLES)]
    assert "Synthetic data" in book.properties.description
    for table in ("companies", "customers", "bank_statement_lines", "assets"):
        head, *rows = book[table].iter_rows(values_only=True)
        assert list(head) == [column.name for column in TABLES[table].columns]
        stored = duckdb.execute(f"FROM {books.table(table)} WHERE company_code = 'US01'").fetchall()
        assert len(rows) == len(stored)
        assert {tuple(map(_cell, row)) for row in rows} == {tuple(map(_cell, row)) for row in stored}
    assert all(cell.data_type != "f" for row in book["customers"].iter_rows() for cell in row)


def test_a_workbook_has_the_same_bytes_again(books: Books, tmp_path: Path) -> None:
    for name in ("one", "two"):
        workbook(books, 2, {"customers"}, tmp_path / name)

    one, two = (tmp_path / name / "exports" / "xlsx" / "US01.xlsx" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.date()
    return (
        round(float(value), 6)
        if isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        else value
    )


def test_a_workbook_may_be_longer_than_a_plain_archive(
    books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full sheet of a wide table is more than 2 GiB of XML; the limit of the archive stands lower here."""
    monkeypatch.setattr("zipfile.ZIP64_LIMIT", 10_000)

    book = workbook(books, 2, {"customers"}, tmp_path)

    assert book["customers"].max_row > 10


def test_a_table_longer_than_a_sheet_goes_on_in_the_next_one(books: Books, tmp_path: Path) -> None:
    book = workbook(books, 1, {"customers"}, tmp_path, most_rows=11)

    parts = [name for name in book.sheetnames if name.startswith("customers")]
    ids = [row[0] for name in parts for row in book[name].iter_rows(min_row=2, values_only=True)]
    query = f"SELECT count(*) FROM {books.table('customers')} WHERE company_code = 'FR01'"
    assert parts[:2] == ["customers", "customers 2"]
    assert len(parts) == -(-len(ids) // 10)
    assert [(len(set(ids)),)] == [(len(ids),)] == duckdb.execute(query).fetchall()
