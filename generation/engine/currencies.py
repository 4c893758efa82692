"""The currencies in which partners abroad are invoiced, and what their amounts are in the company's own.

Documents keep the amounts of their currency; the ledger keeps both. A document is converted at the rate of its day, and what
is open of it keeps that rate until it is settled or valued at a month's end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generation.engine.columns import begins
from generation.engine.config.company import Company
from generation.engine.config.model import Config
from generation.engine.config.rates import rates_of
from generation.engine.group.exchange import Exchange, convert, digits_between
from generation.engine.packs.pack import PARTNERS_ABROAD, pack_for

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Rated:
    """Currency and rate of documents, arrays of shape (n,).

    code: place among the company's currencies, 0 is its own; rate: company currency for one unit, ten-billionths.
    """

    code: Ints
    rate: Ints

    def take(self, index: NDArray[np.integer]) -> "Rated":
        return Rated(self.code[index], self.rate[index])

    def plus(self, other: "Rated") -> "Rated":
        return Rated(np.concatenate([self.code, other.code]), np.concatenate([self.rate, other.rate]))


def foreign_currencies(config: Config, company: Company) -> tuple[str, ...]:
    """The currencies of partners abroad that are not the company's own, in order; none where all trade is in its own."""
    rates = rates_of(config, company)
    if not rates.customer_currency_share and not rates.vendor_currency_share:
        return ()
    abroad = {pack_for(country).currency for country in PARTNERS_ABROAD if country != company.country}
    return tuple(sorted(abroad - {company.currency}))


@dataclass(frozen=True)
class Currencies:
    """The currencies of a company, its own first, and their rates. False where there is but one."""

    codes: tuple[str, ...]
    exchange: Exchange

    def __bool__(self) -> bool:
        return len(self.codes) > 1

    @cached_property
    def _rates(self) -> Ints:
        """Company currency for one unit, shape (currencies, days of the calendar)."""
        return np.stack([self.exchange.spot(code, self.codes[0]) for code in self.codes])

    def places(self, countries: Iterable[str]) -> Ints:
        """Place of the currency of each of these countries; that of the company's own where it is not kept."""
        known = {code: place for place, code in enumerate(self.codes)}
        return np.array([known.get(pack_for(country).currency, 0) for country in countries], np.int64)

    def rated(self, code: Ints, day: NDArray[np.integer]) -> Rated:
        """Documents in these currencies on these days, shape (n,)."""
        return Rated(code, self._rates[code, day])

    def local(self, amount: Ints, rated: Rated | None) -> Ints:
        """Amounts of documents in the company's currency, shape (n,), half up."""
        if rated is None:
            return amount
        result = amount.copy()
        for place, code in enumerate(self.codes[1:], start=1):
            at = np.flatnonzero(rated.code == place)
            if len(at):
                digits = digits_between(code, self.codes[0])
                result[at] = convert(amount[at], rated.rate[at], digits)
        return result

    def local_lines(self, amount: Ints, doc: NDArray[np.integer], rated: Rated | None) -> Ints:
        """Amounts of lines in the company's currency, shape (lines,); they add up to what `local` says of their document.

        doc: of each line, ascending; rated: of the documents. Each line is what it adds to the sum of those before it.
        """
        if rated is None:
            return amount
        line = np.flatnonzero(rated.code[doc])
        if not len(line):
            return amount
        owner = doc[line]
        first = np.flatnonzero(begins(owner))
        sums = np.cumsum(amount[line])
        before = np.repeat((sums - amount[line])[first], np.diff(first, append=len(line)))
        reached = self.local(sums - before, rated.take(owner))
        result = amount.copy()
        result[line] = np.diff(reached, prepend=0)
        result[line[first]] = reached[first]
        return result

    def from_own(self, amount: Ints, code: Ints) -> Ints:
        """What amounts of the company's currency, above zero, were worth on the first day: for lists of prices; shape (n,)."""
        result = amount.copy()
        for place, other in enumerate(self.codes[1:], start=1):
            at = np.flatnonzero(code == place)
            rate = int(self.exchange.spot(self.codes[0], other)[0])
            result[at] = np.maximum(1, convert(amount[at], rate, digits_between(self.codes[0], other)))
        return result
