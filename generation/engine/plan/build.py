"""The plan: a pure function of the config. Volumes, master data as arrays, and where the shards are cut.

A shard is a block of partners in a slice of time. Every worker makes the plan itself.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain

import numpy as np

from generation.engine.charts.chart import chart_for
from generation.engine.config.model import Config
from generation.engine.config.rates import rates_of
from generation.engine.currencies import Currencies, foreign_currencies
from generation.engine.cutting import ShardSpec
from generation.engine.fiscal import FiscalCalendar
from generation.engine.group.exchange import Exchange
from generation.engine.group.pool import pool_of
from generation.engine.group.structure import Tree, trees
from generation.engine.group.trade import Trade, trade_of
from generation.engine.horizon import Horizon, holidays_between
from generation.engine.industry import industry_of
from generation.engine.packs.currency import exponent
from generation.engine.packs.pack import CountryPack, pack_for
from generation.engine.plan.company import CompanyPlan
from generation.engine.reference_rates import reference_rate


@dataclass(frozen=True)
class Plan:
    config: Config
    companies: tuple[CompanyPlan, ...]
    shards: tuple[ShardSpec, ...]
    scale: int
    trees: tuple[Tree, ...]

    def close_ordinal(self, place: int) -> int:
        """File ordinal of a close: after all shards, first the companies, then the groups."""
        return len(self.shards) + place

    @property
    def file_numbers(self) -> int:
        """How many file ordinals the plan takes."""
        return len(self.shards) + len(self.companies) + len(self.trees)


@lru_cache(maxsize=4)
def build_plan(config: Config) -> Plan:
    """Return the plan of a config; same config, same plan."""
    weights = {c.code: float(c.annual_revenue) * reference_rate(c.currency) for c in config.companies}
    abroad = [foreign_currencies(config, company) for company in config.companies]
    own = [company.currency for company in config.companies]
    scale = max(exponent(code) for code in {config.group.currency, *own, *chain(*abroad)})
    calendars = tuple(_horizon(config, pack_for(company.country)) for company in config.companies)
    exchange = Exchange(config.seed, calendars[0])
    companies = tuple(
        _company_plan(
            config,
            index,
            weights[company.code] / sum(weights.values()),
            scale,
            trade_of(config, index, calendars, exchange),
            Currencies((company.currency, *abroad[index]), exchange),
        )
        for index, company in enumerate(config.companies)
    )
    first = np.cumsum([len(companies), *(len(plan.layout.parts) for plan in companies)])
    pieces = [(plan.index, *shard) for plan in companies for shard in plan.layout.shards()]
    shards = tuple(
        ShardSpec(
            ordinal=ordinal,
            company=company,
            process=part.process,
            block=part.block,
            slice=piece,
            # closes come first, then the parts of all companies; once for each slice
            space=int(first[company] + number + piece.index * first[-1]),
            lines=round(lines),
        )
        for ordinal, (company, number, part, piece, lines) in enumerate(pieces)
    )
    return Plan(config, companies, shards, scale, trees(config))


def _company_plan(
    config: Config, index: int, share: float, scale: int, trade: Trade, currencies: Currencies
) -> CompanyPlan:
    company = config.companies[index]
    pack = pack_for(company.country)
    industry = industry_of(company.industry)
    horizon = trade.calendars[index]
    factor = 10 ** exponent(company.currency)
    annual = float(company.annual_revenue) * factor
    salary = pack.average_salary * reference_rate(pack.currency) / reference_rate(company.currency) * factor
    payroll = (
        min(company.employees * salary * industry.pay_level, 0.45 * annual)
        if config.processes.hire_to_retire.enabled
        else 0.0
    )
    people = payroll * (1 + pack.employer_social_rate_bp / 10_000) / annual
    depreciation = industry.asset_intensity / 10 if config.processes.acquire_to_retire.enabled else 0.0
    material = 1 - industry.operating_margin - people - industry.overhead_share - depreciation
    rates = rates_of(config, company)
    keeps_accounts = config.processes.record_to_report.enabled
    prepaid = round(annual * industry.overhead_share * rates.prepaid_share) if keeps_accounts else 0
    return CompanyPlan(
        index=index,
        seed=config.seed,
        company=company,
        processes=config.processes,
        rates=rates,
        approval_thresholds=tuple(limit * factor for limit in config.controls.approval_thresholds),
        sod_violation_rate=config.controls.sod_violation_rate,
        horizon=horizon,
        pack=pack,
        chart=chart_for(company.framework, company.chart, company.country),
        industry=industry,
        scale=scale,
        factor=factor,
        lines=max(2_000, round(config.volume.journal_lines_per_year * share)),
        revenue=round(annual),
        material_share=float(np.clip(material, 0.25, 0.80)),
        payroll=round(payroll),
        overhead=round(annual * industry.overhead_share) - prepaid,
        prepaid=prepaid,
        trade=trade,
        pool=pool_of(config, index),
        currencies=currencies,
    )


def _horizon(config: Config, pack: CountryPack) -> Horizon:
    period = config.period
    fiscal = FiscalCalendar(
        period.fiscal_year_start_month, period.calendar, period.year_end, period.year_end_weekday
    )
    bare = Horizon(period.start, period.months, fiscal)
    years = (pack.holidays(year) for year in range(bare.start.year, bare.month_starts[-1].year + 1))
    return replace(bare, holidays=holidays_between(years))
