"""Charts of accounts are complete, sorted, of the promised size, and mean what their roles say."""

from collections import defaultdict

import pytest

from generation.engine.charts.chart import chart_for
from generation.engine.charts.growth import Entry, grown
from generation.engine.charts.kinds import (
    CONTROLLED,
    KINDS,
    OPTIONAL_ROLES,
    ROLES,
    SHARED_ROLES,
    SPREAD_ROLES,
)
from generation.engine.charts.own import own_entries
from generation.engine.config.company import ChartConfig, OwnAccount
from generation.engine.config.load import load_config
from generation.engine.errors import EngineError
from tests.unit.test_config_schema import with_own_chart

RELEASES = {"allowance_release", "write_down_release", "provision_release"}
# Roles that share the account of another one but where national law keeps them apart.
BY_LAW = {
    "own_revenue", "own_exempt_revenue", "own_sales_return", "intercompany_services", "raw_price_variance", "raw_stock_difference",
}  # fmt: skip
FRAMEWORKS = ("us_gaap", "ifrs", "hgb", "pcg")
SIZES = {"small": (90, 150), "medium": (400, 400), "large": (2_500, 2_500)}
CASES = [(framework, size) for framework in FRAMEWORKS for size in SIZES]


@pytest.mark.parametrize(("framework", "size"), CASES)
def test_a_chart_has_its_size_and_sorted_numbers_of_one_length(framework: str, size: str) -> None:
    accounts = chart_for(framework, size, "DE").accounts
    numbers = [account.number for account in accounts]

    assert SIZES[size][0] <= len(accounts) <= SIZES[size][1]
    assert numbers == sorted(set(numbers))
    assert len({len(number) for number in numbers}) == 1
    assert len({account.name for account in accounts}) == len(accounts)


@pytest.mark.parametrize(("framework", "size"), CASES)
def test_every_role_has_an_account_of_a_fitting_subtype(framework: str, size: str) -> None:
    chart = chart_for(framework, size, "DE")

    lacking = RELEASES if framework in ("us_gaap", "ifrs") else set()
    lacking |= set() if framework == "pcg" else {"merchandise_purchased", "materials_purchased"}
    assert set(chart.roles) == set(ROLES) - lacking
    shared = {role for role, other in SHARED_ROLES.items() if chart.roles[role] == chart.roles[other]}
    kept_apart = {"hgb": {"own_revenue"}, "pcg": set(SHARED_ROLES)}.get(framework, set())
    assert shared == BY_LAW - kept_apart
    assert len(set(chart.roles.values())) == len(ROLES) - len(lacking) - len(shared)
    for role, subtypes in ROLES.items():
        if role in lacking:
            continue
        assert chart.accounts[chart.roles[role]].subtype in subtypes


@pytest.mark.parametrize(("framework", "size"), CASES)
def test_control_accounts_are_flagged_and_lines_hold_one_class(framework: str, size: str) -> None:
    classes = defaultdict(set)
    for account in chart_for(framework, size, "DE").accounts:
        classes[account.statement_line].add(account.class_)
        assert account.is_control == (account.subtype in CONTROLLED)
        assert account.class_ == KINDS[account.subtype].class_

    assert all(len(found) == 1 for found in classes.values())


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_sub_accounts_share_the_subtype_and_line_of_their_role(framework: str) -> None:
    chart = chart_for(framework, "medium", "DE")

    assert set(chart.spread) <= SPREAD_ROLES
    assert len(chart.spread["revenue"]) >= 3
    for role, places in chart.spread.items():
        main = chart.accounts[chart.roles[role]]
        assert chart.roles[role] not in places
        for place in places:
            further = chart.accounts[place]
            assert (further.subtype, further.statement_line, further.normal_side) == (
                main.subtype,
                main.statement_line,
                main.normal_side,
            )


def test_well_known_accounts_have_their_well_known_numbers() -> None:
    def number(framework: str, role: str) -> str:
        chart = chart_for(framework, "small", "DE")
        return chart.accounts[chart.roles[role]].number

    # DATEV SKR04 and the French plan comptable général.
    assert [number("hgb", role) for role in ("bank", "receivable", "payable", "output_tax", "wages", "rent")] == [
        "1800", "1200", "3300", "3800", "6000", "6310",
    ]  # fmt: skip
    assert [number("pcg", role) for role in ("bank", "receivable", "payable", "capital", "travel", "gr_ir")] == [
        "512000", "411000", "401000", "101000", "625100", "408100",
    ]  # fmt: skip
    roles = ("customer_advance", "low_value_assets", "disposal_gain", "disposal_loss", "credit_losses")
    assert [number("pcg", role) for role in roles] == ["419100", "606300", "775000", "675000", "681740"]
    assert [number("us_gaap", role) for role in ("bank", "receivable", "payable", "gr_ir", "revenue", "cogs")] == [
        "1000", "1100", "2000", "2900", "4000", "5000",
    ]  # fmt: skip


def test_goods_have_accounts_by_kind() -> None:
    def numbers(framework: str) -> list[str]:
        chart = chart_for(framework, "small", "DE")
        roles = (
            "raw_materials",
            "work_in_progress",
            "finished_goods",
            "inventory",
            "cogs",
            "own_products_sold",
        )
        return [chart.accounts[chart.roles[role]].number for role in roles]

    # SKR04: 1000 raw materials, 1050 unfinished and 1100 finished products, 1140 merchandise, 5200 merchandise used, 4800 change in stock.
    assert numbers("hgb") == ["1000", "1050", "1100", "1140", "5200", "4800"]
    # PCG: classes 31, 33, 35 and 37 of stock, 6037 change in stock of merchandise, 7135 of products.
    assert numbers("pcg") == ["310000", "335000", "355000", "370000", "603700", "713500"]
    assert numbers("us_gaap") == ["1210", "1220", "1230", "1200", "5000", "5080"]


