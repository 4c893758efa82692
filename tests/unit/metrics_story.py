"""The documents of a small set of books, written by hand: every chain once or twice, two companies, a year end.

The fiscal year ends on 31 March 2025, so three months hold an opening, two ordinary months and a year-end close. All amounts
are cents; tax is 19 %. Journal entries follow from the documents by hand, balances and statements by plain sums.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.unit.metrics_dataset import Row, at, cents

END = date(2025, 3, 31)
MONTH_ENDS = (date(2025, 1, 31), date(2025, 2, 28), END)
_LIMITS = {
    "price_tolerance": "0.02",
    "gr_ir_clearing_days": 30,
    "review_months": 11,
    "low_value_limit": "800.00",
}
FACTS = {
    "name": "hand-made", "seed": 7, "group": {"name": "Hand-made", "currency": "EUR", "exponent": 2},
    "period": {"start": "2025-01-01", "end": "2025-03-31", "months": 3, "fiscal_year_start_month": 4},
    "companies": [
        {"company_code": "1000", "country": "DE", "currency": "EUR", "exponent": 2, "holidays": ["2025-01-01"],
         "accounts": {"accrued": "2200"}, **_LIMITS},
        {"company_code": "2000", "country": "GB", "currency": "GBP", "exponent": 2, "holidays": [], **_LIMITS},
    ],
    "tolerances": {"over_delivery": 0.1}, "sod_violation_rate": 0.01,
}  # fmt: skip
CURRENCY = {"1000": "EUR", "2000": "GBP"}

# number: class, subtype, statement line
ACCOUNTS = {
    "1000": ("asset", "cash", "BS.A.cash"), "1100": ("asset", "trade_receivable", "BS.A.receivables"),
    "1160": ("asset", "input_tax", "BS.A.other"), "1200": ("asset", "inventory", "BS.A.inventory"),
    "1500": ("asset", "fixed_asset_cost", "BS.A.fixed"), "1510": ("asset", "accumulated_depreciation", "BS.A.fixed"),
    "2000": ("liability", "trade_payable", "BS.L.payables"), "2110": ("liability", "tax_payable", "BS.L.taxes"),
    "2120": ("liability", "tax_payable", "BS.L.taxes"), "2200": ("liability", "accrued", "BS.L.accruals"),
    "2210": ("liability", "payroll_payable", "BS.L.payroll"), "2500": ("liability", "debt", "BS.L.debt"),
    "2900": ("liability", "gr_ir", "BS.L.gr_ir"),
    "3000": ("equity", "share_capital", "BS.E.capital"), "3200": ("equity", "retained_earnings", "BS.E.retained"),
    "4000": ("revenue", "revenue", "IS.revenue"), "4800": ("revenue", "other_income", "IS.other_income"),
    "5000": ("expense", "cost_of_sales", "IS.cost_of_sales"), "6000": ("expense", "depreciation_expense", "IS.depreciation"),
    "6100": ("expense", "operating_expense", "IS.wages"), "6300": ("expense", "operating_expense", "IS.other_cost"),
}  # fmt: skip
CONTROL = {"trade_receivable", "inventory", "fixed_asset_cost", "accumulated_depreciation", "trade_payable"}
CASH_FLOW = {
    "trade_receivable": "CF.receivables", "inventory": "CF.inventory", "input_tax": "CF.taxes", "tax_payable": "CF.taxes",
    "trade_payable": "CF.payables", "gr_ir": "CF.payables", "accrued": "CF.accruals", "payroll_payable": "CF.payroll",
    "fixed_asset_cost": "CF.investments", "accumulated_depreciation": "CF.investments", "share_capital": "CF.equity",
    "retained_earnings": "CF.equity", "debt": "CF.debt",
}  # fmt: skip

# Lines on tax accounts that come from these documents carry the tax code.
TAXED = {"1160", "2110"}
TAXED_DOCUMENTS = {
    "customer_invoices",
    "customer_receipts",
    "vendor_invoices",
    "vendor_payments",
    "asset_transactions",
}

Line = tuple[str, int]  # account, amount: debit positive


class Story:
    """Collects documents and their postings; amounts in cents."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self.lines: list[
            tuple[str, int, int, date, str, int]
        ] = []  # company, year, period, day, account, amount
        self.bank: dict[str, list[tuple[date, int, str, str]]] = defaultdict(list)

    def add(self, table: str, **cells: Any) -> None:
        self.rows[table].append(cells)

    def header(self, table: str, document: str, company: str = "1000", **cells: Any) -> None:
        self.add(table, document_id=document, company_code=company, **cells)

    def items(self, table: str, document: str, entries: list[dict[str, Any]], company: str = "1000") -> None:
        for number, cells in enumerate(entries, start=1):
            self.add(table, document_id=document, line_number=number, company_code=company, **cells)

    def post(
        self, entry: str, process: str, kind: str, source: tuple[str, str], day: date, lines: list[Line], *,
        company: str = "1000", partner: tuple[str, str] | None = None, how: str = "automated", period: int | None = None,
        reverses: str | None = None, approved: bool = False, value: date | None = None, on_statement: bool = True,
    ) -> None:  # fmt: skip
        """One journal entry; cash lines reach the bank on `value`, unless they are still on their way at the end."""
        place = (2025, period or (day.month + 8) % 12 + 1)
        self.add(
            "journal_entries", document_id=entry, company_code=company, fiscal_year=place[0], period=place[1],
            posting_date=day, document_date=day, created_at=at(day, 10), document_type=kind, process=process, source=how,
            currency=CURRENCY[company], exchange_rate=Decimal(1),
            created_by="E1" if approved else "BATCH01", approved_by="E2" if approved else None,
            approved_at=at(day, 12) if approved else None, source_document_type=source[0], source_document_id=source[1],
            reverses_document_id=reverses,
        )  # fmt: skip
        for number, (account, amount) in enumerate(lines, start=1):
            controlled = ACCOUNTS[account][1] in ("trade_receivable", "trade_payable")
            self.add(
                "journal_lines", document_id=entry, line_number=number, company_code=company, fiscal_year=place[0],
                period=place[1], posting_date=day, account=account, debit=cents(max(amount, 0)), credit=cents(max(-amount, 0)),
                document_currency=CURRENCY[company], document_amount=cents(amount),
                partner_type=partner[0] if partner and controlled else None,
                partner_id=partner[1] if partner and controlled else None,
                cost_center_id="K1" if account == "6300" else None,
                tax_code="S19" if account in TAXED and source[0] in TAXED_DOCUMENTS else None, material_id=None, asset_id=None,
            )  # fmt: skip
            self.lines.append((company, *place, day, account, amount))
            if account == "1000" and on_statement:
                self.bank[company].append((value or day, amount, source[1], entry))

    def refer(self, source: tuple[str, str], target: tuple[str, str], day: date, relation: str) -> None:
        self.add("document_references", source_type=source[0], source_id=source[1], target_type=target[0],
                 target_id=target[1], company_code="1000", relation=relation, date=day)  # fmt: skip

    def tax(self, document: tuple[str, str], base: int, tax: int, direction: str, day: date) -> None:
        self.add("tax_lines", document_id=document[1], line_number=1, company_code="1000", document_type=document[0],
                 posting_date=day, tax_code="S19", base=cents(base), rate=cents(19), tax_amount=cents(tax),
                 direction=direction)  # fmt: skip


