"""The close of a group: statements are translated, added up, and freed of what the companies did with each other.

Balance sheets are translated at the closing rate, the movements of a month at its average rate, equity keeps the rates at which it
came into being; what remains is the translation difference (IAS 21, ASC 830). Subsidiaries are consolidated in full; what others
hold of them is their share of net assets (IFRS 10), goodwill that of the parent alone (partial goodwill, IFRS 3). Everything that
leads from the sum to the group is an entry, so that sum + entries = group in every line, to the last minor unit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.engine.closing import group_tables, investments
from generation.engine.closing.close import Closed
from generation.engine.closing.dividend_receipts import Holding
from generation.engine.closing.group_tables import Entry, Line, Segment, Translated
from generation.engine.closing.statements import POOL_FLOWS, Lines
from generation.engine.columns import sum_by
from generation.engine.group.exchange import convert, digits_between
from generation.engine.group.structure import MILLION, Tree
from generation.engine.plan.build import Plan
from generation.engine.plan.company import CompanyPlan
from generation.engine.shard import Ints, Shard

REVENUE_LINES: Final = frozenset({"IS.revenue", "IS.other_income"})
_COMPUTED: Final = frozenset({"IS.net_income", "CF.net_income", "CF.net_change"})
_AMORTISING: Final = frozenset(
    {"hgb", "pcg"}
)  # goodwill over ten years (§ 253 (3) HGB, art. 214-3 PCG); others test it
_GOODWILL_MONTHS = 120
_IC = ("BS.A.intercompany", "BS.L.intercompany")
_POOL = tuple(POOL_FLOWS)


def consolidate(shard: Shard, plan: Plan, tree: Tree, closed: Mapping[int, Closed]) -> None:
    """Write the statements of one group; closed: of every member, by its place in the config."""
    members = [_Member.of(plan, place, closed[place]) for place in tree.members]
    group = _Group(plan, tree, {member.place: member for member in members})
    group_tables.write(
        shard, group.translated(), group.entries(), group.changes_in_equity(), group.segments()
    )


@dataclass
class _Member:
    """A company of the group, translated. Amounts in minor units of the group's currency; the day before the books comes first.

    net_assets: (1 + months,); result: without the dividends of subsidiaries, received: these, (months,).
    """

    place: int
    plan: CompanyPlan
    closed: Closed
    lines: dict[Line, Ints]
    local: dict[Line, Ints]
    opening: dict[str, int]
    net_assets: Ints
    result: Ints
    received: Ints
    goodwill: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    amortised: Ints = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(cls, plan: Plan, place: int, closed: Closed) -> "_Member":
        company = plan.companies[place]
        local = {
            (statement, line): amounts
            for statement, line, _, amounts in closed.lines
            if statement != "SE" and line not in _COMPUTED and not line.startswith("BS.E.")
        }
        lines = {key: _translate(company, amounts, closing=key[0] == "BS") for key, amounts in local.items()}
        opening = {
            line: int(_at_start(company, np.array([amount]))[0]) for line, amount in closed.opening.items()
        }
        assets = [_series(opening, lines, line) for _, line in lines if line.startswith("BS.A.")]
        debts = [_series(opening, lines, line) for _, line in lines if line.startswith("BS.L.")]
        income = [
            amounts if line in REVENUE_LINES else -amounts
            for (statement, line), amounts in lines.items()
            if statement == "IS"
        ]
        received = _translate(company, closed.received, closing=False)
        return cls(
            place, company, closed, lines, local, opening, np.sum(assets, axis=0) - np.sum(debts, axis=0),
            np.sum(income, axis=0) - received, received,
        )  # fmt: skip

    def local_balance(self, name: str) -> Ints:
        """A balance sheet line in the company's currency, (months,)."""
        return self.local.get(("BS", name), np.zeros(self.plan.horizon.months, np.int64))

    def statement(self, statement: str, name: str) -> Ints:
        """Any line in the company's currency, (months,)."""
        return next(
            amounts for where, line, _, amounts in self.closed.lines if (where, line) == (statement, name)
        )

    def flow(self, name: str) -> Ints:
        """A line of the cash flow in the group's currency, (months,)."""
        return self.lines.get(("CF", name), np.zeros(self.plan.horizon.months, np.int64))

    def line(self, name: str) -> Ints:
        """A balance sheet line with the day before the books, (1 + months,)."""
        return _series(self.opening, self.lines, name)


