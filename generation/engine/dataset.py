"""What describes a dataset: its data dictionary (schema.json) and its manifest. No clock, no host: same input, same bytes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from generation.engine.closing.budgets import growth
from generation.engine.closing.covenants import COVENANTS, thresholds
from generation.engine.closing.credit_losses import loss_rates
from generation.engine.closing.income_tax import WITHOUT_DEFERRED, IncomeTax
from generation.engine.closing.treasury import has_outside_owners, legal_reserve_share
from generation.engine.config.load import digest, plain
from generation.engine.config.model import Config
from generation.engine.horizon import Horizon
from generation.engine.open_items import BUCKETS
from generation.engine.packs.currency import exponent
from generation.engine.plan.build import build_plan
from generation.engine.plan.company import CompanyPlan
from generation.engine.schema.catalogue import TABLES
from generation.engine.writers import EXPORTS, FileEntry

ENGINE_VERSION: Final = "3.2.0"  # any change of the bytes of any dataset needs a new one
CONTRACT_VERSION: Final = 1
REISSUED: Final = ("assets",)  # tables that continued books issue anew as a whole; all others only grow
OVER_DELIVERY: Final = 0.1  # tolerated share above the ordered quantity


def data_dictionary(config: Config) -> dict[str, Any]:
    """Content of schema.json: what the dataset covers, and every table and column with type, unit and meaning."""
    plan = build_plan(config)
    horizon = plan.companies[0].horizon
    dataset = {
        "name": config.name,
        "seed": plain(config)["seed"],
        "group": {
            "name": config.group.name,
            "currency": config.group.currency,
            "exponent": exponent(config.group.currency),
        },
        "period": {
            "start": horizon.start.isoformat(),
            "end": (horizon.end - timedelta(days=1)).isoformat(),
            "months": config.period.months,
            "fiscal_year_start_month": config.period.fiscal_year_start_month,
            "calendar": config.period.calendar,
            "fiscal_periods": _fiscal_periods(horizon),
        },
        "opening_date": horizon.start.isoformat(),
        "companies": [_company(company) for company in plan.companies],
        "approval_thresholds": list(config.controls.approval_thresholds),
        "sod_violation_rate": config.controls.sod_violation_rate,
        "tolerances": {"over_delivery": OVER_DELIVERY},
        "money_scale": plan.scale,
    }
    tables = [table.entry(plan.scale) for table in TABLES.values()]
    return {"contract_version": CONTRACT_VERSION, "dataset": dataset, "tables": tables}


def _fiscal_periods(horizon: Horizon) -> list[dict[str, Any]]:
    """Fiscal year, number and last day of every period of the books, in order; each begins behind the one before."""
    return [
        {
            "fiscal_year": int(horizon.fiscal_year[month]),
            "period": int(horizon.fiscal_period[month]),
            "end": horizon.date_of(int(horizon.month_end[month])).isoformat(),
        }
        for month in range(horizon.months)
    ]


def manifest(
    config: Config,
    files: Sequence[FileEntry],
    *,
    report_sha256: str,
    released: bool,
    gate: Mapping[str, Any],
    closings: Sequence[int] = (),
) -> dict[str, Any]:
    """Content of manifest.json: what was made, from what, with which verdict, and the checksum of every data file.

    closings: how many months the books had each time that they were closed; by default they were closed once.
    """
    by_table: dict[str, list[FileEntry]] = {}
    for entry in sorted(files, key=lambda entry: entry.path):
        by_table.setdefault(entry.table, []).append(entry)
    exports = {table: by_table.pop(table) for table in list(by_table) if table.startswith(EXPORTS)}
    return {
        "manifest_version": 1,
        "contract_version": CONTRACT_VERSION,
        "engine_version": ENGINE_VERSION,
        "synthetic": True,
        "name": config.name,
        "seed": plain(config)["seed"],
        "config": plain(config),
        "config_sha256": digest(config),
        "closings": list(closings or [config.period.months]),
        "report_sha256": report_sha256,
        "gate": dict(gate),
        "released": released,
        "tables": [_table(name, entries) for name, entries in by_table.items()],
        "exports": [_export(folder, entries) for folder, entries in exports.items()],
    }


def _table(name: str, entries: Sequence[FileEntry]) -> dict[str, Any]:
    first = [entry for entry in entries if entry.format == "parquet"]
    return {
        "name": name,
        "rows": sum(entry.rows for entry in first),
        "columns": entries[0].columns,
        "bytes": sum(entry.bytes for entry in entries),
        "files": [_file(entry) for entry in entries],
    }


def _export(folder: str, entries: Sequence[FileEntry]) -> dict[str, Any]:
    return {
        "name": folder.removeprefix(EXPORTS),
        "bytes": sum(entry.bytes for entry in entries),
        "files": [_file(entry) for entry in entries],
    }


def _file(entry: FileEntry) -> dict[str, Any]:
    return {
        "path": entry.path,
        "format": entry.format,
        "rows": entry.rows,
        "bytes": entry.bytes,
        "sha256": entry.sha256,
    }


def _company(plan: CompanyPlan) -> dict[str, Any]:
    accounts = plan.chart.accounts
    return {
        "company_code": plan.code,
        "name": plan.company.name,
        "country": plan.company.country,
        "currency": plan.company.currency,
        "exponent": exponent(plan.company.currency),
        "industry": plan.company.industry,
        "price_tolerance": format(Decimal(plan.price_tolerance_bp).scaleb(-4), "f"),
        "review_months": plan.rates.review_months,
        "valuation": plan.processes.inventory.valuation,
        "new_standard_costs": plan.valuation.renews_costs,
        "gr_ir_clearing_days": plan.rates.gr_ir_clearing_days,
        "low_value_limit": format(
            Decimal(plan.low_value_limit).scaleb(-exponent(plan.company.currency)), "f"
        ),
        "targets": {"receivable_days": plan.rates.receivable_days, "payable_days": plan.rates.payable_days},
        "accounts": {role: accounts[index].number for role, index in sorted(plan.chart.roles.items())},
        "rates": {name: f"{value:.6f}" for name, value in _rates(plan).items()},
        "holidays": [
            day.isoformat() for day in plan.horizon.holidays if plan.horizon.start <= day < plan.horizon.end
        ],
    }


def _rates(plan: CompanyPlan) -> dict[str, float]:
    """The rates behind what the close computes, so that a reader can compute it again; as the books use them, rounded."""
    rates = plan.rates
    found = {
        f"loss_rate {bucket}": int(rate) / 1_000_000
        for bucket, rate in zip(BUCKETS, loss_rates(plan), strict=True)
    }
    found["dunning_fee"] = float(rates.dunning_fee)
    found["dunning_interest_rate"] = round(rates.dunning_interest_rate * 10_000) / 10_000
    found["price_trend"], found["price_spread"] = (
        round(share * 10_000) / 10_000 for share in (rates.price_trend, rates.price_spread)
    )
    found["budget_growth"] = growth(plan) / 1_000_000
    if plan.processes.record_to_report.enabled:
        found["warranty_share"] = round(rates.warranty_share, 6)
        found["holiday_pay_share"] = round(rates.holiday_pay_share, 6)
    if has_outside_owners(plan):
        found["payout_current_ratio"] = round(rates.payout_current_ratio, 3)
    if share := legal_reserve_share(plan):
        found["legal_reserve_share"] = share / 10_000
    if plan.loans:
        found |= {
            name: limit / 1_000_000 for name, limit in zip(COVENANTS, thresholds(plan), strict=True)
        } | {"covenant_months": float(plan.processes.treasury.covenant_months)}
    if plan.processes.tax.enabled:
        found["income_tax_rate"] = IncomeTax(plan).rate / 1_000_000
        found["defers_income_tax"] = float(plan.company.framework not in WITHOUT_DEFERRED)
        found["income_tax_instalments"] = float(rates.income_tax_instalments)
    return found
