"""ISO 20022 camt.053.001.08: what the bank reports, one statement a month for each bank account.

Source: message definition BankToCustomerStatementV08; codes of the External Code Sets (balance types OPBD and CLBD, entry
status BOOK, bank transaction codes).
"""

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count, takewhile
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from generation.engine.exports.files import ExportFile
from generation.engine.exports.parties import NOTICE
from generation.engine.exports.source import element, quoted, xml
from generation.engine.exports.task import Task
from generation.engine.horizon import month_after
from generation.engine.packs.currency import exponent

TABLES: Final = frozenset(
    {
        "bank_accounts", "bank_statement_lines", "customer_receipts", "customer_receipt_allocations", "customers",
        "vendor_payments", "vendor_payment_allocations", "vendors", "payroll_runs", "bank_charges",
        "cash_pool_movements",
    }
)  # fmt: skip
NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_IBAN: Final = r"[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}"


class _Account(NamedTuple):
    """A bank account of the company as its statements name it."""

    id: str
    name: str
    number: str
    currency: str


class _Month(NamedTuple):
    """The sums of a statement; amounts are text, without a sign where the direction stands beside them."""

    first: date
    opening: str
    closing: str
    received: int
    received_sum: str
    paid: int
    paid_sum: str


def write(task: Task) -> None:
    """<company>/<bank account>-<year>-<month>.xml."""
    task.source.run(_ENTRIES)
    accounts = task.source.rows(
        "SELECT bank_account_id, name, iban, currency FROM bank_accounts ORDER BY bank_account_id"
    )
    for account in map(_Account._make, accounts):
        for month in _months(task, account):
            name = f"{task.company.code}/{account.id}-{month.first:%Y-%m}.xml"
            with task.folder.file(name, "xml") as file:
                _statement(task, file, account, month)


# Who paid or was paid, for which documents, by what kind of transaction; one row for each line of a statement.
_ENTRIES: Final = """
    CREATE TABLE entry AS
    WITH cleared AS (
        SELECT document_id, string_agg(customer_invoice_id, ' ' ORDER BY line_number) AS documents
        FROM customer_receipt_allocations GROUP BY document_id
        UNION ALL
        SELECT document_id, string_agg(vendor_invoice_id, ' ' ORDER BY line_number)
        FROM vendor_payment_allocations GROUP BY document_id),
    partner AS (
        SELECT r.document_id, c.name, c.iban, 'PMNT/RCDT/OTHR' AS code FROM customer_receipts r JOIN customers c USING (customer_id)
        UNION ALL
        SELECT p.document_id, v.name, v.iban, 'PMNT/ICDT/OTHR' FROM vendor_payments p JOIN vendors v USING (vendor_id)
        UNION ALL
        SELECT document_id, NULL, NULL, CASE WHEN kind = 'net_payment' THEN 'PMNT/ICDT/SALA' ELSE 'PMNT/ICDT/OTHR' END
        FROM payroll_runs
        UNION ALL
        SELECT document_id, NULL, NULL, 'ACMT/MDOP/FEES' FROM bank_charges
        UNION ALL
        SELECT document_id, NULL, NULL, 'CAMT/ACCB/ZABA' FROM cash_pool_movements WHERE kind <> 'interest')
    SELECT s.bank_account_id, s.line_number, s.value_date, s.amount, s.balance, s.reference, p.name, p.iban,
           coalesce(p.code, CASE WHEN s.amount > 0 THEN 'PMNT/RCDT/OTHR' ELSE 'PMNT/ICDT/OTHR' END) AS code,
           left(coalesce(d.documents, s.reference), 140) AS documents
    FROM bank_statement_lines s
    LEFT JOIN partner p ON p.document_id = s.reference
    LEFT JOIN cleared d ON d.document_id = s.reference"""


def _months(task: Task, account: _Account) -> Iterator[_Month]:
    """Every month of the books, also one in which nothing was booked."""
    places = exponent(account.currency)
    found = {
        row[0]: row[1:]
        for row in task.source.rows(f"""
            SELECT date_trunc('month', value_date)::DATE AS first, arg_min(balance - amount, line_number),
                   arg_max(balance, line_number), count(*) FILTER (amount > 0), sum(greatest(amount, 0)),
                   count(*) FILTER (amount < 0), sum(greatest(-amount, 0))
            FROM entry WHERE bank_account_id = {quoted(account.id)} GROUP BY first""")
    }
    horizon = task.company.horizon
    balance = 0
    # statements keep to calendar months, whatever the periods of the books
    begun = takewhile(
        lambda first: first < horizon.end, (month_after(horizon.start, month) for month in count())
    )
    for first in begun:
        opening, closing, received, received_sum, paid, paid_sum = found.get(
            first, (balance, balance, 0, 0, 0, 0)
        )
        balance = closing
        amounts = [f"{value:.{places}f}" for value in (opening, closing, received_sum, paid_sum)]
        yield _Month(first, amounts[0], amounts[1], received, amounts[2], paid, amounts[3])


