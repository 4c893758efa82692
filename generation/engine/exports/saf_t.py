"""SAF-T: the OECD's Standard Audit File for Tax 2.00, the base of the national files; accounts, partners, tax and the ledger.

Source: OECD, “Guidance for the Standard Audit File - Tax, version 2.0” (2010), appendix B: names, order, lengths.
"""

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape

from generation.engine.dataset import ENGINE_VERSION
from generation.engine.exports.parties import NOTICE, party_of
from generation.engine.exports.source import element, quoted, within, xml
from generation.engine.exports.task import Task
from generation.engine.packs.currency import exponent

TABLES: Final = frozenset(
    {"accounts", "customers", "vendors", "cost_centers", "journal_entries", "journal_lines"}
)
NAMESPACE: Final = "urn:OECD:StandardAuditFile-Taxation/2.00"
_JOURNALS: Final = {
    "O2C": "Order to cash",
    "P2P": "Procure to pay",
    "MFG": "Manufacturing",
    "H2R": "Hire to retire",
    "A2R": "Acquire to retire",
    "R2R": "Record to report",
}
_TYPES: Final = {
    "asset": "Asset", "liability": "Liability", "equity": "Equity", "revenue": "Sale", "expense": "Expense",
}  # fmt: skip
LINES_AT_ONCE: Final = 250_000  # so many are put in order in memory, whatever the length of the books
_LONG, _MIDDLE, _SHORT = 256, 70, 35  # SAFlongtextType, SAFmiddle2textType, SAFmiddle1textType


def write(task: Task, *, lines_at_once: int = LINES_AT_ONCE) -> None:
    """<company>-<fiscal year>.xml."""
    year, source = task.fiscal_year, task.source
    source.run(_balances("account_balance", "account", year.number, "true"))
    source.run(_balances("partner_balance", "partner_id", year.number, "partner_id IS NOT NULL"))
    source.run(_ledger(year.number))
    with task.folder.file(f"{task.company.code}-{year.number}.xml", "xml") as file:
        file.write(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {NOTICE} -->\n<AuditFile xmlns="{NAMESPACE}">\n'
        )
        file.write(_header(task))
        file.write("<MasterFiles>\n<GeneralLedgerAccounts>\n")
        for content, _ in source.lines(_accounts(task)):
            file.write(content)
        file.write("</GeneralLedgerAccounts>\n")
        for sql, tag in (
            (_partners(task, "customer"), "Customers"),
            (_partners(task, "vendor"), "Suppliers"),
        ):
            file.write(f"<{tag}>\n")
            for content, _ in source.lines(sql):
                file.write(content)
            file.write(f"</{tag}>\n")
        file.write(_tax_table(task))
        file.write("<AnalysisTypeTable>\n")
        for content, _ in source.lines(_COST_CENTERS):
            file.write(content)
        file.write("</AnalysisTypeTable>\n</MasterFiles>\n")
        entries, debit, credit = source.rows(_totals(task))[0]
        file.write(
            f"<GeneralLedgerEntries>\n<NumberOfEntries>{entries}</NumberOfEntries>"
            f"<TotalDebit>{debit}</TotalDebit><TotalCredit>{credit}</TotalCredit>\n"
        )
        for process, title in _journals(task):
            file.write(
                f"<Journal><JournalID>{process}</JournalID><Description>{title}</Description><Type>{process}</Type>\n"
            )
            for first, last in source.spans(_lines_by_day(process), lines_at_once):
                file.write_lines(source.lines(_transactions(task, process, within(first, last))))
            file.write("</Journal>\n")
        file.write("</GeneralLedgerEntries>\n</AuditFile>\n")


def _header(task: Task) -> str:
    company, party, year = task.company.company, party_of(task.company), task.fiscal_year
    address = (
        f"<Address><StreetName>{escape(party.street[:_MIDDLE])}</StreetName><City>{escape(party.city[:_SHORT])}</City>"
        f"<PostalCode>{escape(party.postal_code)}</PostalCode><Country>{company.country}</Country></Address>"
    )
    return (
        f"<Header><AuditFileVersion>2.00</AuditFileVersion><AuditFileCountry>{company.country}</AuditFileCountry>"
        f"<AuditFileDateCreated>{year.last.isoformat()}</AuditFileDateCreated>"
        "<SoftwareCompanyName>DataSynth</SoftwareCompanyName><SoftwareID>DataSynth Platform</SoftwareID>"
        f"<SoftwareVersion>{ENGINE_VERSION}</SoftwareVersion>\n"
        f"<Company><RegistrationNumber>{party.tax_id}</RegistrationNumber><Name>{escape(company.name)}</Name>{address}"
        "<Contact><ContactPerson><FirstName>NotUsed</FirstName><LastName>NotUsed</LastName></ContactPerson></Contact>"
        f"<TaxRegistration><TaxRegistrationNumber>{party.tax_id}</TaxRegistrationNumber></TaxRegistration></Company>\n"
        f"<DefaultCurrencyCode>{company.currency}</DefaultCurrencyCode>"
        f"<SelectionCriteria><SelectionStartDate>{year.first.isoformat()}</SelectionStartDate>"
        f"<SelectionEndDate>{year.last.isoformat()}</SelectionEndDate></SelectionCriteria>"
        f"<HeaderComment>{NOTICE}</HeaderComment><TaxAccountingBasis>Invoice</TaxAccountingBasis></Header>\n"
    )


