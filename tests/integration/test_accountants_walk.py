"""An accountant's walk through the books of examples/mittelstand.yaml, with nothing but the files of the dataset.

One vendor invoice is followed from the purchase order to the balance sheet, one customer invoice from the sales order. Every
figure on the way ties to the cent. docs/walk.md tells the same walk with commands; the last test runs them.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.integration.command_line import CommandLine

ROOT = Path(__file__).resolve().parents[2]
CENT = Decimal("0.01")
BUCKETS = ((0, "current"), (30, "1-30"), (60, "31-60"), (90, "61-90"))

Row = dict[str, Any]


@dataclass(frozen=True)
class Books:
    """The tables of a dataset under their names, and the accounts that the company's roles have."""

    ledger: duckdb.DuckDBPyConnection
    accounts: dict[str, str]

    def rows(self, question: str, **values: Any) -> list[Row]:
        """The answer to a question in SQL; money comes as exact decimals."""
        answer = self.ledger.execute(question, values)
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def row(self, question: str, **values: Any) -> Row:
        (only,) = self.rows(question, **values)
        return only

    def document(self, table: str, number: str) -> Row:
        return self.row(f"from {table} where document_id = $number", number=number)

    def lines(self, table: str, number: str) -> list[Row]:
        return self.rows(f"from {table} where document_id = $number order by line_number", number=number)

    def posting(self, table: str, number: str) -> dict[str, Decimal]:
        """What the journal entry of a document puts on each account, debit positive; the entry balances."""
        lines = self.rows(
            "select l.account, l.debit, l.credit from journal_entries e join journal_lines l using (document_id) "
            "where e.source_document_type = $table and e.source_document_id = $number",
            table=table,
            number=number,
        )
        assert sum(line["debit"] for line in lines) == sum(line["credit"] for line in lines)
        amounts: dict[str, Decimal] = {}
        for line in lines:
            amounts[line["account"]] = (
                amounts.get(line["account"], Decimal(0)) + line["debit"] - line["credit"]
            )
        return {account: amount for account, amount in amounts.items() if amount}

    def on(self, **amounts: Decimal) -> dict[str, Decimal]:
        """Amounts by account role as amounts by account, without those that are nil."""
        return {self.accounts[role]: amount for role, amount in amounts.items() if amount}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("walk")
    config = ROOT / "examples" / "mittelstand.yaml"
    made = CommandLine(work).run("generate", config, "-o", "books", "--formats", "parquet", "--workers", "1")
    assert made.returncode == 0, made.stderr
    return work / "books"


@pytest.fixture(scope="module")
def books(folder: Path) -> Iterator[Books]:
    dictionary = json.loads((folder / "schema.json").read_text())
    with duckdb.connect() as ledger:
        for table in dictionary["tables"]:
            files = folder / "tables" / table["name"] / "part-*.parquet"
            ledger.execute(f"create view {table['name']} as from read_parquet('{files}')")
        yield Books(ledger, dictionary["dataset"]["companies"][0]["accounts"])


@pytest.fixture(scope="module")
def bill(books: Books) -> Row:
    """A vendor's invoice for goods with several lines, taxed, posted in one month and paid in another, less a discount."""
    return books.row(
        "select i.* from vendor_invoices i join vendor_payment_allocations a on a.vendor_invoice_id = i.document_id "
        "join vendor_payments p on p.document_id = a.document_id "
        "where i.purchase_order_id is not null and i.tax_amount > 0 and a.discount > 0 and a.amount + a.discount = i.gross_amount "
        "and month(p.payment_date) > month(i.posting_date) "
        "and (select count(*) from vendor_invoice_lines l where l.document_id = i.document_id) > 1 "
        "order by i.posting_date, i.document_id limit 1"
    )


@pytest.fixture(scope="module")
def sale(books: Books) -> Row:
    """A customer's invoice with several lines, taxed, posted in one month and paid in another, less a discount."""
    return books.row(
        "select i.* from customer_invoices i join customer_receipt_allocations a on a.customer_invoice_id = i.document_id "
        "join customer_receipts p on p.document_id = a.document_id "
        "where i.tax_amount > 0 and a.discount > 0 and a.amount + a.discount = i.gross_amount "
        "and month(p.payment_date) > month(i.posting_date) "
        "and (select count(*) from customer_invoice_lines l where l.document_id = i.document_id) > 1 "
        "order by i.posting_date, i.document_id limit 1"
    )


# --- A vendor's invoice, from the purchase order to the balance sheet ---------------------------------------------------


