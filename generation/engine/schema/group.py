"""Declarations of what the companies of a group do with each other, and of the group's own statements."""

from generation.engine.schema.declaration import (
    Column,
    Table,
    code,
    company,
    count,
    day,
    document_money,
    key,
    line_key,
    money,
    reference,
)

_YEAR = Column(
    "fiscal_year", "int16", "Fiscal year, named after the calendar year in which it ends.", role="timestamp"
)
_PERIOD = Column("period", "int16", "Fiscal period 1 to 12.", role="timestamp")
_PARENT = reference("parent_company_code", "companies", "company_code", "Parent at the top of the group.")
_PARTNER = reference("partner_company_code", "companies", "company_code", "Sister company.")
_SELLER = reference("seller", "companies", "company_code", "Company that sells.")
_BUYER = reference("buyer", "companies", "company_code", "Company that buys.")
_DOCUMENT = "intercompany_documents"


def _group_money(name: str, description: str) -> Column:
    return Column(name, "money", description, unit="group currency", role="measure")


def _rate(description: str, *, nullable: bool = False) -> Column:
    return Column("rate", "exchange", description, nullable=nullable, role="measure")


def _other_document(name: str, description: str) -> Column:
    return reference(name, _DOCUMENT, "document_id", description, kind="ref")


TABLES = (
    Table(
        "dividend_receipts",
        "Dividends of subsidiaries",
        "The parent's part of what its subsidiaries pay out, in the parent's books.",
        ("document_id",),
        (
            key("document_id", "Receipt."),
            company(),
            reference("partner_company_code", "companies", "company_code", "Subsidiary that pays."),
            reference("dividend_id", "dividends", "document_id", "Dividend of the subsidiary.", kind="ref"),
            day("posting_date", "Day of posting, the same on both sides."),
            code("currency", "Currency of the dividend: that of the subsidiary, ISO 4217."),
            document_money("dividend_amount", "The parent's part of it, rounded down, in that currency."),
            Column(
                "exchange_rate", "exchange", "Company currency per currency of the dividend.", role="measure"
            ),
            money("amount", "The same in company currency at the rate of the day."),
            reference("bank_account_id", "bank_accounts", "bank_account_id", "Account that takes the money."),
        ),
    ),
    Table(
        "fx_rates",
        "Exchange rates",
        "Rates between the currencies of the companies and the group: every working day, month averages and month ends.",
        ("currency_from", "currency_to", "date", "kind"),
        (
            key("currency_from", "Currency of one unit, ISO 4217.", "code"),
            key("currency_to", "Currency in which it is expressed, ISO 4217.", "code"),
            Column("date", "date", "Day; of averages and closing rates the month's last day.", role="key"),
            key("kind", "spot, average (mean of the month's spot rates) or closing.", "code"),
            _rate("Units of currency_to for one unit of currency_from."),
        ),
    ),
    Table(
        _DOCUMENT,
        "Intercompany invoices",
        "Invoices between companies of the group, once in the books of either side.",
        ("document_id",),
        (
            key("document_id", "Invoice in the books of this company."),
            company(),
            _PARTNER,
            code("side", "sale or purchase."),
            code("kind", "goods or services."),
            day("posting_date", "Day of posting, the same on both sides."),
            day("due_date", "Day of the settlement between the two."),
            code("currency", "Currency of the invoice: that of the seller, ISO 4217."),
            document_money("amount", "Amount in the currency of the invoice."),
            Column(
                "exchange_rate", "exchange", "Company currency per currency of the invoice.", role="measure"
            ),
            money("posted_amount", "Amount in company currency at the rate of the day."),
            Column(
                "pair_id",
                "ref",
                "Pair of the two sides.",
                role="foreign_key",
                references=("intercompany_pairs", "pair_id"),
            ),
        ),
    ),
    Table(
        "intercompany_document_lines",
        "Intercompany invoice lines",
        "What was sold to a sister company; goods with their price.",
        ("document_id", "line_number"),
        (
            *line_key(_DOCUMENT),
            company(),
            reference(
                "material_id",
                "materials",
                "material_id",
                "Material in the buyer's books; null for services.",
                nullable=True,
            ),
            count("quantity", "Quantity.", "pieces"),
            document_money("unit_price", "Transfer price of one piece."),
            document_money("amount", "Quantity times price."),
        ),
    ),
    Table(
        "intercompany_pairs",
        "Intercompany pairs",
        "The two sides of every sale between companies of the group.",
        ("pair_id",),
        (
            key("pair_id", "Pair."),
            _SELLER,
            _BUYER,
            code("kind", "goods or services."),
            _other_document("seller_document_id", "Invoice in the seller's books."),
            _other_document("buyer_document_id", "Invoice in the buyer's books."),
            code("currency", "Currency of the invoice, ISO 4217."),
            document_money("amount", "Amount of the invoice."),
            document_money("cost_amount", "Cost to which the markup was added, half up."),
            Column("markup", "rate", "Transfer pricing markup on cost.", unit="fraction", role="measure"),
            _YEAR,
            _PERIOD,
        ),
    ),
    Table(
        "intercompany_payments",
        "Intercompany settlements",
        "Monthly payment of a month's invoices between two companies, once in the books of either side.",
        ("document_id",),
        (
            key("document_id", "Payment in the books of this company."),
            company(),
            _PARTNER,
            code("side", "receipt or payment."),
            day("payment_date", "Day of payment, the same on both sides."),
            code("currency", "Currency of the invoices that it clears, ISO 4217."),
            document_money("amount", "Amount in that currency."),
            Column("exchange_rate", "exchange", "Company currency per that currency.", role="measure"),
            money("posted_amount", "Money moved, in company currency."),
            money("cleared_amount", "What the invoices were posted at, in company currency."),
            money("fx_result", "Realised exchange gain; negative for a loss."),
            reference("bank_account_id", "bank_accounts", "bank_account_id", "Account that moved the money."),
        ),
    ),
    Table(
        "intercompany_payment_allocations",
        "Intercompany settlement lines",
        "Invoices that a settlement clears.",
        ("document_id", "line_number"),
        (
            *line_key("intercompany_payments"),
            company(),
            _other_document("intercompany_document_id", "Invoice cleared."),
            document_money("amount", "Amount cleared, in the currency of the invoice."),
        ),
    ),
    Table(
        "fx_revaluations",
        "Exchange revaluations",
        "Open items in foreign currency at the rate of the month end, taken back in the next month.",
        ("document_id",),
        (
            key("document_id", "Revaluation or its reversal."),
            company(),
            code("items", "What is valued: intercompany, receivables or payables."),
            reference(
                "partner_company_code",
                "companies",
                "company_code",
                "Sister company; null for customers and vendors, who are valued together.",
                nullable=True,
            ),
            code("kind", "revaluation or reversal."),
            day("posting_date", "Day of posting."),
            code("currency", "Currency of the open invoices, ISO 4217."),
            document_money("open_amount", "Open in that currency at the month end."),
            money("booked_amount", "What it was posted at, in company currency."),
            Column(
                "closing_rate",
                "exchange",
                "Company currency per that currency at the month end.",
                role="measure",
            ),
            money("amount", "Unrealised loss; negative for a gain. Exchanged sides on reversals."),
            reference(
                "reverses_document_id",
                "fx_revaluations",
                "document_id",
                "Revaluation that a reversal undoes.",
                kind="ref",
                nullable=True,
            ),
        ),
    ),
    Table(
        "group_goods_issues",
        "Issues of goods from the group",
        "Goods bought from sister companies that were used, week by week.",
        ("document_id",),
        (
            key("document_id", "Issue."),
            company(),
            _PARTNER,
            day("posting_date", "Day of posting."),
            money("amount", "Value at standard cost."),
        ),
    ),
    Table(
        "eliminations",
        "Eliminations",
        "What each pair takes out of the group's income statement: the seller's revenue against the buyer's cost.",
        ("pair_id",),
        (
            Column(
                "pair_id",
                "ref",
                "Pair that is eliminated.",
                role="key",
                references=("intercompany_pairs", "pair_id"),
            ),
            _SELLER,
            _BUYER,
            _other_document("seller_document_id", "Invoice in the seller's books."),
            _other_document("buyer_document_id", "Invoice in the buyer's books."),
            _YEAR,
            _PERIOD,
            code("debit_line", "Line of the income statement that is debited: revenue."),
            code(
                "credit_line",
                "Line that is credited: cost of sales for goods, operating expense for services.",
            ),
            _group_money("amount", "Amount at the month's average rate."),
        ),
    ),
    Table(
        "consolidation_lines",
        "Translated statements",
        "Statements of every company of a group in company and in group currency: what is added up.",
        ("company_code", "fiscal_year", "period", "statement", "line"),
        (
            company(),
            _PARENT,
            _YEAR,
            _PERIOD,
            code("statement", "BS, IS or CF."),
            code("line", "Line of the statement."),
            money("amount", "Amount in company currency."),
            code("rate_kind", "closing for the balance sheet, average for the movements of a month."),
            _rate("Group currency per company currency."),
            _group_money("translated_amount", "Amount times rate, half up."),
        ),
    ),
    Table(
        "consolidation_entries",
        "Consolidation entries",
        "What leads from the sum of the translated statements to those of the group.",
        ("parent_company_code", "fiscal_year", "period", "entry", "company_code", "statement", "line"),
        (
            _PARENT,
            _YEAR,
            _PERIOD,
            code(
                "entry",
                "sales, balances, unrealised_profit, investment, goodwill, equity, minority, translation or cash.",
            ),
            company(),
            code("statement", "BS, IS or CF."),
            code("line", "Line of the statement."),
            _group_money("amount", "Added to the line; signs are those of the statement."),
        ),
    ),
    Table(
        "segments",
        "Segments",
        "Results and assets of a group by industry, reconciled to its statements.",
        ("parent_company_code", "fiscal_year", "period", "segment"),
        (
            _PARENT,
            _YEAR,
            _PERIOD,
            code("segment", "Industry of the companies; `reconciliation` for what consolidation changes."),
            _group_money("revenue", "Revenue, with sales to sister companies."),
            _group_money("internal_revenue", "Of it sales to sister companies."),
            _group_money("result", "Net income."),
            _group_money("assets", "Assets at the period's end."),
            _group_money("liabilities", "Liabilities at the period's end."),
        ),
    ),
)