# Documents read as a table, one step of the story a line.
# fmt: off


def told() -> Story:
    """All documents and postings of the two companies."""
    story = Story()
    for chapter in (
        _master_data, _opening, _purchases, _returns, _sales, _people, _assets, _stock_keeping, _month_ends, _second_company,
        _year_end, _bank,
    ):
        chapter(story)
    return story


def _master_data(story: Story) -> None:
    for code, country in (("1000", "DE"), ("2000", "GB")):
        story.add("companies", company_code=code, name=code, country=country, currency=CURRENCY[code], framework="hgb",
                  parent_company_code=None, ownership=Decimal(1))
        for number, (class_, subtype, line) in ACCOUNTS.items():
            story.add("accounts", company_code=code, account=number, name=subtype, **{"class": class_}, subtype=subtype,
                      normal_side="D" if class_ in ("asset", "expense") else "C", is_control=subtype in CONTROL,
                      statement_line=line)  # fmt: skip
        story.add("bank_accounts", bank_account_id=f"B{code}", company_code=code, account="1000")
    for center in ("K1", "K2"):
        story.add("cost_centers", cost_center_id=center, company_code="1000", name=center)
    for person, manager in (("E1", "E2"), ("E2", None)):
        story.add("employees", employee_id=person, company_code="1000", name=person, manager_id=manager,
                  approval_limit=cents(100_000_00))  # fmt: skip
    story.add("assets", asset_id="A1", company_code="1000", **{"class": "machinery"}, acquisition_date=date(2023, 12, 15),
              acquisition_cost=cents(1_200_000), salvage_value=cents(0), useful_life_months=48, depreciation_method="straight_line")
    story.add("assets", asset_id="A2", company_code="1000", **{"class": "vehicles"}, acquisition_date=date(2025, 2, 14),
              acquisition_cost=cents(240_000), salvage_value=cents(0), useful_life_months=24, depreciation_method="straight_line")
    story.add("materials", material_id="M1", company_code="1000", standard_cost=cents(1000), list_price=cents(2000))
    story.add("materials", material_id="M2", company_code="1000", standard_cost=cents(2500), list_price=cents(6000))
    for table, partners in (("vendors", ("V1", "V2")), ("customers", ("C1", "C2"))):
        for partner in partners:
            story.add(table, **{f"{table[:-1]}_id": partner}, company_code="1000", name=partner, country="DE",
                      payment_terms_days=30 if table == "vendors" else 14, valid_from=date(2020, 1, 1), valid_to=None)  # fmt: skip
    story.add("vendors", vendor_id="V9", company_code="2000", name="V9", country="GB", payment_terms_days=15,
              valid_from=date(2020, 1, 1), valid_to=None)  # fmt: skip