def test_the_order_names_goods_pieces_and_prices(books: Books, bill: Row) -> None:
    order = books.document("purchase_orders", bill["purchase_order_id"])

    assert order["vendor_id"] == bill["vendor_id"]
    for line in books.lines("purchase_order_lines", order["document_id"]):
        assert line["net_amount"] == line["quantity"] * line["unit_price"]


def test_order_receipt_and_invoice_agree_line_by_line(books: Books, bill: Row) -> None:
    """The three-way match: what was ordered, what came, what is charged."""
    ordered = {
        line["line_number"]: line for line in books.lines("purchase_order_lines", bill["purchase_order_id"])
    }

    for charged in books.lines("vendor_invoice_lines", bill["document_id"]):
        receipt = books.document("goods_receipts", charged["goods_receipt_id"])
        received = books.row(
            "from goods_receipt_lines where document_id = $receipt and line_number = $line",
            receipt=charged["goods_receipt_id"],
            line=charged["goods_receipt_line"],
        )
        order_line = ordered[received["purchase_order_line"]]
        assert receipt["purchase_order_id"] == bill["purchase_order_id"]
        assert charged["material_id"] == received["material_id"] == order_line["material_id"]
        most = order_line["quantity"] * Decimal("1.1")  # one order in fifty brings up to a tenth too much
        assert charged["quantity"] == received["quantity"] <= most
        assert received["amount"] == received["quantity"] * order_line["unit_price"]
        assert charged["net_amount"] == received["amount"]
        assert receipt["posting_date"] < bill["posting_date"]


def test_the_invoice_adds_up_and_falls_due_by_its_terms(books: Books, bill: Row) -> None:
    lines = books.lines("vendor_invoice_lines", bill["document_id"])
    (tax,) = books.lines("tax_lines", bill["document_id"])
    vendor = books.row("from vendors where vendor_id = $vendor", vendor=bill["vendor_id"])

    assert bill["net_amount"] == sum(line["net_amount"] for line in lines) == tax["base"]
    assert (
        bill["tax_amount"] == tax["tax_amount"] == (tax["base"] * tax["rate"]).quantize(CENT, ROUND_HALF_UP)
    )
    assert bill["gross_amount"] == bill["net_amount"] + bill["tax_amount"]
    assert bill["due_date"] == bill["invoice_date"] + timedelta(days=vendor["payment_terms_days"])


def test_goods_come_in_against_the_clearing_account_and_the_invoice_clears_it(
    books: Books, bill: Row
) -> None:
    (receipt,) = {
        line["goods_receipt_id"] for line in books.lines("vendor_invoice_lines", bill["document_id"])
    }
    value = sum(line["amount"] for line in books.lines("goods_receipt_lines", receipt))

    came_in = books.posting("goods_receipts", receipt)
    invoiced = books.posting("vendor_invoices", bill["document_id"])

    assert came_in == books.on(inventory=value, gr_ir=-value)
    assert invoiced == books.on(gr_ir=value, input_tax=bill["tax_amount"], payable=-bill["gross_amount"])


def test_the_payment_clears_the_invoice_less_the_discount(books: Books, bill: Row) -> None:
    (cleared,) = books.rows(
        "from vendor_payment_allocations where vendor_invoice_id = $bill", bill=bill["document_id"]
    )
    payment = books.document("vendor_payments", cleared["document_id"])
    everything = books.lines("vendor_payment_allocations", payment["document_id"])
    discount = sum(line["discount"] for line in everything)
    tax = sum((-line["tax_amount"] for line in books.lines("tax_lines", payment["document_id"])), Decimal(0))

    assert cleared["amount"] + cleared["discount"] == bill["gross_amount"]
    assert payment["vendor_id"] == bill["vendor_id"]
    assert payment["amount"] == sum(line["amount"] for line in everything)
    assert books.posting("vendor_payments", payment["document_id"]) == books.on(
        payable=payment["amount"] + discount,
        bank=-payment["amount"],
        purchase_discount=tax - discount,
        input_tax=-tax,
    )


def test_the_bank_books_the_payment_once(books: Books, bill: Row) -> None:
    payment = books.row(
        "select p.* from vendor_payments p join vendor_payment_allocations a using (document_id) "
        "where a.vendor_invoice_id = $bill",
        bill=bill["document_id"],
    )

    _the_bank_booked(books, payment, -payment["amount"])


def test_the_invoice_ages_in_the_open_items_until_it_is_paid(books: Books, bill: Row) -> None:
    _ages(books, bill, "ap_open_items", "vendor")


def test_payables_tie_from_open_items_over_the_trial_balance_to_the_balance_sheet(
    books: Books, bill: Row
) -> None:
    _ties(books, bill, "vendor_invoices", "payable", "ap_open_items", sign=-1)


# --- A customer's invoice, from the sales order to the balance sheet ----------------------------------------------------


