"""A group of companies: both sides of its trade agree, and its statements follow from those of the companies.

Each planted fault changes one cell of made books; the rule that is named must notice it.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from evaluation.metrics.assess import assess
from evaluation.metrics.books import Books
from evaluation.metrics.catalogue import METRICS
from evaluation.metrics.dataset import read_dataset
from evaluation.metrics.journal import read_journal
from evaluation.metrics.report import Report
from generation.engine.config.load import load_config
from generation.engine.config.model import Config
from generation.engine.errors import ConfigError
from generation.engine.run import Extends, with_months
from tests.engine_builders import COMPANY, SMALL, checksum, make_books, merged

PARENT = {
    **COMPANY,
    "code": "US01",
    "country": "US",
    "currency": "USD",
    "framework": "us_gaap",
    "industry": "technology",
}
DAUGHTER = {**COMPANY, "code": "DE01", "parent": "US01", "ownership": 0.8}
GRANDCHILD = {
    **COMPANY,
    "code": "JP01",
    "country": "JP",
    "currency": "JPY",
    "framework": "ifrs",
    "industry": "services",
    "annual_revenue": 300_000_000,
    "parent": "DE01",
    "ownership": 0.6,
}
GROUP: dict[str, Any] = {
    "group": {"name": "Three", "currency": "USD"},
    "companies": [PARENT, DAUGHTER, GRANDCHILD],
    "volume": {"journal_lines_per_year": 30_000},
    "period": {"start": "2025-01-01", "months": 4, "fiscal_year_start_month": 3},
    "processes": {"intercompany": {"share": 0.15, "markup": 0.08}},
}


def group_config(**changes: Any) -> Config:
    return load_config(json.dumps(merged(merged(SMALL, GROUP), changes)))


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("group")
    make_books(group_config(), root)
    return root


@pytest.fixture(scope="module")
def report(books: Path) -> Report:
    return assess(books)


def broken(report: Report) -> dict[str, Any]:
    return {
        row.id: row.value
        for row in report.rows
        if row.kind == "exact" and row.applicable and (row.verdict == "error" or row.value != 0)
    }


def is_broken(root: Path, rule: str) -> bool:
    """Whether this one rule finds a violation."""
    metric = next(metric for metric in METRICS if metric.id == rule)
    with Books(read_dataset(root), memory_limit_bytes=256 << 20, threads=1) as books:
        read_journal(books)
        return metric.measure(books).value != 0


def value(books: Path, query: str) -> Any:
    """One value; tables are written as {name}."""
    names = {path.name for path in (books / "tables").iterdir()}
    tables = {name: f"read_parquet('{books}/tables/{name}/*.parquet')" for name in names}
    row = duckdb.execute(query.format(**tables)).fetchone()
    return row[0] if row else None


def test_a_group_keeps_every_exact_rule(report: Report) -> None:
    assert broken(report) == {}
    measured = {row.id for row in report.rows if row.applicable and row.n}
    ours = {row.id for row in report.rows if row.id.startswith(("group.", "intercompany."))}
    ours = {name for name in ours if not name.startswith("intercompany.pool_")}  # test_engine_pool.py
    ours -= {
        "intercompany.dividends",
        "intercompany.dividends_received",
        "group.dividends",
    }  # test_engine_group_dividends.py
    assert len(ours) >= 18
    assert ours <= measured


def test_one_company_has_nothing_of_a_group(tmp_path: Path) -> None:
    make_books(load_config(json.dumps(SMALL)), tmp_path)

    ours = [row for row in assess(tmp_path).rows if row.id.startswith(("group.", "intercompany."))]
    assert [
        row.id
        for row in ours
        if row.applicable and row.n and not row.id.endswith(("receivables", "payables"))
    ] == []


def test_trade_inside_the_group_is_the_share_that_was_asked_for(tmp_path: Path) -> None:
    """0.1 of the revenue of all; a third of a year shows a third of it, within what invoices scatter."""
    equal = [
        {**COMPANY, "code": code, **({"parent": "A"} if code != "A" else {})} for code in ("A", "B", "C")
    ]
    config = group_config(
        companies=equal, group={"currency": "EUR"}, processes={"intercompany": {"share": 0.1}}
    )
    make_books(config, tmp_path)

    sold = value(tmp_path, "select sum(amount) from {intercompany_pairs}")
    assert float(sold) == pytest.approx(0.1 * 3 * 3_000_000 * 4 / 12, rel=0.12)


def test_goods_between_companies_carry_the_markup(books: Path) -> None:
    prices = value(
        books, "select max(abs(amount - cost_amount * 1.08)) from {intercompany_pairs} where currency = 'EUR'"
    )
    assert prices <= Decimal("0.01")


def test_what_others_own_is_theirs(tmp_path: Path) -> None:
    """Half of a subsidiary belongs to others: half of its net assets and of its result, in the currency of the group."""
    child = {**COMPANY, "code": "B", "parent": "A", "ownership": 0.5}
    config = group_config(
        companies=[{**COMPANY, "code": "A"}, child],
        group={"currency": "EUR"},
        processes={"intercompany": {"enabled": False}},
    )
    make_books(config, tmp_path)

    lines = (
        "select sum(if(starts_with(line, 'BS.A.'), amount, -amount)) from {financial_statements} "
        "where basis = 'standalone' and statement = 'BS' and not starts_with(line, 'BS.E.') and company_code = 'B' "
        "and fiscal_year = 2026 and period = 2"
    )
    others = (
        "select amount from {financial_statements} where basis = 'consolidated' and line = 'BS.E.minority' "
        "and fiscal_year = 2026 and period = 2"
    )
    assert abs(value(tmp_path, others) - value(tmp_path, lines) / 2) <= Decimal("0.005")


def test_without_trade_the_group_is_still_consolidated(tmp_path: Path) -> None:
    make_books(group_config(processes={"intercompany": {"enabled": False}}), tmp_path)

    assert broken(assess(tmp_path)) == {}
    assert value(tmp_path, "select count(*) from {intercompany_documents}") == 0
    assert value(tmp_path, "select count(*) from {financial_statements} where basis = 'consolidated'") > 0


@pytest.mark.parametrize("framework", ["hgb", "us_gaap"])
def test_goodwill_is_written_off_over_ten_years_under_national_law_only(
    framework: str, tmp_path: Path
) -> None:
    parent = {**COMPANY, "code": "A", "framework": framework}
    child = {**COMPANY, "code": "B", "parent": "A"}
    make_books(group_config(companies=[parent, child], group={"currency": "EUR"}), tmp_path)

    standing = duckdb.execute(
        f"select amount from read_parquet('{tmp_path}/tables/consolidation_entries/*.parquet') "
        "where entry = 'goodwill' and statement = 'BS' order by fiscal_year, period"
    ).fetchall()
    left = [float(row[0]) for row in standing]
    if framework == "us_gaap":
        assert len(set(left)) == 1
    else:  # after n months (120 - n) / 120 of the cost is left
        cost = left[0] / (119 / 120)
        assert left == pytest.approx([cost * (120 - month) / 120 for month in range(1, 5)], abs=0.02)


def test_a_group_that_is_kept_on_is_one_that_was_made_in_one_go(tmp_path: Path) -> None:
    config = group_config(period={"months": 3})
    whole, grown = tmp_path / "whole", tmp_path / "grown"
    make_books(config, whole)
    make_books(with_months(config, 2), grown)
    closed = {path: path.read_bytes() for path in grown.rglob("*.parquet") if path.parent.name != "assets"}
    for path in (grown / "tables" / "assets").iterdir():  # the register is issued anew
        path.unlink()
    make_books(config, grown, Extends.of(config, [2]))

    assert all(path.read_bytes() == content for path, content in closed.items())
    for table in (
        "consolidation_lines",
        "financial_statements",
        "eliminations",
        "fx_rates",
        "segments",
        "journal_lines",
    ):
        both = [f"select * from read_parquet('{root}/tables/{table}/*.parquet')" for root in (whole, grown)]
        for one, other in (both, both[::-1]):
            assert duckdb.execute(f"select count(*) from ({one} except all {other})").fetchone() == (0,), (
                table
            )
    assert broken(assess(grown)) == {}


def test_a_group_repeats_to_the_byte(tmp_path: Path) -> None:
    config = group_config(period={"months": 1})

    assert checksum(make_books(config, tmp_path / "a")) == checksum(make_books(config, tmp_path / "b"))


FAULTS = [
    ("intercompany_pairs", "amount", "amount + 1", "intercompany.pairs"),
    ("intercompany_documents", "pair_id", "'IPXXXXXXXXXXXXXXXX'", "intercompany.pairs"),
    ("intercompany_document_lines", "quantity", "quantity + 1", "intercompany.lines"),
    ("intercompany_documents", "exchange_rate", "exchange_rate + 0.5", "intercompany.exchange_rates"),
    ("intercompany_documents", "posted_amount", "posted_amount + 1", "intercompany.journal"),
    ("intercompany_payments", "fx_result", "fx_result + 1", "intercompany.settlements"),
    ("intercompany_payment_allocations", "amount", "amount + 1", "intercompany.settlements"),
    ("fx_revaluations", "amount", "amount + 1", "subledgers.intercompany_payables"),
    ("fx_rates", "rate", "rate * 1.01", "intercompany.rates"),
    ("group_goods_issues", "amount", "amount + 1", "intercompany.journal"),
    ("eliminations", "amount", "amount + 1", "group.eliminations"),
    ("consolidation_lines", "translated_amount", "translated_amount + 1", "group.translation"),
    ("consolidation_lines", "rate", "rate + 0.01", "group.translation"),
    ("consolidation_entries", "amount", "amount + 1", "group.adds_up"),
    ("segments", "revenue", "revenue + 1", "group.segments"),
]


@pytest.mark.parametrize(("table", "column", "change", "rule"), FAULTS, ids=lambda part: str(part)[:40])
def test_a_planted_fault_is_noticed(
    table: str, column: str, change: str, rule: str, books: Path, tmp_path: Path
) -> None:
    with _changed(books, tmp_path, table, column, change, "true") as copy:
        assert is_broken(copy, rule)


@pytest.mark.parametrize(
    ("where", "rule"),
    [
        ("entry = 'minority'", "group.minority"),
        ("entry = 'unrealised_profit' and statement = 'BS'", "group.unrealised_profit"),
        ("entry = 'balances' and statement = 'BS'", "group.adds_up"),
    ],
)
def test_a_wrong_entry_is_noticed_even_where_the_sums_still_hold(
    where: str, rule: str, books: Path, tmp_path: Path
) -> None:
    """The entry, the elimination and the group's line all say 1,000 more, as a wrong calculation would."""
    with _changed(books, tmp_path, "consolidation_entries", "amount", "amount + 1000", where) as copy:
        assert is_broken(copy, rule)


