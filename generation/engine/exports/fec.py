"""FEC, fichier des écritures comptables: the entries of a fiscal year of a French company, for the tax audit.

Source: Livre des procédures fiscales, art. L47 A-I and A47 A-1 (18 fields in this order, tab between them, decimal comma,
dates AAAAMMJJ, entries in the order of their validation, opening balances first, no closing of the result accounts).
"""

from collections.abc import Iterator
from typing import Final

from generation.engine.exports import clearing
from generation.engine.exports.fiscal_years import FiscalYear
from generation.engine.exports.parties import NOTICE, party_of
from generation.engine.exports.source import Source, within
from generation.engine.exports.task import Task

TABLES: Final = frozenset(
    {"journal_entries", "journal_lines", "accounts", "customers", "vendors", *clearing.TABLES}
)
FIELDS: Final = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum",
    "CompAuxLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet",
    "ValidDate", "Montantdevise", "Idevise",
)  # fmt: skip
_OPENING: Final = ("AN", "À nouveaux")
_OTHER: Final = ("OD", "Opérations diverses")
# Journals by the table of the source document; what is not named here is a miscellaneous entry.
_JOURNALS: Final = {
    "customer_invoices": ("VE", "Ventes"),
    "contract_invoices": ("VE", "Ventes"),
    "vendor_invoices": ("AC", "Achats"),
    "customer_receipts": ("BQ", "Banque"),
    "vendor_payments": ("BQ", "Banque"),
    "bank_charges": ("BQ", "Banque"),
    "credit_line_movements": ("BQ", "Banque"),
    "dividends": ("BQ", "Banque"),
    "dividend_receipts": ("BQ", "Banque"),
    "cash_pool_movements": ("BQ", "Banque"),
    "payroll_runs": ("PA", "Paie"),
}
_CLOSING_PERIOD: Final = 13
ENTRIES_AT_ONCE: Final = 40_000  # so many are put in order in memory, whatever the length of the books
_LETTERS: Final = 5  # of a lettering code: 26**5 items in a year


def write(task: Task, *, entries_at_once: int = ENTRIES_AT_ONCE) -> None:
    """<SIREN>FEC<closing day>.txt and the description that goes with it."""
    source, year, siren = task.source, task.fiscal_year, party_of(task.company).tax_id[-9:]
    clearing.prepare(source, year.number)
    source.run(_journals(year.number))
    source.run(_LETTERED)
    source.run(_lettered_lines(year.number))
    name = f"{siren}FEC{year.last:%Y%m%d}"
    with task.folder.file(f"{name}.txt", "txt") as file:
        file.write("\t".join(FIELDS) + "\r\n")
        for lines in (_brought_forward(year), *_lines(source, year.number, entries_at_once)):
            file.write_lines(source.lines(_text(task.company.company.currency, lines)))
    with task.folder.file(f"{name}-description.txt", "txt") as file:
        file.write(_description(task, f"{name}.txt", siren))


def _journals(year: int) -> str:
    """Entries of the year with journal, day of validation and number: an unbroken sequence from 1, or 2 after balances
    brought forward."""
    cases = " ".join(f"WHEN '{table}' THEN '{code}'" for table, (code, _) in _JOURNALS.items())
    code = f"CASE WHEN is_first THEN '{_OPENING[0]}' ELSE CASE source_document_type {cases} ELSE '{_OTHER[0]}' END END"
    return f"""
        CREATE TABLE entry AS
        SELECT document_id, {code} AS journal, posting_date, document_date, source_document_id, header_text, valid,
               row_number() OVER (ORDER BY is_first DESC, valid, posting_date, document_id)
               + (SELECT count(*) FROM (SELECT 1 FROM forward LIMIT 1)) AS number
        FROM (SELECT *, greatest(posting_date, created_at::DATE, coalesce(approved_at::DATE, posting_date)) AS valid,
                     document_type = 'EB' AS is_first
              FROM journal_entries WHERE fiscal_year = {year} AND period < {_CLOSING_PERIOD})
        ORDER BY number"""


# Items that are cleared within what the file shows get a code in the order in which they were cleared.
_LETTERED: Final = f"""
    CREATE TABLE lettered AS
    SELECT account, partner_id, item, cleared_on,
           {" || ".join(f"chr((65 + (place // {26**power}) % 26)::INTEGER)" for power in reversed(range(_LETTERS)))} AS letter
    FROM (SELECT account, partner_id, item, cleared_on,
                 row_number() OVER (ORDER BY cleared_on, account, partner_id, item) - 1 AS place
          FROM settled)"""


def _lettered_lines(year: int) -> str:
    return f"""
        CREATE TABLE lettered_line AS
        SELECT i.document_id, i.line_number, i.posting_date, t.letter, t.cleared_on
        FROM item_line i JOIN lettered t USING (account, partner_id, item)
        WHERE i.fiscal_year = {year}"""


