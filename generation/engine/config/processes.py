"""The processes of a company and their rates. A rate left out takes the default of the company's industry."""

from typing import Annotated, Literal

from pydantic import Field

from generation.engine.config.fields import Section, key
from generation.engine.config.production import Production
from generation.engine.config.receivables import Receivables

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


class OrderToCash(Receivables, Process):
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
            "How often a customer invoice is never paid; it stays open until it is written off.",
            unit="share of customer invoices",
            source=INDUSTRY,
            ge=0,
            le=0.2,
        ),
    ] = None
    contract_share: Annotated[
        float | None,
        key(
            "How much of the revenue comes from service contracts, invoiced for a year or a quarter ahead and earned month by month.",
            unit="share of revenue",
            source="none unless asked for",
            ge=0,
            le=0.5,
        ),
    ] = None
    advance_share: Annotated[
        float | None,
        key(
            "How many orders for goods are paid in part before the delivery; tax is due with the money where the country asks for it.",
            unit="share of orders in the company's currency",
            source="none unless asked for",
            ge=0,
            le=1,
        ),
    ] = None
    advance_rate: Annotated[
        float | None,
        key(
            "How much of the first delivery a down payment covers.",
            unit="share of the net amount of its invoice",
            source="our recommendation: 30 %",
            ge=0.01,
            le=0.9,
        ),
    ] = None
    receivable_days: Annotated[
        int | None,
        key(
            "Days for which customer invoices stay open on average; the customers' terms follow from it.",
            unit="days",
            source=INDUSTRY,
            ge=10,
            le=75,
        ),
    ] = None
    foreign_currency_share: Annotated[
        float | None,
        key(
            "How many customers abroad order, are invoiced and pay in the currency of their country; `tax.foreign_share` says how many are "
            "abroad.",
            unit="share of customers abroad",
            source="off: trade is in the company's own currency",
            ge=0,
            le=1,
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
    posting_lag_days: Annotated[
        int | None,
        key(
            "Within how many days of its date an invoice of a vendor is posted, in the next month now and then; it falls due by its date.",
            unit="days",
            source="our recommendation: 3",
            ge=0,
            le=14,
        ),
    ] = None
    payable_days: Annotated[
        int | None,
        key(
            "Days for which vendor invoices stay open on average; the vendors' terms follow from it.",
            unit="days",
            source=INDUSTRY,
            ge=10,
            le=75,
        ),
    ] = None
    foreign_currency_share: Annotated[
        float | None,
        key(
            "How many vendors abroad are ordered from and paid in the currency of their country; `tax.foreign_share` says how many are "
            "abroad.",
            unit="share of vendors abroad",
            source="off: trade is in the company's own currency",
            ge=0,
            le=1,
        ),
    ] = None
    price_trend: Annotated[
        float | None,
        key(
            "By how much vendors' prices rise in a year, of those on the first day.",
            unit="share of the first day's price per year",
            source="our recommendation: 2 % where stock follows prices (moving averages, new standard costs), else prices stay",
            ge=-0.05,
            le=0.2,
        ),
    ] = None
    price_spread: Annotated[
        float | None,
        key(
            "How far the price of an order may be off the trend, in either direction.",
            unit="share of the first day's price",
            source="our recommendation: 3 % where stock follows prices (moving averages, new standard costs), else prices stay",
            ge=0,
            le=0.3,
        ),
    ] = None
    over_delivery_rate: Annotated[
        float | None,
        key(
            "How often a vendor delivers more than was ordered, 1 to 10 %; the surplus stays in stock and is paid.",
            unit="share of purchase orders",
            source="our recommendation: 2 %",
            ge=0,
            le=1,
        ),
    ] = None
    vendor_return_rate: Annotated[
        float | None,
        key(
            "How often part of a receipt goes back to the vendor, who replaces and credits it, where time allows.",
            unit="share of purchase orders",
            source="our recommendation: 1.5 %",
            ge=0,
            le=0.5,
        ),
    ] = None
    price_tolerance: Annotated[
        float | None,
        key(
            "How far an invoice may be off the order's price; beyond it the invoice is blocked until it is released.",
            unit="share of the order's price",
            source="our recommendation: 2 %",
            ge=0,
            le=0.05,
        ),
    ] = None
    dispute_rate: Annotated[
        float | None,
        key(
            "How many vendor invoices are disputed: they are blocked, and paid one to four months after the due date.",
            unit="share of vendor invoices",
            source="our recommendation: 1 %",
            ge=0,
            le=0.2,
        ),
    ] = None
    never_invoiced_rate: Annotated[
        float | None,
        key(
            "How many goods receipts the vendor never invoices.",
            unit="share of goods receipts",
            source="our recommendation: 0.5 %",
            ge=0,
            le=0.2,
        ),
    ] = None
    gr_ir_clearing_days: Annotated[
        int | None,
        key(
            "After how many days goods that were never invoiced are taken off the clearing account, at a month's end.",
            unit="days",
            source="three years, after which such debts lapse (German Civil Code, sections 195 and 199): our recommendation",
            ge=30,
            le=1_200,
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
    low_value_share: Annotated[
        float | None,
        key(
            "How many purchases are low-value assets, expensed at once, where the country's law has a limit for them.",
            unit="share of asset purchases",
            source="our recommendation: 30 %; the limit stands in the country pack",
            ge=0,
            le=0.9,
        ),
    ] = None
    salvage_share: Annotated[
        float | None,
        key(
            "How much of its cost an asset is worth at the end of its life, and is not depreciated.",
            unit="share of cost",
            source="our recommendation: 5 %; none under hgb and pcg, where assets are written off in full",
            ge=0,
            le=0.5,
        ),
    ] = None
    double_declining_share: Annotated[
        float | None,
        key(
            "How many assets are depreciated by double declining balance. What the shares leave is straight line.",
            unit="share of assets",
            source="our recommendation: straight line 70 %, declining balance 15 %, MACRS 10 %, digits 5 %",
            ge=0,
            le=1,
        ),
    ] = None
    sum_of_years_share: Annotated[
        float | None,
        key(
            "How many assets are depreciated by the sum of the years' digits.",
            unit="share of assets",
            source="our recommendation: 5 %",
            ge=0,
            le=1,
        ),
    ] = None
    macrs_share: Annotated[
        float | None,
        key(
            "How many assets are depreciated by the MACRS tables of the United States, half-year convention.",
            unit="share of assets",
            source="our recommendation: 10 % in the United States, none elsewhere",
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
    prepaid_share: Annotated[
        float | None,
        key(
            "How much of the overhead is insurance and rent paid ahead, for a year and a quarter, and released month by month.",
            unit="share of the overhead",
            source="our recommendation: 6 %",
            ge=0,
            le=0.5,
        ),
    ] = None
    warranty_share: Annotated[
        float | None,
        key(
            "How much is put aside for warranties; four fifths are claimed within a year, the rest is released.",
            unit="share of revenue",
            source=INDUSTRY,
            ge=0,
            le=0.2,
        ),
    ] = None
    holiday_pay_share: Annotated[
        float | None,
        key(
            "How much is put aside for holidays not yet taken; used in August and December.",
            unit="share of gross pay",
            source="our recommendation: 4 %",
            ge=0,
            le=0.2,
        ),
    ] = None
    budget_growth: Annotated[
        float | None,
        key(
            "By how much the budget of a month exceeds the same month of the year before; the first year has a plan.",
            unit="share of the year before",
            source="our recommendation: 3 %",
            ge=-0.5,
            le=1,
        ),
    ] = None


class Inventory(Process):
    """Stock of materials, moved by receipts, deliveries, returns, counts and scrap only."""

    valuation: Annotated[
        Literal["standard", "moving_average"],
        key(
            "What stock is worth: a standard cost, with price variances in the result, or the moving average of what was paid for it. "
            "Averages are for companies that trade: not with manufacturing, nor with trade between companies of a group.",
            unit="method",
            source="our recommendation: standard cost; IFRS, US GAAP, HGB and PCG allow both",
        ),
    ] = "standard"
    new_standard_costs: Annotated[
        bool,
        key(
            "Whether standard costs follow prices: they are set anew on the first day of each fiscal year after the books' first, and the "
            "stock of that day is revalued. For companies without production orders.",
            unit="yes or no",
            source="our recommendation: one standard cost for the whole period",
        ),
    ] = False
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
    cycle_count_share: Annotated[
        float | None,
        key(
            "How many materials are counted at each month's end.",
            unit="share of materials",
            source="our recommendation: 8 %, about once a year",
            ge=0,
            le=1,
        ),
    ] = None
    count_difference_rate: Annotated[
        float | None,
        key(
            "How often a count finds another quantity than the books.",
            unit="share of counts",
            source="our recommendation: 15 %",
            ge=0,
            le=1,
        ),
    ] = None
    count_posting_share: Annotated[
        float | None,
        key(
            "How many differences are posted; the others are left to the next count.",
            unit="share of differences",
            source="our recommendation: 80 %",
            ge=0,
            le=1,
        ),
    ] = None
    scrap_rate: Annotated[
        float | None,
        key(
            "How often some of a material is thrown away at a month's end.",
            unit="share of materials per month",
            source="our recommendation: 1 %",
            ge=0,
            le=1,
        ),
    ] = None
    write_down_share: Annotated[
        float | None,
        key(
            "How many materials will bring less than they cost and are written down.",
            unit="share of materials",
            source="our recommendation: 8 %",
            ge=0,
            le=1,
        ),
    ] = None
    review_months: Annotated[
        int | None,
        key(
            "After how many months of the fiscal year stock is compared with what it will bring: 3 at each quarter's "
            "end, 12 at the year's end only. The year's end always counts.",
            unit="months",
            source="our recommendation: quarterly",
            ge=1,
            le=12,
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
    income_tax_rate: Annotated[
        float | None,
        key(
            "Tax on the result of a fiscal year, current and deferred.",
            unit="share of the taxable result",
            source="the law of the company's country, in its pack",
            ge=0,
            le=0.6,
        ),
    ] = None
    income_tax_instalments: Annotated[
        int | None,
        key(
            "Instalments on the income tax during a fiscal year, each that part of the year before's tax; "
            "the balance follows five months after the year's end.",
            unit="instalments per year",
            source="our recommendation: quarterly",
            ge=0,
            le=12,
        ),
    ] = None


class Manufacturing(Production, Process):
    """Goods made from components by production orders, in companies of the industry manufacturing."""


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


CashPool = Literal["none", "month_end", "daily"]


class Treasury(Process):
    """Loans of the companies with banks, the covenants that they are bound to, the cash pools of groups, and dividends."""

    cash_pool: Annotated[
        CashPool,
        key(
            "When companies of a group with the same currency bring their bank accounts to zero: what is there goes to the account of "
            "the highest of them, which lends them what they lack in place of credit lines of their own. Other currencies have pools of "
            "their own.",
            unit="word",
            source="our recommendation: no pool",
        ),
    ] = "none"
    cash_pool_rate: Annotated[
        float,
        key(
            "Interest of a year that the head of a pool pays for what it holds of the others, and gets for what it lends them.",
            unit="share of the balance",
            source="our recommendation: 4 %, below the credit line, as between companies at arm's length",
            ge=0,
            le=0.3,
        ),
    ] = 0.04

    payout_current_ratio: Annotated[
        float | None,
        key(
            "Owners take out of each year's profit what lifts current assets over current liabilities above this, and "
            "the books of a company without a parent open with a credit line drawn to it; 0 does neither. Retained "
            "earnings, covenants and 30 % of the balance sheet as equity bound both.",
            unit="current assets over current liabilities",
            source=INDUSTRY,
            ge=0,
            le=20,
        ),
    ] = None

    max_net_debt_to_ebitda: Annotated[
        float,
        key(
            "Highest net debt that loans allow: debt less cash over a year's result before interest, tax and depreciation.",
            unit="years of that result",
            source="our recommendation",
            ge=0,
            le=20,
        ),
    ] = 3.5
    min_equity_ratio: Annotated[
        float,
        key(
            "Lowest equity that loans allow.",
            unit="share of the balance sheet's total",
            source="our recommendation",
            ge=0,
            le=1,
        ),
    ] = 0.2
    min_interest_cover: Annotated[
        float,
        key(
            "How often a year's result before interest, tax and depreciation must cover its interest.",
            unit="times",
            source="our recommendation",
            ge=0,
            le=100,
        ),
    ] = 3.0
    covenant_months: Annotated[
        int,
        key(
            "After how many months of the fiscal year covenants are tested; the year's end always counts.",
            unit="months",
            source="our recommendation: quarterly",
            ge=1,
            le=12,
        ),
    ] = 3


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
    manufacturing: Manufacturing = Field(
        default=Manufacturing(enabled=False),
        description="Production orders, work in progress and variances of manufacturers. Off unless this section is there.",
    )
    intercompany: Intercompany = Field(
        default=Intercompany(), description="Trade between companies that belong to the same parent."
    )
    treasury: Treasury = Field(
        default=Treasury(),
        description="Loans that companies have with banks, their covenants, and cash pools of groups.",
    )
