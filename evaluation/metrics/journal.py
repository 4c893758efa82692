"""Reads the journal once, file by file, into one row per document and sums per account.

A document's header and lines normally sit in files of the same name, so the grouping works on one file at a time and its
memory does not grow with the dataset. Nothing relies on that: documents that span files, or whose header is elsewhere, are
found by comparing hashes of all ids (equal ids have equal hashes) and grouped again over all files.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluation.metrics.books import Books

SUBTYPES = (
    "cash", "trade_receivable", "intercompany_receivable", "input_tax", "inventory", "prepaid", "other_current_asset",
    "fixed_asset_cost", "accumulated_depreciation", "intangible", "deferred_tax_asset", "trade_payable",
    "intercompany_payable", "gr_ir", "tax_payable", "accrued", "payroll_payable", "deferred_revenue", "provision", "debt",
    "deferred_tax_liability", "other_liability", "share_capital", "retained_earnings", "other_equity", "revenue",
    "cost_of_sales", "operating_expense", "depreciation_expense", "interest", "fx_result", "tax_expense", "other_income",
    "clearing",
)  # fmt: skip
# Subtypes whose net amount per document is kept, to compare documents with what they posted.
NET_OF = (
    "cash", "trade_receivable", "input_tax", "inventory", "fixed_asset_cost", "accumulated_depreciation",
    "trade_payable", "gr_ir", "tax_payable", "payroll_payable", "accrued", "intercompany_receivable",
    "intercompany_payable", "fx_result",
)  # fmt: skip
# Subtypes whose daily sums are kept, to follow their balance to each month end.
DAILY = (
    "cash", "trade_receivable", "trade_payable", "inventory", "fixed_asset_cost", "accumulated_depreciation", "gr_ir",
    "accrued", "intercompany_receivable", "intercompany_payable",
)  # fmt: skip

# Roles whose accounts are followed document by document.
FOLLOWED = (
    "customer_deposits", "loss_allowance", "credit_losses", "allowance_release", "bad_debt", "sales_return", "dunning_income", "income_tax",
    "income_tax_payable", "deferred_tax", "prepaid", "warranty_provision", "holiday_provision", "accrued",
    "work_in_progress", "production_absorbed", "usage_variance", "efficiency_variance", "production_scrap",
    "materials_used", "materials_in_production",
    "loan", "loan_current", "accrued_interest", "contract_liability", "pool_receivable", "pool_payable", "pool_interest",
    "pool_interest_income", "interest",
    "customer_advance",
    "receivable_valuation", "payable_valuation",
    "disposal_gain", "disposal_loss",
)  # fmt: skip

_HEADER = (
    "process", "document_type", "source", "source_document_type", "source_document_id", "reverses_document_id",
    "currency", "exchange_rate", "created_by",
)  # fmt: skip


def read_journal(books: Books) -> None:
    """Create `account_kinds`, `journal_documents`, `account_months`, `account_days`, `openings` and `role_lines` in the open books."""
    _account_kinds(books)
    lines, headers = books.dataset.tables["journal_lines"], books.dataset.tables["journal_entries"]
    header_files = {path.name: path for path in headers.files}
    for number, path in enumerate(lines.files or (None,)):
        _load(books, books.relation(lines, [path] if path else []))
        own = [header_files[path.name]] if path and path.name in header_files else []
        _append(books, books.relation(headers, own), create=number == 0)
    _regroup(books)
    books.run("drop table chunk")
    books.run(
        "create view account_months as select company_code, fiscal_year, period, account, sum(debit) as debit, "
        "sum(credit) as credit from month_sums group by all"
    )
    books.run(
        "create view account_days as select company_code, account, subtype, is_control, posting_date, sum(net) as net "
        "from day_sums group by all"
    )
    _openings(books)
    _role_lines(books)


def _account_kinds(books: Books) -> None:
    books.run("create table subtypes (subtype varchar, bit bigint)")
    books.insert("subtypes", ((name, 1 << place) for place, name in enumerate(SUBTYPES)))
    books.run(
        """create table account_kinds as
        select company_code, account, min(a.class) as class, min(subtype) as subtype, min(bit) as bit,
               bool_or(is_control) as is_control, min(statement_line) as statement_line
        from accounts a left join subtypes using (subtype) group by company_code, account"""
    )
    books.run(
        "create table company_numbers as select company_code, row_number() over (order by company_code) as company "
        "from (select distinct company_code from companies)"
    )


def _openings(books: Books) -> None:
    """What the opening entries of the first day posted, by account: the balances before the first period."""
    books.run(
        """create table openings as
        select company_code, fiscal_year, period, account, sum(debit - credit) as balance
        from journal_lines where document_id in (
            select document_id from journal_documents, horizon
            where document_type = 'EB' and posting_date = horizon.first_day)
        group by all"""
    )


def _role_lines(books: Books) -> None:
    """Lines on the accounts of the roles whose subledgers are followed document by document, with their source."""
    books.run(
        f"""create table role_lines as
        select l.company_code, l.account, l.posting_date, l.debit - l.credit as net, e.source_document_type as source,
               e.source_document_id, e.document_type
        from (select document_id, company_code, account, posting_date, debit, credit from journal_lines
              where period <= 12 and (company_code, account) in (
                  select company_code, account from roles where role in ({_quoted(FOLLOWED)}))) l
        left join journal_entries e using (document_id)"""
    )


def _load(books: Books, relation: str, only: str = "") -> None:
    """The lines of one file with what their accounts are, as the table `chunk`."""
    books.run(
        f"""create or replace table chunk as
        select l.document_id, l.company_code, coalesce(n.company, 0) as company, l.fiscal_year, l.period,
               l.posting_date, l.account, l.debit, l.credit, l.document_currency, l.document_amount, l.tax_code,
               k.bit, k.subtype, k.is_control
        from {relation} l
        left join account_kinds k on k.company_code = l.company_code and k.account = l.account
        left join company_numbers n on n.company_code = l.company_code {only}"""
    )


def _append(books: Books, headers: str, *, create: bool) -> None:
    """Add the chunk's documents and sums."""
    _add(books, "journal_documents", _documents(headers), create=create)
    _add(
        books,
        "month_sums",
        "select company_code, fiscal_year, period, account, sum(debit) as debit, sum(credit) as credit "
        "from chunk group by all",
        create=create,
    )
    _add(
        books,
        "day_sums",
        "select company_code, account, subtype, is_control, posting_date, sum(debit - credit) as net from chunk "
        f"where subtype in ({_quoted(DAILY)}) group by all",
        create=create,
    )