class _Group:
    """The group as its entries. All arrays of months are (months,), of balances (1 + months,)."""

    def __init__(self, plan: Plan, tree: Tree, members: dict[int, _Member]) -> None:
        self._plan, self._tree, self._members = plan, tree, members
        self._root = members[tree.root]
        self._months = self._root.plan.horizon.months
        self._unrealised = {place: self._unrealised_of(place) for place in tree.members}
        self._paid = investments.costs(plan)
        self._net: dict[int, Ints] = {}  # net assets of a company with all below it
        self._result: dict[int, Ints] = {}
        self._minority: dict[int, Ints] = {}
        self._minority_result: dict[int, Ints] = {}
        for place in tree.members:
            self._add(place)

    def translated(self) -> list[Translated]:
        return [
            Translated(member.plan.company.code, member.plan.company.currency, member.local, member.lines)
            for member in self._members.values()
        ]

    def _unrealised_of(self, seller: int) -> Ints:
        """Profit of a seller in the stocks of its sisters, (1 + months,)."""
        total = np.zeros(self._months, np.int64)
        for member in self._members.values():
            trade = member.plan.trade
            mine = np.flatnonzero(trade.goods_seller == seller)
            if len(mine):
                markup = trade.goods_markup[mine, None]
                profit = (member.closed.goods_value[mine] * markup + (MILLION + markup) // 2) // (
                    MILLION + markup
                )
                total += _translate(member.plan, profit.sum(axis=0), closing=True)
        return np.concatenate([[0], total])

    def _add(self, place: int) -> None:
        """Net assets and results of a company with everything below it; children were added before."""
        member, children = self._members[place], self._tree.children(place)
        net = member.net_assets - self._unrealised[place] - member.line("BS.A.investments")
        result = member.result - np.diff(self._unrealised[place])
        for child in children:
            below = self._members[child]
            held = self._net[child] - self._minority[child]
            self._buy(below, int(held[0]))
            net = net + held + below.goodwill
            result = result + self._result[child] - self._minority_result[child] - below.amortised
        self._net[place], self._result[place] = net, result
        if place != self._tree.root:
            others = MILLION - self._tree.ownership[place]
            self._minority[place], self._minority_result[place] = _part(net, others), _part(result, others)

    def _buy(self, child: _Member, share: int) -> None:
        """Goodwill is what the shares cost above their part of the net assets; a bargain is in the parent's reserves at once."""
        parent = self._members[self._tree.parent[child.place]].plan
        paid = int(_at_start(parent, np.array([self._paid[child.place]]))[0])
        source, target = parent.trade.currency, child.plan.company.currency
        rate = int(parent.trade.exchange.spot(source, target)[0])
        own = int(convert(np.array([max(0, paid - share)]), rate, digits_between(source, target))[0])
        age = np.arange(1, self._months + 1)
        written_off = own * np.minimum(age, _GOODWILL_MONTHS) // _GOODWILL_MONTHS
        if self._root.plan.company.framework not in _AMORTISING:
            written_off = np.zeros(self._months, np.int64)
        left = _translate(child.plan, own - written_off, closing=True)
        child.goodwill = np.concatenate([_at_start(child.plan, np.array([own])), left])
        child.amortised = _translate(child.plan, np.diff(written_off, prepend=0), closing=False)

    # --- entries --------------------------------------------------------------------------------------------------

    def entries(self) -> list[Entry]:
        """Everything that leads from the sum of the translated statements to those of the group."""
        entries = [
            *self._sales(),
            *self._balances(),
            *self._profits_in_stock(),
            *self._shares(),
            *self._dividends(),
            *self._equity(),
        ]
        return [*entries, *self._cash(entries)]

    def _sales(self) -> list[Entry]:
        entries = []
        for place, member in self._members.items():
            for name, amounts in member.closed.group.items():
                kind, _, buyer = name.partition("/")
                if buyer:
                    line = "IS.cost_of_sales" if kind == "goods" else "IS.operating_expense"
                    entries.append(self._entry("sales", place, "IS", "IS.revenue", -amounts))
                    entries.append(self._entry("sales", int(buyer), "IS", line, -amounts))
        return entries

    def _balances(self) -> list[Entry]:
        entries = []
        for place, member in self._members.items():
            for line in _IC:
                entries.append(self._entry("balances", place, "BS", line, -member.line(line)[1:]))
            moved = member.local_balance(_IC[1]) - member.local_balance(_IC[0])
            flows = _translate(member.plan, np.diff(moved, prepend=0), closing=False)
            entries.append(self._entry("balances", place, "CF", "CF.other", -flows))
            for line, flow in POOL_FLOWS.items():
                entries.append(self._entry("balances", place, "BS", line, -member.line(line)[1:]))
                entries.append(self._entry("balances", place, "CF", flow, -member.flow(flow)))
            earned = member.flow("CF.interest_received")  # of cash pools: another company's interest paid
            entries.append(self._entry("balances", place, "CF", "CF.interest_received", -earned))
            entries.append(self._entry("balances", place, "CF", "CF.interest_paid", earned))
        return entries

    def _profits_in_stock(self) -> list[Entry]:
        entries = []
        for place, profit in self._unrealised.items():
            grown = np.diff(profit)
            entries += [
                self._entry("unrealised_profit", place, "BS", "BS.A.inventory", -profit[1:]),
                self._entry("unrealised_profit", place, "IS", "IS.cost_of_sales", grown),
                self._entry("unrealised_profit", place, "CF", "CF.inventory", grown),
            ]
        return entries

    def _shares(self) -> list[Entry]:
        entries = []
        for place, member in self._members.items():
            held = member.line("BS.A.investments")[1:]
            entries.append(self._entry("investment", place, "BS", "BS.A.investments", -held))
            if place != self._tree.root:
                entries += [
                    self._entry("goodwill", place, "BS", "BS.A.goodwill", member.goodwill[1:]),
                    self._entry("goodwill", place, "IS", "IS.depreciation", member.amortised),
                    self._entry("goodwill", place, "CF", "CF.depreciation", member.amortised),
                    self._entry("minority", place, "BS", "BS.E.minority", self._minority[place][1:]),
                ]
        return entries

    def _dividends(self) -> list[Entry]:
        """What subsidiaries pay to their parents is no income of the group; what they pay to others stays a flow."""
        entries = []
        for place, member in self._members.items():
            entries += [
                self._entry("dividends", place, "IS", "IS.other_income", -member.received),
                self._entry("dividends", place, "CF", "CF.dividend_income", member.received),
                self._entry("dividends", place, "CF", "CF.dividends_received", -member.received),
            ]
            if place != self._tree.root:
                inside = _translate(member.plan, self._to_parent(member), closing=False)
                entries.append(self._entry("dividends", place, "CF", "CF.dividends", inside))
        return entries

    def _to_parent(self, member: _Member) -> Ints:
        """The parent's part of the dividends of a subsidiary, in its currency, (months,)."""
        paid = member.closed.paid_out
        if paid is None:
            return np.zeros(self._months, np.int64)
        part = Holding(member.plan, self._tree.ownership[member.place], paid).parents_part()
        return sum_by(member.plan.horizon.month[paid.day], part, self._months)

    def _to_others(self) -> Ints:
        """What subsidiaries paid to others than the companies of the group, negative, (months,)."""
        total = np.zeros(self._months, np.int64)
        for place, member in self._members.items():
            if place != self._tree.root:
                outside = member.statement("SE", "SE.dividends") + self._to_parent(member)
                total += _translate(member.plan, outside, closing=False)
        return total

    def _equity(self) -> list[Entry]:
        """Capital, reserves and result of the owners of the parent; the translation difference is what remains."""
        root, net = self._root, self._net[self._tree.root]
        capital = _at_start(root.plan, root.statement("BS", "BS.E.capital"))
        result = self._result[self._tree.root]
        contributed = self._contributed()
        to_date, before = _of_years(result, root.plan.horizon.fiscal_period[: self._months])
        kept = net[0] - capital[0] + before + np.cumsum(contributed) - (capital - capital[0])
        rest = net[1:] - capital - kept - to_date - self._open_between()
        place = self._tree.root
        return [
            self._entry("equity", place, "BS", "BS.E.capital", capital),
            self._entry("equity", place, "BS", "BS.E.retained_earnings", kept),
            self._entry("equity", place, "BS", "BS.E.current_result", to_date),
            self._entry("translation", place, "BS", "BS.E.translation", rest),
        ]

    def _cash(self, entries: list[Entry]) -> list[Entry]:
        """The group's result starts the cash flow; what the lines leave unexplained is the effect of rates on cash."""
        place = self._tree.root
        result = self.result()
        cash = np.sum([np.diff(member.line("BS.A.cash")) for member in self._members.values()], axis=0)
        explained = result + np.sum(
            [
                amounts
                for member in self._members.values()
                for (statement, _), amounts in member.lines.items()
                if statement == "CF"
            ],
            axis=0,
        )
        explained = explained + sum(entry.amounts for entry in entries if entry.statement == "CF")
        return [
            self._entry("cash", place, "CF", "CF.net_income", result),
            self._entry("cash", place, "CF", "CF.exchange_effect", cash - explained),
        ]

    def result(self) -> Ints:
        """Net income of the group, others' share included, (months,)."""
        return np.asarray(self._result[self._tree.root] + sum(self._minority_result.values()), np.int64)

    def changes_in_equity(self) -> Lines:
        """From the equity of the month before, others' share included, to that of the month."""
        standing = self._net[self._tree.root] + sum(self._minority.values())
        closing = standing[1:] - self._open_between()
        opening = np.concatenate([standing[:1], closing[:-1]])
        dividends = self._of_owners("SE.dividends") + self._to_others()
        owners, result = (self._of_owners("SE.contributions"), dividends), self.result()
        amounts = (opening, *owners, result, closing - opening - sum(owners) - result, closing)
        return [
            ("SE", line, title, values)
            for (line, title), values in zip(group_tables.EQUITY_TITLES.items(), amounts, strict=True)
        ]

    def _contributed(self) -> Ints:
        """What the owners of the parent paid in less what they took out, (months,)."""
        return self._of_owners("SE.contributions") + self._of_owners("SE.dividends")

    def _of_owners(self, line: str) -> Ints:
        """A line of the parent's changes in equity in the group's currency, (months,)."""
        return _translate(self._root.plan, self._root.statement("SE", line), closing=False)

    def _open_between(self) -> Ints:
        """What the two sides of open items differ by after translation: cents, (months,)."""
        sides = [
            member.line(assets)[1:] - member.line(debts)[1:]
            for member in self._members.values()
            for assets, debts in (_IC, _POOL)
        ]
        return np.asarray(np.sum(sides, axis=0), np.int64)

    # --- segments -------------------------------------------------------------------------------------------------

    def segments(self) -> list[Segment]:
        """Members by industry, with what they sell to sisters."""
        found: dict[str, Segment] = {}
        for member in self._members.values():
            sold = member.closed.group.get("sales", np.zeros(self._months, np.int64))
            parts = np.stack(
                [
                    member.lines["IS", "IS.revenue"],
                    _translate(member.plan, np.asarray(sold, np.int64), closing=False),
                    member.result,
                    sum(v for (_, line), v in member.lines.items() if line.startswith("BS.A.")),
                    sum(v for (_, line), v in member.lines.items() if line.startswith("BS.L.")),
                ]
            )
            industry = member.plan.company.industry
            found[industry] = Segment(industry, found[industry].parts + parts if industry in found else parts)
        return [found[industry] for industry in sorted(found)]

    def _entry(self, kind: str, place: int, statement: str, line: str, amounts: Ints) -> Entry:
        return Entry(kind, self._plan.companies[place].code, statement, line, np.asarray(amounts, np.int64))


