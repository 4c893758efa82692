"""Open items: which invoice or credit note a line on a partner's account belongs to, and which of them are cleared.

A line of an invoice belongs to it; a line of a payment belongs to the invoice that its allocation of the same place names.
"""

from typing import Final

from generation.engine.exports.source import Source

TABLES: Final = frozenset(
    {
        "customers",
        "vendors",
        "vendor_invoices",
        "asset_transactions",
        "customer_receipt_allocations",
        "vendor_payment_allocations",
        "tax_withholdings",
    }
)


def prepare(source: Source, year: int) -> None:
    """Make the tables `partner` (partner_id, name), `item_line` (a partner's line with its item, if known), `forward` (balances
    brought forward into the year) and `settled` (items cleared at the end of the year that have a line in it).
    """
    items(source)
    source.run(_forward(year))
    source.run(_settled(year))


def items(source: Source) -> None:
    """Make the tables `partner` and `item_line` alone."""
    partners(source)
    source.run(_ITEM_LINE)


def partners(source: Source) -> None:
    """Make the table `partner` alone."""
    source.run(_PARTNER)


_PARTNER: Final = """
    CREATE TABLE partner AS
    SELECT customer_id AS partner_id, name FROM customers UNION ALL SELECT vendor_id, name FROM vendors"""

# A payment posts one line for each allocation, in order; lines whose amounts differ belong to no item that is known.
_ITEM_LINE: Final = """
    CREATE TABLE item_line AS
    WITH partner_line AS (
        SELECT l.document_id, l.line_number, l.account, l.partner_id, l.posting_date, l.fiscal_year, l.document_amount,
               l.debit - l.credit AS balance, e.source_document_type AS kind, e.source_document_id AS source,
               row_number() OVER (PARTITION BY l.document_id ORDER BY l.line_number) AS place
        FROM journal_lines l JOIN journal_entries e USING (document_id)
        WHERE l.partner_id IS NOT NULL),
    allocation AS (
        SELECT document_id AS source, customer_invoice_id AS item, amount + discount AS cleared,
               row_number() OVER (PARTITION BY document_id ORDER BY line_number) AS place
        FROM customer_receipt_allocations
        UNION ALL
        SELECT document_id, vendor_invoice_id, amount + discount,
               row_number() OVER (PARTITION BY document_id ORDER BY line_number)
        FROM vendor_payment_allocations)
    SELECT l.document_id, l.line_number, l.account, l.partner_id, l.posting_date, l.fiscal_year, l.balance,
           CASE WHEN l.kind IN ('customer_invoices', 'vendor_invoices') THEN l.source
                WHEN l.kind = 'asset_transactions' THEN t.vendor_invoice_id
                WHEN l.kind = 'tax_withholdings' THEN w.vendor_invoice_id
                WHEN abs(a.cleared) = abs(l.document_amount) THEN a.item END AS item
    FROM partner_line l
    LEFT JOIN tax_withholdings w ON l.kind = 'tax_withholdings' AND w.document_id = l.source
    LEFT JOIN asset_transactions t ON l.kind = 'asset_transactions' AND t.document_id = l.source
    LEFT JOIN allocation a ON a.source = l.source AND a.place = l.place"""


def _forward(year: int) -> str:
    return f"""
        CREATE TABLE forward AS
        SELECT account, partner_id, item, balance,
               row_number() OVER (ORDER BY account, partner_id NULLS FIRST, item NULLS FIRST)::INTEGER AS place
        FROM (SELECT account, NULL::VARCHAR AS partner_id, NULL::VARCHAR AS item, sum(debit - credit) AS balance
              FROM journal_lines WHERE fiscal_year < {year} AND partner_id IS NULL
              GROUP BY account
              UNION ALL
              SELECT account, partner_id, item, sum(balance) FROM item_line WHERE fiscal_year < {year}
              GROUP BY account, partner_id, item)
        WHERE balance <> 0"""


def _settled(year: int) -> str:
    return f"""
        CREATE TABLE settled AS
        SELECT account, partner_id, item, max(posting_date) AS cleared_on
        FROM item_line
        WHERE fiscal_year <= {year} AND item IS NOT NULL
        GROUP BY account, partner_id, item
        HAVING sum(balance) = 0 AND count(*) > 1 AND max(fiscal_year) = {year}"""