def _move(story: Story, document: str, day: date, kind: str, entries: list[tuple[str, int]]) -> None:
    price = {"M1": 1000, "M2": 2500}
    rows = [{"posting_date": day, "material_id": m, "kind": kind, "quantity": q, "amount": cents(q * price[m])} for m, q in entries]
    story.items("inventory_movements", document, rows)


def _opening(story: Story) -> None:
    day = date(2025, 1, 1)
    story.header("closing_steps", "CS1", step="opening", posting_date=day, fiscal_year=2025)
    _move(story, "CS1", day, "opening", [("M1", 100), ("M2", 50)])
    story.post("JE01", "R2R", "EB", ("closing_steps", "CS1"), day,
               [("1200", 225_000), ("1000", 5_000_000), ("1500", 1_200_000), ("1510", -300_000), ("3000", -2_000_000),
                ("3200", -4_125_000)])  # fmt: skip


def _purchase_invoice(
    story: Story, document: str, vendor: str, order: str | None, day: date, net: int, tax: int, lines: list[dict[str, Any]]
) -> None:
    story.header("vendor_invoices", document, vendor_id=vendor, purchase_order_id=order, invoice_date=day, posting_date=day,
                 due_date=day + timedelta(days=30), net_amount=cents(net), tax_amount=cents(tax), gross_amount=cents(net + tax),
                 currency="EUR")  # fmt: skip
    blank = {"material_id": None, "account": None, "asset_id": None, "quantity": 1, "goods_receipt_id": None, "goods_receipt_line": 0}
    story.items("vendor_invoice_lines", document, [{**blank, **line} for line in lines])
    story.tax(("vendor_invoices", document), net, tax, "input", day)


def _payment(story: Story, document: str, vendor: str, day: date, amount: int, cleared: list[tuple[str, int, int]]) -> None:
    story.header("vendor_payments", document, vendor_id=vendor, payment_date=day, amount=cents(amount),
                 on_account_amount=cents(0), currency="EUR", method="transfer", bank_account_id="B1000")  # fmt: skip
    story.items("vendor_payment_allocations", document,
                [{"vendor_invoice_id": i, "amount": cents(a), "discount": cents(d)} for i, a, d in cleared])  # fmt: skip
    for invoice, _, _ in cleared:
        story.refer(("vendor_invoices", invoice), ("vendor_payments", document), day, "clears")