def test_a_revaluation_of_another_amount_is_noticed(books: Path, tmp_path: Path) -> None:
    where = "kind = 'revaluation'"
    with _changed(books, tmp_path, "fx_revaluations", "booked_amount", "booked_amount + 1", where) as copy:
        assert is_broken(copy, "intercompany.revaluations")


def test_a_translation_difference_that_no_rate_explains_is_noticed(books: Path, tmp_path: Path) -> None:
    where = "basis = 'consolidated' and line = 'SE.translation'"
    with _changed(books, tmp_path, "financial_statements", "amount", "amount + 5000", where) as copy:
        assert is_broken(copy, "group.translation_difference")


def _changed(books: Path, folder: Path, table: str, column: str, change: str, where: str) -> "_Copy":
    return _Copy(books, folder / "copy", table, column, change, where)


class _Copy:
    """The books with one row changed: links to all files but that one."""

    def __init__(self, books: Path, root: Path, table: str, column: str, change: str, where: str) -> None:
        self._root = root
        for path in books.rglob("*"):
            target = root / path.relative_to(books)
            if path.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.hardlink_to(path)
        for path in sorted((root / "tables" / table).glob("*.parquet")):
            rows = duckdb.execute(f"select count(*) from read_parquet('{path}') where {where}").fetchone()
            if rows and rows[0]:
                place = duckdb.execute(
                    f"select file_row_number from read_parquet('{path}', file_row_number=true) where {where} "
                    f"order by file_row_number desc limit 1"
                ).fetchone()
                assert place is not None
                kind = duckdb.execute(
                    f"select typeof({column}) from read_parquet('{path}') limit 1"
                ).fetchone()
                assert kind is not None
                changed = root / "changed.parquet"
                duckdb.execute(
                    f"copy (select * exclude (file_row_number) replace (if(file_row_number = {place[0]}, ({change})::{kind[0]}, "
                    f"{column}) as {column}) from read_parquet('{path}', file_row_number=true)) to '{changed}' (format parquet)"
                )
                path.unlink()
                changed.rename(path)
                return
        raise AssertionError(f"{table} has no row where {where}")

    def __enter__(self) -> Path:
        return self._root

    def __exit__(self, *_: object) -> None: ...


def problems(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    with pytest.raises(ConfigError) as caught:
        load_config(json.dumps(config))
    return ((problem.code, problem.path) for problem in caught.value.problems)


def test_trade_inside_a_group_needs_a_group() -> None:
    config = merged(SMALL, {"processes": {"intercompany": {"share": 0.2}}})

    assert ("no_group", "processes.intercompany") in list(problems(config))


def test_a_share_of_ownership_needs_a_parent() -> None:
    config = {**SMALL, "companies": [{**COMPANY, "ownership": 0.5}]}

    assert [code for code, _ in problems(config)] == ["no_parent"]
