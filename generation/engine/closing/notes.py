"""Notes to the annual statements: what stands behind their lines at the end of each fiscal year, and how it got there.

Everything follows from the movements of accounts. The opening entry is where a first year starts from, not a movement of it.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from generation.engine.charts.chart import Account
from generation.engine.charts.layout import first_roles
from generation.engine.closing.statements import Lines
from generation.engine.columns import listed
from generation.engine.plan.company import CompanyPlan
from generation.engine.shard import Ints, Shard

_LAST_PERIOD: Final = 12
# Revenue by what was sold (IFRS 15.114, § 285 no. 4 HGB): note item and roles; other revenue is of goods.
_REVENUE_ROLES: Final = {
    "contract_revenue": "service_contracts",
    "intercompany_revenue": "group_companies",
    "intercompany_services": "group_companies",
    "exempt_revenue": "goods_without_tax",
    "own_exempt_revenue": "goods_without_tax",
    "sales_return": "returns",
    "own_sales_return": "returns",
    "sales_discount": "discounts",
}


# Accounts that are provisions or accruals by their line, and tax or debt by what stands on them, whatever else does.
_ELSEWHERE: Final = ("income_tax_payable", "accrued_interest")


class Item(NamedTuple):
    """A line of a note: title, the accounts that it sums, and what of them. Amounts have the sign of the note."""

    note: str
    item: str
    title: str
    holds: Callable[[Account, str], bool]  # account and its first role
    figure: str  # opening, debit, credit, closing or result; or a line of the cash flow statement, which no account adds to
    sign: int


def _line(*lines: str) -> Callable[[Account, str], bool]:
    return lambda account, role: account.statement_line in lines


def _subtype(*subtypes: str) -> Callable[[Account, str], bool]:
    return lambda account, role: account.subtype in subtypes


def _role(*roles: str) -> Callable[[Account, str], bool]:
    return lambda account, role: role in roles


def _revenue(item: str) -> Callable[[Account, str], bool]:
    return lambda account, role: account.subtype == "revenue" and _REVENUE_ROLES.get(role, "goods") == item


def _schedule(
    note: str,
    prefix: str,
    what: str,
    holds: Callable[[Account, str], bool],
    words: tuple[str, str],
    sign: int,
) -> tuple[Item, ...]:
    """What there was, came, went and is left; sign: 1 where debits add."""
    grows, shrinks = ("debit", "credit") if sign > 0 else ("credit", "debit")
    return (
        Item(note, f"{prefix}opening", f"{what}, opening", holds, "opening", sign),
        Item(note, f"{prefix}{words[0]}", f"{what}, {words[0]}", holds, grows, 1),
        Item(note, f"{prefix}{words[1]}", f"{what}, {words[1].replace('_', ' ')}", holds, shrinks, -1),
        Item(note, f"{prefix}closing", f"{what}, closing", holds, "closing", sign),
    )


ITEMS: Final = (
    *_schedule("fixed_assets", "cost_", "Cost", _subtype("fixed_asset_cost"), ("additions", "disposals"), 1),
    *_schedule(
        "fixed_assets", "depreciation_", "Accumulated depreciation", _subtype("accumulated_depreciation"),
        ("charge", "disposals"), -1,
    ),
    Item("fixed_assets", "book_value", "Book value", _subtype("fixed_asset_cost", "accumulated_depreciation"), "closing", 1),
    Item("inventories", "cost", "At cost", lambda a, r: a.subtype == "inventory" and r != "inventory_allowance", "closing", 1),
    Item("inventories", "written_down", "Written down", _role("inventory_allowance"), "closing", 1),
    Item("inventories", "carrying_amount", "Carrying amount", _subtype("inventory"), "closing", 1),
    Item("receivables", "gross", "Gross", _subtype("trade_receivable"), "closing", 1),
    Item("receivables", "valuation", "Allowances and exchange valuation",
         lambda a, r: a.statement_line == "BS.A.receivables" and a.subtype != "trade_receivable", "closing", 1),
    Item("receivables", "carrying_amount", "Carrying amount", _line("BS.A.receivables"), "closing", 1),
    *_schedule(
        "provisions", "", "Provisions and accruals",
        lambda a, r: a.statement_line in ("BS.L.provisions", "BS.L.accrued") and r not in _ELSEWHERE, ("added", "used_and_released"), -1,
    ),
    Item("borrowings", "within_a_year", "Due within a year", _line("BS.L.debt"), "closing", -1),
    Item("borrowings", "later", "Due later", _line("BS.L.loans"), "closing", -1),
    *(
        Item("revenue", item, title, _revenue(item), "result", -1)
        for item, title in (
            ("goods", "Goods"), ("goods_without_tax", "Goods without tax: exports and exempt buyers"),
            ("service_contracts", "Service contracts"), ("group_companies", "Sales to group companies"),
            ("returns", "Returned goods"), ("discounts", "Cash discounts"),
        )
    ),
    Item("revenue", "total", "Revenue", _subtype("revenue"), "result", -1),
    Item("personnel", "wages", "Wages and salaries",
         lambda a, r: a.statement_line == "IS.personnel" and r != "social_cost", "result", 1),
    Item("personnel", "social_cost", "Social security",
         lambda a, r: a.statement_line == "IS.personnel" and r == "social_cost", "result", 1),
    Item("personnel", "total", "Personnel expenses", _line("IS.personnel"), "result", 1),
    Item("cash_paid", "interest", "Cash paid for interest", _line(), "CF.interest_paid", -1),
    Item("cash_paid", "income_tax", "Cash paid for income taxes", _line(), "CF.income_tax_paid", -1),
)  # fmt: skip


def write(shard: Shard, balances: Ints, opened: Ints, lines: Lines) -> None:
    """statement_notes of every fiscal year that ends inside the books.

    balances: debits and credits without year-end closes, (accounts, months, 2); opened: of the opening entry, (accounts, 2); lines: of the
    statements.
    """
    plan = shard.plan
    horizon, months = plan.horizon, plan.horizon.months
    ends = np.flatnonzero(horizon.fiscal_period[:months] == _LAST_PERIOD)
    if not len(ends):
        return
    flows = {line: values for statement, line, _, values in lines if statement == "CF"}
    amounts = np.stack([_of_year(plan, balances, opened, flows, int(end)) for end in ends])  # (years, items)
    before = np.concatenate([np.zeros((1, len(ITEMS)), np.int64), amounts[:-1]])
    shown = np.logical_or.accumulate(amounts != 0, axis=0)
    shown[horizon.month_end[ends] < shard.window.first] = False
    year, place = np.nonzero(shown)
    shard.table(
        "statement_notes",
        {
            "company_code": shard.company(len(year)),
            "fiscal_year": pa.array(horizon.fiscal_year[ends][year]),
            "position": pa.array((place + 1).astype(np.int16)),
            "note": listed([item.note for item in ITEMS], place),
            "item": listed([item.item for item in ITEMS], place),
            "title": listed([item.title for item in ITEMS], place),
            "amount": shard.money(amounts[year, place]),
            "previous_amount": shard.money(before[year, place], year > 0),
        },
    )


def _of_year(plan: CompanyPlan, balances: Ints, opened: Ints, flows: Mapping[str, Ints], end: int) -> Ints:
    """The items at the end of the fiscal year that ends with this month, (items,)."""
    first = max(0, end + 1 - _LAST_PERIOD)
    moved = balances[:, first : end + 1].sum(axis=1)
    start = (balances[:, :first, 0] - balances[:, :first, 1]).sum(axis=1)
    if first == 0:
        moved = moved - opened
        start = opened[:, 0] - opened[:, 1]
    result = moved[:, 0] - moved[:, 1]
    figures = {
        "opening": start,
        "debit": moved[:, 0],
        "credit": moved[:, 1],
        "closing": start + result,
        "result": result,
    }
    roles = {**first_roles(plan.chart), **{plan.chart.roles[role]: role for role in _ELSEWHERE}}
    accounts = list(enumerate(plan.chart.accounts))
    chosen = [
        np.array([item.holds(account, roles.get(index, "")) for index, account in accounts]) for item in ITEMS
    ]
    return np.array(
        [
            item.sign
            * int(
                flows[item.figure][first : end + 1].sum()
                if item.figure in flows
                else figures[item.figure][mask].sum()
            )
            for item, mask in zip(ITEMS, chosen, strict=True)
        ],
        np.int64,
    )