def _purchases(story: Story) -> None:
    story.header("purchase_orders", "PO1", vendor_id="V1", order_date=date(2025, 1, 10))
    story.items("purchase_order_lines", "PO1", [
        {"material_id": "M1", "quantity": 40, "unit_price": cents(1000), "net_amount": cents(40_000)},
        {"material_id": "M2", "quantity": 20, "unit_price": cents(2500), "net_amount": cents(50_000)}])  # fmt: skip
    for receipt, day, entry, pieces in (
        ("GR1", date(2025, 1, 20), "JE02", [(1, "M1", 44), (2, "M2", 12)]), ("GR2", date(2025, 2, 3), "JE03", [(2, "M2", 8)]),
    ):  # fmt: skip
        story.header("goods_receipts", receipt, purchase_order_id="PO1", posting_date=day)
        price = {"M1": 1000, "M2": 2500}
        story.items("goods_receipt_lines", receipt, [
            {"purchase_order_line": line, "material_id": m, "quantity": q, "amount": cents(q * price[m])} for line, m,
            q in pieces])  # fmt: skip
        value = sum(q * price[m] for _, m, q in pieces)
        _move(story, receipt, day, "receipt", [(m, q) for _, m, q in pieces])
        story.post(entry, "P2P", "WE", ("goods_receipts", receipt), day, [("1200", value), ("2900", -value)])
        story.refer(("purchase_orders", "PO1"), ("goods_receipts", receipt), day, "fulfils")
    _purchase_invoice(story, "VI1", "V1", "PO1", date(2025, 1, 24), 75_000, 14_250, [
        {"material_id": "M1", "quantity": 44, "net_amount": cents(45_000), "goods_receipt_id": "GR1", "goods_receipt_line": 1},
        {"material_id": "M2", "quantity": 12, "net_amount": cents(30_000), "goods_receipt_id": "GR1",
        "goods_receipt_line": 2}])  # fmt: skip
    story.post("JE04", "P2P", "RE", ("vendor_invoices", "VI1"), date(2025, 1, 24),
               [("2900", 74_000), ("5000", 1_000), ("1160", 14_250), ("2000", -89_250)], partner=("vendor", "V1"),
               approved=True)  # fmt: skip
    story.refer(("goods_receipts", "GR1"), ("vendor_invoices", "VI1"), date(2025, 1, 24), "invoices")
    _purchase_invoice(story, "VI2", "V1", "PO1", date(2025, 2, 6), 20_000, 3_800, [
        {"material_id": "M2", "quantity": 8, "net_amount": cents(20_000), "goods_receipt_id": "GR2",
        "goods_receipt_line": 1}])  # fmt: skip
    story.post("JE05", "P2P", "RE", ("vendor_invoices", "VI2"), date(2025, 2, 6),
               [("2900", 20_000), ("1160", 3_800), ("2000", -23_800)], partner=("vendor", "V1"), approved=True)  # fmt: skip
    _purchase_invoice(story, "VI3", "V2", None, date(2025, 2, 10), 110_005, 20_901, [
        {"account": "6300", "net_amount": cents(100_000)}, {"account": "6300", "net_amount": cents(10_005)}])  # fmt: skip
    story.post("JE06", "P2P", "KR", ("vendor_invoices", "VI3"), date(2025, 2, 10),
               [("6300", 100_000), ("6300", 10_005), ("1160", 20_901), ("2000", -130_906)], partner=("vendor", "V2"))  # fmt: skip
    # 2 % cash discount on 892.50: 17.85, of which 15.00 net and 2.85 tax
    _payment(story, "VP1", "V1", date(2025, 2, 5), 87_465, [("VI1", 87_465, 1_785)])
    story.tax(("vendor_payments", "VP1"), -1_500, -285, "input", date(2025, 2, 5))
    story.post("JE07", "P2P", "KZ", ("vendor_payments", "VP1"), date(2025, 2, 5),
               [("2000", 89_250), ("1000", -87_465), ("4800", -1_500), ("1160", -285)], partner=("vendor", "V1"),
               value=date(2025, 2, 6), approved=True)  # fmt: skip
    _payment(story, "VP2", "V1", date(2025, 3, 3), 7_850, [("VI2", 13_800, 0), ("CV1", -5_950, 0)])
    story.post("JE08", "P2P", "KZ", ("vendor_payments", "VP2"), date(2025, 3, 3),
               [("2000", 13_800), ("2000", -5_950), ("1000", -7_850)],
               partner=("vendor", "V1"))  # fmt: skip
    _payment(story, "VP3", "V2", date(2025, 2, 28), 130_906, [("VI3", 130_906, 0)])
    story.post("JE09", "P2P", "KZ", ("vendor_payments", "VP3"), date(2025, 2, 28), [("2000", 130_906), ("1000", -130_906)],
               partner=("vendor", "V2"), value=date(2025, 3, 3))  # fmt: skip


def _returns(story: Story) -> None:
    """Two damaged pieces go back and are credited; two others are never invoiced; VI1 is blocked for its price."""
    day = date(2025, 1, 22)
    story.header("vendor_returns", "VR1", goods_receipt_id="GR1", posting_date=day)
    story.items("vendor_return_lines", "VR1",
                [{"goods_receipt_line": 2, "material_id": "M2", "quantity": 2, "amount": cents(5_000)}])
    _move(story, "VR1", day, "vendor_return", [("M2", -2)])
    story.post("JE60", "P2P", "WL", ("vendor_returns", "VR1"), day, [("2900", 5_000), ("1200", -5_000)])
    story.refer(("goods_receipts", "GR1"), ("vendor_returns", "VR1"), day, "returns")
    day = date(2025, 2, 11)
    _purchase_invoice(story, "CV1", "V1", "PO1", day, -5_000, -950, [
        {"material_id": "M2", "quantity": -2, "net_amount": cents(-5_000), "goods_receipt_id": "GR1", "goods_receipt_line": 2}])
    story.rows["vendor_invoices"][-1].update(reference_document_id="VI1", due_date=day)
    story.post("JE61", "P2P", "KG", ("vendor_invoices", "CV1"), day, [("2000", 5_950), ("2900", -5_000), ("1160", -950)],
               partner=("vendor", "V1"), approved=True)
    story.refer(("vendor_invoices", "VI1"), ("vendor_invoices", "CV1"), day, "credits")
    story.header("purchase_orders", "PO2", vendor_id="V1", order_date=date(2025, 1, 10))
    story.items("purchase_order_lines", "PO2",
                [{"material_id": "M2", "quantity": 2, "unit_price": cents(2500), "net_amount": cents(5_000)}])
    day = date(2025, 1, 20)
    story.header("goods_receipts", "GR3", purchase_order_id="PO2", posting_date=day)
    story.items("goods_receipt_lines", "GR3",
                [{"purchase_order_line": 1, "material_id": "M2", "quantity": 2, "amount": cents(5_000)}])
    _move(story, "GR3", day, "receipt", [("M2", 2)])
    story.post("JE62", "P2P", "WE", ("goods_receipts", "GR3"), day, [("1200", 5_000), ("2900", -5_000)])
    story.refer(("purchase_orders", "PO2"), ("goods_receipts", "GR3"), day, "fulfils")
    story.header("gr_ir_clearings", "GC1", goods_receipt_id="GR3", posting_date=MONTH_ENDS[1], amount=cents(5_000))
    story.post("JE63", "P2P", "KP", ("gr_ir_clearings", "GC1"), MONTH_ENDS[1], [("2900", 5_000), ("5000", -5_000)], how="adjustment")
    story.refer(("goods_receipts", "GR3"), ("gr_ir_clearings", "GC1"), MONTH_ENDS[1], "clears")
    for number, kind, day in ((1, "block", date(2025, 1, 24)), (2, "release", date(2025, 1, 27))):
        story.add("payment_blocks", document_id="VI1", line_number=number, company_code="1000", kind=kind, reason="price", date=day)


