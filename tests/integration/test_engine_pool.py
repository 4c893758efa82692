"""Cash pools: accounts come to zero, balances bear interest and meet in pairs, and the group's statements show nothing of them.

The pool is of a German head and a French member. An American sister, where there is one, has another currency and stays outside.
"""

import json
from hashlib import sha256
from pathlib import Path
from shutil import copytree
from typing import Any

import duckdb
import numpy as np
import pytest
import yaml
from lxml import etree

from evaluation.metrics.assess import assess
from evaluation.metrics.books import Books
from evaluation.metrics.catalogue import METRICS
from evaluation.metrics.dataset import read_dataset
from evaluation.metrics.journal import read_journal
from generation.engine.closing.cash_pool import KINDS, Member
from generation.engine.config.load import load_config
from generation.engine.config.model import Config
from generation.engine.errors import ConfigError, Problem
from generation.engine.exports.make import export_units, files_for, make_export
from generation.engine.plan.build import build_plan
from generation.engine.run import Extends, FileEntry, file_companies, with_months
from tests.engine_builders import COMPANY, SMALL, make_books, merged
from tests.engine_faults import CENT, Fault, plant
from tests.integration.command_line import command_line
from tests.unit.test_config_schema import with_own_chart

HEAD = {**COMPANY, "code": "DE01"}
MEMBER = {
    **COMPANY, "code": "FR01", "country": "FR", "framework": "pcg", "industry": "retail", "annual_revenue": 2_000_000,
    "employees": 15, "parent": "DE01", "ownership": 0.8,
}  # fmt: skip
OUTSIDE = {
    **COMPANY, "code": "US01", "country": "US", "currency": "USD", "framework": "us_gaap", "industry": "technology",
    "parent": "FR01",
}  # fmt: skip
IN_GROUPS = (
    ("intercompany_receivable", "intercompany_receivable"), ("intercompany_payable", "intercompany_payable"),
    ("revenue", "intercompany_revenue"), ("operating_expense", "intercompany_cost"), ("fx_result", "fx_result"),
    ("other_current_asset", "investment"), ("other_current_asset", "pool_receivable"), ("other_liability", "pool_payable"),
    ("interest", "pool_interest"),
)  # fmt: skip
GROUP: dict[str, Any] = {
    "companies": [MEMBER, HEAD],
    "volume": {"journal_lines_per_year": 10_000},
    "period": {"start": "2025-01-01", "months": 4, "fiscal_year_start_month": 3},
}


def pool_config(**changes: Any) -> Config:
    asked = {"processes": {"treasury": {"cash_pool": "daily", "cash_pool_rate": 0.04}}}
    return load_config(json.dumps(merged(merged(merged(SMALL, GROUP), asked), changes)))


def with_pool(**keys: Any) -> dict[str, Any]:
    return {"processes": {"treasury": keys}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[FileEntry, ...]]:
    root = tmp_path_factory.mktemp("pool")
    return root, make_books(pool_config(), root)


@pytest.fixture(scope="module")
def books(made: tuple[Path, tuple[FileEntry, ...]]) -> Path:
    return made[0]


