"""FEC, fichier des écritures comptables: the entries of a fiscal year of a French company, for the tax audit.

Source: Livre des procédures fiscales, art. L47 A-I and A47 A-1 (18 fields in this order, tab between them, decimal comma,
dates AAAAMMJJ, entries in the order of their validation, opening balances first, no closing of the result accounts).
"""

from typing import Final

from generation.engine.exports import clearing
from generation.engine.exports.parties import NOTICE, party_of
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
    "cash_pool_movements": ("BQ", "Banque"),
    "payroll_runs": ("PA", "Paie"),
}
_CLOSING_PERIOD: Final = 13
_LETTERS: Final = 5  # of a lettering code: 26**5 items in a year


def write(task: Task) -> None:
    """<SIREN>FEC<closing day>.txt and the description that goes with it."""
    year, siren = task.fiscal_year, party_of(task.company).tax_id[-9:]
    clearing.prepare(task.source, year.number)
    task.source.run(_journals(year.number))
    task.source.run(_LETTERED)
    task.source.run(_lines(year.number, year.first.isoformat()))
    name = f"{siren}FEC{year.last:%Y%m%d}"
    with task.folder.file(f"{name}.txt", "txt") as file:
        file.write("\t".join(FIELDS) + "\r\n")
        file.write_lines(task.source.lines(_text(task.company.company.currency)))
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
              FROM journal_entries WHERE fiscal_year = {year} AND period < {_CLOSING_PERIOD})"""


# Items that are cleared within what the file shows get a code in the order in which they were cleared.
_LETTERED: Final = f"""
    CREATE TABLE lettered AS
    SELECT account, partner_id, item, cleared_on,
           {" || ".join(f"chr((65 + (place // {26**power}) % 26)::INTEGER)" for power in reversed(range(_LETTERS)))} AS letter
    FROM (SELECT account, partner_id, item, cleared_on,
                 row_number() OVER (ORDER BY cleared_on, account, partner_id, item) - 1 AS place
          FROM settled)"""


def _lines(year: int, first_day: str) -> str:
    """Balances brought forward as one entry, then the lines of the year, in the terms of the ledger."""
    return f"""
        CREATE TABLE line AS
        SELECT 1::BIGINT AS number, place AS line_number, '{_OPENING[0]}' AS journal, DATE '{first_day}' AS posting_date,
               account, partner_id, coalesce(item, 'AN{year}') AS piece, DATE '{first_day}' AS piece_date,
               'À nouveau' AS text, greatest(balance, 0) AS debit, greatest(-balance, 0) AS credit, item,
               DATE '{first_day}' AS valid, NULL::DECIMAL(18, 2) AS foreign_amount, NULL AS foreign_currency
        FROM forward
        UNION ALL
        SELECT e.number, l.line_number, e.journal, e.posting_date, l.account, l.partner_id, e.source_document_id,
               e.document_date,
               CASE WHEN l.line_text = e.header_text THEN l.line_text ELSE e.header_text || ' - ' || l.line_text END,
               l.debit, l.credit, i.item, e.valid, l.document_amount, l.document_currency
        FROM journal_lines l JOIN entry e USING (document_id)
        LEFT JOIN item_line i ON i.document_id = l.document_id AND i.line_number = l.line_number"""


def _text(currency: str) -> str:
    """One line of the file for each line, in the order of the entries' numbers."""
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
        "coalesce(t.letter, '')",
        f"coalesce({_day('t.cleared_on')}, '')",
        _day("l.valid"),
        f"CASE WHEN {is_foreign} THEN {_amount('l.foreign_amount')} ELSE '' END",
        f"CASE WHEN {is_foreign} THEN l.foreign_currency ELSE '' END",
    )
    record = " || chr(9) || ".join(f"({field})::VARCHAR" for field in fields)
    return f"""
        SELECT {record} || chr(13) || chr(10)
        FROM line l
        LEFT JOIN accounts a ON a.account = l.account
        LEFT JOIN partner p ON p.partner_id = l.partner_id
        LEFT JOIN lettered t ON t.account = l.account AND t.partner_id = l.partner_id AND t.item = l.item
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
