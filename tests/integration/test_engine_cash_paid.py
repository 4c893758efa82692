"""Interest and income tax paid: lines of their own in the cash flow, captions of the law, notes; and openings in round sums."""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from evaluation.metrics.assess import assess
from generation.engine.plan.build import build_plan
from tests.engine_builders import COMPANY, make_books, small_config
from tests.integration.test_engine_books import own_accounts

# 6 % on 60,000 by 30/360 are 10 a day and 300 a month, due on 30 September for a year: 900 have run up when the books begin.
# The last day of February is its 28th or 29th (30E/360), and March has the days that February lacks.
RUN_UP = {(2024, 2): 290, (2024, 3): 310, (2025, 2): 280, (2025, 3): 320}
LOAN = {
    "amount": 60_000, "rate": 0.06, "start": "2023-09-30", "kind": "bullet", "months": 60, "payment_months": 12,
    "day_count": "30/360",
}  # fmt: skip


def rows_of(root: Path, table: str, what: str = "*", where: str = "true") -> list[tuple[Any, ...]]:
    files = f"{root}/tables/{table}/*.parquet"
    return duckdb.execute(f"select {what} from read_parquet('{files}') where {where} order by all").fetchall()


def by_period(root: Path, table: str, amount: str, where: str) -> dict[tuple[int, int], Decimal]:
    """Amounts of a table with posting dates by calendar year and month."""
    found: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for day, value in rows_of(root, table, f"posting_date, {amount}", where):
        found[day.year, day.month] += value
    return found


