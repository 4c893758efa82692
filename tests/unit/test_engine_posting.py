"""The posting kernel on documents small enough to check by hand."""

import numpy as np
import pytest

from compliance.evidence.marks import PublicMark
from generation.engine.charts.chart import Chart, chart_for
from generation.engine.config.company import ChartConfig
from generation.engine.errors import EngineError
from generation.engine.ids import bodies, render
from generation.engine.posting import Documents, balances_of, expand
from generation.engine.posting_table import POSTINGS
from generation.engine.processes.acquire_to_retire import disposal_amounts


def lines_of(docs: Documents, chart: Chart) -> list[tuple[int, str, int]]:
    """(document, account role, amount) of each line; the role is that of the account's first role."""
    roles = {index: role for role, index in reversed(list(chart.roles.items()))}
    journal = expand(docs, chart)
    return [
        (int(doc), roles[int(account)], int(amount))
        for doc, account, amount in zip(journal.doc, journal.account, journal.amount, strict=True)
    ]


@pytest.fixture
def chart() -> Chart:
    return chart_for("ifrs", ChartConfig(size="small"), "DE")


def ids(count: int) -> np.ndarray:
    body = bodies(1, "vendor_invoices", 0, np.arange(count))
    return render("vendor_invoices", body, PublicMark().tag(body))


def test_a_vendor_invoice_clears_goods_receipts_and_books_variance_and_tax(chart: Chart) -> None:
    # two lines received at 100.00 and 50.00, invoiced at 103.00 and 49.00, tax 19 % of 152.00 = 28.88; of the first line's
    # difference 2.00 are for pieces that are in stock at moving averages
    docs = Documents(
        "vendor_invoice",
        ids(1),
        np.array([10]),
        {
            "cost": np.array([10_000, 5_000]),
            "stock": np.array([200, 0]),
            "variance": np.array([100, -100]),
            "tax": np.array([2_888]),
            "gross": np.array([18_088]),
        },
        np.array([0, 0]),
        heads={"partner": np.array([0]), "tax": np.array([0])},
        lines={"material": np.array([0, 1])},
    )

    assert lines_of(docs, chart) == [
        (0, "gr_ir", 10_000),
        (0, "gr_ir", 5_000),
        (0, "inventory", 200),
        (0, "price_variance", 100),
        (0, "price_variance", -100),  # a negative variance turns to credit
        (0, "input_tax", 2_888),
        (0, "payable", -18_088),
    ]


def test_amounts_of_zero_make_no_line_and_documents_keep_their_own_lines(chart: Chart) -> None:
    docs = Documents(
        "tax_return",
        ids(2),
        np.array([30, 58]),
        {"output_tax": np.array([500, 0]), "input_tax": np.array([200, 70]), "amount": np.array([300, -70])},
    )

    assert lines_of(docs, chart) == [
        (0, "output_tax", 500),
        (0, "input_tax", -200),
        (0, "tax_settlement", -300),
        (1, "input_tax", -70),
        (1, "tax_settlement", 70),
    ]


def test_a_document_that_does_not_balance_is_refused(chart: Chart) -> None:
    docs = Documents(
        "bank_charge", ids(1), np.array([0]), {"fee": np.array([0])}, heads={"cost_center": np.array([0])}
    )
    with pytest.raises(EngineError, match="does not balance"):
        expand(docs, chart)


@pytest.mark.parametrize("off", [[1, -1], [0, 1], [-1, 0]])
def test_each_document_balances_by_itself(off: list[int], chart: Chart) -> None:
    amounts = {"output_tax": np.array([500, 80]), "input_tax": np.array([200, 70])}
    docs = Documents(
        "tax_return", ids(2), np.array([30, 58]), {**amounts, "amount": np.array([300, 10]) + np.array(off)}
    )
    with pytest.raises(EngineError, match="does not balance"):
        expand(docs, chart)


def test_every_rule_names_a_role_that_every_chart_has() -> None:
    roles = {rule.role for posting in POSTINGS.values() for rule in posting.rules}
    for framework in ("us_gaap", "ifrs", "hgb", "pcg"):
        known = set(chart_for(framework, ChartConfig(size="small"), "DE").roles)
        named = {"merchandise_purchased", "materials_purchased", "allowance_release", "write_down_release"}
        assert roles - known <= named  # of national charts alone


@pytest.mark.parametrize("kind", sorted(POSTINGS))
def test_an_amount_is_by_line_in_all_rules_of_a_document_or_in_none(kind: str) -> None:
    rules = POSTINGS[kind].rules

    assert len({(rule.amount, rule.per_line) for rule in rules}) == len({rule.amount for rule in rules})


def test_balances_are_summed_by_account_month_and_side(chart: Chart) -> None:
    docs = Documents(
        "bank_charge",
        ids(2),
        np.array([1, 40]),
        {"fee": np.array([70, 30])},
        heads={"cost_center": np.array([0, 0])},
    )

    sums = balances_of(expand(docs, chart), np.array([0, 1]), len(chart.accounts), 2)

    assert sums[chart.roles["bank_fee"]].tolist() == [[70, 0], [30, 0]]
    assert sums[chart.roles["bank"]].tolist() == [[0, 70], [0, 30]]


def test_ids_are_unique_over_shards_and_carry_the_public_mark() -> None:
    mark = PublicMark()
    body = np.concatenate([bodies(7, "journal_entries", space, np.arange(50_000)) for space in range(4)])
    text = render("journal_entries", body, mark.tag(body))

    assert len(np.unique(text)) == 200_000
    assert all(value.startswith(b"JE") and len(value) == 18 for value in text[:10].tolist())
    first, second = (bodies(seed, "journal_entries", 0, np.arange(5)) for seed in (7, 8))
    assert not np.array_equal(first, second)


def test_a_shard_refuses_to_number_more_documents_than_an_id_can_hold() -> None:
    with pytest.raises(EngineError, match="more documents"):
        bodies(1, "journal_entries", 0, np.array([2**22 - 1, 2**22]))


@pytest.mark.parametrize(
    ("framework", "result"),
    [
        # a machine of 12,000.00 with 3,500.00 written off sells at 8,000.00 and 1,600.00 tax, another of the same at 9,000.00 and 1,800.00
        (
            "pcg",
            {
                ("675000", 0): 850_000,
                ("775000", 0): -800_000,
                ("675000", 1): 850_000,
                ("775000", 1): -900_000,
            },
        ),
        ("hgb", {("6900", 0): 50_000, ("4900", 1): -50_000}),
    ],
)
def test_sales_of_assets_are_gross_under_the_plan_comptable_and_net_elsewhere(
    framework: str, result: dict[tuple[str, int], int]
) -> None:
    chart = chart_for(framework, "small", "FR")
    cost, written_off = np.array([1_200_000, 1_200_000]), np.array([350_000, 350_000])
    proceeds, tax = np.array([800_000, 900_000]), np.array([160_000, 180_000])
    amounts = disposal_amounts(framework, cost, written_off, proceeds, tax)

    journal = expand(Documents("disposal", ids(2), np.array([5, 6]), amounts, np.arange(2)), chart)

    found = {
        (chart.accounts[account].number, int(doc)): int(amount)
        for account, doc, amount in zip(journal.account, journal.doc, journal.amount, strict=True)
        if chart.accounts[account].class_ in ("revenue", "expense")
    }
    assert found == result
    assert sorted(journal.amount[journal.doc == 0].tolist())[0] == -1_200_000
    assert journal.amount.max() == 1_080_000  # 9,000.00 and tax
