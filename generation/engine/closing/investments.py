"""What parents paid for their subsidiaries: the shares stand in the parent's opening balance at cost."""

from typing import Final

import numpy as np

from generation.engine.closing import loans
from generation.engine.closing.treasury import opening_cash
from generation.engine.group.exchange import Exchange, convert, digits_between
from generation.engine.group.structure import MILLION
from generation.engine.plan.build import Plan
from generation.engine.plan.company import CompanyPlan

_PREMIUM_PERCENT: Final = (
    115  # of the net assets that a buyer expects; source: docs/books.md, section "Groups"
)


def costs(plan: Plan) -> dict[int, int]:
    """What the shares in each subsidiary cost its parent, by the subsidiary's place, in minor units of the parent's currency.

    A price is agreed on what is known before the books begin, not on what they turn out to hold: it differs from the share of net
    assets, and the difference is goodwill.
    """
    found = {}
    for tree in plan.trees:
        for child in tree.members[:-1]:
            parent = plan.companies[tree.parent[child]]
            price = _expected_net_assets(plan.companies[child]) * _PREMIUM_PERCENT // 100
            share = price * tree.ownership[child] // MILLION
            found[child] = _in_currency(share, plan.companies[child], parent)
    return found


def held_by(plan: Plan, company: int) -> int:
    """Cost of all shares that a company holds."""
    paid = costs(plan)
    return sum(paid[child] for tree in plan.trees for child in tree.children(company))


def _expected_net_assets(plan: CompanyPlan) -> int:
    cost, written_off = (int(part.sum()) for part in plan.assets.balance(-1))
    stock = plan.revenue * plan.material_share / 365 * plan.materials.order_ahead
    assets = (
        opening_cash(plan) + cost - written_off + round(stock)
    )  # a subsidiary opens without a credit line
    return assets + loans.cash_kept(plan, assets) - loans.opening(plan).total


def _in_currency(amount: int, child: CompanyPlan, parent: CompanyPlan) -> int:
    exchange: Exchange = child.trade.exchange
    source, target = child.company.currency, parent.company.currency
    rate = int(exchange.spot(source, target)[0])
    return int(convert(np.array([amount]), rate, digits_between(source, target))[0])
