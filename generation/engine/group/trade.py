"""What the companies of a tree sell to each other: a pure function of the config, known to the seller and to the buyer.

Every pair trades in both directions for the same value, so that the margins of the companies stay what they are; the pairs
weigh by the product of their revenues, and no pair is charged more than a part of its smaller company's revenue.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby, permutations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.engine.config.model import Config
from generation.engine.currencies import foreign_currencies
from generation.engine.group.exchange import Exchange, convert, digits_between
from generation.engine.group.structure import trees
from generation.engine.horizon import Horizon
from generation.engine.packs.currency import exponent
from generation.engine.portable import exp
from generation.engine.reference_rates import reference_rate
from generation.engine.streams import stream

Ints = NDArray[np.int64]
# Share of goods in what a company of an industry sells to its sisters; the rest are services. Our recommendation.
_GOODS_SHARE: Final = {"manufacturing": 0.7, "retail": 0.6, "healthcare": 0.4}
_MOST_OF_SMALLER = 0.3
_GOODS = 12  # kinds of goods in a flow
_LINES_SHARE = 0.02  # of the journal lines of the group that its own trade makes
_LINES_PER_INVOICE = 12
_LINES_OF_GOODS = 2.5  # on an invoice, expected
_PIECES = 20.0  # on a line, expected
_SLICE_LINES = 360_000  # journal lines that all flows make in a slice, at most
_MOST_INVOICES = 8_000  # of a seller in a month: what ids of its space can number for the longest books


@dataclass(frozen=True)
class Flow:
    """What one company sells to another. Money is in minor units of the seller's currency.

    first: place of the flow's first invoice of a month among those of the seller; invoices: in a month, the last of which
    is for services where there are any; prices: of the goods, shape (goods,); markup in millionths of cost.
    """

    seller: int
    buyer: int
    seller_code: str
    buyer_code: str
    currency: str
    buyer_currency: str
    yearly: int
    goods_share: float
    markup: int
    first: int
    invoices: int
    place: int  # among the flows of the seller
    least: int  # amount that is worth something in any currency
    prices: Ints

    @property
    def has_goods(self) -> bool:
        return len(self.prices) > 0


@dataclass(frozen=True)
class Trade:
    """The trade of one company, and what it must know of its sisters.

    calendars: working days of all companies by place; per_month: invoices of each company in a month; flows: how many flows
    each company sells in; currency: that of the group; pairs: currencies
    that are converted anywhere in the dataset, from and to.
    """

    sales: tuple[Flow, ...]
    purchases: tuple[Flow, ...]
    codes: tuple[str, ...]
    calendars: tuple[Horizon, ...]
    per_month: tuple[int, ...]
    flows: tuple[int, ...]
    exchange: Exchange
    currency: str
    pairs: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        return bool(self.sales or self.purchases)

    @property
    def lines(self) -> float:
        """Journal lines of the company's own part in a year."""
        invoices = sum(flow.invoices for flow in (*self.sales, *self.purchases))
        return 12.0 * invoices * _LINES_PER_INVOICE / 2

    @property
    def slice_months(self) -> int:
        """Months of a slice: the same for all companies, because both sides of a sale are drawn alike."""
        return 12 if sum(self.per_month) * 12 * _LINES_PER_INVOICE <= _SLICE_LINES else 3

    def goods_first(self, flow: Flow) -> int:
        """Place of a bought flow's first material among those that come from the group."""
        before = self.purchases[: self.purchases.index(flow)]
        return sum(len(other.prices) for other in before)

    @cached_property
    def goods_cost(self) -> Ints:
        """Standard cost of the goods that come from the group, at the rate of the first day, shape (goods,)."""
        parts = [
            np.maximum(
                1,
                convert(
                    flow.prices,
                    int(self.exchange.spot(flow.currency, flow.buyer_currency)[0]),
                    digits_between(flow.currency, flow.buyer_currency),
                ),
            )
            for flow in self.purchases
        ]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    @cached_property
    def goods_markup(self) -> Ints:
        """Markup that the price of each of these goods holds, in millionths of cost, shape (goods,)."""
        parts = [np.full(len(flow.prices), flow.markup, np.int64) for flow in self.purchases]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    @cached_property
    def goods_seller(self) -> Ints:
        """Who sells each of these goods, shape (goods,)."""
        parts = [np.full(len(flow.prices), flow.seller, np.int64) for flow in self.purchases]
        return np.concatenate([np.zeros(0, np.int64), *parts])


