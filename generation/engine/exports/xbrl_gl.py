"""XBRL GL: the journal of a fiscal year as accounting entries of the Global Ledger taxonomy, palette COR, BUS and MUC.

Source: XBRL International, XBRL GL 2006-10-25 (Recommendation of 17 April 2007): elements and their enumerations.
"""

from typing import Final
from xml.sax.saxutils import escape

from generation.engine.exports import clearing
from generation.engine.exports.parties import NOTICE, party_of
from generation.engine.exports.source import within, xml
from generation.engine.exports.task import Task
from generation.engine.packs.currency import exponent

TABLES: Final = frozenset({"accounts", "customers", "vendors", "journal_entries", "journal_lines"})
_DATE: Final = "2006-10-25"
ENTRY_POINT: Final = f"http://www.xbrl.org/taxonomy/int/gl/{_DATE}/plt/case-c-b-m-u-t/gl-plt-{_DATE}.xsd"
_NAMESPACES: Final = {
    "xbrli": "http://www.xbrl.org/2003/instance",
    "link": "http://www.xbrl.org/2003/linkbase",
    "xlink": "http://www.w3.org/1999/xlink",
    "iso4217": "http://www.xbrl.org/2003/iso4217",
    "iso639": "http://www.xbrl.org/2005/iso639",
    "gl-plt": f"http://www.xbrl.org/int/gl/plt/{_DATE}",
    "gl-cor": f"http://www.xbrl.org/int/gl/cor/{_DATE}",
    "gl-bus": f"http://www.xbrl.org/int/gl/bus/{_DATE}",
    "gl-muc": f"http://www.xbrl.org/int/gl/muc/{_DATE}",
}
# Enumerations of sourceJournalID, documentType and entryType; what is not named here has the general word.
_JOURNALS: Final = {
    "customer_invoices": "sj", "vendor_invoices": "pj", "customer_receipts": "cr", "vendor_payments": "cd",
    "payroll_runs": "pl", "asset_transactions": "fa", "deliveries": "im", "goods_receipts": "im",
    "production_issues": "im", "production_receipts": "im",
}  # fmt: skip
_DOCUMENTS: Final = {
    "customer_invoices": "invoice", "vendor_invoices": "invoice", "deliveries": "shipment", "goods_receipts": "receipt",
    "customer_receipts": "payment-other", "vendor_payments": "payment-other",
}  # fmt: skip
_ENTRIES: Final = {"recurring": "recurring", "adjustment": "adjusting"}


LINES_AT_ONCE: Final = 250_000  # so many are put in order in memory, whatever the length of the books


def write(task: Task, *, lines_at_once: int = LINES_AT_ONCE) -> None:
    """<company>-<fiscal year>.xbrl."""
    year, source = task.fiscal_year, task.source
    clearing.partners(source)
    written = 0
    with task.folder.file(f"{task.company.code}-{year.number}.xbrl", "xml") as file:
        file.write(_opening(task))
        for first, last in source.spans(_lines_by_day(year.number), lines_at_once):
            source.run(_heads(year.number, within(first, last), written))
            source.run(_lines(year.number, within(first, last)))
            file.write_lines(source.lines(_text(task)))
            written += source.value("SELECT count(*) FROM head")
        file.write("</gl-cor:accountingEntries>\n</xbrli:xbrl>\n")


def _opening(task: Task) -> str:
    year, company, party = task.fiscal_year, task.company.company, party_of(task.company)
    names = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in _NAMESPACES.items())
    document = (
        _fact("cor", "entriesType", "journal")
        + _fact("cor", "uniqueID", f"{company.code}-{year.number}")
        + _fact("cor", "language", "iso639:en")
        + _fact("cor", "creationDate", year.last.isoformat())
        + _fact("bus", "creator", "DataSynth")
        + _fact("cor", "entriesComment", NOTICE)
        + _fact("cor", "periodCoveredStart", year.first.isoformat())
        + _fact("cor", "periodCoveredEnd", year.last.isoformat())
        + _fact("bus", "sourceApplication", "DataSynth Platform")
        + _fact("muc", "defaultCurrency", f"iso4217:{company.currency}")
    )
    organisation = _fact("bus", "organizationIdentifier", party.tax_id) + _fact(
        "bus", "organizationDescription", company.name
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {NOTICE} -->\n<xbrli:xbrl {names}>\n'
        f'<link:schemaRef xlink:type="simple" xlink:href="{ENTRY_POINT}"/>\n'
        '<xbrli:context id="c"><xbrli:entity>'
        f'<xbrli:identifier scheme="urn:datasynth:tax-id">{party.tax_id}</xbrli:identifier></xbrli:entity>'
        f"<xbrli:period><xbrli:instant>{year.last.isoformat()}</xbrli:instant></xbrli:period></xbrli:context>\n"
        f'<xbrli:unit id="m"><xbrli:measure>iso4217:{company.currency}</xbrli:measure></xbrli:unit>\n'
        '<xbrli:unit id="n"><xbrli:measure>xbrli:pure</xbrli:measure></xbrli:unit>\n<gl-cor:accountingEntries>\n'
        f"<gl-cor:documentInfo>{document}</gl-cor:documentInfo>\n<gl-cor:entityInformation>"
        f"<gl-bus:organizationIdentifiers>{organisation}</gl-bus:organizationIdentifiers>"
        f"{_fact('bus', 'fiscalYearStart', year.first.isoformat())}{_fact('bus', 'fiscalYearEnd', year.last.isoformat())}"
        "</gl-cor:entityInformation>\n"
    )