def _brought_forward(year: FiscalYear) -> str:
    """Balances brought forward as one entry, in the terms of the ledger."""
    first = f"DATE '{year.first.isoformat()}'"
    return f"""
        SELECT 1::BIGINT AS number, f.place AS line_number, '{_OPENING[0]}' AS journal, {first} AS posting_date,
               f.account, f.partner_id, coalesce(f.item, 'AN{year.number}') AS piece, {first} AS piece_date,
               'À nouveau' AS text, greatest(f.balance, 0) AS debit, greatest(-f.balance, 0) AS credit, {first} AS valid,
               NULL::DECIMAL(18, 2) AS foreign_amount, NULL::VARCHAR AS foreign_currency, t.letter, t.cleared_on
        FROM forward f
        LEFT JOIN lettered t ON t.account = f.account AND t.partner_id = f.partner_id AND t.item = f.item"""


def _lines(source: Source, year: int, at_once: int) -> Iterator[str]:
    """The lines of the year, entry by entry in the order of their numbers, some entries at a time."""
    lowest, highest = source.rows("SELECT coalesce(min(number), 1), coalesce(max(number), 0) FROM entry")[0]
    for first in range(lowest, highest + 1, at_once):
        numbers = f"number BETWEEN {first} AND {first + at_once - 1}"
        # entries are posted before they are validated: what days these are spares reading all lines
        begin, end = source.rows(f"SELECT min(posting_date), max(posting_date) FROM entry WHERE {numbers}")[0]
        days = within(begin, end)
        yield f"""
            SELECT e.number, l.line_number, e.journal, e.posting_date, l.account, l.partner_id,
                   e.source_document_id AS piece, e.document_date AS piece_date,
                   CASE WHEN l.line_text = e.header_text THEN l.line_text ELSE e.header_text || ' - ' || l.line_text END AS text,
                   l.debit, l.credit, e.valid, l.document_amount AS foreign_amount, l.document_currency AS foreign_currency,
                   t.letter, t.cleared_on
            FROM (FROM journal_lines WHERE fiscal_year = {year} AND {days}) l
            JOIN (FROM entry WHERE {numbers}) e USING (document_id)
            LEFT JOIN (FROM lettered_line WHERE {days}) t
                ON t.document_id = l.document_id AND t.line_number = l.line_number"""


def _text(currency: str, lines: str) -> str:
    """One line of the file for each of the lines, in the order of the entries' numbers."""
    names = dict((_OPENING, _OTHER, *_JOURNALS.values()))
    journal = " ".join(f"WHEN '{code}' THEN '{name}'" for code, name in names.items())
    # an exchange difference is nothing in the currency of its document
    is_foreign = f"l.foreign_currency <> '{currency}' AND l.foreign_amount <> 0"
    fields = (
        "l.journal",
        f"CASE l.journal {journal} END",
        "l.number",
        _day("l.posting_date"),
        "l.account",
        _plain("a.name"),
        "coalesce(l.partner_id, '')",
        f"coalesce({_plain('p.name')}, l.partner_id, '')",
        "l.piece",
        _day("l.piece_date"),
        _plain("l.text"),
        _amount("l.debit"),
        _amount("l.credit"),
        "coalesce(l.letter, '')",
        f"coalesce({_day('l.cleared_on')}, '')",
        _day("l.valid"),
        f"CASE WHEN {is_foreign} THEN {_amount('l.foreign_amount')} ELSE '' END",
        f"CASE WHEN {is_foreign} THEN l.foreign_currency ELSE '' END",
    )
    record = " || chr(9) || ".join(f"({field})::VARCHAR" for field in fields)
    return f"""
        SELECT {record} || chr(13) || chr(10)
        FROM ({lines}) l
        LEFT JOIN accounts a ON a.account = l.account
        LEFT JOIN partner p ON p.partner_id = l.partner_id
        ORDER BY l.number, l.line_number"""


def _day(expression: str) -> str:
    return f"strftime({expression}, '%Y%m%d')"


def _amount(expression: str) -> str:
    return f"replace(({expression})::DECIMAL(18, 2)::VARCHAR, '.', ',')"


def _plain(expression: str) -> str:
    """Text without what separates fields and records."""
    return f"regexp_replace({expression}, '[\\t\\r\\n|]+', ' ', 'g')"


def _description(task: Task, name: str, siren: str) -> str:
    year, company = task.fiscal_year, task.company.company
    return "\r\n".join(
        [
            f"{name}: fichier des écritures comptables (LPF art. A47 A-1)",
            NOTICE,
            f"Company: {company.name}. SIREN: {siren}, invented, with a valid check digit.",
            f"Period: {year.first.isoformat()} to {year.last.isoformat()}. Currency: {company.currency}.",
            "Encoding: UTF-8. Fields: separated by tabs, the first line names them. Decimals: comma. Dates: YYYYMMDD.",
            "Journals: AN balances brought forward, VE sales, AC purchases, BQ bank, PA payroll, OD all others.",
            "PieceRef is the number of the source document in the dataset. EcritureLet joins the lines of one invoice or",
            "credit note and of what cleared it within the file; DateLet is the day of the last of them.",
            "",
        ]
    )