def _balances(name: str, key: str, year: int, condition: str) -> str:
    """Balances at the start and at the end of the year, debit positive."""
    return f"""
        CREATE TABLE {name} AS
        SELECT {key}, coalesce(sum(debit - credit) FILTER (fiscal_year < {year}), 0) AS opening, sum(debit - credit) AS closing
        FROM journal_lines WHERE fiscal_year <= {year} AND {condition} GROUP BY {key}"""


def _balance(which: str, places: int) -> str:
    amount = f"abs(coalesce(b.{which.lower()}, 0))::DECIMAL(18, {places})::VARCHAR"
    debit, credit = f"{which}DebitBalance", f"{which}CreditBalance"
    return f"""CASE WHEN coalesce(b.{which.lower()}, 0) >= 0 THEN '<{debit}>' || {amount} || '</{debit}>'
        ELSE '<{credit}>' || {amount} || '</{credit}>' END"""


def _accounts(task: Task) -> str:
    places = exponent(task.company.company.currency)
    types = " ".join(f"WHEN '{name}' THEN '{type_}'" for name, type_ in _TYPES.items())
    return f"""
        SELECT '<Account><AccountID>' || a.account || '</AccountID>' || {element("AccountDescription", f"left(a.name, {_LONG})")}
            || '<AccountType>' || CASE a.class {types} END || '</AccountType>'
            || {_balance("Opening", places)} || {_balance("Closing", places)} || '</Account>' || chr(10)
        FROM accounts a LEFT JOIN account_balance b ON b.account = a.account ORDER BY a.account"""


def _partners(task: Task, kind: str) -> str:
    tag, key = {"customer": ("Customer", "customer_id"), "vendor": ("Supplier", "vendor_id")}[kind]
    places = exponent(task.company.company.currency)
    return f"""
        SELECT '<{tag}>' || {element("Name", f"left(p.name, {_LONG})")} || '<Address>'
            || {element("StreetName", f"left(p.street, {_MIDDLE})")} || {element("City", f"left(p.city, {_SHORT})")}
            || {element("PostalCode", "p.postal_code")} || {element("Country", "p.country")} || '</Address>'
            || '<TaxRegistration>' || {element("TaxRegistrationNumber", f"left(p.tax_id, {_SHORT})")} || '</TaxRegistration>'
            || '<{tag}ID>' || p.{key} || '</{tag}ID>' || {_balance("Opening", places)} || {_balance("Closing", places)}
            || '</{tag}>' || chr(10)
        FROM {kind}s p LEFT JOIN partner_balance b ON b.partner_id = p.{key} ORDER BY p.{key}"""


def _tax_table(task: Task) -> str:
    """Every tax code of the company with its rate in per cent."""
    taxes, country = task.company.taxes, task.company.company.country
    details = "".join(
        f"<TaxCodeDetails><TaxCode>{escape(name)}</TaxCode><TaxPercentage>{rate / 100:.2f}</TaxPercentage>"
        f"<Country>{country}</Country></TaxCodeDetails>\n"
        for name, rate in zip(taxes.names, taxes.rates_bp.tolist(), strict=True)
    )
    return (
        "<TaxTable><TaxTableEntry><TaxType>TAX</TaxType><Description>Tax on sales and purchases</Description>\n"
        f"{details}</TaxTableEntry></TaxTable>\n"
    )


_COST_CENTERS: Final = f"""
    SELECT '<AnalysisTypeTableEntry><AnalysisType>CC</AnalysisType><AnalysisTypeDescription>Cost centre</AnalysisTypeDescription>'
        || '<AnalysisID>' || cost_center_id || '</AnalysisID>' || {element("AnalysisIDDescription", f"left(name, {_LONG})")}
        || '</AnalysisTypeTableEntry>' || chr(10)
    FROM cost_centers ORDER BY cost_center_id"""


def _ledger(year: int) -> str:
    """Entries of the year with the places of their first and last line, which open and close a transaction."""
    return f"""
        CREATE TABLE entry AS
        SELECT e.*, s.first_line, s.last_line, s.lines
        FROM journal_entries e
        JOIN (SELECT document_id, min(line_number) AS first_line, max(line_number) AS last_line, count(*) AS lines
              FROM journal_lines WHERE fiscal_year = {year} GROUP BY document_id) s USING (document_id)
        WHERE e.fiscal_year = {year}"""


