"""Exact rules of fixed assets: every charge follows from cost, residual value, life and method, computed here again.

The schedules are simulated month by month from what each method means; they share nothing with the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.metrics.books import Books
from evaluation.metrics.report import MAX_SAMPLES, Sample
from evaluation.metrics.rule import Figure, Measured, Rule
from evaluation.metrics.wording import grouped

Ints = NDArray[np.int64]
# IRS Publication 946, table A-1, half-year convention: per cent of cost by tax year, for five and for seven years.
_HALF_YEAR = {
    60: ("20.00", "32.00", "19.20", "11.52", "11.52", "5.76"),
    84: ("14.29", "24.49", "17.49", "12.49", "8.93", "8.92", "8.93", "4.46"),
}
_UNKNOWN = -1

_ASSETS = """
    select row_number() over (order by asset_id) - 1 as place, asset_id, acquisition_date,
           coalesce(depreciation_method, '') as method, coalesce(useful_life_months, 0)::bigint as life, k.digits,
           (acquisition_cost * (10 ** k.digits)::bigint)::bigint as cost,
           (salvage_value * (10 ** k.digits)::bigint)::bigint as salvage,
           coalesce(d.number, datediff('month', h.first_day, acquisition_date)) as bought,
           (bought + (select period from periods where number = 0) + 1199) % 12 as place_in_year
    from assets a left join currencies k using (company_code) left join days d on d.day = acquisition_date, horizon h"""
# Age counts periods, and calendar months before the books.
# What the dataset states of each asset at a month's end: accumulated, charged, or released by a sale.
_STATED = """
    select d.place, s.what, s.day, w.number - d.bought as age,
           coalesce((s.amount * (10 ** d.digits)::bigint)::bigint, -1) as amount
    from (
        select asset_id, period_end as day, 'balance' as what, accumulated_depreciation as amount from asset_balances
        union all
        select asset_id, period_end, 'charge', sum(amount) from depreciation_lines join days on day = posting_date group by all
        union all
        select asset_id, period_end, 'release', accumulated_depreciation
        from asset_transactions join days on day = posting_date where kind = 'disposal') s
    join periods w on w.period_end = s.day join depreciated_assets d using (asset_id) order by d.place, s.day, s.what"""


def accumulated(assets: Mapping[str, NDArray[Any]], ages: int) -> Ints:
    """Accumulated depreciation of each asset by months since acquisition, shape (assets, ages), simulated month by month.

    assets: method, life, cost, salvage and place_in_year (months from the fiscal year's start to acquisition).
    Negative where the method is unknown.
    """
    method, life = assets["method"], assets["life"].astype(np.int64)
    cost, salvage = assets["cost"].astype(np.int64), assets["salvage"].astype(np.int64)
    table = np.full((len(cost), ages), _UNKNOWN, np.int64)
    age = np.arange(ages)
    for name, schedule in (
        ("straight_line", _straight), ("double_declining_balance", _declining), ("sum_of_years_digits", _digits),
    ):  # fmt: skip
        rows = np.flatnonzero(method == name)
        table[rows] = schedule(cost[rows], salvage[rows], life[rows], np.minimum(age, life[rows, None]))
    rows = np.flatnonzero(method == "immediate")
    table[rows] = cost[rows, None]
    for recovery, percentages in _HALF_YEAR.items():
        rows = np.flatnonzero((method == "macrs") & (life == recovery))
        table[rows] = _macrs(cost[rows], assets["place_in_year"][rows].astype(np.int64), percentages, age)
    return table


def _straight(cost: Ints, salvage: Ints, life: Ints, age: Ints) -> Ints:
    return (cost - salvage)[:, None] * age // life[:, None]


def _digits(cost: Ints, salvage: Ints, life: Ints, age: Ints) -> Ints:
    years = life // 12
    weight = np.zeros_like(age)
    for month in range(1, int(age.max(initial=0)) + 1):  # the year of a month counts down to one
        weight += np.where(age >= month, np.maximum(years - (month - 1) // 12, 0)[:, None], 0)
    total = 6 * years * (years + 1)
    return (cost - salvage)[:, None] * weight // total[:, None]


def _declining(cost: Ints, salvage: Ints, life: Ints, age: Ints) -> Ints:
    result = np.zeros_like(age)
    book, at_start, year_charge = cost.copy(), cost.copy(), np.zeros_like(cost)
    for month in range(1, age.shape[1]):
        if (month - 1) % 12 == 0:
            at_start = book.copy()
            years_left = np.maximum(life // 12 - (month - 1) // 12, 1)
            year_charge = np.maximum(24 * at_start // life, (at_start - salvage) // years_left)
            year_charge = np.minimum(year_charge, at_start - salvage)
        within = (month - 1) % 12 + 1
        book = np.where(month <= life, at_start - year_charge * within // 12, book)
        result[:, month] = cost - book
    return result


def _macrs(cost: Ints, first: Ints, percentages: tuple[str, ...], age: Ints) -> Ints:
    steps = [0, *np.cumsum([int(Decimal(p) * 100) for p in percentages]).tolist()]
    result = np.zeros((len(cost), len(age)), np.int64)
    for at in age.tolist():
        year, month = (first + at) // 12, (first + at) % 12
        for number in range(len(percentages)):
            before, whole = cost * steps[number] // 10_000, cost * steps[number + 1] // 10_000
            months = np.where(number == 0, 12 - first, 6 if number == len(percentages) - 1 else 12)
            passed = np.minimum(month + 1 - (first if number == 0 else 0), months)
            part = before + (whole - before) * passed // months
            result[:, at] = np.where(year == number, part, result[:, at])
        result[:, at] = np.where(year >= len(percentages), cost, result[:, at])
    return result


def _schedules(books: Books) -> Measured:
    """Balances, charges and releases that differ from the schedule of their asset."""
    if not books.count("asset_balances") + books.count("depreciation_lines"):
        return Measured(None, 0, "Not applicable: the dataset has no assets.", 0, applicable=False)
    books.run(f"create or replace temp table depreciated_assets as {_ASSETS}")
    assets = books.arrays("from depreciated_assets order by place")
    stated = books.arrays(_STATED)
    age, place = stated["age"].astype(np.int64), stated["place"].astype(np.int64)
    table = accumulated(assets, max(int(age.max(initial=0)) + 1, 2))

    def at(months: Ints) -> Ints:
        return np.where(months < 0, 0, table[place, np.maximum(months, 0)])

    what = stated["what"]
    expected = np.where(
        what == "balance", at(age), np.where(what == "charge", at(age) - at(age - 1), at(age - 1))
    )
    wrong = np.flatnonzero((expected != stated["amount"]) | (table[place, 0] == _UNKNOWN))
    n = len(age)
    if not len(wrong):
        return Measured(0, n, f"All {grouped(n)} charges and balances of assets follow from their method.", 0)
    samples: tuple[Sample, ...] = tuple(
        {
            "asset_id": str(assets["asset_id"][place[row]]),
            "month": str(stated["day"][row])[:7],
            "what": str(what[row]),
            "stated": int(stated["amount"][row]),
            "expected": int(expected[row]),
        }
        for row in wrong[:MAX_SAMPLES]
    )
    text = f"{grouped(len(wrong))} of {grouped(n)} charges and balances of assets differ from their method's schedule."
    return Measured(len(wrong), n, text, 0, samples)


# What the entry of each sale posts as income and as expense.
_SALES = """
    select company_code, l.source_document_id as document_id,
           coalesce(-sum(net) filter (where role = 'disposal_gain'), 0) as income,
           coalesce(sum(net) filter (where role = 'disposal_loss'), 0) as expense
    from role_lines l join roles using (company_code, account) where l.source = 'asset_transactions' group by all"""

RULES = (
    Figure(
        "subledgers.depreciation_schedule", "Depreciation follows each asset's method", "exact", _schedules
    ),
    Rule(
        id="subledgers.low_value_assets",
        title="Only low-value assets are expensed at once",
        tables=("assets",),
        offenders="""
            select asset_id, acquisition_cost, low_value_limit, useful_life_months
            from assets left join limits using (company_code)
            where depreciation_method = 'immediate' and not coalesce(
                acquisition_cost between 0 and low_value_limit and useful_life_months = 1 and salvage_value = 0, false)""",
        holds="Among {n} assets only those up to the limit of their country are expensed at once.",
        breaks="{value} of {n} assets are expensed at once above the limit of their country.",
    ),
    Rule(
        id="subledgers.disposals",
        title="Sales of assets show gain or loss, or proceeds and book value under the plan comptable",
        tables=("asset_transactions",),
        offenders=f"""
            with sales as (
                select company_code, document_id, proceeds, amount - accumulated_depreciation as book_value, framework = 'pcg' as is_gross
                from asset_transactions join companies using (company_code)
                where kind = 'disposal' and company_code in (select company_code from roles where role = 'disposal_gain'))
            select s.document_id, s.proceeds, s.book_value, s.is_gross, p.income, p.expense
            from sales s left join ({_SALES}) p using (company_code, document_id)
            where coalesce(p.income, 0) is distinct from if(is_gross, proceeds, greatest(proceeds - book_value, 0))
               or coalesce(p.expense, 0) is distinct from if(is_gross, book_value, greatest(book_value - proceeds, 0))""",
        holds="Among {n} transactions of assets each sale is in the result as its framework asks.",
        breaks="{value} sales of assets, of {n} transactions, are not in the result as their framework asks.",
    ),
    Rule(
        id="subledgers.asset_classes",
        title="Assets of a class and method have one useful life",
        tables=("assets",),
        offenders="""
            select class, depreciation_method, count(distinct useful_life_months) as lives
            from assets group by class, depreciation_method
            having lives <> 1 or coalesce(min(useful_life_months), 0) < 1 or class is null""",
        holds="The {n} assets have one useful life for each class and method of depreciation.",
        breaks="{value} classes of asset have several useful lives under one method.",
    ),
)