def rows(root: Path, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query; tables are written as {name}."""
    names = {path.name for path in (root / "tables").iterdir()}
    tables = {name: f"read_parquet('{root}/tables/{name}/*.parquet')" for name in names}
    return duckdb.execute(query.format(**tables)).fetchall()


def of_pools(root: Path) -> set[str]:
    """Rules of cash pools, of statements and of what documents post that the books break."""
    watched = ("intercompany.pool_", "group.", "statements.", "documents.journal_repeats_totals", "cash.")
    with Books(read_dataset(root), memory_limit_bytes=256 << 20, threads=1) as opened:
        read_journal(opened)
        found = [(metric, metric.measure(opened)) for metric in METRICS if metric.id.startswith(watched)]
    return {metric.id for metric, measured in found if metric.kind == "exact" and measured.value}


def test_a_group_with_a_pool_keeps_every_exact_rule(books: Path) -> None:
    found = {row.id: row for row in assess(books).rows if row.kind == "exact"}

    assert {name: row.sentence for name, row in found.items() if row.verdict != "pass"} == {}
    ours = {name: row.n for name, row in found.items() if name.startswith("intercompany.pool_")}
    assert len(ours) == 7
    assert all(ours.values())


def test_a_members_scan_is_what_a_hand_gets() -> None:
    # Both companies work on 2 and 3 January 2025; the 31st is the last such day. 4 % by act/365, in cents.
    plan = build_plan(pool_config()).companies[0]
    assert plan.pool is not None
    member = Member(plan, plan.pool)
    change = np.zeros(plan.horizon.days, np.int64)
    change[[0, 1, 8, 31]] = [1_000_000, -400_000, -900_000, 0]  # 1, 2 and 9 January

    interest = member.pass_month(0, change)

    moves = [(one.day, KINDS[one.kind], one.amount, one.balance) for one in member._movements]
    # 600,000 for seven days from the 2nd, then −300,000 for 22 to the 30th: −2,400,000 × 0.04 / 365 = −263.01
    assert moves == [
        (1, "sweep", 600_000, 600_000),
        (8, "funding", -900_000, -300_000),
        (30, "interest", -263, -300_263),
    ]
    assert interest == 263


def test_a_pool_holds_one_currency_and_its_head_is_the_highest_company(books: Path) -> None:
    italian = {**MEMBER, "code": "IT01", "country": "IT", "framework": "ifrs", "parent": "US01"}
    plan = build_plan(
        pool_config(companies=[italian, MEMBER, HEAD, OUTSIDE], volume={"journal_lines_per_year": 20_000})
    )
    pools = {company.code: company.pool for company in plan.companies}
    assert pools.pop("US01") is None
    assert {(pool.head, set(pool.members) == {0, 1}) for pool in pools.values() if pool} == {(2, True)}

    members = "select company_code, partner_company_code, sweeps, rate, currency from {cash_pool_members}"

    assert [tuple(map(str, row)) for row in rows(books, members)] == [
        ("FR01", "DE01", "daily", "0.040000", "EUR")
    ]


def test_only_the_companies_show_what_they_lend_each_other(books: Path) -> None:
    lines = """
        select basis, line, max(abs(amount)) > 0 from {financial_statements}
        where line in ('BS.A.cash_pool', 'BS.L.cash_pool', 'CF.pool_lending', 'CF.pool_borrowing') group by all"""
    shown = rows(books, lines)

    assert {line for basis, line, is_shown in shown if basis == "standalone" and is_shown} >= {
        "BS.A.cash_pool", "BS.L.cash_pool", "CF.pool_lending", "CF.pool_borrowing",
    }  # fmt: skip
    assert not any(is_shown for basis, _, is_shown in shown if basis == "consolidated")


def test_interest_of_a_pool_is_apart_by_what_it_is_and_none_of_the_group(books: Path) -> None:
    # The member earns in months in which it has lent more than it has borrowed, and is charged in others.
    moved = "select greatest(amount, 0), greatest(-amount, 0) from {cash_pool_movements} where kind = 'interest' and company_code = 'FR01'"
    earned, charged = (sum(values) for values in zip(*rows(books, moved), strict=True))
    assert earned + charged > 0
    booked = """
        select account, sum(credit - debit) from {journal_lines}
        where account in ('763800', '661500') and period <= 12 group by all order by all"""
    both = [("661500", -charged), ("763800", earned)]
    assert rows(books, booked) == [line for line in both if line[1]]
    stated = """
        select number, sum(amount) from {statement_positions} where company_code = 'FR01' and part = 'income' and number in ('3.4', '3.5')
          and period in (2, 12) group by all order by all"""
    credit = "select coalesce(sum(amount), 0) from {credit_line_movements} where company_code = 'FR01' and kind = 'interest'"
    assert rows(books, credit) == [(0,)]  # the pool stands in its place
    assert rows(books, stated) == [line for line in (("3.4", earned), ("3.5", -charged)) if line[1]]

    paid = """
        select basis, line, sum(amount) from {financial_statements}
        where basis <> 'elimination' and line in ('CF.interest_paid', 'CF.interest_received') group by all having sum(amount) <> 0"""
    flows = {(basis, line): amount for basis, line, amount in rows(books, paid)}
    assert flows["standalone", "CF.interest_received"] == earned + charged  # of one side, or of the other
    # all companies are in euro, so that nothing but the pool is between them
    assert flows == {
        **flows,
        ("consolidated", "CF.interest_paid"): flows["standalone", "CF.interest_paid"] + earned + charged,
    }
    assert ("consolidated", "CF.interest_received") not in flows


FAULTS = (
    Fault("one side lends more", "cash_pool_movements", {"side": "member", "kind": "sweep"}, {"amount": lambda v: v + CENT},
          "intercompany.pool_pairs intercompany.pool_balances intercompany.pool_journal documents.journal_repeats_totals"),
    Fault("a movement is of another kind", "cash_pool_movements", {"side": "head", "kind": "funding"}, {"kind": "sweep"},
          "intercompany.pool_pairs intercompany.pool_balances"),
    Fault("a balance is a cent off", "cash_pool_balances", {"company_code": "DE01"}, {"balance": lambda v: v - CENT},
          "intercompany.pool_balances intercompany.pool_control intercompany.pool_flows"),
    Fault("interest is at another rate", "cash_pool_members", {}, {"rate": lambda v: v * 2}, "intercompany.pool_interest"),
    Fault("the head is said to be the member", "cash_pool_members", {}, {"company_code": "DE01", "partner_company_code": "FR01"},
          "intercompany.pool_pairs intercompany.pool_interest intercompany.pool_sweeps"),
    Fault("a flow of the pool is a cent higher", "financial_statements", {"line": "CF.pool_lending", "basis": "standalone"},
          {"amount": lambda v: v + CENT}, "intercompany.pool_flows group.translation statements.cash_flow"),
    Fault("interest earned stands with what is charged", "journal_lines", {"account": "763800"}, {"account": "661500"},
          "intercompany.pool_journal"),
    Fault("interest received is a cent higher", "financial_statements", {"line": "CF.interest_received", "basis": "standalone"},
          {"amount": lambda v: v + CENT}, "group.translation statements.cash_flow statements.interest_and_tax"),
    Fault("the group receives interest of the pool", "financial_statements", {"line": "CF.inventory", "basis": "consolidated"},
          {"line": "CF.interest_received"}, "group.nothing_between_companies group.adds_up"),
    Fault("the group shows a balance of the pool", "financial_statements", {"line": "BS.A.inventory", "basis": "consolidated"},
          {"line": "BS.A.cash_pool"}, "group.nothing_between_companies group.adds_up"),
)  # fmt: skip


@pytest.mark.slow  # many metrics are measured for each fault
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_caught_by_those_that_should(fault: Fault, books: Path, tmp_path: Path) -> None:
    root = copytree(books, tmp_path / "books")
    plant(root, fault)

    assert of_pools(root) == set(fault.caught_by.split())


@pytest.mark.slow  # further books, measured
def test_sweeps_at_month_ends_fund_in_between(books: Path, tmp_path: Path) -> None:
    make_books(pool_config(**with_pool(cash_pool="month_end")), tmp_path)

    assert of_pools(tmp_path) == set()
    swept = "select count(*), count(distinct last_day(posting_date)) from {cash_pool_movements} where kind = 'sweep' and side = 'member'"
    assert 1 <= rows(tmp_path, swept)[0][0] <= 4  # of four months
    assert rows(books, swept)[0][0] > 20


def test_twice_the_rate_is_twice_the_interest_of_the_first_month(books: Path, tmp_path: Path) -> None:
    make_books(pool_config(period={"months": 1}, **with_pool(cash_pool_rate=0.08)), tmp_path)
    interest = "select amount from {cash_pool_movements} where kind = 'interest' and side = 'member' and posting_date < '2025-02-01'"

    ((once,),), ((twice,),) = rows(books, interest), rows(tmp_path, interest)

    assert abs(2 * once - twice) <= CENT
    assert once != 0


def test_nothing_of_a_pool_is_written_without_one(tmp_path: Path) -> None:
    files = make_books(pool_config(period={"months": 1}, **with_pool(cash_pool="none")), tmp_path)

    pools = [file.rows for file in files if file.table.startswith("cash_pool")]
    assert sum(pools) == 0


@pytest.mark.slow  # books of a year of weeks, made three times
def test_a_pool_that_is_kept_on_is_one_that_was_made_in_one_go(tmp_path: Path) -> None:
    # Periods of weeks: books that end on Saturday, 29 November 2025, with no working day of the month behind them.
    weeks = {"start": "2025-09-01", "months": 4, "fiscal_year_start_month": 2, "calendar": "4-5-4"}
    config = pool_config(
        period=weeks, companies=[MEMBER, HEAD, OUTSIDE], volume={"journal_lines_per_year": 15_000}
    )
    whole, grown = tmp_path / "whole", tmp_path / "grown"
    make_books(config, whole)
    make_books(with_months(config, 3), grown)
    for path in (grown / "tables" / "assets").iterdir():  # the register is issued anew
        path.unlink()
    make_books(config, grown, Extends.of(config, [3]))

    for table in sorted(folder.name for folder in (whole / "tables").iterdir()):
        both = [f"select * from read_parquet('{root}/tables/{table}/*.parquet')" for root in (whole, grown)]
        for one, other in (both, both[::-1]):
            assert duckdb.execute(f"select count(*) from ({one} except all {other})").fetchone() == (0,), (
                table
            )
    assert of_pools(grown) == set()


def test_bank_statements_name_transfers_as_balancing(
    made: tuple[Path, tuple[FileEntry, ...]], tmp_path: Path
) -> None:
    config, (books, files) = pool_config(outputs={"exports": ["camt053"]}), made
    owners = file_companies(config, [config.period.months])
    for unit in export_units(config):
        make_export(config, unit, files_for(unit, files, owners), books, tmp_path)
    codes = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}
    moved = 0
    for file in tmp_path.rglob("FR01/*.xml"):
        for entry in etree.parse(file).iterfind(".//c:Ntry", codes):
            moved += entry.findtext(".//c:SubFmlyCd", namespaces=codes) == "ZABA"

    transfers = "select count(*) from {cash_pool_movements} where side = 'member' and kind <> 'interest'"
    assert [(moved,)] == rows(books, transfers)


@pytest.mark.slow  # six processes make the books again
def test_workers_change_no_byte_of_a_pool_and_of_down_payments(tmp_path: Path) -> None:
    asked = pool_config(period={"months": 2}, processes={"order_to_cash": {"advance_share": 0.3}})
    config = json.loads(asked.model_dump_json(exclude_none=True))
    line = command_line(tmp_path, yaml.safe_dump(config))
    digests = []
    for workers in (1, 2, 8):
        done = line.run("generate", "config.yaml", "-o", f"out-{workers}", "--workers", workers)
        assert done.returncode == 0, done.stdout + done.stderr
        paths = sorted((tmp_path / f"out-{workers}" / "tables").rglob("part-*"))
        digests.append(
            [(path.parent.name, path.name, sha256(path.read_bytes()).hexdigest()) for path in paths]
        )

    assert digests[0] == digests[1] == digests[2]
    assert {"cash_pool_movements", "customer_advances"} <= {table for table, _, _ in digests[0]}


def problems(companies: list[dict[str, Any]]) -> list[Problem]:
    config = merged(
        merged(SMALL, {**GROUP, "companies": companies, "volume": {"journal_lines_per_year": 20_000}}),
        with_pool(cash_pool="month_end"),
    )
    try:
        load_config(json.dumps(config))
    except ConfigError as error:
        return list(error.problems)
    return []


def test_a_pool_needs_a_group_and_two_companies_of_one_currency() -> None:
    def refused(*companies: dict[str, Any]) -> list[tuple[str, str]]:
        return [(problem.code, problem.path) for problem in problems(list(companies))]

    place = "processes.treasury.cash_pool"
    assert refused(HEAD) == [("no_group", place)]
    assert refused(HEAD, {**OUTSIDE, "parent": "DE01"}) == [("no_common_currency", place)]
    # a second German company that is of no group
    assert refused(HEAD, {**HEAD, "code": "DE02"}, {**OUTSIDE, "parent": "DE01"}) == [
        ("no_common_currency", place)
    ]


def test_a_chart_of_ones_own_names_the_accounts_of_the_pool() -> None:
    accounts = load_config(with_own_chart()).companies[0].chart.accounts or ()
    own = [account.model_dump(exclude_none=True) for account in accounts]
    for number, (subtype, role) in enumerate(IN_GROUPS):
        own.append({"number": f"98{number:02d}", "name": f"Group {number}", "subtype": subtype, "role": role})
    member = {**MEMBER, "framework": "ifrs", "chart": {"accounts": own}}

    assert problems([HEAD, member]) == []  # an account for interest earned is its own choice
    for place in (-3, -2, -1):
        left = [account for account in own if account is not own[place]]
        (problem,) = problems([HEAD, {**member, "chart": {"accounts": left}}])
        assert problem.code == "missing_role"
        assert own[place]["role"] in problem.message


@pytest.mark.slow  # further books, measured
@pytest.mark.parametrize("is_apart", [True, False])
def test_interest_of_a_pool_on_a_chart_of_ones_own(is_apart: bool, tmp_path: Path) -> None:
    accounts = load_config(with_own_chart()).companies[0].chart.accounts or ()
    own = [account.model_dump(exclude_none=True) for account in accounts]
    further = (*IN_GROUPS, *([("interest", "pool_interest_income")] if is_apart else []))
    for number, (subtype, role) in enumerate(further):
        own.append({"number": f"98{number:02d}", "name": f"Group {number}", "subtype": subtype, "role": role})
    member = {**MEMBER, "framework": "ifrs", "chart": {"accounts": own}}

    make_books(pool_config(companies=[member, HEAD]), tmp_path)

    assert of_pools(tmp_path) == set()
    received = """
        select sum(amount) > 0 from {financial_statements} where company_code = 'FR01' and line = 'CF.interest_received'"""
    assert rows(tmp_path, received) == [(True,)]
    income = "select count(*) > 0 from {statement_positions} where company_code = 'FR01' and part = 'income' and number = '8'"
    assert rows(tmp_path, income) == [(is_apart,)]
