"""Books of a manufacturer: production orders hold together, and one of them is worked out again by hand."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from evaluation.metrics.assess import assess
from evaluation.metrics.gate import apply_gate
from tests.engine_builders import make_books, small_config, tables_of

MAKING = {"manufacturing": {"scrap_rate": 0.4}}


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five months of a manufacturer."""
    root = tmp_path_factory.mktemp("making")
    make_books(small_config(period={"months": 5}, processes=MAKING), root)
    return root


@pytest.fixture(scope="module")
def tables(books: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """All tables as views."""
    with tables_of(books) as connection:
        yield connection


def test_every_hard_invariant_holds_at_strict(books: Path) -> None:
    gate = apply_gate(assess(books), "strict")

    assert [(row.id, row.sentence) for row in gate.rows if row.verdict in ("fail", "error")] == []
    assert all(row.applicable for row in gate.rows if row.group == "manufacturing")


def test_an_order_costs_what_a_cost_accountant_works_out(tables: duckdb.DuckDBPyConnection) -> None:
    """The first order that lost pieces, recomputed in Python from bill, routing, rates and quantities."""
    order, good, started, lost, received = tables.execute("""
        select o.document_id, o.material_id, o.quantity, r.scrap_quantity, r.amount
        from production_orders o join production_receipts r on r.production_order_id = o.document_id
        where r.scrap_quantity > 0 order by o.posting_date, o.document_id limit 1""").fetchone()  # type: ignore[misc]
    bill = tables.execute(
        "select b.component_id, b.quantity, m.standard_cost from bills_of_material b "
        "join materials m on m.material_id = b.component_id where b.material_id = ?", [good]
    ).fetchall()  # fmt: skip
    used = dict(
        tables.execute(
            "select l.material_id, l.quantity from production_issue_lines l join production_issues i using (document_id) "
            "where i.production_order_id = ?", [order]
        ).fetchall()
    )  # fmt: skip
    hours = tables.execute(
        "select c.minutes, r.minutes, w.labour_rate, w.overhead_rate from production_confirmations c "
        "join work_centers w using (work_center_id) join routings r on r.material_id = ? and "
        "r.operation_number = c.operation_number where c.production_order_id = ?", [good, order]
    ).fetchall()  # fmt: skip

    def cents(amount: Decimal) -> Decimal:
        return amount.quantize(Decimal("0.01"), "ROUND_HALF_UP")

    materials = sum(pieces * cost for _, pieces, cost in bill)
    work = sum(cents(minutes * rate / 6000) for _, minutes, *rates in hours for rate in rates)
    actual_work = sum(cents(minutes * rate / 60) for minutes, _, *rates in hours for rate in rates)
    usage = sum((used[name] - pieces * started) * cost for name, pieces, cost in bill)
    efficiency, scrap = actual_work - work * started, lost * (materials + work)
    settled = tables.execute(
        "select usage_variance, efficiency_variance, scrap_variance, amount from production_settlements "
        "where production_order_id = ?", [order]
    ).fetchone()  # fmt: skip
    actual = sum(used[name] * cost for name, _, cost in bill) + actual_work
    assert received == (started - lost) * (materials + work)
    assert settled == (usage, efficiency, scrap, actual - received)
    assert settled[3] == usage + efficiency + scrap


def test_goods_sold_come_from_production(tables: duckdb.DuckDBPyConnection) -> None:
    """Nobody sells components, buys what is made, or makes what is bought."""
    kinds = tables.execute("""
        select v.kind, m.type from inventory_movements v join materials m using (material_id)
        where v.kind in ('issue', 'receipt', 'production_issue', 'production_receipt') group by all order by all""")
    assert kinds.fetchall() == [
        ("issue", "finished_good"), ("issue", "trading_good"), ("production_issue", "component"),
        ("production_receipt", "finished_good"), ("receipt", "component"), ("receipt", "trading_good"),
    ]  # fmt: skip


def test_statements_by_nature_show_materials_used_and_the_change_in_own_stock(
    tables: duckdb.DuckDBPyConnection,
) -> None:
    """HGB, section 275 (2) no. 2 and 5 a, recomputed from documents and stock alone."""

    def amount(query: str) -> Decimal:
        (found,) = tables.execute(f"select coalesce(sum({query}").fetchone() or (None,)
        return Decimal(found)

    def caption(number: str) -> Decimal:
        return amount(
            f"amount), 0) from statement_positions where part = 'income' and number = '{number}' and period = 5"
        )

    def stock(kind: str) -> Decimal:
        """Change of what goods of a kind are worth, from the opening stock to the end of May."""
        return amount(
            "amount), 0) from inventory_movements join materials m using (material_id) "
            f"where m.type = '{kind}' and kind <> 'opening'"
        )

    open_orders = amount("amount), 0) from wip_balances where period_end = '2025-05-31'")
    used = amount("amount), 0) from production_issue_lines")
    sold = -amount(
        "v.amount), 0) from inventory_movements v join materials m using (material_id) "
        "where v.kind in ('issue', 'return') and m.type = 'trading_good'"
    )
    others = amount(
        "debit - credit), 0) from journal_lines join account_positions using (company_code, account) "
        "where account in ('5730', '5880', '5885') and period <= 5"
    )
    write_downs = amount("debit - credit), 0) from journal_lines where account = '6270'")

    assert used > 0
    assert caption("2") == stock("finished_good") + open_orders
    assert caption("5.a") == -(used + sold + others + write_downs)
    accounts = "debit - credit), 0) from journal_lines where account ="
    assert amount(f"{accounts} '5000'") == used == -amount(f"{accounts} '4811'")
    assert amount(f"{accounts} '1100'") == stock("finished_good") + amount(
        "amount), 0) from inventory_movements join materials m using (material_id) "
        "where m.type = 'finished_good' and kind = 'opening'"
    )


def test_a_french_maker_sells_own_products_and_an_american_one_shows_cost_by_function(tmp_path: Path) -> None:
    company = small_config().companies[0].model_dump()
    config = small_config(
        companies=[
            {**company, "code": "FR", "country": "FR", "framework": "pcg"},
            {**company, "code": "US", "country": "US", "framework": "us_gaap"},
        ],
        period={"months": 3},
        processes=MAKING,
    )
    make_books(config, tmp_path)

    with duckdb.connect() as connection:
        sales = connection.execute(
            "select l.company_code, m.type, left(l.account, 3) as account "
            f"from read_parquet('{tmp_path}/tables/journal_lines/*.parquet') l "
            f"join read_parquet('{tmp_path}/tables/materials/*.parquet') m using (material_id) "
            "where l.credit > 0 and l.tax_code is not null and l.account >= '4' and l.company_code = 'FR' group by all order by all"
        ).fetchall()
        steps = connection.execute(
            f"select distinct company_code from read_parquet('{tmp_path}/tables/closing_steps/*.parquet') "
            "where step = 'materials_used'"
        ).fetchall()
    assert [row for row in sales if row[2] in ("701", "707")] == [
        ("FR", "finished_good", "701"),
        ("FR", "trading_good", "707"),
    ]
    assert steps == [("FR",)]


def test_only_manufacturers_make_goods(tmp_path: Path) -> None:
    config = small_config(
        companies=[
            {**small_config().companies[0].model_dump(), "code": code, "industry": industry}
            for code, industry in (("M", "manufacturing"), ("R", "retail"))
        ],
        processes=MAKING,
    )
    make_books(config, tmp_path)

    with duckdb.connect() as connection:
        found = connection.execute(
            f"select distinct company_code from read_parquet('{tmp_path}/tables/production_orders/*.parquet')"
        ).fetchall()
    assert found == [("M",)]
