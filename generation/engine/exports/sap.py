"""SAP: journal and documents in the shape of the tables BKPF, BSEG and ACDOCA, as text with the names of their fields.

Source: ABAP Dictionary of SAP ERP (BKPF, BSEG) and S/4HANA (ACDOCA): names, types and lengths of the fields.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from generation.engine.exports import clearing
from generation.engine.exports.parties import NOTICE
from generation.engine.exports.source import quoted, within
from generation.engine.exports.task import Task
from generation.engine.packs.currency import exponent

TABLES: Final = frozenset(
    {"accounts", "customers", "vendors", "journal_entries", "journal_lines", *clearing.TABLES}
)
CLIENT: Final = "100"
LEDGER: Final = "0L"
LINES_AT_ONCE: Final = 250_000  # so many are joined in memory, whatever the length of the books
MOST_ITEMS: Final = 999  # BSEG-BUZEI has three digits
_LINES_BY_DAY: Final = "SELECT posting_date AS day, count(*) AS lines FROM journal_lines GROUP BY day"
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def write(task: Task, *, lines_at_once: int = LINES_AT_ONCE) -> None:
    """<company>/BKPF.csv, BSEG.csv, ACDOCA.csv, T007S.csv (what the tax codes mean) and README.txt."""
    source, company = task.source, task.company.company
    clearing.items(source)
    source.run(_NUMBERED)
    source.run(_CLEARED)
    source.run(_CLEARED_LINE)
    places, stated = exponent(company.currency), _stated(task)
    with _table(task, "BKPF", _BKPF) as write_records:
        write_records("head ORDER BY year, number")
    items = _table(task, "BSEG", _bseg(places, stated)), _table(task, "ACDOCA", _acdoca(places, stated))
    with items[0] as write_bseg, items[1] as write_acdoca:
        for first, last in source.spans(_LINES_BY_DAY, lines_at_once):
            source.run(_line_view(task, within(first, last)))
            write_bseg("line WHERE NOT is_long ORDER BY year, number, line_number")
            write_acdoca("line ORDER BY year, number, line_number")
    with task.folder.file(f"{company.code}/T007S.csv", "csv") as file:
        file.write("MANDT,SPRAS,MWSKZ,TEXT1\r\n")
        file.write("".join(f"{CLIENT},E,{key},{name}\r\n" for name, key in _tax_keys(task).items()))
    with task.folder.file(f"{company.code}/README.txt", "txt") as file:
        file.write(_readme(task))


@contextmanager
def _table(task: Task, name: str, fields: dict[str, str]) -> Iterator[Callable[[str], None]]:
    """A file of one table of SAP that is being written: what is called with FROM and ORDER BY of a query adds its records."""
    company = task.company.company
    values = {"client": f"'{CLIENT}'", "company": quoted(company.code), "currency": quoted(company.currency)}
    record = " || ',' || ".join(_written(sql.format(**values)) for sql in fields.values())
    with task.folder.file(f"{company.code}/{name}.csv", "csv") as file:
        file.write(",".join(fields) + "\r\n")
        yield lambda origin: file.write_lines(
            task.source.lines(f"SELECT {record} || chr(13) || chr(10) FROM {origin}")
        )


# BELNR counts the documents of a fiscal year in the order in which they were posted.
_NUMBERED: Final = """
    CREATE TABLE head AS
    WITH numbered AS (
        SELECT *, fiscal_year AS year, '1' || lpad((row_number() OVER (
            PARTITION BY fiscal_year ORDER BY posting_date, created_at, document_id))::VARCHAR, 9, '0') AS number
        FROM journal_entries)
    SELECT n.*, coalesce(r.number, u.number, '') AS reverse, coalesce(r.year, u.year)::VARCHAR AS reverse_year,
           s.items > 999 AS is_long
    FROM numbered n
    JOIN (SELECT document_id, max(line_number) AS items FROM journal_lines GROUP BY document_id) s USING (document_id)
    LEFT JOIN numbered r ON r.document_id = n.reverses_document_id
    LEFT JOIN numbered u ON u.reverses_document_id = n.document_id"""

# Items that balance over the books: cleared on the day and by the document of their last line.
_CLEARED: Final = """
    CREATE TABLE cleared AS
    SELECT i.account, i.partner_id, i.item, max(i.posting_date) AS cleared_on,
           arg_max(h.number, (i.posting_date, h.number)) AS cleared_by
    FROM item_line i JOIN head h USING (document_id)
    WHERE i.item IS NOT NULL
    GROUP BY i.account, i.partner_id, i.item
    HAVING sum(i.balance) = 0 AND count(*) > 1"""


_CLEARED_LINE: Final = """
    CREATE TABLE cleared_line AS
    SELECT i.document_id, i.line_number, i.posting_date, c.cleared_on, c.cleared_by
    FROM item_line i JOIN cleared c USING (account, partner_id, item)"""


def _tax_keys(task: Task) -> dict[str, str]:
    """MWSKZ has two characters: from A0 on for tax on sales, from V0 on for tax on purchases, as usual in Germany."""
    keys: dict[str, str] = {}
    used = {"A": 0, "V": 0}
    for name in task.company.taxes.names:
        first = "V" if name.startswith("P") else "A"
        letter, digit = divmod(used[first], len(_DIGITS))
        keys[name] = chr(ord(first) + letter) + _DIGITS[digit]
        used[first] += 1
    return keys


def _line_view(task: Task, days: str) -> str:
    """Lines of some days with what follows from their account and partner: kind of account (KOART) and posting key (BSCHL)."""
    keys = " ".join(f"WHEN {quoted(name)} THEN {quoted(key)}" for name, key in _tax_keys(task).items())
    return f"""
        CREATE OR REPLACE TABLE line AS
        SELECT l.*, h.year, h.number, h.is_long, h.document_date, h.document_type, h.created_at, h.created_by,
               h.source_document_type, h.source_document_id, l.debit > 0 AS is_debit, CASE l.tax_code {keys} END AS tax_key,
               CASE WHEN l.partner_type = 'customer' THEN 'D' WHEN l.partner_type = 'vendor' THEN 'K'
                    WHEN l.asset_id IS NOT NULL AND a.subtype IN ('fixed_asset_cost', 'accumulated_depreciation') THEN 'A'
                    WHEN l.material_id IS NOT NULL AND a.subtype = 'inventory' THEN 'M' ELSE 'S' END AS kind,
               CASE WHEN l.partner_type = 'customer' AND h.document_type = 'DZ' THEN CASE WHEN l.debit > 0 THEN '05' ELSE '15' END
                    WHEN l.partner_type = 'customer' THEN CASE WHEN l.debit > 0 THEN '01' ELSE '11' END
                    WHEN l.partner_type = 'vendor' AND h.document_type IN ('KZ', 'KQ') THEN CASE WHEN l.debit > 0 THEN '25' ELSE '35' END
                    WHEN l.partner_type = 'vendor' THEN CASE WHEN l.debit > 0 THEN '21' ELSE '31' END
                    WHEN kind = 'A' THEN CASE WHEN l.debit > 0 THEN '70' ELSE '75' END
                    WHEN kind = 'M' THEN CASE WHEN l.debit > 0 THEN '89' ELSE '99' END
                    WHEN a.subtype = 'gr_ir' THEN CASE WHEN l.debit > 0 THEN '86' ELSE '96' END
                    ELSE CASE WHEN l.debit > 0 THEN '40' ELSE '50' END END AS posting_key,
               c.cleared_on, c.cleared_by
        FROM (FROM journal_lines WHERE {days}) l
        JOIN (FROM head WHERE {days}) h ON h.document_id = l.document_id
        JOIN accounts a ON a.account = l.account
        LEFT JOIN (FROM cleared_line WHERE {days}) c ON c.document_id = l.document_id AND c.line_number = l.line_number"""


_DAY: Final = "strftime({}, '%Y%m%d')"
_ACCOUNT: Final = (
    "CASE WHEN regexp_full_match(account, '[0-9]+') THEN lpad(account, 10, '0') ELSE account END"
)
_BKPF: Final = {
    "MANDT": "{client}", "BUKRS": "{company}", "BELNR": "number", "GJAHR": "year", "BLART": "document_type",
    "BLDAT": _DAY.format("document_date"), "BUDAT": _DAY.format("posting_date"),
    "MONAT": "lpad(period::VARCHAR, 2, '0')", "CPUDT": _DAY.format("created_at"),
    "CPUTM": "strftime(created_at, '%H%M%S')", "USNAM": "created_by", "STBLG": "reverse", "STJAH": "reverse_year",
    "BKTXT": "left(header_text, 25)", "WAERS": "currency", "KURSF": "exchange_rate", "HWAER": "{currency}",
    "BSTAT": "CASE WHEN is_long THEN 'L' ELSE '' END", "AWTYP": "'BKPF'", "AWKEY": "document_id",
}  # fmt: skip


def _stated(task: Task) -> str:
    """SQL of the amount of a line in the currency of its document, with the decimals of that currency."""
    places = exponent(task.company.company.currency)
    known = {*task.company.currencies.codes, *(code for pair in task.company.trade.pairs for code in pair)}
    cases = "".join(
        f" WHEN document_currency = {quoted(code)} THEN document_amount::DECIMAL(18, {exponent(code)})::VARCHAR"
        for code in sorted(known)
        if exponent(code) != places
    )
    own = f"document_amount::DECIMAL(18, {places})::VARCHAR"
    return f"CASE{cases} ELSE {own} END" if cases else own


def _bseg(places: int, stated: str) -> dict[str, str]:
    amount = f"::DECIMAL(18, {places})"
    return {
        "MANDT": "{client}", "BUKRS": "{company}", "BELNR": "number", "GJAHR": "year",
        "BUZEI": "lpad(line_number::VARCHAR, 3, '0')", "AUGDT": _DAY.format("cleared_on"), "AUGBL": "cleared_by",
        "BSCHL": "posting_key", "KOART": "kind", "SHKZG": "CASE WHEN is_debit THEN 'S' ELSE 'H' END",
        "MWSKZ": "tax_key", "DMBTR": f"greatest(debit, credit){amount}", "WRBTR": f"ltrim({stated}, '-')",
        "PSWSL": "document_currency", "ZUONR": "source_document_id", "SGTXT": "left(line_text, 50)",
        "KOSTL": "cost_center_id", "ANLN1": "asset_id", "HKONT": _ACCOUNT,
        "KUNNR": "CASE WHEN kind = 'D' THEN partner_id END", "LIFNR": "CASE WHEN kind = 'K' THEN partner_id END",
        "MATNR": "material_id",
    }  # fmt: skip


def _acdoca(places: int, stated: str) -> dict[str, str]:
    amount = f"::DECIMAL(18, {places})"
    return {
        "RCLNT": "{client}", "RLDNR": f"'{LEDGER}'", "RBUKRS": "{company}", "GJAHR": "year", "BELNR": "number",
        "DOCLN": "lpad(line_number::VARCHAR, 6, '0')", "RYEAR": "year", "POPER": "lpad(period::VARCHAR, 3, '0')",
        "RWCUR": "document_currency", "RHCUR": "{currency}", "RACCT": _ACCOUNT, "RCNTR": "cost_center_id",
        "WSL": stated, "HSL": f"(debit - credit){amount}",
        "DRCRK": "CASE WHEN is_debit THEN 'S' ELSE 'H' END", "BLDAT": _DAY.format("document_date"),
        "BUDAT": _DAY.format("posting_date"), "BLART": "document_type",
        "BUZEI": "CASE WHEN is_long THEN '000' ELSE lpad(line_number::VARCHAR, 3, '0') END", "ZUONR": "source_document_id",
        "BSCHL": "posting_key", "KOART": "kind", "MWSKZ": "tax_key", "SGTXT": "left(line_text, 50)",
        "KUNNR": "CASE WHEN kind = 'D' THEN partner_id END", "LIFNR": "CASE WHEN kind = 'K' THEN partner_id END",
        "MATNR": "material_id", "ANLN1": "asset_id", "USNAM": "created_by",
        "TIMESTAMP": "strftime(created_at, '%Y%m%d%H%M%S')", "AUGDT": _DAY.format("cleared_on"), "AUGBL": "cleared_by",
    }  # fmt: skip


def _written(sql: str) -> str:
    """A field of CSV (RFC 4180): quoted where it holds a comma, a quote or a line break."""
    text = f"coalesce(({sql})::VARCHAR, '')"
    return f"""CASE WHEN regexp_matches({text}, '[",\\r\\n]') THEN '"' || replace({text}, '"', '""') || '"' ELSE {text} END"""


def _readme(task: Task) -> str:
    return "\r\n".join(
        [
            NOTICE,
            f"Company code {task.company.code}, client {CLIENT}, ledger {LEDGER}: {task.company.company.name}.",
            "Comma-separated text (RFC 4180), UTF-8; the first line names the fields. Days YYYYMMDD, decimals with a point.",
            "AWKEY is the number of the journal entry in the dataset, ZUONR that of its source document.",
            "T007S says which tax code of the dataset MWSKZ stands for.",
            f"Documents with more than {MOST_ITEMS} items have BSTAT L: they are in BKPF and ACDOCA and not in BSEG.",
            "",
        ]
    )
