"""Income tax: every month the tax on the result of the fiscal year to date, losses carried forward, and what is paid.

The provision of a month is the change of the tax of the year to date, so that each month trues up the ones before it. Losses
are set off in later years without limit of time or amount; the tax that they will save stands as deferred tax asset. Everything
looks back only: instalments are parts of the last year's tax.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from generation.engine.closing import steps
from generation.engine.closing.credit_losses import share_of
from generation.engine.columns import category, money, text
from generation.engine.plan.company import CompanyPlan
from generation.engine.posting import Documents
from generation.engine.shard import Ints, Shard

KINDS: Final = ("instalment", "balance")
_DAY = 9  # days into the month in which an instalment or the balance is due
WITHOUT_DEFERRED = ("pcg",)  # single-entity accounts that know no deferred tax
_BALANCE_AFTER = 5  # months after the end of the fiscal year


@dataclass(frozen=True)
class Month:
    """The provision at a month end; amounts are those of the fiscal year to date, the last two are balances."""

    pretax: int
    exempt: int
    brought_forward: int
    used: int
    current: int
    carried_forward: int
    deferred: int

    @property
    def taxable(self) -> int:
        return max(self.pretax - self.exempt, 0) - self.used


@dataclass(frozen=True)
class Payment:
    month: int
    day: int
    kind: int
    year_end: int  # month in which the fiscal year ends that it belongs to
    amount: int


@dataclass
class IncomeTax:
    """The provisions of one company, month by month."""

    plan: CompanyPlan
    months: list[Month] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)

    @property
    def rate(self) -> int:
        """Tax rate in millionths."""
        given = self.plan.processes.tax.income_tax_rate
        return round((self.plan.pack.income_tax_rate if given is None else given) * 1_000_000)

    def close(self, result: int, exempt: int = 0) -> list[Payment]:
        """Provide for the next month; returns the payments that follow from a year's end.

        result: of the month before tax; exempt: dividends of subsidiaries in it, which most countries leave to the subsidiary's tax.
        """
        horizon, month = self.plan.horizon, len(self.months)
        last = self.months[-1] if self.months else Month(0, 0, 0, 0, 0, 0, 0)
        if horizon.fiscal_period[month] == 1:
            last = Month(0, 0, last.carried_forward, 0, 0, last.carried_forward, last.deferred)
        pretax, exempt = last.pretax + result, last.exempt + exempt
        taxed = pretax - exempt
        used = min(last.brought_forward, max(taxed, 0))
        carried = last.brought_forward - used + max(-taxed, 0)
        current = int(share_of(np.array(max(taxed, 0) - used), self.rate))
        deferred = (
            0
            if self.plan.company.framework in WITHOUT_DEFERRED
            else int(share_of(np.array(carried), self.rate))
        )
        self.months.append(Month(pretax, exempt, last.brought_forward, used, current, carried, deferred))
        fresh = self._after_year_end(month) if horizon.fiscal_period[month] == 12 else []
        self.payments += fresh
        return fresh

    def _after_year_end(self, month: int) -> list[Payment]:
        """The balance of the year that ends in this month, and the instalments of the next."""
        tax, count = self.months[month].current, self.plan.rates.income_tax_instalments
        paid = sum(one.amount for one in self.payments if one.year_end == month)
        found = [self._payment(month + _BALANCE_AFTER, 1, month, tax - paid)]
        found += [
            self._payment(month + 12 * turn // count, 0, month + 12, tax // count)
            for turn in range(1, count + 1)
        ]
        return [one for one in found if one.amount and one.day < self.plan.horizon.days]

    def _payment(self, month: int, kind: int, year_end: int, amount: int) -> Payment:
        horizon = self.plan.horizon
        day = int(horizon.next_workday[horizon.month_first[month] + _DAY])
        return Payment(month, day, kind, year_end, amount)

    def standing(self) -> tuple[int, int, int]:
        """After the last month that was closed: income tax owed, deferred tax asset, and tax paid since the first day."""
        horizon, month = self.plan.horizon, len(self.months) - 1
        paid = sum(one.amount for one in self.payments if one.day <= horizon.month_end[month])
        ended = [
            one
            for place, one in enumerate(self.months)
            if place == month or horizon.fiscal_period[place] == 12
        ]
        return sum(one.current for one in ended) - paid, self.months[month].deferred, paid

    def write(self, shard: Shard) -> None:
        """Write and post all provisions and payments."""
        self._provide(shard)
        self._pay(shard)

    def _provide(self, shard: Shard) -> None:
        horizon, n = shard.plan.horizon, len(self.months)
        month = np.arange(n)
        columns = {
            "pretax_result": self._column("pretax"),
            "exempt_income": self._column("exempt"),
            "losses_brought_forward": self._column("brought_forward"),
            "losses_used": self._column("used"),
            "taxable_result": self._column("taxable"),
            "current_tax": self._column("current"),
            "losses_carried_forward": self._column("carried_forward"),
            "deferred_tax_asset": self._column("deferred"),
        }
        amounts = {name: shard.money(values) for name, values in columns.items()}
        last = horizon.month_end[month]
        shard.table(
            "income_tax_provisions",
            {
                "company_code": shard.company(n),
                "fiscal_year": pa.array(horizon.fiscal_year[month]),
                "period": pa.array(horizon.fiscal_period[month].astype(np.int16)),
                "period_end": shard.dates(last),
                "pretax_result": amounts["pretax_result"],
                "exempt_income": amounts["exempt_income"],
                "losses_brought_forward": amounts["losses_brought_forward"],
                "losses_used": amounts["losses_used"],
                "taxable_result": amounts["taxable_result"],
                "tax_rate": money(np.full(n, self.rate), 6),
                "current_tax": amounts["current_tax"],
                "losses_carried_forward": amounts["losses_carried_forward"],
                "deferred_tax_asset": amounts["deferred_tax_asset"],
            },
            last,
        )
        before = np.where(horizon.fiscal_period[:n] == 1, 0, np.append(0, columns["current_tax"][:-1]))
        current = columns["current_tax"] - before
        deferred = np.diff(columns["deferred_tax_asset"], prepend=0)
        at = np.flatnonzero((current != 0) | (deferred != 0))
        ids = steps.write_monthly(shard, "income_tax", at, last[at])
        changes = {"current": current[at], "deferred": deferred[at]}
        shard.post(Documents("income_tax", ids, last[at], changes, number=at))

    def _pay(self, shard: Shard) -> None:
        horizon, n = shard.plan.horizon, len(self.payments)
        number = np.array([one.month * len(KINDS) + one.kind for one in self.payments], np.int64)
        day = np.array([one.day for one in self.payments], np.int64)
        amount = np.array([one.amount for one in self.payments], np.int64)
        ids = shard.ids_of("income_tax_payments", number)
        shard.table(
            "income_tax_payments",
            {
                "document_id": text(ids),
                "company_code": shard.company(n),
                "fiscal_year": pa.array(
                    horizon.fiscal_year[np.array([one.year_end for one in self.payments], np.int64)]
                ),
                "kind": category(np.array([one.kind for one in self.payments], np.int64), KINDS),
                "posting_date": shard.dates(day),
                "amount": shard.money(amount),
            },
            day,
        )
        shard.post(Documents("income_tax_payment", ids, day, {"amount": amount}, number=number), value_lag=1)

    def _column(self, name: str) -> Ints:
        return np.array([getattr(one, name) for one in self.months], np.int64)