def _add(books: Books, table: str, query: str, *, create: bool) -> None:
    books.run(f"create table {table} as {query}" if create else f"insert into {table} {query}")


def _documents(headers: str) -> str:
    """One row per document of the chunk, joined to its header when `headers` has it."""
    nets = ", ".join(
        f"coalesce(sum(debit - credit) filter (where bit = {1 << SUBTYPES.index(name)}), 0) as {name}"
        for name in NET_OF
    )
    header = ", ".join(f"h.{name}" for name in _HEADER)
    return f"""
        with grouped as (
            select document_id, count(*) as lines, sum(debit) as debit, sum(credit) as credit,
                   min(company) as company, min(fiscal_year) as fiscal_year, min(period) as period,
                   min(posting_date) as posting_date,
                   min(company) = max(company) and min(fiscal_year) = max(fiscal_year)
                       and min(period) = max(period) and min(posting_date) = max(posting_date)
                       and count(company) = count(*) and count(fiscal_year) = count(*)
                       and count(period) = count(*) and count(posting_date) = count(*) as uniform,
                   min(document_currency) as line_currency,
                   min(document_currency) = max(document_currency) and count(document_currency) = count(*)
                       as one_currency,
                   coalesce(sum(abs(document_amount)), 0) as document_turnover,
                   coalesce(sum(debit) filter (where document_amount = 0), 0) as other_debit,
                   coalesce(sum(credit) filter (where document_amount = 0), 0) as other_credit,
                   coalesce(sum(document_amount) filter (where subtype not in ('trade_receivable', 'trade_payable')), 0)
                       as settled_amount,
                   coalesce(sum(debit - credit) filter (where document_amount <> 0
                       and subtype not in ('trade_receivable', 'trade_payable')), 0) as settled,
                   min(tax_code) as tax_code, count(distinct tax_code) as tax_codes,
                   bit_or(case when debit > 0 then coalesce(bit, 0) else 0 end) as debit_kinds,
                   bit_or(case when credit > 0 then coalesce(bit, 0) else 0 end) as credit_kinds,
                   count(*) filter (where bit is null) as unknown_kinds, {nets}
            from chunk group by document_id),
        header as (
            select h.*, n.company from (select distinct on (document_id) * from {headers} order by all) h
            left join company_numbers n using (company_code))
        select g.*, h.document_id is not null as has_header, h.company_code,
               coalesce(g.uniform and g.company = coalesce(h.company, 0) and g.fiscal_year = h.fiscal_year
                        and g.period = h.period and g.posting_date = h.posting_date, false) as agrees, {header}
        from grouped g left join header h using (document_id)"""


def _regroup(books: Books) -> None:
    """Group again, over all files, the documents that span files or were not met with their header."""
    hashes = books.arrays("select hash(document_id) as h from journal_documents")["h"]
    suspects = repeated(np.asarray(hashes, dtype=np.uint64))
    books.run("create table suspects (h ubigint)")
    books.run("insert into suspects select unnest(?::ubigint[])", [suspects.tolist()])
    books.run(
        "create table again as select distinct document_id from journal_documents "
        "where not has_header or hash(document_id) in (from suspects)"
    )
    if not books.number("select count(*) from again"):
        return
    books.run("delete from journal_documents where document_id in (from again)")
    _load(books, "journal_lines", "where l.document_id in (from again)")
    headers = "(from journal_entries where document_id in (from again))"
    _add(books, "journal_documents", _documents(headers), create=False)


def repeated(
    hashes: np.ndarray[tuple[int], np.dtype[np.uint64]],
) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """The values of shape (n,) that occur more than once, each once; sorts the argument in place."""
    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
