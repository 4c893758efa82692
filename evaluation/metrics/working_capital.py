"""Information for the reader of the books: how long customers take to pay, how long vendors wait, who pays late."""

from __future__ import annotations

from evaluation.metrics.books import Books
from evaluation.metrics.rule import Figure, Measured
from evaluation.metrics.wording import decimal, grouped, percent

ENOUGH_DOCUMENTS = 1_000  # in a quarter; below, a few large partners decide
LATE_SHARE = 0.15  # our recommendation, as for the default config


def _days(books: Books, items: str, invoices: str, what: str, reference: float) -> Measured:
    """Mean open balance over mean daily invoicing, in days; each company counts by its share of invoicing."""
    billed = books.number(f"select count(*) from {invoices}")
    if not billed:
        return Measured(
            None, 0, f"Not applicable: the dataset has no rows in {invoices}.", reference, applicable=False
        )
    value, n = books.rows(
        f"""with balances as (select period_end, company_code, sum(open_amount) as open from {items} group by all),
        means as (select company_code, sum(open) / (select count(*) from month_ends) as open from balances group by 1),
        flows as (select company_code, sum(posted_amount) as gross from {invoices} group by 1),
        span as (select datediff('day', first_day, last_day) + 1 as days from horizon),
        each as (select f.gross, coalesce(m.open, 0) * days / f.gross as days
                 from flows f left join means m using (company_code), span where f.gross > 0)
        select sum(days * gross) / sum(gross), (select count(*) from {items}) from each"""
    )[0]
    if value is None:
        return Measured(
            None, 0, f"Not applicable: nothing was invoiced in {invoices}.", reference, applicable=False
        )
    text = f"{what} {decimal(float(value), 1)} days on average; {decimal(reference, 0)} is usual."
    return Measured(round(float(value), 6), int(n), text, reference)


def _receivable_days(books: Books) -> Measured:
    return _days(books, "ar_open_items", "customer_invoices", "Receivables stay open", 45)


def _payable_days(books: Books) -> Measured:
    return _days(books, "ap_open_items", "vendor_invoices", "Payables stay open", 30)


def _off_target(books: Books, items: str, invoices: str, side: str, what: str) -> Measured:
    """Largest distance of a company's days from its target, as a share of the target.

    Days are open items over daily invoicing of the quarter up to each period's end, on average; the first quarter is left out,
    because books begin without open items, and so is what has been overdue for more than 90 days: bad debt.
    Source of the targets: docs/books.md, section "Payments".
    """
    companies = books.rows(
        f"""with open as (
            select company_code, number, sum(open_amount) filter (where bucket <> '90+') as open
            from {items} join periods using (period_end) group by all),
        billed as (
            select company_code, number, sum(posted_amount) as gross, count(*) as documents
            from {invoices} join days on day = posting_date group by all),
        quarters as (
            select company_code, number, sum(gross) over w as gross, sum(documents) over w as documents,
                   datediff('day', min(first_day) over w, period_end) + 1 as days
            from billed join periods using (number)
            window w as (partition by company_code order by number rows 2 preceding)),
        each as (
            select company_code, avg(coalesce(open, 0) * days / gross) as found, max(documents) as documents
            from quarters left join open using (company_code, number) where number >= 3 and gross > 0 group by 1)
        select company_code, found, {side}, documents from each join targets using (company_code)
        where {side} is not null and documents >= {ENOUGH_DOCUMENTS} order by abs(found / {side} - 1) desc, company_code"""
    )
    if not companies:
        text = f"Not applicable: no company has a target and {grouped(ENOUGH_DOCUMENTS)} documents of {invoices} in a quarter."
        return Measured(None, 0, text, 0, applicable=False)
    code, found, target, _ = companies[0]
    text = (
        f"{what} of company {code} stay open for {decimal(float(found), 1)} days; the target is {target}. "
        f"No other of {grouped(len(companies))} companies is farther away."
    )
    return Measured(round(abs(float(found) / target - 1), 6), len(companies), text, 0)


def _receivables_off_target(books: Books) -> Measured:
    return _off_target(books, "ar_open_items", "customer_invoices", "receivable_days", "Receivables")


def _payables_off_target(books: Books) -> Measured:
    return _off_target(books, "ap_open_items", "vendor_invoices", "payable_days", "Payables")


def _late(
    books: Books, allocations: str, payments: str, invoices: str, key: str, who: str, reference: float
) -> Measured:
    """Share of invoices whose first payment came after the due date, among invoices that were paid at all."""
    n, late = books.rows(
        f"""with first as (
            select {key} as document_id, min(p.payment_date) as day
            from {allocations} a join {payments} p using (document_id) group by 1)
        select count(*), count(*) filter (where f.day > i.due_date)
        from first f join {invoices} i using (document_id) where i.gross_amount > 0"""
    )[0]
    if not n:
        text = f"Not applicable: no invoice among {invoices} is paid."
        return Measured(None, 0, text, reference, applicable=False)
    text = f"{who} {grouped(late)} of {grouped(n)} invoices ({percent(late / n)}) after the due date."
    return Measured(round(late / n, 6), n, text, reference)


def _late_receipts(books: Books) -> Measured:
    return _late(
        books,
        "customer_receipt_allocations",
        "customer_receipts",
        "customer_invoices",
        "customer_invoice_id",
        "Customers first paid",
        LATE_SHARE,
    )


def _late_payments(books: Books) -> Measured:
    return _late(
        books,
        "vendor_payment_allocations",
        "vendor_payments",
        "vendor_invoices",
        "vendor_invoice_id",
        "The companies first paid",
        LATE_SHARE,
    )


METRICS = (
    Figure(
        "working_capital.receivables_off_target",
        "Receivables near their target",
        "statistical",
        _receivables_off_target,
    ),
    Figure(
        "working_capital.payables_off_target",
        "Payables near their target",
        "statistical",
        _payables_off_target,
    ),
    Figure("working_capital.late_receipts", "Customers who pay late", "information", _late_receipts),
    Figure("working_capital.late_payments", "Vendors who are paid late", "information", _late_payments),
    Figure("working_capital.receivable_days", "Days sales outstanding", "information", _receivable_days),
    Figure("working_capital.payable_days", "Days payables outstanding", "information", _payable_days),
)