def _statement(task: Task, file: ExportFile, account: _Account, month: _Month) -> None:
    end = task.company.horizon.end - timedelta(days=1)
    last = min(month.first.replace(day=calendar.monthrange(month.first.year, month.first.month)[1]), end)
    at_end = f"{last.isoformat()}T23:59:59"
    number = f"{account.id}-{month.first:%Y%m}"
    is_iban = re.fullmatch(_IBAN, account.number) is not None
    id_of = f"<IBAN>{account.number}</IBAN>" if is_iban else f"<Othr><Id>{escape(account.number)}</Id></Othr>"
    sums = "".join(
        f"<{tag}><NbOfNtries>{count}</NbOfNtries><Sum>{total}</Sum></{tag}>"
        for tag, count, total in (
            ("TtlCdtNtries", month.received, month.received_sum),
            ("TtlDbtNtries", month.paid, month.paid_sum),
        )
    )
    file.write(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {NOTICE} -->\n<Document xmlns="{NAMESPACE}"><BkToCstmrStmt>\n'
        f"<GrpHdr><MsgId>{number}</MsgId><CreDtTm>{at_end}</CreDtTm><AddtlInf>{NOTICE}</AddtlInf></GrpHdr>\n"
        f"<Stmt><Id>{number}</Id><ElctrncSeqNb>{month.first:%Y%m}</ElctrncSeqNb><CreDtTm>{at_end}</CreDtTm>"
        f"<FrToDt><FrDtTm>{month.first.isoformat()}T00:00:00</FrDtTm><ToDtTm>{at_end}</ToDtTm></FrToDt>\n"
        f"<Acct><Id>{id_of}</Id><Ccy>{account.currency}</Ccy><Nm>{escape(account.name[:70])}</Nm>"
        f"<Ownr><Nm>{escape(task.company.company.name)}</Nm></Ownr></Acct>\n"
        f"{_balance('OPBD', month.opening, account.currency, month.first)}"
        f"{_balance('CLBD', month.closing, account.currency, last)}<TxsSummry>{sums}</TxsSummry>\n"
    )
    file.write_lines(task.source.lines(_entries(account, month.first, last)))
    file.write(f"<AddtlStmtInf>{NOTICE}</AddtlStmtInf></Stmt>\n</BkToCstmrStmt></Document>\n")


def _balance(kind: str, amount: str, currency: str, day: date) -> str:
    side = "DBIT" if amount.startswith("-") else "CRDT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{amount.removeprefix("-")}</Amt>'
        f"<CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{day.isoformat()}</Dt></Dt></Bal>\n"
    )


def _entries(account: _Account, first: date, last: date) -> str:
    """One Ntry for each line, in the order of the bank."""
    places = exponent(account.currency)
    domain = (
        "'<BkTxCd><Domn><Cd>' || split_part(code, '/', 1) || '</Cd><Fmly><Cd>' || split_part(code, '/', 2) || "
        "'</Cd><SubFmlyCd>' || split_part(code, '/', 3) || '</SubFmlyCd></Fmly></Domn></BkTxCd>'"
    )
    other = f"""
        CASE WHEN name IS NULL THEN '' ELSE '<RltdPties>' ||
            CASE WHEN amount > 0 THEN {_party("Dbtr")} ELSE {_party("Cdtr")} END || '</RltdPties>' END"""
    return f"""
        SELECT '<Ntry><NtryRef>' || line_number || '</NtryRef><Amt Ccy="{account.currency}">'
            || abs(amount)::DECIMAL(18, {places})::VARCHAR || '</Amt><CdtDbtInd>'
            || CASE WHEN amount > 0 THEN 'CRDT' ELSE 'DBIT' END || '</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>'
            || value_date || '</Dt></BookgDt><ValDt><Dt>' || value_date || '</Dt></ValDt>' || {domain}
            || '<NtryDtls><TxDtls><Refs><EndToEndId>' || {xml("reference")} || '</EndToEndId></Refs>' || {other}
            || '<RmtInf>' || {element("Ustrd", "documents")} || '</RmtInf></TxDtls></NtryDtls></Ntry>' || chr(10)
        FROM entry
        WHERE bank_account_id = {quoted(account.id)} AND value_date BETWEEN DATE '{first}' AND DATE '{last}'
        ORDER BY line_number"""


def _party(role: str) -> str:
    number = f"""CASE WHEN regexp_full_match(iban, '{_IBAN}') THEN '<IBAN>' || iban || '</IBAN>'
        ELSE '<Othr><Id>' || {xml("left(iban, 34)")} || '</Id></Othr>' END"""
    return f"'<{role}><Pty>' || {element('Nm', 'name')} || '</Pty></{role}><{role}Acct><Id>' || {number} || '</Id></{role}Acct>'"
