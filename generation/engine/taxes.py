"""Tax codes of a company, and tax on amounts: exact integer arithmetic, half up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.engine.packs.schema import TaxFrame

Ints = NDArray[np.int64]
_EXEMPT_SHARE = 0.6  # business buyers with a resale certificate, where sales tax is charged to consumers


@dataclass(frozen=True)
class TaxCodes:
    """Codes by index. Sales codes come first, then purchase codes; `weights` spread domestic partners over codes."""

    names: tuple[str, ...]
    rates_bp: Ints  # basis points, shape (codes,)
    sales_domestic: Ints
    sales_weights: NDArray[np.float64]
    sales_zero: int
    purchase_domestic: int
    purchase_zero: int
    exempts_business: bool
    by_region: bool = False

    def draw(
        self,
        pick: NDArray[np.float64],
        exempt: NDArray[np.float64],
        is_foreign: NDArray[np.bool_],
        *,
        sales: bool,
        retail: bool,
        regions: NDArray[np.object_] | None = None,
    ) -> Ints:
        """Tax code of each partner, shape (partners,), from uniforms in [0, 1) and the customer's region where it counts."""
        if not sales:
            return np.where(is_foreign, self.purchase_zero, self.purchase_domestic).astype(np.int64)
        if self.by_region and regions is not None:
            found, where = np.unique(regions.astype("U"), return_inverse=True)
            code = np.array([self._of_region(region) for region in found], np.int64)[where]
        else:
            cumulated = np.cumsum(self.sales_weights)
            code = self.sales_domestic[np.searchsorted(cumulated / cumulated[-1], pick, side="right")]
        if self.exempts_business and not retail:
            is_foreign = is_foreign | (exempt < _EXEMPT_SHARE)
        return np.where(is_foreign, self.sales_zero, code).astype(np.int64)

    def _of_region(self, region: str) -> int:
        """Sales code of a region; where the tax is only divided, the last one for every other region than the seat."""
        name = f"S-{region}"
        return self.names.index(name) if name in self.names else int(self.sales_domestic[-1])


def tax_codes(frame: TaxFrame, *, enabled: bool) -> TaxCodes:
    """Codes of a country: S for sales, P for purchases, with the rate or region; S0 and P0 are zero-rated.

    The region of the seat comes first: what the company sells besides goods is taxed there. A divided tax has one rate
    and two codes, S-<seat> for customers in the state of the seat and S-IGST for those in others.
    """
    rate = frame.standard_rate_bp
    if not enabled:
        sales: list[tuple[str, int, float]] = [("S0", 0, 1.0)]
    elif frame.kind == "vat":
        sales = [(f"S{rate / 100:g}", rate, 1.0)]
    elif frame.kind == "divided_vat":
        sales = [(f"S-{frame.home_region}", rate, 1.0), ("S-IGST", rate, 1.0)]
    else:
        seat_first = sorted(frame.regions, key=lambda region: region.code != frame.home_region)
        sales = [(f"S-{region.code}", region.rate_bp, region.weight) for region in seat_first]
    purchase = ("P0", 0)
    if enabled and frame.kind == "regional_vat":
        purchase = (f"P-{frame.home_region}", sales[0][1])
    elif enabled and frame.kind != "sales_tax":
        purchase = (f"P{rate / 100:g}", rate)
    zero = [("S0", 0)] if enabled else []
    purchases = [purchase] if purchase[0] == "P0" else [purchase, ("P0", 0)]
    codes = [(name, rate) for name, rate, _ in sales] + zero + purchases
    names = tuple(name for name, _ in codes)
    return TaxCodes(
        names=names,
        rates_bp=np.array([rate for _, rate in codes], np.int64),
        sales_domestic=np.arange(len(sales)),
        sales_weights=np.array([weight for _, _, weight in sales]),
        sales_zero=names.index("S0"),
        purchase_domestic=names.index(purchase[0]),
        purchase_zero=names.index("P0"),
        exempts_business=enabled and frame.kind == "sales_tax",
        by_region=enabled and frame.kind != "vat",
    )


def tax_on(net: Ints, rate_bp: Ints) -> Ints:
    """Tax on amounts in minor units at rates in basis points, half up away from zero; shape of `net`."""
    return np.sign(net) * ((np.abs(net) * rate_bp + 5_000) // 10_000)
