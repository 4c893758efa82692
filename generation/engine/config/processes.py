"""The processes of a company and their rates. A rate left out takes the default of the company's industry."""

from typing import Annotated

from pydantic import Field

from generation.engine.config.fields import Section, key

INDUSTRY = "the company's industry"
ALWAYS = "a process runs unless it is switched off"


class Process(Section):
    enabled: Annotated[
        bool,
        key(
            "Whether the process runs; its documents, journal lines and master data vanish when false.",
            unit="yes or no",
            source=ALWAYS,
        ),
    ] = True


class OrderToCash(Process):
    """Sales orders, deliveries, customer invoices, credit notes and receipts."""

    return_rate: Annotated[
        float | None,
        key(
            "How often a delivered invoice is followed by goods coming back and a credit note.",
            unit="share of customer invoices",
            source=INDUSTRY,
            ge=0,
            le=0.5,
        ),
    ] = None
    late_payment_share: Annotated[
        float | None,
        key(
            "How often customers pay after the due date; fills the overdue buckets of the open items.",
            unit="share of customer invoices",
            source=INDUSTRY,
            ge=0,
            le=1,
        ),
    ] = None
    partial_shipment_rate: Annotated[
        float | None,
        key(
            "How often a sales order leaves in two deliveries instead of one.",
            unit="share of sales orders",
            source=INDUSTRY,
            ge=0,
            le=1,
        ),
    ] = None
    cash_discount_share: Annotated[
        float | None,
        key(
            "How often customers whose terms offer a cash discount pay early and deduct it.",
            unit="share of invoices with discount terms",
            source=INDUSTRY,
            ge=0,
            le=1,
        ),
    ] = None
    never_paid_rate: Annotated[
        float | None,
        key(
            "How often a customer invoice is never paid; it stays open to the end of the data.",
            unit="share of customer invoices",
            source=INDUSTRY,
            ge=0,
            le=0.2,
        ),
    ] = None


class ProcureToPay(Process):
    """Purchase orders, goods receipts, vendor invoices and payments."""

    three_way_match_rate: Annotated[
        float | None,
        key(
            "How often order, receipt and invoice agree; the rest is invoiced at another price than ordered.",
            unit="share of vendor invoices with an order",
            source=INDUSTRY,
            ge=0,
            le=1,
        ),
    ] = None
    partial_receipt_rate: Annotated[
        float | None,
        key(
            "How often a purchase order arrives in two goods receipts instead of one.",
            unit="share of purchase orders",
            source=INDUSTRY,
            ge=0,
            le=1,
        ),
    ] = None
    late_payment_share: Annotated[
        float | None,
        key(
            "How often the company pays its vendors after the due date.",
            unit="share of vendor invoices",
            source=INDUSTRY,
            ge=0,
            le=1,
        ),
    ] = None
    cash_discount_share: Annotated[
        float | None,
        key(
            "How often the company pays early and deducts the cash discount that the vendor's terms offer.",
            unit="share of invoices with discount terms",
            source=INDUSTRY,
            ge=0,
            le=1,
        ),
    ] = None


class HireToRetire(Process):
    """Employees' pay: monthly payroll runs, wage tax, social security."""

    annual_raise_rate: Annotated[
        float | None,
        key(
            "By how much salaries rise each January.",
            unit="share of salary per year",
            source=INDUSTRY,
            ge=0,
            le=0.5,
        ),
    ] = None


class AcquireToRetire(Process):
    """Fixed assets: acquisitions, depreciation, disposals."""

    disposal_rate: Annotated[
        float | None,
        key(
            "How many of the assets are sold or scrapped.",
            unit="share of assets per year",
            source=INDUSTRY,
            ge=0,
            le=0.5,
        ),
    ] = None
    acquisition_rate: Annotated[
        float | None,
        key(
            "How much is invested.",
            unit="share of opening acquisition cost bought per year",
            source=INDUSTRY,
            ge=0,
            le=1,
        ),
    ] = None


class RecordToReport(Process):
    """Journals of the accounting department: accruals with reversals, reclassifications, bank charges."""

    manual_share: Annotated[
        float | None,
        key(
            "How many of these journals a person enters by hand (source `manual`), not a recurring run.",
            unit="share of record-to-report journals",
            source=INDUSTRY,
            ge=0,
            le=1,
        ),
    ] = None
    accrual_share: Annotated[
        float | None,
        key(
            "How many of these journals are month-end accruals, reversed on the first day of the next month.",
            unit="share of record-to-report journals",
            source=INDUSTRY,
            ge=0,
            le=1,
        ),
    ] = None


class Inventory(Process):
    """Stock of materials, moved by receipts, deliveries and returns only."""

    safety_stock_days: Annotated[
        int | None,
        key(
            "For how many days of sales the stock lasts without a new receipt; raises stock and its value.",
            unit="days",
            source=INDUSTRY,
            ge=0,
            le=180,
        ),
    ] = None


class Tax(Process):
    """Value added tax or sales tax on documents, and its settlement with the authority."""

    foreign_share: Annotated[
        float | None,
        key(
            "How many customers and vendors are abroad; their documents are zero-rated.",
            unit="share of customers and vendors",
            source=INDUSTRY,
            ge=0,
            le=1,
        ),
    ] = None


class Manufacturing(Process):
    """Goods made from materials by production orders."""


class Intercompany(Process):
    """Trade between the companies of a group, and its elimination."""

    share: Annotated[
        float,
        key(
            "How much the companies of a group sell to each other, at most 30 % of the smaller partner's revenue for a pair.",
            unit="share of the revenue of all companies of the group",
            source="our recommendation: 5–15 %",
            ge=0,
            le=0.5,
        ),
    ] = 0.1
    markup: Annotated[
        float,
        key(
            "What the seller adds to its cost: transfer prices, and the profit that stays in stock until it is used.",
            unit="share of cost",
            source="our recommendation",
            ge=0,
            le=1,
        ),
    ] = 0.05


class Treasury(Process):
    """Loans, cash pooling, hedges."""


class Processes(Section):
    order_to_cash: OrderToCash = Field(
        default=OrderToCash(),
        description="Sales, from the order to the customer's money. Needs procure_to_pay and inventory.",
    )
    procure_to_pay: ProcureToPay = Field(
        default=ProcureToPay(),
        description="Purchasing, from the order to the payment. Needs order_to_cash and inventory.",
    )
    hire_to_retire: HireToRetire = Field(default=HireToRetire(), description="Pay of the employees.")
    acquire_to_retire: AcquireToRetire = Field(default=AcquireToRetire(), description="Fixed assets.")
    record_to_report: RecordToReport = Field(
        default=RecordToReport(),
        description="Journals of the accounting department. The close of the books always runs.",
    )
    inventory: Inventory = Field(
        default=Inventory(), description="Stock and its movements. Needs order_to_cash and procure_to_pay."
    )
    tax: Tax = Field(default=Tax(), description="Tax on sales and purchases.")
    manufacturing: Annotated[
        Manufacturing,
        key(
            "Production orders and work in progress.",
            unit="section",
            source="off until it exists",
            unavailable="this release does not make production orders",
        ),
    ] = Manufacturing(enabled=False)
    intercompany: Intercompany = Field(
        default=Intercompany(), description="Trade between companies that belong to the same parent."
    )
    treasury: Annotated[
        Treasury,
        key(
            "Loans, cash pooling and hedges.",
            unit="section",
            source="off until it exists",
            unavailable="this release has no treasury",
        ),
    ] = Treasury(enabled=False)