def _fact(module: str, name: str, value: str) -> str:
    return f'<gl-{module}:{name} contextRef="c">{escape(value)}</gl-{module}:{name}>'


def _of(module: str, name: str, sql: str, attributes: str = "") -> str:
    """SQL of a fact; the expression gives text that is escaped already, or null for no fact."""
    return f"""coalesce('<gl-{module}:{name} contextRef="c"{attributes}>' || {sql} || '</gl-{module}:{name}>', '')"""


def _lines_by_day(year: int) -> str:
    return f"""
        SELECT posting_date AS day, count(*) AS lines FROM journal_lines WHERE fiscal_year = {year} GROUP BY day"""


def _heads(year: int, days: str, before: int) -> str:
    """Entries of some days with the places of their first and last line and their total. before: entries already written."""
    return f"""
        CREATE OR REPLACE TEMP TABLE head AS
        SELECT e.document_id, e.document_date, e.posting_date, e.created_at, e.created_by, e.header_text, e.source,
               e.source_document_type, e.source_document_id, s.first_line, s.last_line, s.total,
               {before} + row_number() OVER (ORDER BY e.posting_date, e.created_at, e.document_id) AS counter
        FROM (FROM journal_entries WHERE fiscal_year = {year} AND {days}) e
        JOIN (SELECT document_id, min(line_number) AS first_line, max(line_number) AS last_line, sum(debit) AS total
              FROM journal_lines WHERE fiscal_year = {year} AND {days} GROUP BY document_id) s USING (document_id)"""


def _lines(year: int, days: str) -> str:
    """The lines of these entries in order, as columns: much less to put in order than their text."""
    return f"""
        CREATE OR REPLACE TEMP TABLE line AS
        SELECT h.*, l.line_number, l.account, l.partner_id, l.partner_type, l.debit, l.credit, l.document_amount,
               l.document_currency, l.line_text, a.name AS account_name, p.name AS partner_name
        FROM (FROM journal_lines WHERE fiscal_year = {year} AND {days}) l
        JOIN head h ON h.document_id = l.document_id
        JOIN accounts a ON a.account = l.account
        LEFT JOIN partner p ON p.partner_id = l.partner_id
        ORDER BY h.counter, l.line_number"""


def _text(task: Task) -> str:
    """entryHeader around entryDetail: the first line of an entry opens it, the last one closes it."""
    company = task.company.company
    places = exponent(company.currency)
    money = f' unitRef="m" decimals="{places}"'
    total = f"total::DECIMAL(18, {places})::VARCHAR"
    header = " || ".join(
        [
            "'<gl-cor:entryHeader>'",
            _of("cor", "enteredBy", xml("created_by")),
            _of("cor", "enteredDate", "created_at::DATE"),
            _of("cor", "sourceJournalID", _word("source_document_type", _JOURNALS, "gj")),
            _of("cor", "entryType", _word("source", _ENTRIES, "standard")),
            _of("cor", "entryNumber", "document_id"),
            _of("cor", "entryComment", xml("header_text")),
            _of("bus", "totalDebit", total, money),
            _of("bus", "totalCredit", total, money),
            _of("cor", "entryNumberCounter", "counter", ' unitRef="n" decimals="0"'),
        ]
    )
    foreign = f"CASE WHEN document_currency <> '{company.currency}' THEN {{}} END"
    account = (
        _of("cor", "accountMainID", "account")
        + " || "
        + _of("cor", "accountMainDescription", xml("account_name"))
    )
    partner = " || ".join(
        [
            _of("cor", "identifierCode", "partner_id"),
            _of("cor", "identifierDescription", xml("partner_name")),
            _of(
                "cor",
                "identifierType",
                "CASE partner_type WHEN 'customer' THEN 'C' WHEN 'vendor' THEN 'V' END",
            ),
        ]
    )
    reference = (
        f"CASE WHEN partner_id IS NULL THEN '' ELSE '<gl-cor:identifierReference>' || {partner} "
        "|| '</gl-cor:identifierReference>' END"
    )
    detail = " || ".join(
        [
            "'<gl-cor:entryDetail>'",
            _of("cor", "lineNumber", "line_number"),
            f"'<gl-cor:account>' || {account} || '</gl-cor:account>'",
            _of("cor", "amount", f"greatest(debit, credit)::DECIMAL(18, {places})", money),
            _of(
                "muc",
                "amountOriginalAmount",
                foreign.format("abs(document_amount)"),
                ' unitRef="n" decimals="2"',
            ),
            _of("muc", "amountOriginalCurrency", foreign.format("'iso4217:' || document_currency")),
            _of("cor", "debitCreditCode", "CASE WHEN debit > 0 THEN 'D' ELSE 'C' END"),
            _of("cor", "postingDate", "posting_date"),
            reference,
            _of("cor", "documentType", _word("source_document_type", _DOCUMENTS, "other")),
            _of("cor", "documentNumber", "source_document_id"),
            _of("cor", "documentDate", "document_date"),
            _of("cor", "detailComment", xml("line_text")),
            "'</gl-cor:entryDetail>'",
        ]
    )
    return f"""
        SELECT CASE WHEN line_number = first_line THEN {header} ELSE '' END || {detail}
            || CASE WHEN line_number = last_line THEN '</gl-cor:entryHeader>' ELSE '' END || chr(10)
        FROM line"""


def _word(expression: str, words: dict[str, str], other: str) -> str:
    cases = " ".join(f"WHEN '{key}' THEN '{word}'" for key, word in words.items())
    return f"CASE {expression} {cases} ELSE '{other}' END"
