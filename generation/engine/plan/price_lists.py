"""What materials are sold and ordered at on the first day, in the currencies of those who buy and supply them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generation.engine.currencies import Currencies
from generation.engine.plan.materials import Materials
from generation.engine.plan.partners import Partners

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PriceLists:
    """Prices of one piece, in minor units of their currency."""

    currencies: Currencies
    materials: Materials
    partners: Partners

    @cached_property
    def sales(self) -> Ints:
        """List price of each material in each of the company's currencies, shape (currencies, materials)."""
        own, places = self.materials.price, range(len(self.currencies.codes))
        return np.stack([self.currencies.from_own(own, np.full(len(own), place)) for place in places])

    @cached_property
    def purchases(self) -> Ints:
        """What each material is ordered at, in its vendor's currency: standard cost; shape (materials,)."""
        cost, currency = self.materials.cost, self.partners.vendor_currency
        if currency is None:
            return cost
        return self.currencies.from_own(cost, currency[self.materials.vendor])
