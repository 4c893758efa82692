"""Whom a company trades with: customers, vendors of goods, vendors of services, and the currencies that they are invoiced in."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generation.engine.plan.facts import Facts
from generation.engine.plan.homes import homes
from generation.engine.plan.materials import Materials
from generation.engine.plan.partner_columns import DISCOUNT_TERMS, PartnerColumns, partner_columns
from generation.engine.plan.shares import drawn_shares
from generation.engine.plan.volume import Volume

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LINES_PER_ORDER = 2.5  # order lines in an order
ORDERS_PER_CUSTOMER = 40  # a year
SERVICE_INVOICES_PER_VENDOR = 30  # a year


@dataclass(frozen=True)
class Partners:
    """All partners outside the group. Where both kinds of vendors stand in a row, those of goods come first."""

    facts: Facts
    volume: Volume
    materials: Materials

    @cached_property
    def customers(self) -> PartnerColumns:
        count = max(30, round(self.volume.order_lines / LINES_PER_ORDER / ORDERS_PER_CUSTOMER))
        rng = self.facts.rng("customers", "behaviour")
        # a little late, often late, at risk, and those who pay when they are threatened with the court
        habit = rng.choice(4, count, p=[0.61, 0.25, 0.115, 0.025])
        delay = np.array([5, 25, 60, 110])[habit] + rng.integers(-4, 5, count)
        return replace(
            partner_columns(self.facts, "customers", self._shares("customers", count), sales=True),
            delay=delay.astype(np.int64),
            cycle=rng.choice(np.array([7, 7, 14, 28]), count),
            takes_discount=rng.random(count) < DISCOUNT_TERMS,
        )

    @cached_property
    def customer_visits(self) -> Ints:
        """Ordering occasions of each customer in a slice, at least one."""
        orders = self.volume.order_lines * self.volume.slice_months / 12 / LINES_PER_ORDER
        return np.maximum(1, np.rint(self.customers.share * orders)).astype(np.int64)

    @cached_property
    def goods_vendors(self) -> PartnerColumns:
        """They are as large as what is bought of their materials."""
        materials, count = self.materials, self.volume.goods_vendor_count
        bought = np.bincount(materials.vendor, weights=materials.use * materials.cost)
        rng = self.facts.rng("goods vendors", "behaviour")
        return replace(
            partner_columns(self.facts, "goods vendors", bought / bought.sum(), sales=False),
            cycle=rng.choice(np.array([7, 14, 14, 28]), count),
            phase=rng.integers(0, 28, count),
            takes_discount=rng.random(count) < DISCOUNT_TERMS,
        )

    @cached_property
    def service_vendors(self) -> PartnerColumns:
        count = max(10, round(self.volume.service_invoices / SERVICE_INVOICES_PER_VENDOR))
        rng = self.facts.rng("service vendors", "behaviour")
        return replace(
            partner_columns(
                self.facts, "service vendors", self._shares("service vendors", count), sales=False
            ),
            cycle=np.full(count, 7, np.int64),
            phase=np.zeros(count, np.int64),
            takes_discount=rng.random(count) < DISCOUNT_TERMS,
        )

    @cached_property
    def customer_currency(self) -> Ints | None:
        """Place of each customer's currency among the company's, shape (customers,); None where all trade is in its own."""
        share = self.facts.rates.customer_currency_share
        return self._currency_of("customers", self.customers.is_foreign, share)

    @cached_property
    def vendor_currency(self) -> Ints | None:
        """As for customers: goods vendors, then service vendors."""
        share = self.facts.rates.vendor_currency_share
        is_foreign = np.concatenate([self.goods_vendors.is_foreign, self.service_vendors.is_foreign])
        return self._currency_of("vendors", is_foreign, share)

    def _currency_of(self, who: str, is_foreign: NDArray[np.bool_], share: float) -> Ints | None:
        if not self.facts.currencies:
            return None
        countries, home = homes(self.facts, who, is_foreign)
        own = self.facts.rng(who, "currency").random(len(home)) >= share
        return np.where(own | ~is_foreign, 0, self.facts.currencies.places(countries)[home])

    def _shares(self, who: str, count: int) -> Floats:
        return drawn_shares(count, self.facts.rng(who, "share"))