@lru_cache(maxsize=4)
def flows_of(config: Config) -> tuple[Flow, ...]:
    """Every flow of the config, by seller and buyer."""
    section = config.processes.intercompany
    if not section.enabled or section.share == 0:
        return ()
    amounts: dict[tuple[int, int], float] = {}
    for tree in trees(config):
        amounts |= _amounts({place: _dollars(config, place) for place in tree.members}, section.share)
    total = sum(amounts.values())
    invoices = config.volume.journal_lines_per_year * _LINES_SHARE / _LINES_PER_INVOICE
    most = _MOST_INVOICES // len(config.companies)
    found: list[Flow] = []
    for seller, sold in groupby(sorted(amounts.items()), key=lambda one: one[0][0]):
        first = 0
        for place, ((_, buyer), dollars) in enumerate(sold):
            count = max(2, min(most, round(invoices * dollars / total / 12)))
            found.append(_flow(config, seller, buyer, dollars, count, first, place))
            first += count
    return tuple(found)


def trade_of(config: Config, place: int, calendars: tuple[Horizon, ...], exchange: Exchange) -> Trade:
    """The trade of the company at a place of the config."""
    sides = _sides_of(config)
    return Trade(
        sales=sides.sales[place],
        purchases=sides.purchases[place],
        codes=tuple(company.code for company in config.companies),
        calendars=calendars,
        per_month=sides.per_month,
        flows=tuple(map(len, sides.sales)),
        exchange=exchange,
        currency=config.group.currency,
        pairs=sides.pairs,
    )


@dataclass(frozen=True, slots=True)
class _Sides:
    """All flows once more: by the company that sells, by the one that buys, and the currencies that they take."""

    sales: tuple[tuple[Flow, ...], ...]
    purchases: tuple[tuple[Flow, ...], ...]
    per_month: tuple[int, ...]
    pairs: tuple[tuple[str, str], ...]


@lru_cache(maxsize=4)
def _sides_of(config: Config) -> _Sides:
    sales: list[list[Flow]] = [[] for _ in config.companies]
    purchases: list[list[Flow]] = [[] for _ in config.companies]
    for flow in flows_of(config):
        sales[flow.seller].append(flow)
        purchases[flow.buyer].append(flow)
    return _Sides(
        sales=tuple(map(tuple, sales)),
        purchases=tuple(map(tuple, purchases)),
        per_month=tuple(sum(flow.invoices for flow in sold) for sold in sales),
        pairs=_pairs(config),
    )


def _pairs(config: Config) -> tuple[tuple[str, str], ...]:
    """Companies' currencies into the group's and their parents', sellers' into buyers', and those of partners abroad into the company's."""
    currency_of = {company.code: company.currency for company in config.companies}
    found = {(company.currency, config.group.currency) for company in config.companies}
    found |= {(one.currency, currency_of[one.parent]) for one in config.companies if one.parent is not None}
    found |= {(flow.currency, flow.buyer_currency) for flow in flows_of(config)}
    for company in config.companies:
        found |= {(code, company.currency) for code in foreign_currencies(config, company)}
    return tuple(sorted((source, target) for source, target in found if source != target))


def _dollars(config: Config, place: int) -> float:
    company = config.companies[place]
    return float(company.annual_revenue) * reference_rate(company.currency)


def _amounts(revenue: dict[int, float], share: float) -> dict[tuple[int, int], float]:
    """Yearly sales of each pair in dollars; together `share` of the revenue of all, as far as the smaller ones bear it."""
    pairs = list(permutations(revenue, 2))
    weight = sum(revenue[one] * revenue[other] for one, other in pairs)
    return {
        (one, other): min(
            share * sum(revenue.values()) * revenue[one] * revenue[other] / weight,
            _MOST_OF_SMALLER * min(revenue[one], revenue[other]),
        )
        for one, other in pairs
    }


def _flow(
    config: Config, seller: int, buyer: int, dollars: float, count: int, first: int, place: int
) -> Flow:
    company, other = config.companies[seller], config.companies[buyer]
    goods_share = _GOODS_SHARE.get(company.industry, 0.0)
    yearly = dollars / reference_rate(company.currency) * 10 ** exponent(company.currency)
    markup = round(config.processes.intercompany.markup * 1_000_000)
    least = math.ceil(10 ** exponent(company.currency) / reference_rate(company.currency))  # a dollar
    prices = np.zeros(0, np.int64)
    if goods_share:
        rng = stream(config.seed, "intercompany", company.code, other.code, "prices")
        raw = exp(rng.normal(0.0, 0.8, _GOODS))
        mean = yearly * goods_share / 12 / (count - 1) / _LINES_OF_GOODS / _PIECES
        cost = np.maximum(least, np.rint(raw * mean / raw.mean() / (1 + markup / 1e6))).astype(np.int64)
        prices = cost + (cost * markup + 500_000) // 1_000_000
    return Flow(
        seller=seller,
        buyer=buyer,
        seller_code=company.code,
        buyer_code=other.code,
        currency=company.currency,
        buyer_currency=other.currency,
        yearly=round(yearly),
        goods_share=goods_share,
        markup=markup,
        first=first,
        invoices=count,
        place=place,
        least=least,
        prices=prices,
    )