def _series(opening: Mapping[str, int], lines: Mapping[Line, Ints], line: str) -> Ints:
    amounts = lines.get(("BS", line))
    if amounts is None:
        amounts = np.zeros_like(next(iter(lines.values())))
    return np.concatenate([[opening.get(line, 0)], amounts])


def _translate(plan: CompanyPlan, amounts: Ints, *, closing: bool) -> Ints:
    """Months of a company's currency in that of the group, (months,)."""
    exchange, source, target = plan.trade.exchange, plan.company.currency, plan.trade.currency
    rate = exchange.closing(source, target) if closing else exchange.average(source, target)
    return convert(amounts, rate, digits_between(source, target))


def _at_start(plan: CompanyPlan, amounts: Ints) -> Ints:
    """Amounts of a company's currency at the rate of the first day, shape of `amounts`."""
    source, target = plan.company.currency, plan.trade.currency
    rate = int(plan.trade.exchange.spot(source, target)[0])
    return convert(amounts, rate, digits_between(source, target))


def _part(amounts: Ints, millionths: int) -> Ints:
    """A share of amounts, half up away from zero."""
    exact = np.abs(amounts).astype(object) * millionths + MILLION // 2
    return np.asarray(np.sign(amounts) * (exact // MILLION), np.int64)


def _of_years(result: Ints, period: NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Results of the fiscal year to date, and those of the years before it, (months,)."""
    total = np.cumsum(result)
    starts = np.flatnonzero(period == 1)
    before = np.zeros(len(result), np.int64)
    for start in starts:
        before[start:] = total[start - 1] if start else 0
    return total - before, before
