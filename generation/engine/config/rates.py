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
    price_trend: float
    price_spread: float
    over_delivery_rate: float
    vendor_return_rate: float
    price_tolerance: float
    dispute_rate: float
    never_invoiced_rate: float
    gr_ir_clearing_days: int
    annual_raise_rate: float
    disposal_rate: float
    acquisition_rate: float
    low_value_share: float
    salvage_share: float
    double_declining_share: float
    sum_of_years_share: float
    macrs_share: float
    manual_share: float
    accrual_share: float
    safety_stock_days: int
    cycle_count_share: float
    count_difference_rate: float
    count_posting_share: float
    scrap_rate: float
    write_down_share: float
    review_months: int
    foreign_share: float
    customer_currency_share: float
    vendor_currency_share: float
    short_payment_rate: float
    on_account_rate: float
    payment_return_rate: float
    write_off_after_days: int
    dunning_interval_days: int
    dunning_fee: int
    dunning_interest_rate: float
    loss_rate_current: float | None
    loss_rate_1_30: float | None
    loss_rate_31_60: float | None
    loss_rate_61_90: float | None
    loss_rate_over_90: float | None
    income_tax_instalments: int
    prepaid_share: float
    warranty_share: float
    holiday_pay_share: float
    budget_growth: float
    contract_share: float
    advance_share: float
    advance_rate: float
    receivable_days: int
    payable_days: int
    posting_lag_days: int
    payout_current_ratio: float