@pytest.fixture(scope="module", params=["hgb", "ifrs", "pcg", "us_gaap"])
def books(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nineteen months with a loan that is older: the second year pays tax on the profit of the first."""
    root = tmp_path_factory.mktemp(request.param)
    company = {**COMPANY, "employees": 15, "framework": request.param, "loans": [LOAN]}
    make_books(small_config(period={"start": "2024-01-01", "months": 19}, companies=[company]), root)
    return root


def stated(root: Path, line: str) -> dict[tuple[int, int], Decimal]:
    found: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for year, period, amount in rows_of(
        root, "financial_statements", "fiscal_year, period, amount", f"line = '{line}'"
    ):
        found[year, period] += amount
    return found


def test_interest_of_a_loan_leaves_when_it_is_due(books: Path) -> None:
    by_line = by_period(books, "credit_line_movements", "amount", "kind = 'interest'")
    charged, paid = stated(books, "CF.interest"), stated(books, "CF.interest_paid")

    for period in [(2024, month) for month in range(1, 13)] + [(2025, month) for month in range(1, 8)]:
        assert charged[period] - by_line[period] == RUN_UP.get(period, 300)
        assert -paid[period] - by_line[period] == (3_600 if period == (2024, 9) else 0)
    assert charged == stated(books, "IS.interest")


def test_tax_is_taken_out_as_an_expense_and_shown_as_it_is_paid(books: Path) -> None:
    paid = by_period(books, "income_tax_payments", "amount", "true")
    assert len(paid) >= 2  # instalments and the balance of the first year
    flows = stated(books, "CF.income_tax_paid")

    assert {period: -amount for period, amount in flows.items() if amount} == paid
    assert stated(books, "CF.income_tax") == stated(books, "IS.tax")


def test_nothing_is_counted_twice(books: Path) -> None:
    found = {row.id: row for row in assess(books).rows if row.kind == "exact" and row.applicable}

    assert {name for name, row in found.items() if row.value} == set()
    assert {"statements.interest_and_tax", "statements.accruals_and_taxes", "balances.round_opening"} <= set(
        found
    )


def test_notes_tell_what_was_paid(books: Path) -> None:
    notes = dict(rows_of(books, "statement_notes", "item, amount", "note = 'cash_paid'"))

    for item in ("interest", "income_tax"):
        flows = stated(books, f"CF.{item}_paid")
        assert notes.get(item, 0) == -sum(amount for (year, _), amount in flows.items() if year == 2024)
    assert notes["interest"] > 3_600  # of the loan, and of the credit line


CAPTIONS = {
    "Gezahlte Zinsen": ("hgb", "III", "CF.interest_paid"),  # DRS 21.50
    "Ertragsteuerzahlungen": ("hgb", "I", "CF.income_tax_paid"),  # DRS 21.18 and 21.40
    "Zinsaufwendungen/Zinserträge": ("hgb", "I", "CF.interest"),
    "Ertragsteueraufwand/-ertrag": ("hgb", "I", "CF.income_tax"),
    "Interest paid": ("ifrs", "1", "CF.interest_paid"),  # IAS 7.31 to 7.35
    "Income taxes paid": ("ifrs", "1", "CF.income_tax_paid"),
    "Intérêts versés": ("pcg", "I", "CF.interest_paid"),
    "Impôts sur les bénéfices payés": ("pcg", "I", "CF.income_tax_paid"),
}


def test_captions_stand_where_the_law_has_them(books: Path) -> None:
    where = "part = 'cash_flow' and fiscal_year = 2025 and period = 7"
    shown = {
        caption: (number, amount)
        for caption, number, amount in rows_of(books, "statement_positions", "caption, number, amount", where)
    }
    framework = books.name.rstrip("0123456789")
    for caption, (of, heading, line) in CAPTIONS.items():
        if of != framework:
            assert caption not in shown
            continue
        number, amount = shown[caption]
        assert number.rpartition(".")[0] == heading
        assert amount == sum(value for (year, _), value in stated(books, line).items() if year == 2025)


# An eighth of 24,000 is due at the ends of April and July, and half of 12,000 at that of June; the other half was paid before.
LENT = (
    {"amount": 24_000, "start": "2025-01-31", "kind": "linear", "months": 24, "payment_months": 3},
    {"amount": 12_000, "start": "2024-06-30", "kind": "linear", "months": 12, "payment_months": 6},
)


@pytest.mark.parametrize("chart", [{"size": "small"}, {"accounts": own_accounts()}], ids=["hgb", "own"])
def test_loans_are_drawn_and_paid_back_apart_from_the_credit_line(
    chart: dict[str, Any], tmp_path: Path
) -> None:
    company = {**COMPANY, "loans": LENT, "chart": chart}
    make_books(small_config(companies=[company], period={"months": 7}), tmp_path)

    def flows(line: str) -> dict[int, Decimal]:
        return {period: amount for (_, period), amount in stated(tmp_path, line).items() if amount}

    assert flows("CF.borrowings") == {1: 24_000}
    assert flows("CF.repayments") == {4: -3_000, 6: -6_000, 7: -3_000}
    moves: dict[int, Decimal] = defaultdict(Decimal)
    for day, kind, amount in rows_of(tmp_path, "credit_line_movements", "posting_date, kind, amount"):
        moves[day.month] += {"drawing": amount, "repayment": -amount, "interest": Decimal()}[kind]
    assert flows("CF.debt") == {month: amount for month, amount in moves.items() if amount}
    found = {row.id: row.value for row in assess(tmp_path).rows if row.id.startswith("statements.")}
    assert found["statements.loans"] == 0
    assert not any(found.values())


def test_share_capital_is_whole_thousands_and_the_credit_line_whole_units(tmp_path: Path) -> None:
    company = {**COMPANY, "annual_revenue": 3_123_457}
    config = small_config(companies=[company], period={"months": 1})
    make_books(config, tmp_path)

    (opening,) = rows_of(tmp_path, "journal_entries", "document_id", "document_type = 'EB'")
    lines = rows_of(
        tmp_path,
        "journal_lines",
        "account, sum(credit - debit)",
        f"document_id = '{opening[0]}' group by all",
    )
    opened = dict(lines)
    capital, kept = opened["2900"], opened["2970"]
    assert capital == (capital + kept) * 3 // 10 // 1_000 * 1_000
    assert capital > 0
    assert kept % 1_000 != 0
    plan = build_plan(config).companies[0]
    step = Decimal(15_617)  # 0.5 % of the revenue, without cents
    debt = next(account.number for account in plan.chart.accounts if account.subtype == "debt")
    assert opened[debt] % step == 0
    assert opened[debt] > 0
    moves = rows_of(tmp_path, "credit_line_movements", "amount, drawn_amount", "kind <> 'interest'")
    assert all(amount % step == 0 == drawn % step for amount, drawn in moves)
