"""Any config that the schema allows makes books without a violation. `make books SEED=n` tries others."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.metrics.assess import assess
from generation.engine.config.checks import FEWEST_LINES_PER_COMPANY, LEAST_PAY, MOST_FOR_PEOPLE_PERCENT
from generation.engine.config.load import load_config
from generation.engine.config.rates import INDUSTRY_RATES
from generation.engine.fiscal import WEEKDAYS
from generation.engine.packs.pack import COUNTRIES
from tests.engine_builders import make_books

SEED, CONFIGS = int(os.environ.get("BOOKS_SEED", "1")), 12
CURRENCIES = (
    "EUR",
    "USD",
    "GBP",
    "JPY",
    "KWD",
    "INR",
    "CNY",
    "CAD",
    "CHF",
)  # without decimals to three of them
SHARES = {
    "order_to_cash": {
        "return_rate": 0.5,
        "late_payment_share": 1.0,
        "partial_shipment_rate": 1.0,
        "cash_discount_share": 1.0,
        "never_paid_rate": 0.2,
        "short_payment_rate": 0.2,
        "on_account_rate": 0.2,
        "payment_return_rate": 0.2,
        "foreign_currency_share": 1.0,
        "dunning_interest_rate": 0.5,
        "loss_rate_current": 1.0,
        "loss_rate_over_90": 1.0,
        "contract_share": 0.5,
        "advance_share": 1.0,
    },
    "procure_to_pay": {
        "foreign_currency_share": 1.0,
        "three_way_match_rate": 1.0,
        "partial_receipt_rate": 1.0,
        "late_payment_share": 1.0,
        "cash_discount_share": 1.0,
        "over_delivery_rate": 1.0,
        "vendor_return_rate": 0.5,
        "price_tolerance": 0.05,
        "dispute_rate": 0.2,
        "never_invoiced_rate": 0.2,
    },
    "hire_to_retire": {"annual_raise_rate": 0.5},
    "acquire_to_retire": {
        "disposal_rate": 0.5,
        "acquisition_rate": 1.0,
        "low_value_share": 0.9,
        "salvage_share": 0.5,
        "double_declining_share": 0.3,
        "sum_of_years_share": 0.3,
        "macrs_share": 0.3,
    },
    "record_to_report": {
        "manual_share": 1.0,
        "accrual_share": 1.0,
        "prepaid_share": 0.5,
        "warranty_share": 0.2,
        "holiday_pay_share": 0.2,
        "budget_growth": 1.0,
    },
    "inventory": {
        "cycle_count_share": 1.0,
        "count_difference_rate": 1.0,
        "count_posting_share": 1.0,
        "scrap_rate": 1.0,
        "write_down_share": 1.0,
    },
    "tax": {"foreign_share": 1.0, "income_tax_rate": 0.6},
}
MAKING = {
    "labour_share": 0.9,
    "overhead_rate": 3.0,
    "scrap_rate": 1.0,
    "usage_deviation": 0.5,
    "time_deviation": 0.9,
}


def any_config(seed: int, number: int) -> dict[str, Any]:
    """The config of that number: every country, frame, currency and length comes up in a few dozen of them."""
    rng = np.random.default_rng([seed, number])

    def one(values: Any) -> Any:
        return values[int(rng.integers(len(values)))]

    countries = sorted(COUNTRIES)
    months = int(one([1, 2, 5, 12, 12, 13, 18, 24, 37, 120]))
    companies = []
    for index in range(int(one([1, 1, 1, 2, 3]))):
        industry, revenue = one(sorted(INDUSTRY_RATES)), int(10 ** rng.uniform(5, 9.5))
        affordable = revenue * MOST_FOR_PEOPLE_PERCENT // 100 // LEAST_PAY
        companies.append(
            {
                "code": f"C{index}",
                "name": f"Company {index}",
                "country": countries[(number + index) % len(countries)],
                "currency": CURRENCIES[(number + 3 * index) % len(CURRENCIES)],
                "industry": industry,
                "annual_revenue": revenue,
                "employees": min(int(10 ** rng.uniform(0, 3.3)), affordable),
                "framework": one(["ifrs", "us_gaap", "hgb", "pcg"]),
                "chart": {"size": one(["small", "medium", "large"])},
            }
        )
    for index, company in enumerate(companies[1:], start=1):  # owned by any company before it, or by nobody
        if rng.random() < 0.8:
            company["parent"] = f"C{int(rng.integers(index))}"
            company["ownership"] = round(float(one([1.0, 0.51, rng.uniform(0.2, 1.0)])), 4)
    processes: dict[str, dict[str, Any]] = {
        section: {
            key: round(float(rng.uniform(0, top)), 3) * int(rng.random() < 0.8)
            for key, top in keys.items()
            if rng.random() < 0.5
        }
        for section, keys in SHARES.items()
    }
    processes["order_to_cash"] |= {
        "write_off_after_days": int(one([60, 180, 365])),
        "dunning_interval_days": int(one([5, 14, 60])),
        "dunning_fee": int(one([0, 25, 1_000])),
    }
    processes["tax"]["income_tax_instalments"] = int(one([0, 1, 4, 12]))
    processes["inventory"] |= {
        "safety_stock_days": int(one([0, 1, 14, 60, 180])),
        "review_months": int(one([1, 3, 5, 12])),
    }
    processes["procure_to_pay"]["gr_ir_clearing_days"] = int(one([30, 90, 365]))
    processes["treasury"] = {
        "max_net_debt_to_ebitda": round(float(rng.uniform(0, 20)), 3),
        "min_equity_ratio": round(float(rng.uniform(0, 1)), 3),
        "min_interest_cover": round(float(rng.uniform(0, 100)), 3),
        "covenant_months": int(rng.integers(1, 13)),
    }
    for company in companies:
        company["loans"] = any_loans(rng, company["annual_revenue"], 2015 + number % 12)
    for section in ("hire_to_retire", "acquire_to_retire", "record_to_report", "tax", "treasury"):
        processes[section]["enabled"] = bool(rng.random() < 0.8)
    if any("parent" in company for company in companies):
        processes["intercompany"] = {
            "share": round(float(rng.uniform(0, 0.5)), 3),
            "markup": round(float(rng.uniform(0, 1)), 3),
        }
    pool_cash(np.random.default_rng([seed, number, 1]), companies, processes["treasury"])
    if rng.random() < 0.5:
        companies[0]["industry"] = "manufacturing"
        processes["manufacturing"] = {
            "made_share": round(float(rng.uniform(0.05, 1)), 3),
            "lot_days": int(one([7, 28, 90])),
            **{
                key: round(float(rng.uniform(0, top)), 3) for key, top in MAKING.items() if rng.random() < 0.5
            },
        }
    processes["procure_to_pay"] |= {
        key: round(float(rng.uniform(low, high)), 4)
        for key, low, high in (("price_trend", -0.05, 0.2), ("price_spread", 0.0, 0.3))
        if rng.random() < 0.5
    }
    costs = ("one standard", "moving_average", "one standard", "new_standard_costs")[number % 4]
    if (
        costs != "one standard"
    ):  # such costs are for those who make no goods, averages for those who trade alone
        processes.pop("manufacturing", None)
    if costs == "new_standard_costs":
        processes["inventory"]["new_standard_costs"] = True
    if costs == "moving_average":
        processes["inventory"]["valuation"] = "moving_average"
        if "intercompany" in processes:
            processes["intercompany"]["enabled"] = False
    pattern, weeks = one(["months", "4-4-5", "4-5-4", "5-4-4"]), {}
    if pattern != "months":
        weeks = {"year_end": one(["nearest", "last"]), "year_end_weekday": one(WEEKDAYS)}
    least = max(10_000, FEWEST_LINES_PER_COMPANY * len(companies))
    lines = max(least, 10 ** rng.uniform(4, 4.9) * 12 / max(months, 12))
    return {
        "version": 1,
        "name": f"any-{number}",
        "seed": int(rng.integers(2**32)),
        "period": {
            "start": f"{2015 + number % 12}-{1 + int(rng.integers(12)):02d}-01",
            "months": months,
            "fiscal_year_start_month": int(rng.integers(1, 13)),
            "calendar": pattern,
            **weeks,
        },
        "group": {"name": "Any", "currency": one(CURRENCIES)},
        "companies": companies,
        "volume": {"journal_lines_per_year": int(lines)},
        "processes": processes,
        "outputs": {"formats": ["parquet"]},
    }


def pool_cash(rng: np.random.Generator, companies: list[dict[str, Any]], treasury: dict[str, Any]) -> None:
    """Let one daughter take its parent's currency and pool its cash, in two groups of three."""
    currencies = {company["code"]: company["currency"] for company in companies}
    owned = [company for company in companies if "parent" in company]
    if owned and rng.random() < 0.67:
        daughter = owned[int(rng.integers(len(owned)))]
        daughter["currency"] = currencies[daughter["parent"]]
        treasury |= {
            "enabled": True,
            "cash_pool": ("month_end", "daily")[int(rng.integers(2))],
            "cash_pool_rate": round(float(rng.uniform(0, 0.3)) * int(rng.random() < 0.8), 4),
        }