def _sales_invoice(
    story: Story, document: str, customer: str, order: str, corrects: str | None, day: date, net: int, tax: int,
    lines: list[dict[str, Any]],
) -> None:  # fmt: skip
    story.header("customer_invoices", document, customer_id=customer, sales_order_id=order, reference_document_id=corrects,
                 invoice_date=day, posting_date=day, due_date=day + timedelta(days=0 if corrects else 14), net_amount=cents(net),
                 tax_amount=cents(tax), gross_amount=cents(net + tax), currency="EUR")  # fmt: skip
    story.items("customer_invoice_lines", document, lines)
    story.tax(("customer_invoices", document), net, tax, "output", day)


def _delivery(story: Story, document: str, order: str, day: date, entry: str, pieces: list[tuple[int, str, int]]) -> None:
    price = {"M1": 1000, "M2": 2500}
    story.header("deliveries", document, sales_order_id=order, posting_date=day)
    story.items("delivery_lines", document, [
        {"sales_order_line": line, "material_id": m, "quantity": q, "cost_amount": cents(q * price[m])} for line, m,
        q in pieces])  # fmt: skip
    _move(story, document, day, "issue", [(m, -q) for _, m, q in pieces])
    value = sum(q * price[m] for _, m, q in pieces)
    story.post(entry, "O2C", "WA", ("deliveries", document), day, [("5000", value), ("1200", -value)])
    story.refer(("sales_orders", order), ("deliveries", document), day, "fulfils")


def _receipt(
    story: Story, document: str, customer: str, day: date, amount: int, cleared: list[tuple[str, int, int]], entry: str,
    lines: list[Line], *, value: date | None = None, on_statement: bool = True,
) -> None:  # fmt: skip
    story.header("customer_receipts", document, customer_id=customer, payment_date=day, amount=cents(amount),
                 on_account_amount=cents(0), currency="EUR", method="transfer", bank_account_id="B1000")  # fmt: skip
    story.items("customer_receipt_allocations", document,
                [{"customer_invoice_id": i, "amount": cents(a), "discount": cents(d)} for i, a, d in cleared])  # fmt: skip
    for invoice, _, _ in cleared:
        story.refer(("customer_invoices", invoice), ("customer_receipts", document), day, "clears")
    story.post(entry, "O2C", "DZ", ("customer_receipts", document), day, lines, partner=("customer", customer),
               value=value, on_statement=on_statement)  # fmt: skip


