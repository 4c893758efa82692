"""Financial statements of every period 1 to 12: balance sheet, income statement, cash flow, changes in equity.

Balance sheet lines stand at the period's end; the other statements show the movement of the period. Lines of accounts carry
the account's statement line; computed lines are named here. The cash flow is indirect and ties to the cash accounts exactly:
it is nothing but the balance sheet's change, sorted. Opening balances are where the flows start from, not flows. Purchases and sales of
assets are investing flows of their own, purchases when they are paid, and what a sale gains or loses is none of operations (IAS 7.14,
7.16, 7.21 and 7.43). Loans drawn and paid back are apart, the credit line is net (IAS 7.21 to 7.23). Interest and income tax are taken
out of the result, and what is paid of them has lines of its own (IAS 7.31 and 35).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.charts.chart import Account
from generation.engine.closing import presentation
from generation.engine.closing.trial_balance import Closings, is_result
from generation.engine.columns import category, constant
from generation.engine.plan.company import CompanyPlan
from generation.engine.shard import Ints, Shard

CURRENT_RESULT: Final = ("BS.E.current_result", "Result of the fiscal year to date")
NET_INCOME: Final = ("IS.net_income", "Net income")
# Cash flow line of each balance sheet subtype; fixed assets and equity are treated apart.
CASH_FLOW: Final = {
    "trade_receivable": "CF.receivables",
    "inventory": "CF.inventory",
    "prepaid": "CF.other_assets",
    "other_current_asset": "CF.other_assets",
    "input_tax": "CF.taxes",
    "tax_payable": "CF.taxes",
    "deferred_tax_asset": "CF.taxes",
    "deferred_tax_liability": "CF.taxes",
    "trade_payable": "CF.payables",
    "gr_ir": "CF.payables",
    "accrued": "CF.accruals",
    "provision": "CF.accruals",
    "payroll_payable": "CF.payroll",
    "debt": "CF.debt",
    "intangible": "CF.investments",
}
CASH_FLOW_LINES: Final = {
    "CF.net_income": "Net income",
    "CF.depreciation": "Depreciation",
    "CF.disposals": "Loss, less gain, on disposals",
    "CF.interest": "Interest expense, less income",
    "CF.dividend_income": "Income from dividends of subsidiaries",
    "CF.income_tax": "Income tax expense",
    "CF.receivables": "Change in receivables",
    "CF.inventory": "Change in inventory",
    "CF.other_assets": "Change in other assets",
    "CF.taxes": "Change in taxes",
    "CF.payables": "Change in payables",
    "CF.accruals": "Change in accruals and provisions",
    "CF.payroll": "Change in payroll liabilities",
    "CF.other": "Change in other items",
    "CF.income_tax_paid": "Income tax paid",
    "CF.interest_paid": "Interest paid",
    "CF.interest_received": "Interest received",
    "CF.investments": "Purchases of fixed assets",
    "CF.divestments": "Proceeds from fixed assets",
    "CF.dividends_received": "Dividends received",
    "CF.pool_lending": "Lending to the cash pool",
    "CF.borrowings": "Loans drawn",
    "CF.repayments": "Loans paid back",
    "CF.debt": "Change in the credit line",
    "CF.pool_borrowing": "Borrowing from the cash pool",
    "CF.dividends": "Dividends paid",
    "CF.equity": "Contributions to equity",
    "CF.net_change": "Change in cash",
}
_EQUITY_TITLES: Final = {
    "SE.opening": "Equity at the start",
    "SE.contributions": "Contributions",
    "SE.dividends": "Dividends",
    "SE.net_income": "Net income",
    "SE.closing": "Equity at the end",
}
_ALWAYS: Final = (CURRENT_RESULT[0], NET_INCOME[0], "CF.net_income", "CF.net_change")
# Lines of the balance sheet that cash pools move: what is lent is an investment, what is borrowed is financing (IAS 7.16 and 17).
POOL_FLOWS: Final = {"BS.A.cash_pool": "CF.pool_lending", "BS.L.cash_pool": "CF.pool_borrowing"}
POOL_INTEREST: Final = ("pool_interest", "pool_interest_income")  # roles
_FIXED_ASSETS: Final = ("fixed_asset_cost", "accumulated_depreciation")

Lines = list[tuple[str, str, str, Ints]]  # statement, line, title, amounts (months,)


@dataclass(frozen=True)
class Invested:
    """Fixed assets sold, and what is still to be paid of those bought at month ends, before tax; arrays of shape (months,)."""

    proceeds: Ints
    book_value: Ints
    unpaid: Ints


@dataclass(frozen=True)
class Settled:
    """What loans and the credit line, cash pools and income tax post: debits and credits, (accounts, months, 2) each.

    drawn, repaid: principal of loans, which their accounts cannot tell from what moves between them or on a credit line, (months,).
    """

    borrowing: Ints
    pooling: Ints
    taxing: Ints
    drawn: Ints
    repaid: Ints


@dataclass(frozen=True)
class Dividends:
    """Income from those of subsidiaries, received in the month in which it is earned, and what was paid out; (months,) each."""

    received: Ints
    paid: Ints


def write(
    shard: Shard,
    balances: Ints,
    closings: Closings,
    opening: Ints,
    invested: Invested,
    settled: Settled,
    dividends: Dividends,
) -> Lines:
    """financial_statements, standalone, and the same in the layout of the framework; returns their lines.

    opening: what the opening entry posted, (accounts,), debit positive: no flow.
    """
    plan = shard.plan
    moved = balances[:, :, 0] - balances[:, :, 1]  # debit positive, (accounts, months)
    result = is_result(plan)
    income = -moved[result].sum(axis=0)
    closed = np.zeros_like(moved)
    for month, sums in closings.items():
        closed[:, month] = sums[:, 0] - sums[:, 1]
    standing = (
        np.cumsum(moved, axis=1) + np.cumsum(closed, axis=1) - closed
    )  # before a year-end close of the same month
    flows = moved.copy()
    flows[:, 0] -= opening
    lines: Lines = [
        *_balance_sheet(plan, standing, result),
        *_income_statement(plan, moved, result, income),
        *_cash_flow(plan, flows, income, invested, settled, dividends),
        *_changes_in_equity(plan, flows, income, opening, dividends.paid),
    ]
    write_lines(shard, lines)
    flow_lines = {line: values for statement, line, _, values in lines if statement == "CF"}
    presentation.write(shard, moved, standing, flow_lines)
    return lines


def opening_by_line(plan: CompanyPlan, opening: Ints) -> dict[str, int]:
    """The balance sheet before the first month, by line; opening: (accounts,), debit positive."""
    by_line = _by_line(plan, opening[:, None], ~is_result(plan))
    return {
        line: int(values[0] if class_ == "asset" else -values[0])
        for line, (class_, values) in by_line.items()
    }


def _by_line(plan: CompanyPlan, values: Ints, select: NDArray[np.bool_]) -> dict[str, tuple[str, Ints]]:
    """Sum the selected accounts by statement line, in the order of the chart: line -> (class, amounts (months,))."""
    sums: dict[str, tuple[str, Ints]] = {}
    for index in np.flatnonzero(select):
        account = plan.chart.accounts[index]
        before = sums.get(account.statement_line, (account.class_, np.zeros(values.shape[1], np.int64)))
        sums[account.statement_line] = (before[0], before[1] + values[index])
    return sums


def _balance_sheet(plan: CompanyPlan, standing: Ints, result: NDArray[np.bool_]) -> Lines:
    lines: Lines = [
        ("BS", line, _title(line), values if class_ == "asset" else -values)
        for line, (class_, values) in _by_line(plan, standing, ~result).items()
    ]
    return [*lines, ("BS", *CURRENT_RESULT, -standing[result].sum(axis=0))]


def _income_statement(plan: CompanyPlan, moved: Ints, result: NDArray[np.bool_], income: Ints) -> Lines:
    lines: Lines = [
        ("IS", line, _title(line), -values if class_ == "revenue" else values)
        for line, (class_, values) in _by_line(plan, moved, result).items()
    ]
    return [*lines, ("IS", *NET_INCOME, income)]


def _cash_flow(
    plan: CompanyPlan, moved: Ints, income: Ints, invested: Invested, settled: Settled, dividends: Dividends
) -> Lines:
    flows = {line: np.zeros(moved.shape[1], np.int64) for line in CASH_FLOW_LINES}
    flows["CF.net_income"] += income
    flows["CF.disposals"] += invested.book_value - invested.proceeds
    flows["CF.divestments"] += invested.proceeds
    flows["CF.investments"] -= invested.book_value
    owed = np.diff(invested.unpaid, prepend=0)  # bought and not paid: no flow yet (IAS 7.43)
    flows["CF.investments"] += owed
    flows["CF.payables"] -= owed
    flows["CF.dividends"] -= dividends.paid
    flows["CF.equity"] += dividends.paid
    flows["CF.dividend_income"] -= dividends.received  # of investing, not of operations (IAS 7.33)
    flows["CF.dividends_received"] += dividends.received
    for account, values in zip(plan.chart.accounts, moved, strict=True):
        if account.subtype == "cash":
            flows["CF.net_change"] += values
        elif account.subtype == "depreciation_expense":
            flows["CF.depreciation"] += values
            flows["CF.investments"] -= values
        elif account.subtype in _FIXED_ASSETS:
            flows["CF.investments"] -= values
        elif account.class_ == "equity":
            flows["CF.equity"] -= values
        elif account.class_ in ("asset", "liability"):
            flows[_flow_line(account)] -= values
    for line, values in _settlements(plan, settled):
        flows[line] += values
    return [("CF", line, title, flows[line]) for line, title in CASH_FLOW_LINES.items()]


def _settlements(plan: CompanyPlan, settled: Settled) -> list[tuple[str, Ints]]:
    """Interest and income tax out of the result, and out of the lines where what is owed of them would be; in its place what is paid.
    Loans drawn and paid back, out of the debt.

    Their sum is nothing. What a cash pool adds to a balance counts as paid or received, and lent or borrowed on the same day.
    """
    chart = plan.chart

    def net(posted: Ints, role: str) -> Ints:
        debit, credit = posted[chart.roles[role]].T
        return np.asarray(debit - credit, np.int64)

    def of(role: str) -> str:
        return _flow_line(chart.accounts[chart.roles[role]])

    pools = sorted({chart.roles[role] for role in POOL_INTEREST if role in chart.roles})
    charged, earned = settled.pooling[pools].sum(axis=0).T
    interest, run_up = net(settled.borrowing, "interest"), -net(settled.borrowing, "accrued_interest")
    tax, owed = net(settled.taxing, "income_tax"), -net(settled.taxing, "income_tax_payable")
    deferred = net(settled.taxing, "deferred_tax")
    return [
        ("CF.interest", interest + charged - earned),
        ("CF.interest_paid", run_up - interest - charged),
        ("CF.interest_received", earned),
        (of("accrued_interest"), -run_up),
        ("CF.income_tax", tax),
        ("CF.income_tax_paid", owed - tax - deferred),
        (of("income_tax_payable"), -owed),
        (of("deferred_tax"), deferred),
        ("CF.borrowings", settled.drawn),
        ("CF.repayments", -settled.repaid),
        (of("loan"), settled.repaid - settled.drawn),
    ]


def _flow_line(account: Account) -> str:
    """Cash flow line of an asset or liability; an allowance moves with what it is deducted from."""
    if account.statement_line == "BS.A.receivables":
        return "CF.receivables"
    if account.statement_line in POOL_FLOWS:
        return POOL_FLOWS[account.statement_line]
    return CASH_FLOW.get(account.subtype, "CF.other")


def _changes_in_equity(plan: CompanyPlan, moved: Ints, income: Ints, opening: Ints, paid_out: Ints) -> Lines:
    equity = np.array([account.class_ == "equity" for account in plan.chart.accounts])
    contributions = paid_out - moved[equity].sum(axis=0)
    change = contributions - paid_out + income
    closing = np.cumsum(change) - opening[equity].sum()
    amounts = (closing - change, contributions, -paid_out, income, closing)
    return [
        ("SE", line, title, values)
        for (line, title), values in zip(_EQUITY_TITLES.items(), amounts, strict=True)
    ]


def _title(line: str) -> str:
    return line.rpartition(".")[2].replace("_", " ").capitalize()


def write_lines(shard: Shard, lines: Lines, basis: str = "standalone", currency: str | None = None) -> None:
    """Lines appear from the first period in which they have an amount; results and totals always.

    currency: of the amounts, where it is not the company's.
    """
    horizon, months = shard.plan.horizon, shard.plan.horizon.months
    names = sorted({line for _, line, _, _ in lines})
    statements = ("BS", "IS", "CF", "SE")
    amounts = np.stack([values for _, _, _, values in lines], axis=1)  # (months, lines)
    always = np.array([statement == "SE" or line in _ALWAYS for statement, line, _, _ in lines])
    shown = np.logical_or.accumulate(amounts != 0, axis=0) | always
    shown[horizon.month_end[:months] < shard.window.first] = False
    month, place = np.nonzero(shown)
    n = len(month)
    shard.table(
        "financial_statements",
        {
            "company_code": shard.company(n),
            "fiscal_year": pa.array(horizon.fiscal_year[month]),
            "period": pa.array(horizon.fiscal_period[month].astype(np.int16)),
            "statement": category(
                np.array([statements.index(name) for name, _, _, _ in lines])[place], statements
            ),
            "line": category(np.array([names.index(line) for _, line, _, _ in lines])[place], names),
            "title": pa.array([title for _, _, title, _ in lines], pa.string()).take(pa.array(place)),
            "amount": shard.amounts(amounts[month, place], currency or shard.plan.company.currency),
            "basis": constant(basis, n),
        },
    )