def test_what_is_delivered_and_charged_was_ordered_at_that_price(books: Books, sale: Row) -> None:
    order = books.document("sales_orders", sale["sales_order_id"])
    ordered = {line["line_number"]: line for line in books.lines("sales_order_lines", order["document_id"])}

    assert order["customer_id"] == sale["customer_id"]
    for charged in books.lines("customer_invoice_lines", sale["document_id"]):
        delivery = books.document("deliveries", charged["delivery_id"])
        delivered = books.row(
            "from delivery_lines where document_id = $delivery and line_number = $line",
            delivery=charged["delivery_id"],
            line=charged["delivery_line"],
        )
        order_line = ordered[delivered["sales_order_line"]]
        assert order["order_date"] < delivery["posting_date"] < sale["posting_date"]
        assert charged["material_id"] == delivered["material_id"] == order_line["material_id"]
        assert charged["quantity"] == delivered["quantity"] <= order_line["quantity"]
        assert charged["net_amount"] == charged["quantity"] * order_line["unit_price"]


def test_goods_leave_the_stock_at_cost(books: Books, sale: Row) -> None:
    (delivery,) = {line["delivery_id"] for line in books.lines("customer_invoice_lines", sale["document_id"])}
    lines = books.lines("delivery_lines", delivery)
    moves = books.lines("inventory_movements", delivery)
    cost = sum(line["cost_amount"] for line in lines)

    for line, move in zip(lines, moves, strict=True):
        material = books.row("from materials where material_id = $id", id=line["material_id"])
        assert line["cost_amount"] == line["quantity"] * material["standard_cost"]
        assert (move["quantity"], move["amount"]) == (-line["quantity"], -line["cost_amount"])
    assert books.posting("deliveries", delivery) == books.on(cogs=cost, inventory=-cost)


def test_the_sale_adds_up_and_posts_revenue_tax_and_a_receivable(books: Books, sale: Row) -> None:
    (tax,) = books.lines("tax_lines", sale["document_id"])
    customer = books.row("from customers where customer_id = $customer", customer=sale["customer_id"])
    posted = books.posting("customer_invoices", sale["document_id"])
    revenue = {
        account["account"]: account["class"]
        for account in books.rows("from accounts")
        if account["account"] in posted
    }

    lines = books.lines("customer_invoice_lines", sale["document_id"])
    assert sale["net_amount"] == sum(line["net_amount"] for line in lines) == tax["base"]
    assert (
        sale["tax_amount"] == tax["tax_amount"] == (tax["base"] * tax["rate"]).quantize(CENT, ROUND_HALF_UP)
    )
    assert sale["gross_amount"] == sale["net_amount"] + sale["tax_amount"]
    assert sale["due_date"] == sale["invoice_date"] + timedelta(days=customer["payment_terms_days"])
    assert posted[books.accounts["receivable"]] == sale["gross_amount"]
    assert posted[books.accounts["output_tax"]] == -sale["tax_amount"]
    assert (
        sum(amount for account, amount in posted.items() if revenue[account] == "revenue")
        == -sale["net_amount"]
    )


def test_the_receipt_clears_the_sale_less_the_discount_and_its_tax(books: Books, sale: Row) -> None:
    (cleared,) = books.rows(
        "from customer_receipt_allocations where customer_invoice_id = $sale", sale=sale["document_id"]
    )
    receipt = books.document("customer_receipts", cleared["document_id"])
    everything = books.lines("customer_receipt_allocations", receipt["document_id"])
    discount = sum(line["discount"] for line in everything)
    tax = sum((-line["tax_amount"] for line in books.lines("tax_lines", receipt["document_id"])), Decimal(0))

    assert cleared["amount"] + cleared["discount"] == sale["gross_amount"]
    assert receipt["customer_id"] == sale["customer_id"]
    assert receipt["amount"] == sum(line["amount"] for line in everything)
    assert books.posting("customer_receipts", receipt["document_id"]) == books.on(
        bank=receipt["amount"],
        sales_discount=discount - tax,
        output_tax=tax,
        receivable=-(receipt["amount"] + discount),
    )


def test_the_bank_books_the_receipt_once(books: Books, sale: Row) -> None:
    receipt = books.row(
        "select p.* from customer_receipts p join customer_receipt_allocations a using (document_id) "
        "where a.customer_invoice_id = $sale",
        sale=sale["document_id"],
    )

    _the_bank_booked(books, receipt, receipt["amount"])


def test_the_sale_ages_in_the_open_items_until_it_is_paid(books: Books, sale: Row) -> None:
    _ages(books, sale, "ar_open_items", "customer")