def _sales(story: Story) -> None:
    story.header("sales_orders", "SO1", customer_id="C1", order_date=date(2025, 1, 15))
    story.items("sales_order_lines", "SO1", [
        {"material_id": "M1", "quantity": 30, "unit_price": cents(2000), "net_amount": cents(60_000)},
        {"material_id": "M2", "quantity": 10, "unit_price": cents(6000), "net_amount": cents(60_000)}])  # fmt: skip
    story.header("sales_orders", "SO2", customer_id="C2", order_date=date(2025, 3, 18))
    story.items("sales_order_lines", "SO2", [
        {"material_id": "M1", "quantity": 20, "unit_price": cents(2000), "net_amount": cents(40_000)}])  # fmt: skip
    _delivery(story, "DL1", "SO1", date(2025, 1, 22), "JE10", [(1, "M1", 30), (2, "M2", 6)])
    _delivery(story, "DL2", "SO1", date(2025, 1, 29), "JE11", [(2, "M2", 4)])
    _delivery(story, "DL3", "SO2", date(2025, 3, 20), "JE12", [(1, "M1", 20)])
    for invoice, customer, order, delivery, day, net, tax, entry, pieces in (
        ("CI1", "C1", "SO1", "DL1", date(2025, 1, 23), 96_000, 18_240, "JE13", [("M1", 30, 60_000), ("M2", 6, 36_000)]),
        ("CI2", "C1", "SO1", "DL2", date(2025, 1, 31), 24_000, 4_560, "JE14", [("M2", 4, 24_000)]),
        ("CI3", "C2", "SO2", "DL3", date(2025, 3, 21), 40_000, 7_600, "JE15", [("M1", 20, 40_000)]),
    ):  # fmt: skip
        _sales_invoice(story, invoice, customer, order, None, day, net, tax, [
            {"material_id": m, "quantity": q, "net_amount": cents(a), "delivery_id": delivery, "delivery_line": place}
            for place, (m, q, a) in enumerate(pieces, start=1)])  # fmt: skip
        story.post(entry, "O2C", "DR", ("customer_invoices", invoice), day,
                   [("1100", net + tax), ("4000", -net), ("2110", -tax)], partner=("customer", customer))  # fmt: skip
        story.refer(("deliveries", delivery), ("customer_invoices", invoice), day, "invoices")
    day = date(2025, 2, 10)  # five pieces come back
    _sales_invoice(story, "CN1", "C1", "SO1", "CI1", day, -10_000, -1_900, [
        {"material_id": "M1", "quantity": -5, "net_amount": cents(-10_000), "delivery_id": None, "delivery_line": 0}])  # fmt: skip
    _move(story, "CN1", day, "return", [("M1", 5)])
    story.post("JE16", "O2C", "DG", ("customer_invoices", "CN1"), day,
               [("4000", 10_000), ("2110", 1_900), ("1100", -11_900), ("1200", 5_000), ("5000", -5_000)],
               partner=("customer", "C1"), approved=True)  # fmt: skip
    story.refer(("customer_invoices", "CI1"), ("customer_invoices", "CN1"), day, "credits")
    _receipt(story, "CR1", "C1", date(2025, 2, 20), 102_340, [("CI1", 114_240, 0), ("CN1", -11_900, 0)], "JE17",
             [("1000", 102_340), ("1100", -114_240), ("1100", 11_900)])  # fmt: skip
    # 2 % cash discount on 285.60: 5.71, of which 4.80 net and 0.91 tax
    _receipt(story, "CR2", "C1", date(2025, 3, 10), 27_989, [("CI2", 27_989, 571)], "JE18",
             [("1000", 27_989), ("4000", 480), ("2110", 91), ("1100", -28_560)], value=date(2025, 3, 11))  # fmt: skip
    story.tax(("customer_receipts", "CR2"), -480, -91, "output", date(2025, 3, 10))
    _receipt(story, "CR3", "C2", END, 7_600, [("CI3", 7_600, 0)], "JE19", [("1000", 7_600), ("1100", -7_600)], on_statement=False)


def _people(story: Story) -> None:
    run: dict[str, Any] = {"gross_amount": cents(800_000), "wage_tax": cents(120_000), "employee_social": cents(160_000),
           "employer_social": cents(160_000), "net_amount": cents(520_000), "employees": 2}  # fmt: skip
    for document, kind, day in (("PR1", "run", date(2025, 1, 28)), ("PR2", "net_payment", date(2025, 1, 30)),
                                ("PR3", "statutory_payment", date(2025, 2, 10))):  # fmt: skip
        story.header("payroll_runs", document, kind=kind, posting_date=day, **run)
    for number, (person, gross, tax, own, theirs) in enumerate(
        (("E1", 300_000, 45_000, 60_000, 60_000), ("E2", 500_000, 75_000, 100_000, 100_000)), start=1
    ):
        story.add("payroll_lines", document_id="PR1", line_number=number, company_code="1000", employee_id=person,
                  cost_center_id="K1", gross_amount=cents(gross), wage_tax=cents(tax), employee_social=cents(own),
                  employer_social=cents(theirs), net_amount=cents(gross - tax - own))  # fmt: skip
    story.post("JE20", "H2R", "HR", ("payroll_runs", "PR1"), date(2025, 1, 28),
               [("6100", 800_000), ("6100", 160_000), ("2210", -520_000), ("2120", -120_000), ("2210", -320_000)],
               how="recurring")  # fmt: skip
    story.post("JE21", "H2R", "HZ", ("payroll_runs", "PR2"), date(2025, 1, 30), [("2210", 520_000), ("1000", -520_000)])
    story.post("JE22", "H2R", "HZ", ("payroll_runs", "PR3"), date(2025, 2, 10),
               [("2120", 120_000), ("2210", 320_000), ("1000", -440_000)])  # fmt: skip


def _asset_step(
    story: Story, document: str, kind: str, day: date, asset: str | None, amount: int, *, released: int = 0,
    proceeds: int = 0, invoice: str | None = None,
) -> None:  # fmt: skip
    story.header("asset_transactions", document, kind=kind, posting_date=day, asset_id=asset, amount=cents(amount),
                 accumulated_depreciation=cents(released), proceeds=cents(proceeds), vendor_invoice_id=invoice)  # fmt: skip