def test_own_goods_take_the_account_of_others_unless_one_is_named() -> None:
    chart = load_config(with_own_chart()).companies[0].chart
    assert isinstance(chart, ChartConfig)
    assert chart.accounts
    named = OwnAccount(number="1299", name="Products", subtype="inventory", role="finished_goods")

    _, shared = own_entries(chart.accounts)
    entries, roles = own_entries((*chart.accounts, named))

    assert shared["finished_goods"] == shared["raw_materials"] == shared["inventory"]
    assert shared["own_products_sold"] == shared["cogs"]
    assert not {"materials_used", "materials_in_production"} & set(shared)  # only where they are named
    assert entries[roles["finished_goods"]].number == "1299"
    assert entries[roles["raw_materials"]].number == entries[roles["inventory"]].number != "1299"


def test_contra_accounts_have_the_other_side() -> None:
    for framework in FRAMEWORKS:
        chart = chart_for(framework, "small", "DE")
        sides = {role: chart.accounts[chart.roles[role]].normal_side for role in chart.roles}
        assert (sides["revenue"], sides["sales_return"], sides["sales_discount"]) == ("C", "D", "D")
        assert (sides["asset_cost"], sides["accumulated_depreciation"], sides["purchase_discount"]) == (
            "D",
            "C",
            "C",
        )


def test_ifrs_has_the_numbers_of_the_american_style_and_names_of_its_own() -> None:
    american, ifrs = chart_for("us_gaap", "small", "US").accounts, chart_for("ifrs", "small", "GB").accounts

    assert [account.number for account in american] == [account.number for account in ifrs]
    assert "Trade receivables" in {account.name for account in ifrs}


def test_the_tax_account_is_called_as_in_the_country() -> None:
    def name(framework: str, country: str) -> str:
        chart = chart_for(framework, "small", country)
        return chart.accounts[chart.roles["output_tax"]].name

    assert name("us_gaap", "US") == name("ifrs", "US") == "Sales tax payable"
    assert name("us_gaap", "GB") == name("ifrs", "GB") == "Value added tax payable"


def test_a_large_chart_keeps_the_accounts_of_the_small_one() -> None:
    small, large = chart_for("hgb", "small", "DE"), chart_for("hgb", "large", "DE")

    assert {f"{account.number}00" for account in small.accounts} <= {
        account.number for account in large.accounts
    }


def test_a_chart_of_ones_own_fills_the_roles_by_name_and_by_subtype() -> None:
    company = load_config(with_own_chart()).companies[0]
    chart = chart_for(company.framework, company.chart, company.country)
    numbers = {role: chart.accounts[place].number for role, place in chart.roles.items()}

    assert set(ROLES) - set(numbers) <= OPTIONAL_ROLES  # it belongs to no group and has one currency
    assert numbers["tax_settlement"] == "2150"
    assert numbers["output_tax"] == numbers["wage_tax"] == "2100"
    assert numbers["rent"] == numbers["wages"] == "6000"
    assert [chart.accounts[place].number for place in chart.spread["revenue"]] == ["4010"]


@pytest.mark.parametrize("size", ["medium", "large"])
@pytest.mark.parametrize("framework", ["hgb", "pcg"])
def test_sub_accounts_of_national_charts_stay_within_the_number_of_their_account(
    framework: str, size: str
) -> None:
    """SKR04 6310 is rent and 6315 is lease of land, PCG 616 is insurance and 617 is studies: no filler may be called by them."""
    small = {account.number: account for account in chart_for(framework, "small", "DE").accounts}
    wide = {number.ljust(6, "0"): account for number, account in small.items()}

    subs = [one for one in chart_for(framework, size, "DE").accounts if one.number not in wide]

    assert len(subs) > 200
    for sub in subs:
        parent = max(number for number in wide if number < sub.number)
        assert sub.name.startswith(f"{wide[parent].name}, ")
        assert int(sub.number) - int(parent) < 100
        assert parent[:4] == sub.number[:4]


def test_free_digits_are_those_that_are_zeros() -> None:
    def numbers(first: str, free_digits: int | None) -> list[str]:
        entries = [Entry(number=first, name="A", subtype="cash", fill="site")]
        return [entry.number for entry in grown(entries, 10, len(first), free_digits)]

    assert numbers("616000", 2) == [f"6160{place}0" for place in range(10)]
    assert numbers("681120", 2) == [f"68112{place}" for place in range(10)]
    assert numbers("616000", None) == [f"{number}000" for number in range(616, 626)]
    with pytest.raises(EngineError, match="no room for 9 more"):
        numbers("681123", 2)


def test_no_room_for_more_accounts_is_said() -> None:
    entries = [
        Entry(number="1", name="A", subtype="cash", fill="site"),
        Entry(number="3", name="B", subtype="cash"),
    ]

    assert [entry.number for entry in grown(entries, 3, 1)] == ["1", "2", "3"]
    with pytest.raises(EngineError, match="no room for 1 more"):
        grown(entries, 4, 1)


@pytest.mark.parametrize(("framework", "size"), [("gaap", "small"), ("../hgb", "small"), ("hgb", "huge")])
def test_an_unknown_framework_or_size_is_named(framework: str, size: str) -> None:
    with pytest.raises(EngineError):
        chart_for(framework, size, "DE")