def test_receivables_tie_from_open_items_over_the_trial_balance_to_the_balance_sheet(
    books: Books, sale: Row
) -> None:
    _ties(books, sale, "customer_invoices", "receivable", "ar_open_items", sign=1)


# --- What both sides have in common --------------------------------------------------------------------------------------


def _the_bank_booked(books: Books, payment: Row, amount: Decimal) -> None:
    """The bank has one line for the payment, not before its day, and its running balance moves by the amount."""
    (line,) = books.rows(
        "from bank_statement_lines where reference = $payment", payment=payment["document_id"]
    )
    before = books.row(
        "from bank_statement_lines where bank_account_id = $account and line_number = $number - 1",
        account=line["bank_account_id"],
        number=line["line_number"],
    )

    assert line["amount"] == amount
    assert line["value_date"] >= payment["payment_date"]
    assert line["balance"] == before["balance"] + amount
    assert line["bank_account_id"] == payment["bank_account_id"]


def _ages(books: Books, invoice: Row, open_items: str, who: str) -> None:
    """At every month end between posting and payment the whole amount is open, in the bucket of its days overdue."""
    table = "customer_receipt" if who == "customer" else "vendor_payment"
    paid = books.row(
        f"select payment_date from {table}s join {table}_allocations using (document_id) where {who}_invoice_id = $id",
        id=invoice["document_id"],
    )["payment_date"]
    ends = [
        row["period_end"]
        for row in books.rows(f"select distinct period_end from {open_items} order by period_end")
    ]

    items = books.rows(
        f"from {open_items} where document_id = $id order by period_end", id=invoice["document_id"]
    )

    assert [item["period_end"] for item in items] == [
        end for end in ends if invoice["posting_date"] <= end < paid
    ]
    assert items
    for item in items:
        overdue = max((item["period_end"] - invoice["due_date"]).days, 0)
        assert item["open_amount"] == item["original_amount"] == invoice["gross_amount"]
        assert item["days_overdue"] == overdue
        assert item["bucket"] == next((name for limit, name in BUCKETS if overdue <= limit), "90+")


def _ties(books: Books, invoice: Row, table: str, role: str, open_items: str, *, sign: int) -> None:
    """In the invoice's period: journal = trial balance, open items = control account, accounts = statement line."""
    account = books.accounts[role]
    entry = books.row(
        "select fiscal_year, period from journal_entries where source_document_type = $table and source_document_id = $id",
        table=table,
        id=invoice["document_id"],
    )
    when = {"year": entry["fiscal_year"], "period": entry["period"]}
    balance = books.row(
        "from trial_balances where account = $account and fiscal_year = $year and period = $period",
        account=account,
        **when,
    )
    journal = books.row(
        "select sum(debit) as debit, sum(credit) as credit, max(posting_date) as last_day from journal_lines "
        "where account = $account and fiscal_year = $year and period = $period",
        account=account,
        **when,
    )
    items = books.row(
        f"select sum(open_amount) as amount from {open_items} "
        f"where period_end = (select min(period_end) from {open_items} where period_end >= $last_day)",
        last_day=journal["last_day"],
    )
    statement = books.row(
        "select s.amount from financial_statements s join accounts a on a.statement_line = s.line "
        "where a.account = $account and s.statement = 'BS' and s.basis = 'standalone' "
        "and s.fiscal_year = $year and s.period = $period",
        account=account,
        **when,
    )
    accounts = books.row(
        "select sum(t.closing_balance) as amount from trial_balances t join accounts a using (company_code, account) "
        "where a.statement_line = (select statement_line from accounts where account = $account) "
        "and t.fiscal_year = $year and t.period = $period",
        account=account,
        **when,
    )

    assert (balance["debit"], balance["credit"]) == (journal["debit"], journal["credit"])
    assert balance["closing_balance"] == balance["opening_balance"] + balance["debit"] - balance["credit"]
    assert balance["closing_balance"] == sign * items["amount"]
    assert statement["amount"] == sign * accounts["amount"]


# --- The page ------------------------------------------------------------------------------------------------------------


def test_the_commands_of_the_page_run_and_every_difference_is_nil(folder: Path) -> None:
    page = (ROOT / "docs" / "walk.md").read_text()
    blocks = re.findall(r"^```sql\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 10

    with duckdb.connect() as ledger:
        ledger.execute(f"set file_search_path = '{folder}'")
        for block in blocks:
            answer = ledger.execute(block)
            names = [column[0] for column in answer.description or ()]
            rows = answer.fetchall()
            if "set variable" in block:
                continue
            assert rows, block
            for row in rows:
                told = dict(zip(names, row, strict=True))
                assert all(value == 0 for name, value in told.items() if name.startswith("difference")), block
