"""The hand-made books as a dataset: balances, statements and open items by plain sums over the story's documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.unit.metrics_dataset import Row, cents, write_dataset
from tests.unit.metrics_story import ACCOUNTS, CASH_FLOW, CURRENCY, END, FACTS, MONTH_ENDS, Story, told


def write_books(root: Path, *, csv: bool = False, parts: int = 2) -> Path:
    """Write the hand-made books; with two parts, company 2000 has files of its own."""
    story = told()
    _balances(story)
    _statements(story)
    _open_items(story)
    _stock_and_assets(story)
    company_of = {row["document_id"]: row["company_code"] for row in story.rows["journal_entries"]}

    def part_of(row: Row) -> int:
        company = row.get("company_code") or company_of.get(str(row.get("document_id")), "1000")
        return int(company == "2000") if parts == 2 else 0

    write_dataset(root, FACTS, story.rows, part_of, csv=csv)
    return root


def _sums(story: Story, company: str, period: int) -> dict[str, tuple[int, int]]:
    """Debits and credits by account in one period."""
    found: dict[str, tuple[int, int]] = {}
    for code, _, place, _, account, amount in story.lines:
        if code == company and place == period:
            debit, credit = found.get(account, (0, 0))
            found[account] = (debit + max(amount, 0), credit + max(-amount, 0))
    return found


def _balances(story: Story) -> None:
    for company in CURRENCY:
        closing = dict.fromkeys(ACCOUNTS, 0)
        for period in (10, 11, 12, 13):
            for account, (debit, credit) in (
                (a, _sums(story, company, period).get(a, (0, 0))) for a in ACCOUNTS
            ):
                opening = closing[account]
                closing[account] += debit - credit
                story.add("trial_balances", company_code=company, fiscal_year=2025, period=period, account=account,
                          opening_balance=cents(opening), debit=cents(debit), credit=cents(credit),
                          closing_balance=cents(closing[account]))  # fmt: skip


def _opened(story: Story, company: str) -> dict[str, int]:
    """What the opening entry posts by account: the balances before the first period, which are no flows."""
    entries = {row["document_id"] for row in story.rows["journal_entries"] if row["document_type"] == "EB"}
    return {
        row["account"]: int((row["debit"] - row["credit"]) * 100)
        for row in story.rows["journal_lines"]
        if row["document_id"] in entries and row["company_code"] == company
    }


def _statement_amounts(story: Story, company: str) -> Iterator[tuple[int, str, str, int]]:
    """(period, statement, line, amount) of periods 10 to 12."""
    standing: dict[str, int] = dict.fromkeys(ACCOUNTS, 0)
    opened = _opened(story, company)
    equity_before = -sum(amount for account, amount in opened.items() if ACCOUNTS[account][0] == "equity")
    for period in (10, 11, 12):
        moved = {
            account: debit - credit for account, (debit, credit) in _sums(story, company, period).items()
        }
        for account, amount in moved.items():
            standing[account] += amount
        sheet: dict[str, int] = defaultdict(int)
        income: dict[str, int] = defaultdict(int)
        flows: dict[str, int] = defaultdict(int)
        contributed = 0
        for account, (class_, subtype, line) in ACCOUNTS.items():
            change = moved.get(account, 0) - (opened.get(account, 0) if period == 10 else 0)
            if class_ in ("revenue", "expense"):
                income[line] += -change if class_ == "revenue" else change
                income["IS.net_income"] -= change
                sheet["BS.E.current_result"] -= standing[account]
                flows["CF.net_income"] -= change
                if subtype == "depreciation_expense":  # costs no money; book values fall by it without a sale
                    flows["CF.depreciation"] += change
                    flows["CF.investments"] -= change
            else:
                sheet[line] += standing[account] if class_ == "asset" else -standing[account]
                flows["CF.net_change" if subtype == "cash" else CASH_FLOW[subtype]] += (
                    change if subtype == "cash" else -change
                )
                contributed -= change if class_ == "equity" else 0
        if (company, period) == (
            "1000",
            11,
        ):  # A2 is bought for 2 400, which nobody pays before the books end
            flows["CF.investments"] += 240_000
            flows["CF.payables"] -= 240_000
        if (company, period) == ("1000", 12):  # A1 is sold: 8 500 of book value for 8 000
            flows["CF.disposals"] += 50_000
            flows["CF.divestments"] += 800_000
            flows["CF.investments"] -= 850_000
        equity = {
            "SE.opening": equity_before,
            "SE.contributions": contributed,
            "SE.net_income": income["IS.net_income"],
        }
        equity_before = equity["SE.closing"] = sum(equity.values())
        for statement, amounts in (("BS", sheet), ("IS", income), ("CF", flows), ("SE", equity)):
            yield from ((period, statement, line, amount) for line, amount in amounts.items())


def _statements(story: Story) -> None:
    for company in CURRENCY:
        for period, statement, line, amount in _statement_amounts(story, company):
            story.add("financial_statements", company_code=company, fiscal_year=2025, period=period, statement=statement,
                      line=line, title=line, amount=cents(amount), basis="standalone")  # fmt: skip


def _open_items(story: Story) -> None:
    for items, invoices, allocations, payments, key, partner in (
        ("ar_open_items", "customer_invoices", "customer_receipt_allocations", "customer_receipts", "customer_invoice_id", "customer_id"),
        ("ap_open_items", "vendor_invoices", "vendor_payment_allocations", "vendor_payments", "vendor_invoice_id", "vendor_id"),
    ):  # fmt: skip
        paid_on = {row["document_id"]: row["payment_date"] for row in story.rows[payments]}
        for end in MONTH_ENDS:
            for invoice in story.rows[invoices]:
                cleared = sum(row["amount"] + row["discount"] for row in story.rows[allocations]
                              if row[key] == invoice["document_id"] and paid_on[row["document_id"]] <= end)  # fmt: skip
                rest, late = invoice["gross_amount"] - cleared, max((end - invoice["due_date"]).days, 0)
                if invoice["posting_date"] > end or not rest:
                    continue
                bucket = next(
                    b
                    for top, b in ((0, "current"), (30, "1-30"), (60, "31-60"), (90, "61-90"), (999, "90+"))
                    if late <= top
                )
                story.add(items, company_code=invoice["company_code"], period_end=end, document_id=invoice["document_id"],
                          partner_id=invoice[partner], due_date=invoice["due_date"], original_amount=invoice["gross_amount"],
                          open_amount=rest, days_overdue=late, bucket=bucket)  # fmt: skip


def _stock_and_assets(story: Story) -> None:
    for end in MONTH_ENDS:
        for material, price in (("M1", 1000), ("M2", 2500)):
            pieces = sum(row["quantity"] for row in story.rows["inventory_movements"]
                         if row["material_id"] == material and row["posting_date"] <= end)  # fmt: skip
            story.add("inventory_balances", company_code="1000", period_end=end, material_id=material, quantity=pieces,
                      value=cents(pieces * price))  # fmt: skip
    for end, asset, cost, written_off in (
        (MONTH_ENDS[0], "A1", 1_200_000, 325_000), (MONTH_ENDS[1], "A1", 1_200_000, 350_000),
        (MONTH_ENDS[1], "A2", 240_000, 0), (END, "A2", 240_000, 10_000),
    ):  # fmt: skip
        story.add("asset_balances", company_code="1000", period_end=end, asset_id=asset, cost=cents(cost),
                  accumulated_depreciation=cents(written_off), net_book_value=cents(cost - written_off))  # fmt: skip