def any_loans(rng: np.random.Generator, revenue: int, year: int) -> list[dict[str, Any]]:
    """Loans that began up to ten years before the books or begin up to two years after their first, and outlast that day."""
    loans = []
    for _ in range(int(rng.integers(0, 4))):
        began = int(rng.integers(-120, 24))
        start = f"{year + began // 12}-{1 + began % 12:02d}-{1 + int(rng.integers(28)):02d}"
        loans.append(
            {
                "amount": max(1, int(revenue * rng.uniform(0, 0.33))),
                "rate": round(float(rng.uniform(0, 0.3)) * int(rng.random() < 0.9), 4),
                "start": start,
                "months": min(360, max(1, 13 - began) + int(rng.integers(0, 240))),
                "kind": ["annuity", "linear", "bullet"][int(rng.integers(3))],
                "day_count": ["30/360", "act/360", "act/365"][int(rng.integers(3))],
                "payment_months": int(rng.integers(1, 13)),
            }
        )
    return loans


@pytest.mark.slow
@pytest.mark.parametrize("number", range(CONFIGS))
def test_any_config_makes_books_without_a_violation(number: int, tmp_path: Path) -> None:
    text = json.dumps(any_config(SEED, number))

    make_books(load_config(text), tmp_path)
    report = assess(tmp_path)

    broken = {
        row.id: row.value for row in report.rows if row.kind == "exact" and row.applicable and row.value != 0
    }
    assert broken == {}, text