def _assets(story: Story) -> None:
    """A1 has cost 12 000 since December 2023 (250 a month) and is sold on 14 March; A2 is bought in February (100 a month)."""
    _purchase_invoice(story, "VI4", "V2", None, date(2025, 2, 14), 240_000, 45_600,
                      [{"account": "1500", "asset_id": "A2", "net_amount": cents(240_000)}])  # fmt: skip
    _asset_step(story, "AT1", "acquisition", date(2025, 2, 14), "A2", 240_000, invoice="VI4")
    story.post("JE23", "A2R", "AA", ("asset_transactions", "AT1"), date(2025, 2, 14),
               [("1500", 240_000), ("1160", 45_600), ("2000", -285_600)], partner=("vendor", "V2"), approved=True)  # fmt: skip
    story.refer(("vendor_invoices", "VI4"), ("asset_transactions", "AT1"), date(2025, 2, 14), "fulfils")
    for document, entry, day, asset, amount in (
        ("AT2", "JE24", MONTH_ENDS[0], "A1", 25_000), ("AT3", "JE25", MONTH_ENDS[1], "A1", 25_000), ("AT4", "JE26", END, "A2", 10_000),
    ):  # fmt: skip
        _asset_step(story, document, "depreciation_run", day, None, amount)
        story.items("depreciation_lines", document, [{"asset_id": asset, "posting_date": day, "amount": cents(amount)}])
        story.post(entry, "A2R", "AF", ("asset_transactions", document), day, [("6000", amount), ("1510", -amount)], how="recurring")
    _asset_step(story, "AT5", "disposal", date(2025, 3, 14), "A1", 1_200_000, released=350_000, proceeds=800_000)
    story.tax(("asset_transactions", "AT5"), 800_000, 152_000, "output", date(2025, 3, 14))
    story.post("JE27", "A2R", "AA", ("asset_transactions", "AT5"), date(2025, 3, 14),
               [("1510", 350_000), ("1000", 952_000), ("6300", 50_000), ("1500", -1_200_000), ("2110", -152_000)],
               value=date(2025, 3, 17), approved=True)  # fmt: skip


def _stock_keeping(story: Story) -> None:
    """A count at the end of February finds a piece missing; one is thrown away in March; M1 brings less than it costs."""
    story.header("stock_adjustments", "SA1", kind="count", posting_date=MONTH_ENDS[1])
    story.items("stock_adjustment_lines", "SA1", [
        {"material_id": "M1", "book_quantity": 119, "counted_quantity": 118, "difference": -1, "is_posted": True,
         "amount": cents(-1_000)},
        {"material_id": "M2", "book_quantity": 60, "counted_quantity": 62, "difference": 2, "is_posted": False, "amount": cents(0)}])
    _move(story, "SA1", MONTH_ENDS[1], "count", [("M1", -1)])
    story.post("JE64", "R2R", "WI", ("stock_adjustments", "SA1"), MONTH_ENDS[1], [("5000", 1_000), ("1200", -1_000)], how="adjustment")
    story.header("stock_adjustments", "SA2", kind="scrap", posting_date=END)
    story.items("stock_adjustment_lines", "SA2", [
        {"material_id": "M2", "book_quantity": None, "counted_quantity": None, "difference": -1, "is_posted": True,
         "amount": cents(-2_500)}])
    _move(story, "SA2", END, "scrap", [("M2", -1)])
    story.post("JE65", "R2R", "WV", ("stock_adjustments", "SA2"), END, [("5000", 2_500), ("1200", -2_500)], how="adjustment")
    for step, entry, day, pieces, value, change in (
        ("CS5", "JE66", MONTH_ENDS[1], 118, 900, 11_800), ("CS6", "JE67", END, 98, 950, 98 * 50 - 11_800),
    ):
        story.header("closing_steps", step, step="inventory_write_down", posting_date=day, fiscal_year=2025)
        story.add("inventory_write_downs", company_code="1000", period_end=day, material_id="M1", quantity=pieces,
                  net_realisable_value=cents(value), amount=cents(pieces * (1000 - value)))
        story.post(entry, "R2R", "WB", ("closing_steps", step), day, [("5000", change), ("1200", -change)], how="adjustment")