def _totals(task: Task) -> str:
    places = exponent(task.company.company.currency)
    return f"""
        SELECT (SELECT count(*) FROM entry), coalesce(sum(debit), 0)::DECIMAL(18, {places}),
               coalesce(sum(credit), 0)::DECIMAL(18, {places})
        FROM journal_lines WHERE fiscal_year = {task.fiscal_year.number}"""


def _journals(task: Task) -> Iterator[tuple[str, str]]:
    for (process,) in task.source.rows("SELECT DISTINCT process FROM entry ORDER BY process"):
        yield process, _JOURNALS.get(process, process)


def _lines_by_day(process: str) -> str:
    return f"""
        SELECT posting_date AS day, sum(lines) AS lines FROM entry WHERE process = {quoted(process)} GROUP BY day"""


def _transactions(task: Task, process: str, days: str) -> str:
    company = task.company.company
    places = exponent(company.currency)
    return f"""
        SELECT CASE WHEN l.line_number = e.first_line THEN {_TRANSACTION} ELSE '' END
            || '<Line><RecordID>' || l.line_number || '</RecordID><AccountID>' || l.account || '</AccountID>'
            || coalesce('<Analysis><AnalysisType>CC</AnalysisType><AnalysisID>' || l.cost_center_id || '</AnalysisID></Analysis>', '')
            || '<SourceDocumentID>' || e.source_document_id || '</SourceDocumentID>'
            || CASE l.partner_type WHEN 'customer' THEN '<CustomerID>' || l.partner_id || '</CustomerID>'
               WHEN 'vendor' THEN '<SupplierID>' || l.partner_id || '</SupplierID>' ELSE '' END
            || {element("Description", f"left(l.line_text, {_LONG})")}
            || CASE WHEN l.debit > 0 THEN '<DebitAmount>' ELSE '<CreditAmount>' END
            || '<Amount>' || greatest(l.debit, l.credit)::DECIMAL(18, {places}) || '</Amount>'
            || CASE WHEN l.document_currency <> '{company.currency}' THEN '<CurrencyCode>' || l.document_currency
               || '</CurrencyCode><CurrencyAmount>' || abs(l.document_amount) || '</CurrencyAmount><ExchangeRate>'
               || e.exchange_rate || '</ExchangeRate>' ELSE '' END
            || CASE WHEN l.debit > 0 THEN '</DebitAmount>' ELSE '</CreditAmount>' END
            || coalesce({_tax(task)}, '') || '</Line>'
            || CASE WHEN l.line_number = e.last_line THEN '</Transaction>' ELSE '' END || chr(10)
        FROM (FROM journal_lines WHERE {days}) l
        JOIN (FROM entry WHERE process = {quoted(process)} AND {days}) e USING (document_id)
        JOIN accounts a ON a.account = l.account
        ORDER BY e.posting_date, e.document_id, l.line_number"""


_TRANSACTION: Final = f"""
    '<Transaction><TransactionID>' || e.document_id || '</TransactionID><Period>' || e.period || '</Period><PeriodYear>'
    || e.fiscal_year || '</PeriodYear><TransactionDate>' || e.document_date || '</TransactionDate><SourceID>'
    || {xml("e.created_by")} || '</SourceID><TransactionType>' || {xml("e.document_type")} || '</TransactionType>'
    || {element("Description", f"left(e.header_text, {_LONG})")} || '<SystemEntryDate>' || e.created_at::DATE
    || '</SystemEntryDate><GLPostingDate>' || e.posting_date || '</GLPostingDate>'"""


def _tax(task: Task) -> str:
    """Tax of a line with a tax code, worked out for the line; the lines of the tax accounts themselves carry none."""
    places = exponent(task.company.company.currency)
    taxes = task.company.taxes
    rates = " ".join(
        f"WHEN {quoted(name)} THEN {rate}"
        for name, rate in zip(taxes.names, taxes.rates_bp.tolist(), strict=True)
    )
    rate = f"CASE l.tax_code {rates} END"
    amount = f"round(greatest(l.debit, l.credit) * ({rate})::DECIMAL(9, 0) / 10000, {places})::DECIMAL(18, {places})"
    return f"""
        CASE WHEN a.subtype NOT IN ('input_tax', 'tax_payable') THEN
            '<TaxInformation><TaxType>TAX</TaxType><TaxCode>' || {xml("l.tax_code")} || '</TaxCode><TaxPercentage>'
            || (({rate})::DECIMAL(9, 2) / 100)::DECIMAL(9, 2) || '</TaxPercentage><TaxBase>'
            || greatest(l.debit, l.credit)::DECIMAL(18, {places}) || '</TaxBase><TaxAmount><Amount>' || {amount}
            || '</Amount></TaxAmount></TaxInformation>' END"""
