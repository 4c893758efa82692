"""The rates that hold for one company: what the config says, else the default of the company's industry."""

from dataclasses import dataclass, fields, replace
from typing import Any, Final

from generation.engine.config.company import Company
from generation.engine.config.model import Config
from generation.engine.config.processes import Processes


@dataclass(frozen=True, slots=True)
class Rates:
    """Every rate of every process, resolved. Units and ranges as in processes.py."""

    return_rate: float
    customer_late_payment_share: float
    partial_shipment_rate: float
    customer_cash_discount_share: float
    never_paid_rate: float
    three_way_match_rate: float
    partial_receipt_rate: float
    vendor_late_payment_share: float
    vendor_cash_discount_share: float
    annual_raise_rate: float
    disposal_rate: float
    acquisition_rate: float
    manual_share: float
    accrual_share: float
    safety_stock_days: int
    foreign_share: float


# Our recommendation: returns 3 %, partial shipment 8–10 %,
# discounts taken 25 % in sales,
# 30 % in purchases, never paid 1–2 %, three-way match 95 %, partial receipt 10–15 %, late payment 15 %,
# disposals 5 % a year, manual journals 20 %, accruals 30 %,
# and the differences between industries.
_MANUFACTURING: Final = Rates(
    return_rate=0.03,
    customer_late_payment_share=0.15,
    partial_shipment_rate=0.09,
    customer_cash_discount_share=0.25,
    never_paid_rate=0.010,
    three_way_match_rate=0.95,
    partial_receipt_rate=0.12,
    vendor_late_payment_share=0.15,
    vendor_cash_discount_share=0.30,
    annual_raise_rate=0.030,
    disposal_rate=0.05,
    acquisition_rate=0.10,
    manual_share=0.20,
    accrual_share=0.30,
    safety_stock_days=14,
    foreign_share=0.15,
)
INDUSTRY_RATES: Final[dict[str, Rates]] = {
    "manufacturing": _MANUFACTURING,
    "retail": replace(
        _MANUFACTURING,
        return_rate=0.06,
        customer_late_payment_share=0.08,
        partial_shipment_rate=0.05,
        customer_cash_discount_share=0.10,
        safety_stock_days=21,
        foreign_share=0.05,
    ),
    "services": replace(
        _MANUFACTURING,
        return_rate=0.01,
        customer_late_payment_share=0.18,
        partial_shipment_rate=0.03,
        customer_cash_discount_share=0.15,
        partial_receipt_rate=0.06,
        safety_stock_days=7,
        foreign_share=0.08,
    ),
    "technology": replace(
        _MANUFACTURING,
        return_rate=0.02,
        customer_late_payment_share=0.12,
        annual_raise_rate=0.04,
        disposal_rate=0.08,
        acquisition_rate=0.18,
        safety_stock_days=10,
        foreign_share=0.25,
    ),
    "financial_services": replace(
        _MANUFACTURING,
        return_rate=0.005,
        customer_late_payment_share=0.05,
        partial_shipment_rate=0.02,
        never_paid_rate=0.005,
        manual_share=0.25,
        accrual_share=0.40,
        safety_stock_days=7,
    ),
    "healthcare": replace(
        _MANUFACTURING,
        return_rate=0.02,
        customer_late_payment_share=0.25,
        never_paid_rate=0.020,
        safety_stock_days=28,
        foreign_share=0.03,
    ),
}

# Where a rate stands in the config: section and key of `processes`.
PLACES: Final[dict[str, tuple[str, str]]] = {
    "return_rate": ("order_to_cash", "return_rate"),
    "customer_late_payment_share": ("order_to_cash", "late_payment_share"),
    "partial_shipment_rate": ("order_to_cash", "partial_shipment_rate"),
    "customer_cash_discount_share": ("order_to_cash", "cash_discount_share"),
    "never_paid_rate": ("order_to_cash", "never_paid_rate"),
    "three_way_match_rate": ("procure_to_pay", "three_way_match_rate"),
    "partial_receipt_rate": ("procure_to_pay", "partial_receipt_rate"),
    "vendor_late_payment_share": ("procure_to_pay", "late_payment_share"),
    "vendor_cash_discount_share": ("procure_to_pay", "cash_discount_share"),
    "annual_raise_rate": ("hire_to_retire", "annual_raise_rate"),
    "disposal_rate": ("acquire_to_retire", "disposal_rate"),
    "acquisition_rate": ("acquire_to_retire", "acquisition_rate"),
    "manual_share": ("record_to_report", "manual_share"),
    "accrual_share": ("record_to_report", "accrual_share"),
    "safety_stock_days": ("inventory", "safety_stock_days"),
    "foreign_share": ("tax", "foreign_share"),
}


def rates_of(config: Config, company: Company) -> Rates:
    """The rates that the books of this company follow."""
    return replace(INDUSTRY_RATES[company.industry], **_given(config.processes))


def _given(processes: Processes) -> dict[str, Any]:
    values = {field.name: _value(processes, *PLACES[field.name]) for field in fields(Rates)}
    return {name: value for name, value in values.items() if value is not None}


def _value(processes: Processes, section: str, key: str) -> float | None:
    value: float | None = getattr(getattr(processes, section), key)
    return value
