"""Layouts of the statements take every account and every line once, and say what the law says."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from generation.engine.charts.chart import Chart, chart_for
from generation.engine.charts.kinds import KINDS, LINE_OF_ROLE, PERSONNEL, ROLES
from generation.engine.charts.layout import PARTS, Layout, layout_for
from generation.engine.closing.statements import CASH_FLOW_LINES
from generation.engine.errors import EngineError

FRAMEWORKS = ("us_gaap", "ifrs", "hgb", "pcg")
# Lines of the balance sheet and the income statement that accounts may have, and the one that no account has.
LINES = (
    {kind.statement_line for kind in KINDS.values()}
    | set(LINE_OF_ROLE.values())
    | {PERSONNEL, "BS.A.investments"}
)
COMPUTED = {"BS.E.current_result"} | set(CASH_FLOW_LINES) - {"CF.net_change"}


def captions(framework: str, chart: Chart) -> dict[str, tuple[str, str, str]]:
    """Part, number and English caption of the account of each role."""
    layout = layout_for(framework)
    places = layout.of_accounts(chart)
    found = {role: layout.positions[places[account]] for role, account in chart.roles.items()}
    return {role: (one.part, one.number, one.english or one.caption) for role, one in found.items()}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_line_has_one_caption_of_its_part(framework: str) -> None:
    positions = layout_for(framework).positions
    taken = Counter(line for position in positions for line in position.lines)

    assert set(taken) == LINES | COMPUTED
    assert set(taken.values()) == {1}
    beginnings: dict[str, str | tuple[str, ...]] = {
        "assets": "BS.A.",
        "equity_and_liabilities": ("BS.L.", "BS.E."),
        "income": "IS.",
        "cash_flow": "CF.",
    }
    assert all(
        line.startswith(beginnings[position.part]) for position in positions for line in position.lines
    )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_numbers_stand_once_in_a_part_and_under_a_heading_that_takes_nothing_itself(framework: str) -> None:
    layout = layout_for(framework)

    assert [part for part, _ in Counter(one.part for one in layout.positions).items()] == list(PARTS)
    assert max(Counter((one.part, one.number) for one in layout.positions).values()) == 1
    assert all(role in ROLES for one in layout.positions for role in one.roles)
    for place, one in enumerate(layout.positions):
        above = layout.heading[place]
        assert above < place
        assert ("." in one.number) == (above >= 0)
        if above >= 0:
            heading = layout.positions[above]
            assert not any((heading.lines, heading.roles, heading.total))
        is_heading = place in layout.heading
        assert is_heading != bool(one.lines or one.roles or one.numbers or one.total), one.number
    for part in PARTS:
        assert [one for one in layout.positions if one.part == part][-1].total


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("size", ["small", "large"])
def test_every_account_has_a_caption_of_its_side(framework: str, size: str) -> None:
    chart = chart_for(framework, size, "DE")
    layout = layout_for(framework)

    places = layout.of_accounts(chart)

    sides = {"asset": "assets", "liability": "equity_and_liabilities", "equity": "equity_and_liabilities"}
    for account, place in zip(chart.accounts, places, strict=True):
        assert layout.positions[place].part == sides.get(account.class_, "income")


def test_accounts_stand_where_the_law_says() -> None:
    # § 266 (2) and (3), § 275 (2) HGB
    german = captions("hgb", chart_for("hgb", "medium", "DE"))
    assert german["social_cost"][:2] == ("income", "6.b")
    assert german["wages"][:2] == ("income", "6.a")
    assert german["income_tax_payable"][:2] == ("equity_and_liabilities", "B.2")
    assert german["accrued_interest"][:2] == ("equity_and_liabilities", "C.2")
    assert german["customer_advance"][:2] == ("equity_and_liabilities", "C.3")
    assert german["work_in_progress"][:2] == ("assets", "B.I.2")
    assert german["raw_materials"][:2] == ("assets", "B.I.1")
    assert german["finished_goods"][:2] == german["inventory"][:2] == ("assets", "B.I.3")
    assert german["materials_used"][:2] == german["cogs"][:2] == ("income", "5.a")
    change = ("own_products_sold", "production_absorbed", "materials_in_production", "usage_variance")
    assert {german[role][:2] for role in change} == {("income", "2")}
    assert german["exchange_gain"][:2] == ("income", "4")
    assert german["fx_result"][:2] == ("income", "8")
    assert (german["pool_interest_income"][1], german["pool_interest"][1]) == ("11", "13")
    # PCG: discounts received are financial income, exchange differences financial
    french = captions("pcg", chart_for("pcg", "medium", "FR"))
    assert french["purchase_discount"][:2] == ("income", "3.2")
    assert (french["disposal_gain"][1], french["disposal_loss"][1]) == ("4.1", "4.2")
    assert french["low_value_assets"][2] == "Other purchases and external charges"
    assert french["customer_deposits"][2] == "Other liabilities"
    assert french["intercompany_receivable"][:2] == ("assets", "II.2.a")
    assert french["fx_result"][:2] == ("income", "3.6")
    assert french["social_cost"][2] == "Social security"
    assert [french[role][1] for role in ("raw_materials", "finished_goods", "inventory")] == [
        "II.1.0",
        "II.1.b",
        "II.1.c",
    ]
    assert [french[role][1] for role in ("own_revenue", "revenue", "own_products_sold")] == [
        "1.2",
        "1.1",
        "1.4",
    ]
    purchases = ("merchandise_purchased", "cogs", "materials_purchased", "materials_used")
    assert [french[role][1] for role in purchases] == ["2.1", "2.2", "2.3", "2.4"]
    assert {french[role][1] for role in ("allowance_release", "write_down_release", "provision_release")} == {
        "1.5"
    }
    assert (french["intercompany_revenue"][1], french["intercompany_services"][1]) == ("1.1", "1.3")
    assert french["dividend_income"][2] == german["dividend_income"][2] == "Income from investments"
    assert french["pool_interest_income"][2] == "Other interest and similar income"
    assert french["pool_interest"][2] == "Interest and similar charges"
    # IAS 1.54 (n) and 1.82 (ba)
    standard = captions("ifrs", chart_for("ifrs", "medium", "GB"))
    assert standard["income_tax_payable"][2] == "Current tax liabilities"
    # IAS 1.102
    assert {standard[role][2] for role in change} == {
        "Changes in inventories of finished goods and work in progress"
    }
    assert standard["credit_losses"][2] == "Impairment of trade receivables"
    assert (standard["pool_interest_income"][2], standard["pool_interest"][2]) == (
        "Finance income",
        "Finance costs",
    )
    # Regulation S-X 5-03
    american = captions("us_gaap", chart_for("us_gaap", "medium", "US"))
    assert american["cogs"][2] == american["own_products_sold"][2] == "Cost of goods sold"
    assert american["loan"][2] == "Long-term debt, less current portion"
    assert (american["pool_interest_income"][2], american["pool_interest"][2]) == (
        "Interest and dividend income",
        "Interest expense",
    )


@pytest.mark.parametrize(
    ("framework", "country", "number", "caption"),
    [
        ("hgb", "DE", "2960", "Revenue reserves"),  # § 266 (3) A. III
        ("hgb", "DE", "3000", "Provisions for pensions"),
        ("hgb", "DE", "6140", "Social security, pensions and other benefits"),
        ("hgb", "DE", "5900", "Purchased services"),
        ("hgb", "DE", "7100", "Other interest and similar income"),
        ("pcg", "FR", "418100", "Trade receivables"),
        ("pcg", "FR", "647000", "Social security"),
        ("pcg", "FR", "687100", "Exceptional depreciation"),
    ],
)
def test_national_accounts_stand_by_their_number(
    framework: str, country: str, number: str, caption: str
) -> None:
    chart = chart_for(framework, "medium", country)
    layout = layout_for(framework)
    place = next(index for index, account in enumerate(chart.accounts) if account.number.startswith(number))

    found = layout.positions[layout.of_accounts(chart)[place]]

    assert found.english == caption
    own = replace(chart, is_own=True)
    assert (
        layout.positions[layout.of_accounts(own)[place]].english != caption
    )  # numbers of others mean nothing


@pytest.mark.parametrize(
    ("framework", "country", "number"),
    [("hgb", "DE", "B.II.4"), ("pcg", "FR", "II.2.c"), ("ifrs", "IT", "2.4"), ("us_gaap", "US", "1.6")],
)
def test_tax_that_the_office_owes_is_an_asset(framework: str, country: str, number: str) -> None:
    chart, layout = chart_for(framework, "medium", country), layout_for(framework)

    places = layout.in_debit(chart)

    turned = {chart.accounts[index].number for index in np.flatnonzero(places >= 0)}
    roles = ("income_tax_payable", "tax_settlement")
    assert turned == {chart.accounts[chart.roles[role]].number for role in roles}
    for place in places[places >= 0]:
        assert (layout.positions[place].part, layout.positions[place].number) == ("assets", number)


def test_headings_and_totals_are_sums_by_hand() -> None:
    layout = layout_for("hgb")
    place = {(one.part, one.number): index for index, one in enumerate(layout.positions)}
    amounts = np.zeros((len(layout.positions), 1), np.int64)
    for number, amount in {"1": 1_000, "5.a": -400, "6.a": -200, "6.b": -50, "8": -100, "14": -75}.items():
        amounts[place["income", number]] = amount

    sums = layout.summed(amounts)[:, 0]

    assert sums[place["income", "6"]] == -250
    assert sums[place["income", "15"]] == 175
    assert sums[place["income", "17"]] == 175  # the total before it is none of its summands
    assert sums[place["assets", "T"]] == 0


def test_an_unknown_framework_and_line_are_refused() -> None:
    with pytest.raises(EngineError, match="no layout"):
        layout_for("../hgb")
    with pytest.raises(EngineError, match="no caption"):
        Layout(()).of_line("BS.A.cash")
