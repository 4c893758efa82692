"""Whole books of the engine: they hold, they repeat, and every key of the config changes them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluation.metrics.assess import assess
from evaluation.metrics.gate import apply_gate
from generation.engine.config.load import load_config
from generation.engine.config.schema import json_schema
from generation.engine.estimate import estimate
from generation.engine.plan.build import build_plan
from tests.engine_builders import COMPANY, checksum, make_books, merged, small_config, tables_of
from tests.unit.test_config_schema import with_own_chart

# A changed value for every key of the config that this release accepts. A key without an entry fails the walk.
CHANGES: dict[str, Any] = {
    "name": "other",
    "seed": 8,
    "period.start": "2025-02-01",
    "period.months": 2,
    "period.fiscal_year_start_month": 4,
    "period.calendar": "4-4-5",
    "period.year_end": "last",
    "period.year_end_weekday": "sunday",
    "group.name": "Gross",
    "group.currency": "USD",
    "companies.code": "2000",
    "companies.name": "Gross GmbH",
    "companies.country": "GB",
    "companies.currency": "GBP",
    "companies.industry": "retail",
    "companies.annual_revenue": 4_000_000,
    "companies.employees": 26,
    "companies.framework": "ifrs",
    "companies.chart.size": "medium",
    "companies.loans.amount": 200_000,
    "companies.loans.rate": 0.03,
    "companies.loans.start": "2025-02-10",
    "companies.loans.months": 24,
    "companies.loans.kind": "linear",
    "companies.loans.day_count": "act/360",
    "companies.loans.payment_months": 1,
    "volume.journal_lines_per_year": 20_000,
    "processes.order_to_cash.return_rate": 0.2,
    "processes.order_to_cash.late_payment_share": 0.9,
    "processes.order_to_cash.partial_shipment_rate": 0.9,
    "processes.order_to_cash.cash_discount_share": 1.0,
    "processes.order_to_cash.never_paid_rate": 0.2,
    "processes.order_to_cash.short_payment_rate": 0.2,
    "processes.order_to_cash.on_account_rate": 0.2,
    "processes.order_to_cash.payment_return_rate": 0.2,
    "processes.order_to_cash.write_off_after_days": 300,
    "processes.order_to_cash.dunning_interval_days": 5,
    "processes.order_to_cash.dunning_fee": 40,
    "processes.order_to_cash.dunning_interest_rate": 0.2,
    "processes.order_to_cash.loss_rate_current": 0.01,
    "processes.order_to_cash.loss_rate_1_30": 0.03,
    "processes.order_to_cash.loss_rate_31_60": 0.06,
    "processes.order_to_cash.loss_rate_61_90": 0.2,
    "processes.order_to_cash.loss_rate_over_90": 0.5,
    "processes.order_to_cash.receivable_days": 20,
    "processes.order_to_cash.foreign_currency_share": 1.0,
    "processes.procure_to_pay.foreign_currency_share": 1.0,
    "processes.order_to_cash.contract_share": 0.2,
    "processes.order_to_cash.advance_share": 0.5,
    "processes.order_to_cash.advance_rate": 0.6,
    "processes.procure_to_pay.payable_days": 60,
    "processes.procure_to_pay.posting_lag_days": 10,
    "processes.procure_to_pay.three_way_match_rate": 0.1,
    "processes.procure_to_pay.partial_receipt_rate": 0.9,
    "processes.procure_to_pay.late_payment_share": 0.9,
    "processes.procure_to_pay.cash_discount_share": 1.0,
    "processes.procure_to_pay.price_trend": 0.1,
    "processes.procure_to_pay.price_spread": 0.2,
    "processes.procure_to_pay.over_delivery_rate": 0.9,
    "processes.procure_to_pay.vendor_return_rate": 0.5,
    "processes.procure_to_pay.price_tolerance": 0.0,
    "processes.procure_to_pay.dispute_rate": 0.2,
    "processes.procure_to_pay.never_invoiced_rate": 0.2,
    "processes.procure_to_pay.gr_ir_clearing_days": 30,
    "processes.hire_to_retire.enabled": False,
    "processes.hire_to_retire.annual_raise_rate": 0.5,
    "processes.acquire_to_retire.enabled": False,
    "processes.acquire_to_retire.disposal_rate": 0.5,
    "processes.acquire_to_retire.acquisition_rate": 1.0,
    "processes.acquire_to_retire.low_value_share": 0.9,
    "processes.acquire_to_retire.salvage_share": 0.2,
    "processes.acquire_to_retire.double_declining_share": 0.9,
    "processes.acquire_to_retire.sum_of_years_share": 0.8,
    "processes.acquire_to_retire.macrs_share": 0.8,
    "processes.record_to_report.enabled": False,
    "processes.record_to_report.manual_share": 0.6,
    "processes.record_to_report.accrual_share": 0.6,
    "processes.record_to_report.prepaid_share": 0.2,
    "processes.record_to_report.warranty_share": 0.02,
    "processes.record_to_report.holiday_pay_share": 0.1,
    "processes.record_to_report.budget_growth": 0.1,
    "processes.inventory.valuation": "moving_average",
    "processes.inventory.new_standard_costs": True,
    "processes.inventory.safety_stock_days": 40,
    "processes.inventory.cycle_count_share": 0.9,
    "processes.inventory.count_difference_rate": 1.0,
    "processes.inventory.count_posting_share": 0.0,
    "processes.inventory.scrap_rate": 0.5,
    "processes.inventory.write_down_share": 0.9,
    "processes.inventory.review_months": 1,
    "processes.manufacturing.enabled": True,
    "processes.manufacturing.made_share": 0.3,
    "processes.manufacturing.lot_days": 7,
    "processes.manufacturing.labour_share": 0.1,
    "processes.manufacturing.overhead_rate": 1.5,
    "processes.manufacturing.scrap_rate": 0.9,
    "processes.manufacturing.usage_deviation": 0.3,
    "processes.manufacturing.time_deviation": 0.5,
    "processes.tax.enabled": False,
    "processes.tax.foreign_share": 1.0,
    "processes.tax.income_tax_rate": 0.2,
    "processes.tax.income_tax_instalments": 2,
    "processes.treasury.enabled": False,
    "processes.treasury.max_net_debt_to_ebitda": 1.0,
    "processes.treasury.min_equity_ratio": 0.4,
    "processes.treasury.min_interest_cover": 5.0,
    "processes.treasury.covenant_months": 1,
    "processes.treasury.payout_current_ratio": 3.0,
    "controls.approval_thresholds": [50, 500],
    "controls.sod_violation_rate": 0.2,
    "outputs.formats": ["parquet", "csv"],
}
# Keys that change another file than the tables, or need a second company or an own chart; their tests are named.
ELSEWHERE = {
    "version": "only one value",
    "outputs.exports": "files of their own: tests/exports",
    "quality.gate": "the manifest's verdict: tests/integration/test_cli_generate.py",
    "companies.parent": "tests/integration/test_engine_group.py",
    "companies.ownership": "tests/integration/test_engine_group.py",
    "processes.intercompany.enabled": "tests/integration/test_engine_group.py",
    "processes.intercompany.share": "tests/integration/test_engine_group.py",
    "processes.intercompany.markup": "tests/integration/test_engine_group.py",
    "processes.treasury.cash_pool": "tests/integration/test_engine_pool.py",
    "processes.treasury.cash_pool_rate": "tests/integration/test_engine_pool.py",
    "companies.chart.accounts": "tests/unit/test_charts.py",
    "processes.order_to_cash.enabled": "must be on together: tests/unit/test_config_checks.py",
    "processes.procure_to_pay.enabled": "must be on together: tests/unit/test_config_checks.py",
    "processes.inventory.enabled": "must be on together: tests/unit/test_config_checks.py",
}
# Keys that show only in other books: raises need a January, old receivables and a second year of tax need time, ends of years
# need weeks, loans need one.
JANUARY, LONG = {"start": "2024-11-01", "months": 3}, {"start": "2024-01-01", "months": 15}
WEEKS = {"calendar": "4-4-5"}
# Sections that are off unless they are there: their keys are tried in books that have them.
OPTIONAL = ("processes.manufacturing",)
LOAN = {"amount": 300_000, "start": "2024-08-20"}
IN_DEBT = {"companies": [{**COMPANY, "loans": [LOAN]}]}
PAID_AHEAD = {"processes": {"order_to_cash": {"advance_share": 0.5}}}
PERIODS: dict[str, dict[str, Any]] = {
    "period.year_end": WEEKS,
    "period.year_end_weekday": WEEKS,
    "processes.hire_to_retire.annual_raise_rate": JANUARY,
    "processes.inventory.new_standard_costs": JANUARY,
    "processes.order_to_cash.write_off_after_days": LONG,
    "processes.order_to_cash.loss_rate_31_60": LONG,
    "processes.order_to_cash.loss_rate_61_90": LONG,
    "processes.order_to_cash.loss_rate_over_90": LONG,
    "processes.tax.income_tax_instalments": LONG,
    "processes.record_to_report.budget_growth": LONG,
    "processes.treasury.payout_current_ratio": LONG,
}


# One of each kind: older than the books, paid out inside them, and paid back inside them.
LOANS = [
    {
        "amount": 400_000,
        "start": "2022-04-11",
        "kind": "linear",
        "months": 60,
        "day_count": "act/360",
        "payment_months": 1,
    },
    {"amount": 300_000, "start": "2024-03-31"},
    {
        "amount": 200_000,
        "start": "2023-06-01",
        "kind": "bullet",
        "months": 12,
        "day_count": "act/365",
        "payment_months": 5,
    },
]


def available_keys(schema: dict[str, Any], node: dict[str, Any], path: str = "") -> Iterator[str]:
    """Dotted paths of all leaf keys that are not marked as unavailable."""
    if "$ref" in node:
        node = {
            **schema["$defs"][node["$ref"].rpartition("/")[2]],
            **{k: v for k, v in node.items() if k != "$ref"},
        }
    for option in node.get("anyOf", []):
        if option.get("type") != "null":
            node = {**node, **option}
    if node.get("x-available") is False:
        return
    if "$ref" in node:
        yield from available_keys(schema, node, path)
    elif "properties" in node:
        for name, child in node["properties"].items():
            yield from available_keys(schema, child, f"{path}.{name}" if path else name)
    elif (
        node.get("type") == "array"
        and "$ref" in node.get("items", {})
        and path in ("companies", "companies.loans")
    ):
        yield from available_keys(schema, node["items"], path)
    else:
        yield path


def changed(path: str, value: Any) -> dict[str, Any]:
    if path.startswith("companies.loans."):
        return {"companies": [{**COMPANY, "loans": [{**LOAN, path.rpartition(".")[2]: value}]}]}
    if path.startswith("companies."):
        _, *keys = path.split(".")
        company = {**COMPANY, keys[0]: value if len(keys) == 1 else {keys[1]: value}}
        return {"companies": [company]}
    nested: dict[str, Any] = {}
    inner = nested
    *sections, last = path.split(".")
    for section in sections:
        inner = inner.setdefault(section, {})
    inner[last] = value
    return nested


def own_accounts() -> list[dict[str, Any]]:
    """The smallest chart of one's own, without accounts that only groups need."""
    accounts = load_config(with_own_chart()).companies[0].chart.accounts
    return [account.model_dump(exclude_none=True) for account in accounts or ()]


