"""The close of one company: solves what only the sum can tell, then writes balances and statements. Reads sums, not rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generation.engine.charts.kinds import GOODS_ROLES
from generation.engine.closing import (
    bank,
    budgets,
    cash_pool,
    covenants,
    credit_losses,
    dividend_receipts,
    dividends,
    key_figures,
    loans,
    notes,
    provisions,
    statements,
    steps,
    stock_keeping,
    stock_values,
    subledgers,
    tax_return,
    treasury,
    trial_balance,
    valuation,
)
from generation.engine.closing.income_tax import IncomeTax
from generation.engine.columns import sum_by
from generation.engine.errors import EngineError
from generation.engine.open_items import BUCKETS, OPEN_COLUMNS
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.production import TRADED
from generation.engine.shard import TAX_ROLES, Ints, Shard
from generation.engine.summary import Summary

_CAPITAL_SHARE = 30  # percent of opening equity that is share capital, in whole thousands


@dataclass(frozen=True)
class Stock:
    """Stock by material: opening (materials,), month-end level without the opening (materials, months), pieces.

    worth: value at month ends, (materials, months), where it does not follow from pieces and standard cost.
    """

    opening: Ints
    level: Ints
    worth: Ints | None


class Totals:
    """The sums over the shards of a company. Shards come one by one: only their bank transactions are kept."""

    def __init__(self, plan: CompanyPlan) -> None:
        months, materials = plan.horizon.months, len(plan.valuation.stock_cost)
        self.balances = np.zeros((len(plan.chart.accounts), months, 2), np.int64)
        self.cash = np.zeros(plan.horizon.days, np.int64)
        self.tax = np.zeros((len(TAX_ROLES), len(plan.horizon.settling_day)), np.int64)
        self.open_items = {
            role: np.zeros((months, OPEN_COLUMNS), np.int64) for role in ("receivable", "payable")
        }
        self.issued = {side: np.zeros(months, np.uint64) for side in ("sales", "purchasing")}
        self.stock = Stock(
            np.zeros(materials, np.int64),
            np.zeros((materials, months), np.int64),
            np.zeros((materials, months), np.int64) if plan.valuation.at_average else None,
        )
        self.left: list[Mapping[str, NDArray[np.signedinteger]]] = []
        self.group: dict[str, Ints] = {}
        self.foreign: dict[str, Ints] = {}
        self.adjusted: list[Mapping[str, Ints]] = []
        self.gross_pay = np.zeros(months, np.int64)
        self.work_in_progress = np.zeros(months, np.int64)
        self.materials_used = np.zeros(months, np.int64)
        self.unrecorded_charges = np.zeros(months, np.int64)
        self.asset_payables = np.zeros(months, np.int64)
        self.withheld = np.zeros(len(plan.horizon.civil_month_end), np.int64)
        self.asset_sales = np.zeros(months, np.int64)
        self.asset_book_values = np.zeros(months, np.int64)
        self.bank: list[Mapping[str, NDArray[Any]]] = []

    def add(self, summary: Summary) -> None:
        self.balances += summary.balances
        self.cash += summary.cash
        self.tax += summary.tax
        for role, sums in summary.open_items.items():
            self.open_items[role] += sums
        self.gross_pay += summary.sums.get("gross_pay", 0)
        self.work_in_progress += summary.sums.get("work_in_progress", 0)
        self.materials_used += summary.sums.get("materials_used", 0)
        self.unrecorded_charges += summary.sums.get("unrecorded_charges", 0)
        self.asset_payables += summary.sums.get("asset_payables", 0)
        self.withheld += summary.sums.get("withheld", 0)
        self.asset_sales += summary.sums.get("asset_sales", 0)
        self.asset_book_values += summary.sums.get("asset_book_values", 0)
        for side, words in summary.issued.items():
            self.issued[side] += words
        if part := summary.stock:
            first, month = int(part["first"][0]), int(part["month"][0])
            rows, months = part["change"].shape
            self.stock.opening[first : first + rows] += part["opening"]
            self.stock.level[first : first + rows, month : month + months] += part["change"]
            if self.stock.worth is not None:
                month, months = int(part["value_month"][0]), part["value"].shape[1]
                self.stock.worth[first : first + rows, month : month + months] = part["value"]
                self.left.append(part)
        for kind, sums in summary.group.items():
            self.group[kind] = self.group.get(kind, 0) + sums
        for items, sums in summary.foreign.items():
            self.foreign[items] = self.foreign.get(items, 0) + sums
        if summary.adjusted:
            self.adjusted.append(summary.adjusted)
        self.bank += summary.bank


@dataclass(frozen=True)
class Closed:
    """What the close of a group needs of a company's.

    lines: of its statements; opening: of the balance sheet before the first month, by line, assets positive; goods_value: stock of
    goods from the group at month ends, (goods, months); group: as Summary has it; received: income from dividends of subsidiaries,
    (months,); paid_out: its own dividends; position: of a member of a cash pool.
    """

    lines: statements.Lines
    opening: Mapping[str, int]
    goods_value: Ints
    group: Mapping[str, Ints]
    received: Ints
    paid_out: dividends.PaidOut | None = None
    position: cash_pool.Position | None = None


def close_company(
    shard: Shard,
    summaries: Iterable[Summary],
    investments: int,
    positions: Sequence[cash_pool.Position] = (),
    holdings: Sequence[dividend_receipts.Holding] = (),
) -> Closed:
    """Write everything that follows from the sums of the company's shards.

    investments: cost of the shares in subsidiaries; positions: of the members of the cash pool that the company heads; holdings: what
    subsidiaries have paid out.
    Raises: EngineError: a subledger does not tie to its control account; nothing may be released then.
    """
    plan, totals = shard.plan, Totals(shard.plan)
    for summary in summaries:
        totals.add(summary)
    stock = _stock(plan, totals)
    tax_return.settle(shard, totals.tax)
    tax_return.remit(shard, totals.withheld)
    before = shard.summary.balances.copy()
    drawn = _open(shard, stock, investments)
    opened = (shard.summary.balances - before)[:, 0]
    pieces = stock.opening[:, None] + stock.level
    bought = len(plan.materials.cost)  # goods of the group stand behind
    worth = stock_values.at_standard_cost(plan, pieces) if stock.worth is None else stock.worth
    stock_keeping.adjust(shard, totals.adjusted, pieces[:bought])
    stock_values.take_off_rest(shard, totals.left)
    if plan.valuation.renews_costs:
        stock_values.renew_costs(shard, stock.opening[:bought], pieces[:bought])
    written_down = stock_keeping.write_down(shard, pieces[:bought], worth[:bought])
    stock_keeping.show_materials_used(shard, totals.materials_used)
    moved = totals.balances + shard.summary.balances
    moved[:, 0] -= opened
    stock_keeping.show_purchases(shard, moved[:, :, 0] - moved[:, :, 1])
    valuation.value(shard, totals.foreign)
    credit_losses.provide(shard, totals.open_items["receivable"][:, : len(BUCKETS)])
    if plan.processes.record_to_report.enabled:
        provisions.provide(shard, _revenue(plan, totals.balances), totals.gross_pay)
    posted = _Posted(shard)
    lent = loans.write(shard)
    borrowing = posted.anew()
    for position in positions:
        cash_pool.mirror(shard, position)
    pooling = posted.anew()
    received = dividend_receipts.receive(shard, holdings)
    posted.anew()  # dividends are neither borrowing nor pooling
    own, paid_out, settled = _finance(shard, totals, drawn, received, lent, borrowing, pooling, posted)
    balances = totals.balances + shard.summary.balances
    closings = trial_balance.close_years(shard, balances)
    closing = trial_balance.write(shard, balances, closings)
    opening = opened[:, 0] - opened[:, 1]
    invested = statements.Invested(totals.asset_sales, totals.asset_book_values, totals.asset_payables)
    flows = statements.Dividends(received, _by_month(plan, paid_out))
    lines = statements.write(shard, balances, closings, opening, invested, settled, flows)
    notes.write(shard, balances, opened, lines)
    key_figures.write(shard, lines)
    if lent.owed:
        covenants.write(shard, lines, lent.owed["loan"] + lent.owed["loan_current"])
    budgets.write(shard, balances)
    subledgers.write(shard, pieces, worth)
    stated = bank.write(shard, [*shard.summary.bank, *totals.bank])
    bank.reconcile(shard, closing[plan.chart.roles["bank"]], stated, totals.unrecorded_charges)
    _tie(plan, closing, totals, worth, written_down)
    _tie_loans(plan, closing, lent.owed)
    _tie_pool(plan, closing, [*positions, *([own] if own else [])])
    return Closed(
        lines,
        statements.opening_by_line(plan, opening),
        stock.level[bought:] * plan.valuation.stock_cost[bought:, None],
        totals.group,
        received,
        paid_out,
        own,
    )


def _by_month(plan: CompanyPlan, paid_out: dividends.PaidOut | None) -> Ints:
    """Dividends paid in each month, (months,)."""
    if paid_out is None:
        return np.zeros(plan.horizon.months, np.int64)
    return sum_by(plan.horizon.month[paid_out.day], paid_out.amount, plan.horizon.months)


def _stock(plan: CompanyPlan, totals: Totals) -> Stock:
    """The stock of all materials; what purchasing foresaw must be what sales issued."""
    if not np.array_equal(totals.issued["sales"], totals.issued["purchasing"]):
        raise EngineError(f"{plan.code}: purchasing did not foresee what sales issued")
    stock = totals.stock
    np.cumsum(stock.level, axis=1, out=stock.level)
    if (stock.opening[:, None] + stock.level).min(initial=0) < 0:
        raise EngineError(f"{plan.code}: more was issued than there was in stock")
    return stock


def _open(shard: Shard, stock: Stock, investments: int) -> int:
    """Opening balances: the stock that the first weeks sell, cash, assets; bank debt, and equity for the rest.

    Returns what is drawn on the credit line.
    """
    plan, zero = shard.plan, np.zeros(1, np.int64)
    opening_cash = np.array([treasury.opening_cash(plan)])
    debt = loans.opening(plan)
    material = np.flatnonzero(stock.opening)
    pieces, value = stock.opening[material], stock.opening[material] * plan.valuation.stock_cost[material]
    cost, written_off = (np.array([part.sum()]) for part in plan.assets.balance(-1))
    opening_cash += loans.cash_kept(
        plan, int((opening_cash + cost - written_off + value.sum() + investments)[0])
    )
    current = int(value.sum() + opening_cash[0])
    assets = current + int((cost - written_off)[0]) + investments
    drawn = treasury.opening_drawn(plan, current, assets, debt.total)
    equity = np.array([assets - debt.total - drawn])
    capital = _whole(equity * _CAPITAL_SHARE // 100, plan.factor)
    legal_reserve = capital * treasury.legal_reserve_share(plan) // 10_000
    ids = shard.ids_of("closing_steps", zero)
    steps.write(shard, ids, "opening", zero)
    owner = np.zeros(len(material), np.int64)
    shard.movements(ids, owner, zero[owner], material, pieces, value, "opening")
    amounts = {
        "stock": value,
        "cash": opening_cash,
        "assets": cost,
        "investments": np.array([investments]),
        "written_off": written_off,
        "loans": np.array([debt.later]),
        "loans_current": np.array([debt.current]),
        "interest": np.array([debt.accrued]),
        "credit_line": np.array([drawn]),
        "capital": capital,
        "legal_reserve": legal_reserve,
        "reserves": equity - capital - legal_reserve,
    }
    shard.post(Documents("opening", ids, zero, amounts, owner, lines={"material": material}, number=zero))
    return drawn


def _whole(capital: Ints, unit: int) -> Ints:
    """Share capital in whole thousands of the currency, or in whole units where it is less than one; unit: in minor units."""
    step = np.where(capital < 1_000 * unit, unit, 1_000 * unit)
    return np.asarray(capital // step * step, np.int64)


def _revenue(plan: CompanyPlan, balances: Ints) -> Ints:
    """Revenue of each month, shape (months,)."""
    of_revenue = np.array([account.subtype == "revenue" for account in plan.chart.accounts])
    revenue: Ints = (balances[of_revenue, :, 1] - balances[of_revenue, :, 0]).sum(axis=0)
    return revenue


class _Posted:
    """What the close posts from one look to the next."""

    def __init__(self, shard: Shard) -> None:
        self._shard = shard
        self._before = shard.summary.balances.copy()

    def anew(self) -> Ints:
        """Debits and credits since the last look, (accounts, months, 2)."""
        now = self._shard.summary.balances.copy()
        found, self._before = now - self._before, now
        return found


def _finance(
    shard: Shard,
    totals: Totals,
    drawn: int,
    received: Ints,
    lent: loans.Written,
    borrowing: Ints,
    pooling: Ints,
    posted: _Posted,
) -> tuple[cash_pool.Position | None, dividends.PaidOut | None, statements.Settled]:
    """Credit line or cash pool, income tax and dividends, month by month: tax depends on interest, dividends on both, and cash on what
    is paid later.

    received: income from dividends, (months,); lent: the loans; borrowing, pooling: what these posted, and the head of a pool for its
    members; posted: has seen all that. Returns the position of a member of a cash pool, the dividends, and what was posted but for them.
    """
    plan = shard.plan
    change = totals.cash + shard.summary.cash
    balances = totals.balances + shard.summary.balances
    result = -(balances[:, :, 0] - balances[:, :, 1])[trial_balance.is_result(plan)].sum(axis=0)
    pool = plan.pool if plan.pool and plan.pool.head != plan.index else None
    line = cash_pool.Member(plan, pool) if pool else treasury.CreditLine(plan, drawn)
    tax = IncomeTax(plan) if plan.processes.tax.enabled else None
    owners = dividends.Dividends(plan, balances) if treasury.pays_dividends(plan) else None
    interest_paid = 0
    for month in range(plan.horizon.months):
        interest = line.pass_month(month, change)
        interest_paid += interest
        for payment in tax.close(int(result[month]) - interest, int(received[month])) if tax else ():
            change[payment.day] -= payment.amount
        if owners and isinstance(line, treasury.CreditLine):
            owed, deferred, tax_paid = tax.standing() if tax else (0, 0, 0)
            moved = line.drawn - drawn
            cash = moved - interest_paid - tax_paid
            position = dividends.Position(moved, interest, owed, deferred, cash)
            day, amount = owners.decide(month, position)
            change[day] -= amount
    member = line.write(shard)
    by_line = posted.anew()
    if tax:
        tax.write(shard)
    settled = statements.Settled(
        borrowing if pool else borrowing + by_line,
        pooling + by_line if pool else pooling,
        posted.anew(),
        lent.drawn,
        lent.repaid,
    )
    return member, owners.write(shard) if owners else None, settled


def _tie(plan: CompanyPlan, closing: Ints, totals: Totals, worth: Ints, written_down: Ints) -> None:
    """Subledgers equal their control accounts at every month end, or there is no dataset. closing: (accounts, months)."""
    roles, months = plan.chart.roles, plan.horizon.months
    expected: dict[str, Ints] = {
        role: sign * totals.open_items[role].sum(axis=1)
        for role, sign in (("receivable", 1), ("payable", -1))
    }
    kind = plan.goods_kind if plan.goods_kind is not None else np.full(len(worth), TRADED)
    expected |= {role: worth[kind == one].sum(axis=0) for one, role in enumerate(GOODS_ROLES["inventory"])}
    expected["work_in_progress"] = totals.work_in_progress
    expected["inventory_allowance"] = -written_down
    assets = [plan.assets.balance(month) for month in range(months)]
    expected["asset_cost"] = np.array([cost.sum() for cost, _ in assets])
    expected["accumulated_depreciation"] = -np.array([written_off.sum() for _, written_off in assets])
    for role in expected:
        # roles of a chart of one's own may share an account
        sharing = [values for other, values in expected.items() if roles[other] == roles[role]]
        if not np.array_equal(closing[roles[role]], np.sum(sharing, axis=0)):
            raise EngineError(f"{plan.code}: the subledger does not tie to the {role} account")
    if closing.sum(axis=0).any():
        raise EngineError(f"{plan.code}: the trial balance does not sum to zero")


def _tie_pool(plan: CompanyPlan, closing: Ints, positions: list[cash_pool.Position]) -> None:
    """What the companies of a cash pool owe each other equals its accounts at every month end."""
    if not positions or plan.pool is None:
        return
    is_head = plan.pool.head == plan.index
    for role, amounts in cash_pool.balances_of_roles(positions, is_head=is_head).items():
        if not np.array_equal(closing[plan.chart.roles[role]], amounts):
            raise EngineError(f"{plan.code}: the cash pool does not tie to the {role} account")


def _tie_loans(plan: CompanyPlan, closing: Ints, owed: Mapping[str, Ints]) -> None:
    """Loans equal their accounts at every month end, where a chart of one's own does not put them with other debts."""
    roles = plan.chart.roles
    for role, amounts in owed.items():
        alone = sum(account == roles[role] for account in roles.values()) == 1
        if alone and not np.array_equal(closing[roles[role]], -amounts):
            raise EngineError(f"{plan.code}: the loans do not tie to the {role} account")