def _month_ends(story: Story) -> None:
    story.header("bank_charges", "BC1", posting_date=MONTH_ENDS[0], amount=cents(2_500))
    story.post("JE28", "R2R", "SB", ("bank_charges", "BC1"), MONTH_ENDS[0], [("6300", 2_500), ("1000", -2_500)], how="recurring")
    story.header("credit_line_movements", "CL1", kind="drawing", posting_date=date(2025, 2, 4), amount=cents(60_000),
        drawn_amount=cents(60_000))
    story.post("JE50", "R2R", "SB", ("credit_line_movements", "CL1"), date(2025, 2, 4), [("1000", 60_000), ("2500", -60_000)])
    story.header("credit_line_movements", "CL2", kind="interest", posting_date=MONTH_ENDS[1], amount=cents(300),
        drawn_amount=cents(60_000))
    story.post("JE51", "R2R", "SB", ("credit_line_movements", "CL2"), MONTH_ENDS[1], [("6300", 300), ("1000", -300)], how="recurring")
    story.header("credit_line_movements", "CL3", kind="repayment", posting_date=MONTH_ENDS[1], amount=cents(40_000),
        drawn_amount=cents(20_000))
    story.post("JE52", "R2R", "SB", ("credit_line_movements", "CL3"), MONTH_ENDS[1], [("2500", 40_000), ("1000", -40_000)])
    story.header("accruals", "AC1", kind="accrual", posting_date=MONTH_ENDS[0], amount=cents(50_000), reverses_document_id=None)
    story.post("JE29", "R2R", "SC", ("accruals", "AC1"), MONTH_ENDS[0], [("6300", 50_000), ("2200", -50_000)], how="adjustment",
        approved=True)
    story.header("accruals", "AC2", kind="reversal", posting_date=date(2025, 2, 3), amount=cents(50_000), reverses_document_id="AC1")
    story.post("JE30", "R2R", "SC", ("accruals", "AC2"), date(2025, 2, 3), [("2200", 50_000), ("6300", -50_000)],
               how="adjustment", reverses="JE29")  # fmt: skip
    story.refer(("accruals", "AC1"), ("accruals", "AC2"), date(2025, 2, 3), "reverses")
    story.header("cost_allocations", "CA1", kind="manual", posting_date=date(2025, 2, 26), amount=cents(20_000))
    story.post("JE31", "R2R", "SA", ("cost_allocations", "CA1"), date(2025, 2, 26), [("6300", 20_000), ("6300", -20_000)],
               how="manual", approved=True)  # fmt: skip
    amounts: dict[str, Any] = {"output_tax": cents(22_800), "input_tax": cents(14_250), "amount": cents(8_550)}
    story.header("tax_settlements", "TS1", kind="return", posting_date=date(2025, 1, 31), **amounts)
    story.post("JE32", "R2R", "ST", ("tax_settlements", "TS1"), date(2025, 1, 31),
        [("2110", 22_800), ("1160", -14_250), ("2120", -8_550)])
    story.header("tax_settlements", "TS2", kind="payment", posting_date=date(2025, 2, 12), **amounts)
    story.post("JE33", "R2R", "SZ", ("tax_settlements", "TS2"), date(2025, 2, 12), [("2120", 8_550), ("1000", -8_550)])


def _second_company(story: Story) -> None:
    story.header("closing_steps", "CS2", "2000", step="opening", posting_date=date(2025, 1, 1), fiscal_year=2025)
    story.post("JE41", "R2R", "EB", ("closing_steps", "CS2"), date(2025, 1, 1), [("1000", 100_000), ("3000", -100_000)], company="2000")
    story.header("vendor_invoices", "VI9", "2000", vendor_id="V9", purchase_order_id=None, invoice_date=date(2025, 3, 5),
                 posting_date=date(2025, 3, 5), due_date=date(2025, 3, 20), net_amount=cents(5_000), tax_amount=cents(0),
                 gross_amount=cents(5_000), currency="GBP")  # fmt: skip
    story.items("vendor_invoice_lines", "VI9", [{"material_id": None, "account": "6300", "asset_id": None, "quantity": 1,
                "net_amount": cents(5_000), "goods_receipt_id": None, "goods_receipt_line": 0}], "2000")  # fmt: skip
    story.post("JE42", "P2P", "KR", ("vendor_invoices", "VI9"), date(2025, 3, 5), [("6300", 5_000), ("2000", -5_000)],
               company="2000", partner=("vendor", "V9"))  # fmt: skip


def _year_end(story: Story) -> None:
    for company, step, entry in (("1000", "CS3", "JE34"), ("2000", "CS4", "JE43")):
        results: dict[str, int] = defaultdict(int)
        for code, _, _, _, account, amount in story.lines:
            if code == company and ACCOUNTS[account][0] in ("revenue", "expense"):
                results[account] += amount
        lines = [(account, -amount) for account, amount in sorted(results.items()) if amount]
        lines.append(("3200", sum(results.values())))
        story.header("closing_steps", step, company, step="year_end_close", posting_date=END, fiscal_year=2025)
        story.post(entry, "R2R", "CL", ("closing_steps", step), END, lines, company=company, period=13)


def _bank(story: Story) -> None:
    for company, moves in story.bank.items():
        balance = 0
        for number, (day, amount, reference, entry) in enumerate(sorted(moves), start=1):
            balance += amount
            story.add("bank_statement_lines", bank_account_id=f"B{company}", line_number=number, company_code=company,
                      value_date=day, amount=cents(amount), balance=cents(balance), reference=reference,
                      journal_document_id=entry)  # fmt: skip