def test_every_available_key_has_a_change_to_try() -> None:
    schema = json_schema()
    keys = set(available_keys(schema, schema))
    assert keys == set(CHANGES) | set(ELSEWHERE)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Digests of the unchanged books, by what they need for a key to show."""
    unchanged: list[dict[str, Any]] = [{"period": period} for period in ({}, JANUARY, LONG, WEEKS)]
    unchanged += [*(changed(section, {}) for section in OPTIONAL), IN_DEBT, PAID_AHEAD]
    return {json.dumps(changes): digest_of(tmp_path_factory.mktemp("base"), changes) for changes in unchanged}


def needs_of(path: str) -> dict[str, Any]:
    """What books must be like for a key to show."""
    section, _, key = path.rpartition(".")
    if section in ("companies.loans", "processes.treasury") and path not in PERIODS:
        return IN_DEBT
    if path == "processes.order_to_cash.advance_rate":
        return PAID_AHEAD
    return (
        changed(section, {})
        if section in OPTIONAL and key != "enabled"
        else {"period": PERIODS.get(path, {})}
    )


def digest_of(root: Path, changes: dict[str, Any]) -> str:
    """What the files hold, and the data dictionary without the rates that it repeats from the config."""
    files = make_books(small_config(**changes), root)
    dictionary = json.loads((root / "schema.json").read_text())
    for company in dictionary["dataset"]["companies"]:
        del company["rates"]
    return checksum(files) + json.dumps(dictionary)


@pytest.mark.parametrize("path", sorted(CHANGES))
def test_the_key_changes_the_dataset(path: str, base: dict[str, str], tmp_path: Path) -> None:
    needs = needs_of(path)
    assert digest_of(tmp_path, merged(needs, changed(path, CHANGES[path]))) != base[json.dumps(needs)]


def test_the_same_config_gives_the_same_bytes_with_a_disturbed_heap(tmp_path: Path) -> None:
    expected = checksum(make_books(small_config(), tmp_path / "calm"))
    script = (
        "import sys; from pathlib import Path; from tests.engine_builders import *;"
        "print(checksum(make_books(small_config(), Path(sys.argv[1]))))"
    )
    for fill in ("1", "254"):
        environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system", "MALLOC_PERTURB_": fill}
        command = [sys.executable, "-c", script, str(tmp_path / fill)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"period": {"start": "2024-02-01", "months": 1}}, id="one month"),
        pytest.param({"period": {"start": "2025-06-01", "months": 3}}, id="an end on a weekend"),
        pytest.param({"period": {"start": "2023-11-01", "months": 15, "fiscal_year_start_month": 4},
                      "processes": {"order_to_cash": {"contract_share": 0.2}}}, id="odd fiscal year"),
        pytest.param({"period": {"start": "2023-11-01", "months": 15, "fiscal_year_start_month": 2, "calendar": "4-5-4"},
                      "companies": [{**COMPANY, "loans": LOANS}]},
                     id="retail calendar with 53 weeks, in debt"),
        pytest.param(
            {
                "companies": [
                    COMPANY,
                    {**COMPANY, "code": "JP", "currency": "JPY", "annual_revenue": 500_000_000, "framework": "pcg",
                     "loans": [{"amount": 400_000_000, "months": 7, "payment_months": 2}]},
                    {**COMPANY, "code": "KW", "currency": "KWD", "country": "GB", "framework": "ifrs"},
                    {**COMPANY, "code": "US", "currency": "USD", "country": "US", "industry": "retail", "framework": "us_gaap"},
                ],
                "volume": {"journal_lines_per_year": 30_000},
            },
            id="four currencies with 0, 2 and 3 decimals",
        ),
        pytest.param({"companies": [{**COMPANY, "employees": 1, "annual_revenue": 10_000}]}, id="one employee"),
        pytest.param({"companies": [{**COMPANY, "chart": {"accounts": own_accounts()}}], "processes": {"manufacturing": {}}},
                     id="a chart of one's own, whose roles share accounts"),
        pytest.param(
            {"processes": {name: {"enabled": False} for name in ("hire_to_retire", "acquire_to_retire", "record_to_report", "tax")}
                          | {"order_to_cash": {"contract_share": 0.5}}},
            id="only trade, half of it contracts",
        ),
    ],
)  # fmt: skip
def test_every_hard_invariant_holds_at_strict(changes: dict[str, Any], tmp_path: Path) -> None:
    make_books(small_config(**changes), tmp_path)

    gate = apply_gate(assess(tmp_path), "strict")

    assert [(row.id, row.sentence) for row in gate.rows if row.verdict in ("fail", "error")] == []


def test_the_volume_asked_for_is_met_within_a_tenth(tmp_path: Path) -> None:
    config = small_config(volume={"journal_lines_per_year": 60_000}, period={"months": 12})

    files = make_books(config, tmp_path)

    lines = sum(entry.rows for entry in files if entry.table == "journal_lines")
    assert lines == pytest.approx(60_000, rel=0.1)
    assert estimate(config).journal_lines == 60_000


def test_shards_are_cut_by_volume_and_numbered_in_order() -> None:
    plan = build_plan(small_config(volume={"journal_lines_per_year": 5_000_000}, period={"months": 12}))

    assert [spec.ordinal for spec in plan.shards] == list(range(len(plan.shards)))
    # 5 M x 62 % in quarters: 775 k, in three blocks of at most 360 k
    assert sum(spec.process == "o2c" for spec in plan.shards) == 3 * 4
    assert max(spec.lines for spec in plan.shards) <= 360_000


LATE = """
    with paid as (
        select a.{side}_invoice_id as document_id, min(p.payment_date) as day
        from {payments}_allocations a join {payments}s p using (document_id) where a.amount > 0 group by 1)
    select count(*), avg((paid.day > i.due_date)::int)
    from {side}_invoices i join paid using (document_id) where i.due_date < date '2025-08-01'"""


@pytest.mark.parametrize("share", [0.0, 0.15, 0.9])
def test_partners_pay_late_as_often_as_configured(share: float, tmp_path: Path) -> None:
    rates = {"late_payment_share": share}
    config = small_config(
        volume={"journal_lines_per_year": 60_000},
        period={"months": 12},
        processes={"order_to_cash": rates, "procure_to_pay": {**rates, "dispute_rate": 0}},
    )
    make_books(config, tmp_path)

    with tables_of(tmp_path) as tables:
        for side, payments in (("customer", "customer_receipt"), ("vendor", "vendor_payment")):
            found = tables.execute(LATE.format(side=side, payments=payments)).fetchone()
            assert found is not None
            count, late = found
            deviation = (share * (1 - share) / count) ** 0.5
            assert late == pytest.approx(share, abs=4 * deviation + 1e-9), side


def test_exempt_sales_have_an_account_of_their_own_and_opening_balances_are_no_flow(tmp_path: Path) -> None:
    make_books(small_config(period={"months": 12}), tmp_path)

    with tables_of(tmp_path) as tables:
        mixed = tables.execute("""
            select count(*) from journal_lines join accounts using (company_code, account)
            where subtype = 'revenue' and tax_code is not null and credit > 0
              and (name like 'Steuerfreie%') <> (tax_code = 'S0')""").fetchone()
        contributed = tables.execute(
            "select sum(amount) from financial_statements where line = 'SE.contributions'"
        ).fetchone()
        invested = tables.execute("""
            select (select sum(amount) from financial_statements where line in ('CF.investments', 'CF.divestments')),
                   (select coalesce(sum(if(kind = 'acquisition', -amount, proceeds)), 0)
                    from asset_transactions where kind <> 'depreciation_run')""").fetchone()
    assert mixed == (0,)
    assert contributed == (0,)
    assert invested is not None
    assert invested[0] == invested[1]