# Our recommendation: returns 3 %, partial shipment 8–10 %,
# discounts taken 25 % in sales,
# 30 % in purchases, never paid 1–2 %, three-way match 95 %, partial receipt 10–15 %, late payment 15 %,
# disposals 5 % a year, manual journals 20 %, accruals 30 %,
# short payments 3 %, payments on account 2 %, returned payments 1 %, reminders after 14, 28 and 42 days,
# receivables open for 45 days and payables for 30, vendors' invoices posted within 3 days,
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
    price_trend=0.0,
    price_spread=0.0,
    over_delivery_rate=0.02,
    vendor_return_rate=0.015,
    price_tolerance=0.02,
    dispute_rate=0.01,
    never_invoiced_rate=0.005,
    gr_ir_clearing_days=1_095,
    annual_raise_rate=0.030,
    disposal_rate=0.05,
    acquisition_rate=0.10,
    low_value_share=0.30,
    salvage_share=0.05,
    double_declining_share=0.15,
    sum_of_years_share=0.05,
    macrs_share=0.10,
    manual_share=0.20,
    accrual_share=0.30,
    safety_stock_days=14,
    cycle_count_share=0.08,
    count_difference_rate=0.15,
    count_posting_share=0.80,
    scrap_rate=0.01,
    write_down_share=0.08,
    review_months=3,
    foreign_share=0.15,
    customer_currency_share=0.0,
    vendor_currency_share=0.0,
    short_payment_rate=0.03,
    on_account_rate=0.02,
    payment_return_rate=0.01,
    write_off_after_days=180,
    dunning_interval_days=14,
    dunning_fee=25,
    dunning_interest_rate=0.09,
    loss_rate_current=None,
    loss_rate_1_30=None,
    loss_rate_31_60=None,
    loss_rate_61_90=None,
    loss_rate_over_90=None,
    income_tax_instalments=4,
    prepaid_share=0.06,
    warranty_share=0.005,
    holiday_pay_share=0.04,
    budget_growth=0.03,
    contract_share=0.0,
    advance_share=0.0,
    advance_rate=0.3,
    receivable_days=45,
    payable_days=30,
    posting_lag_days=3,
    payout_current_ratio=1.25,
)
INDUSTRY_RATES: Final[dict[str, Rates]] = {
    "manufacturing": _MANUFACTURING,
    "retail": replace(
        _MANUFACTURING,
        warranty_share=0.003,
        return_rate=0.06,
        customer_late_payment_share=0.08,
        partial_shipment_rate=0.05,
        customer_cash_discount_share=0.10,
        safety_stock_days=21,
        foreign_share=0.05,
        receivable_days=30,
        payable_days=35,
        payout_current_ratio=1.15,
    ),
    "services": replace(
        _MANUFACTURING,
        warranty_share=0.0,
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
        warranty_share=0.004,
        return_rate=0.02,
        customer_late_payment_share=0.12,
        annual_raise_rate=0.04,
        disposal_rate=0.08,
        safety_stock_days=10,
        foreign_share=0.25,
        receivable_days=50,
        payable_days=35,
        payout_current_ratio=1.1,
    ),
    "financial_services": replace(
        _MANUFACTURING,
        warranty_share=0.0,
        return_rate=0.005,
        customer_late_payment_share=0.05,
        partial_shipment_rate=0.02,
        never_paid_rate=0.005,
        manual_share=0.25,
        accrual_share=0.40,
        safety_stock_days=7,
        receivable_days=30,
    ),
    "healthcare": replace(
        _MANUFACTURING,
        warranty_share=0.0,
        return_rate=0.02,
        customer_late_payment_share=0.25,
        never_paid_rate=0.020,
        safety_stock_days=28,
        foreign_share=0.03,
        receivable_days=50,
        payable_days=35,
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
    "price_trend": ("procure_to_pay", "price_trend"),
    "price_spread": ("procure_to_pay", "price_spread"),
    "over_delivery_rate": ("procure_to_pay", "over_delivery_rate"),
    "vendor_return_rate": ("procure_to_pay", "vendor_return_rate"),
    "price_tolerance": ("procure_to_pay", "price_tolerance"),
    "dispute_rate": ("procure_to_pay", "dispute_rate"),
    "never_invoiced_rate": ("procure_to_pay", "never_invoiced_rate"),
    "gr_ir_clearing_days": ("procure_to_pay", "gr_ir_clearing_days"),
    "annual_raise_rate": ("hire_to_retire", "annual_raise_rate"),
    "disposal_rate": ("acquire_to_retire", "disposal_rate"),
    "acquisition_rate": ("acquire_to_retire", "acquisition_rate"),
    "low_value_share": ("acquire_to_retire", "low_value_share"),
    "salvage_share": ("acquire_to_retire", "salvage_share"),
    "double_declining_share": ("acquire_to_retire", "double_declining_share"),
    "sum_of_years_share": ("acquire_to_retire", "sum_of_years_share"),
    "macrs_share": ("acquire_to_retire", "macrs_share"),
    "manual_share": ("record_to_report", "manual_share"),
    "accrual_share": ("record_to_report", "accrual_share"),
    "safety_stock_days": ("inventory", "safety_stock_days"),
    "cycle_count_share": ("inventory", "cycle_count_share"),
    "count_difference_rate": ("inventory", "count_difference_rate"),
    "count_posting_share": ("inventory", "count_posting_share"),
    "scrap_rate": ("inventory", "scrap_rate"),
    "write_down_share": ("inventory", "write_down_share"),
    "review_months": ("inventory", "review_months"),
    "foreign_share": ("tax", "foreign_share"),
    "customer_currency_share": ("order_to_cash", "foreign_currency_share"),
    "vendor_currency_share": ("procure_to_pay", "foreign_currency_share"),
    "short_payment_rate": ("order_to_cash", "short_payment_rate"),
    "on_account_rate": ("order_to_cash", "on_account_rate"),
    "payment_return_rate": ("order_to_cash", "payment_return_rate"),
    "write_off_after_days": ("order_to_cash", "write_off_after_days"),
    "dunning_interval_days": ("order_to_cash", "dunning_interval_days"),
    "dunning_fee": ("order_to_cash", "dunning_fee"),
    "dunning_interest_rate": ("order_to_cash", "dunning_interest_rate"),
    "loss_rate_current": ("order_to_cash", "loss_rate_current"),
    "loss_rate_1_30": ("order_to_cash", "loss_rate_1_30"),
    "loss_rate_31_60": ("order_to_cash", "loss_rate_31_60"),
    "loss_rate_61_90": ("order_to_cash", "loss_rate_61_90"),
    "loss_rate_over_90": ("order_to_cash", "loss_rate_over_90"),
    "income_tax_instalments": ("tax", "income_tax_instalments"),
    "prepaid_share": ("record_to_report", "prepaid_share"),
    "warranty_share": ("record_to_report", "warranty_share"),
    "holiday_pay_share": ("record_to_report", "holiday_pay_share"),
    "budget_growth": ("record_to_report", "budget_growth"),
    "contract_share": ("order_to_cash", "contract_share"),
    "advance_share": ("order_to_cash", "advance_share"),
    "advance_rate": ("order_to_cash", "advance_rate"),
    "receivable_days": ("order_to_cash", "receivable_days"),
    "payable_days": ("procure_to_pay", "payable_days"),
    "posting_lag_days": ("procure_to_pay", "posting_lag_days"),
    "payout_current_ratio": ("treasury", "payout_current_ratio"),
}

# Shares of depreciation methods; straight line is what they leave.
METHOD_SHARES: Final = ("double_declining_share", "sum_of_years_share", "macrs_share")
_WITHOUT_SALVAGE: Final = ("hgb", "pcg")


def rates_of(config: Config, company: Company) -> Rates:
    """The rates that the books of this company follow."""
    given = _given(config.processes)
    usual = INDUSTRY_RATES[company.industry]
    if company.country != "US":
        usual = replace(usual, macrs_share=0.0)
    if company.framework in _WITHOUT_SALVAGE:
        usual = replace(usual, salvage_share=0.0)
    stock = config.processes.inventory
    if stock.valuation == "moving_average" or stock.new_standard_costs:
        usual = replace(usual, price_trend=0.02, price_spread=0.03)  # our recommendation
    # methods that are not given share what the given ones leave
    left = 1.0 - sum(given.get(name, 0.0) for name in METHOD_SHARES)
    open_shares = {name: getattr(usual, name) for name in METHOD_SHARES if name not in given}
    scale = min(1.0, max(left, 0.0) / sum(open_shares.values())) if any(open_shares.values()) else 1.0
    return replace(usual, **{name: share * scale for name, share in open_shares.items()}, **given)


def _given(processes: Processes) -> dict[str, Any]:
    values = {field.name: _value(processes, *PLACES[field.name]) for field in fields(Rates)}
    return {name: value for name, value in values.items() if value is not None}


def _value(processes: Processes, section: str, key: str) -> float | None:
    value: float | None = getattr(getattr(processes, section), key)
    return value
