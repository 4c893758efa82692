"""Names of a company's master data as Arrow arrays: what codes in numeric columns stand for."""

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from generation.engine.columns import numbered
from generation.engine.packs.currency import exponent
from generation.engine.plan.company import CompanyPlan

BATCH_USERS = 6


@dataclass(frozen=True)
class Names:
    """Rendered once per shard. Keys are unique over the dataset: they begin with the company's place in the config."""

    plan: CompanyPlan

    @cached_property
    def unit(self) -> int:
        """Minor units of the currency in units of the files' last decimal."""
        return int(10**self.plan.scale // self.plan.factor)

    def unit_of(self, currency: str) -> int:
        """Minor units of any currency of the dataset in units of the files' last decimal."""
        return int(10 ** (self.plan.scale - exponent(currency)))

    @cached_property
    def _company(self) -> str:
        return f"{self.plan.index + 1:02d}"

    @cached_property
    def accounts(self) -> pa.Array:
        return pa.array([account.number for account in self.plan.chart.accounts], pa.string())

    @cached_property
    def customers(self) -> pa.Array:
        return numbered(f"C{self._company}", len(self.plan.partners.customers))

    @cached_property
    def vendors(self) -> pa.Array:
        """Goods vendors first, then service vendors."""
        partners = self.plan.partners
        return numbered(f"V{self._company}", len(partners.goods_vendors) + len(partners.service_vendors))

    @cached_property
    def materials(self) -> pa.Array:
        """What vendors supply, then what sister companies supply."""
        return numbered(f"M{self._company}", len(self.plan.valuation.stock_cost))

    @cached_property
    def assets(self) -> pa.Array:
        return numbered(f"A{self._company}", len(self.plan.assets))

    @cached_property
    def employees(self) -> pa.Array:
        return numbered(f"E{self._company}", len(self.plan.people))

    @cached_property
    def users(self) -> pa.Array:
        """Employees, then batch users."""
        return pa.concat_arrays([self.employees, numbered("BATCH", BATCH_USERS, 2)])

    @cached_property
    def cost_centers(self) -> pa.Array:
        return numbered(f"K{self._company}", self.plan.cost_center_count, 4)

    @cached_property
    def work_centers(self) -> pa.Array:
        """None where nothing is made."""
        count = len(self.plan.materials.structure.centers) if self.plan.makes else 0
        return numbered(f"W{self._company}", count, 4)

    @cached_property
    def tax_codes(self) -> list[str]:
        return list(self.plan.taxes.names)

    @cached_property
    def bank_account(self) -> str:
        return self.bank_account_of(self.plan.index)

    @staticmethod
    def bank_account_of(company: int) -> str:
        """The bank account of the company at a place of the config."""
        return f"B{company + 1:02d}0001"

    def partners(self, who: str | None) -> pa.Array:
        if who == "company":
            return pa.array(self.plan.trade.codes, pa.string())
        return self.customers if who == "customer" else self.vendors
