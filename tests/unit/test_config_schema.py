"""The JSON Schema describes every key, agrees with the loader, and says what this release refuses."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from pydantic import ValidationError

from generation.engine.config.load import dump, load_config, plain
from generation.engine.config.model import Config
from generation.engine.config.rates import INDUSTRY_RATES, PLACES, rates_of
from generation.engine.config.schema import json_schema
from generation.engine.templates.catalogue import templates
from tests.unit.test_config_malformed import GOOD, problems_of

SCHEMA = json_schema()


def keys(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of the config with its description in the schema."""
    for name, described in node.get("properties", {}).items():
        place = f"{path}.{name}" if path else name
        yield place, described
        for inner in (described, described.get("items", {}), *described.get("anyOf", ())):
            target = inner.get("$ref") or inner.get("items", {}).get("$ref")
            if target:
                yield from keys(SCHEMA["$defs"][target.rsplit("/", 1)[1]], place)


def test_the_schema_is_valid_and_accepts_the_templates() -> None:
    jsonschema_rs.meta.validate(SCHEMA)
    validator = jsonschema_rs.Draft202012Validator(SCHEMA)

    for template in templates():
        validator.validate(plain(load_config(template.yaml)))


@pytest.mark.parametrize(("path", "described"), list(keys(SCHEMA)), ids=[path for path, _ in keys(SCHEMA)])
def test_every_key_says_what_it_changes(path: str, described: dict[str, Any]) -> None:
    assert len(described["description"]) > 8
    is_section = "$ref" in described or "$ref" in described.get("items", {})
    assert is_section or (described["x-unit"] and described["x-source"])


def test_every_key_with_a_default_shows_it() -> None:
    required = {"period": {"start"}, "group": {"name", "currency"}}
    for section, names in required.items():
        definition = SCHEMA["$defs"][section.capitalize()]
        assert set(definition["required"]) == names
        assert all(
            "default" in described
            for name, described in definition["properties"].items()
            if name not in names
        )


def test_keys_that_this_release_refuses_are_marked() -> None:
    refused = {path for path, described in keys(SCHEMA) if described.get("x-available") is False}

    assert refused == {
        "anomalies",
        "data_quality.duplicate_rate",
        "data_quality.missing_rate",
        "data_quality.typo_rate",
        "marking.level",
    }


def test_unknown_keys_are_refused_in_every_section() -> None:
    sections = [SCHEMA, *(one for one in SCHEMA["$defs"].values() if one["type"] == "object")]

    assert all(one["additionalProperties"] is False for one in sections)


def test_every_rate_of_a_process_has_a_default_for_every_industry() -> None:
    rates = {
        (section, name)
        for section, process in Config.model_fields["processes"].default
        for name in type(process).model_fields
        if process.enabled
        and name != "enabled"
        and section not in ("intercompany", "treasury")  # the same for all industries, but for one
    } | {("treasury", "payout_current_ratio")}

    no_rates = {("tax", "income_tax_rate"), ("inventory", "valuation"), ("inventory", "new_standard_costs")}
    assert set(PLACES.values()) == rates - no_rates  # the country's law, and methods
    assert set(INDUSTRY_RATES) == set(SCHEMA["$defs"]["Company"]["properties"]["industry"]["enum"])
    shown = SCHEMA["$defs"]["OrderToCash"]["properties"]["return_rate"]["x-defaults"]
    assert shown["retail"] == 0.06


@pytest.mark.parametrize("rate", PLACES)
def test_every_rate_that_is_given_reaches_the_books(rate: str) -> None:
    section, name = PLACES[rate]
    default = getattr(INDUSTRY_RATES["services"], rate)
    value = {
        "safety_stock_days": 9,
        "gr_ir_clearing_days": 33,
        "price_tolerance": 0.012,
        "review_months": 5,
    }.get(rate, default + 2 if isinstance(default, int) else 0.123)

    config = load_config(f"{GOOD}processes: {{{section}: {{{name}: {value}}}}}\n")

    assert getattr(rates_of(config, config.companies[0]), rate) == value


def test_a_config_never_changes() -> None:
    config = load_config(GOOD)

    with pytest.raises(ValidationError):
        config.seed = 8  # type: ignore[misc]  # what the test is about
    assert hash(config) == hash(load_config(GOOD))


OWN_CHART = """
      accounts:
        - {number: "1000", name: Bank, subtype: cash}
        - {number: "1100", name: Receivables, subtype: trade_receivable}
        - {number: "1150", name: Input tax, subtype: input_tax}
        - {number: "1200", name: Stock, subtype: inventory}
        - {number: "1300", name: Prepaid, subtype: prepaid}
        - {number: "1500", name: Assets, subtype: fixed_asset_cost}
        - {number: "1510", name: Depreciation to date, subtype: accumulated_depreciation}
        - {number: "2000", name: Payables, subtype: trade_payable}
        - {number: "2100", name: Taxes, subtype: tax_payable}
        - {number: "2150", name: Tax return, subtype: tax_payable, role: tax_settlement}
        - {number: "2200", name: Payroll, subtype: payroll_payable}
        - {number: "2300", name: Accrued, subtype: accrued}
        - {number: "2400", name: Not invoiced, subtype: gr_ir}
        - {number: "2500", name: Loan, subtype: debt}
        - {number: "3000", name: Capital, subtype: share_capital}
        - {number: "3100", name: Earnings, subtype: retained_earnings}
        - {number: "4000", name: Sales, subtype: revenue, role: revenue}
        - {number: "4010", name: Sales abroad, subtype: revenue, role: revenue}
        - {number: "4100", name: Other income, subtype: other_income}
        - {number: "5000", name: Cost of sales, subtype: cost_of_sales}
        - {number: "6000", name: Expenses, subtype: operating_expense}
        - {number: "6100", name: Depreciation, subtype: depreciation_expense}
"""
WITH_EXCHANGE = f"{OWN_CHART}        - {{number: '7000', name: Exchange differences, subtype: fx_result}}\n"


def with_own_chart(accounts: str = OWN_CHART) -> str:
    return GOOD.replace("    framework: hgb\n", f"    framework: hgb\n    chart:{accounts}")


def test_a_chart_of_ones_own_is_accepted_and_survives_the_way_to_text_and_back() -> None:
    config = load_config(with_own_chart())
    accounts = config.companies[0].chart.accounts

    assert accounts is not None
    assert len(accounts) == 22
    assert load_config(dump(config)) == config
    assert load_config(json.dumps(plain(config))) == config


@pytest.mark.parametrize(
    ("old", "new", "code", "path"),
    [
        ('"1100"', '"1000"', "duplicate_account", "companies[0].chart.accounts[1]"),
        (
            "subtype: inventory}",
            "subtype: inventory, role: stock}",
            "unknown_role",
            "companies[0].chart.accounts[3]",
        ),
        ("subtype: cash}", "subtype: cash, role: rent}", "role_mismatch", "companies[0].chart.accounts[0]"),
        (
            '        - {number: "1200", name: Stock, subtype: inventory}\n',
            "",
            "missing_role",
            "companies[0].chart.accounts",
        ),
        ("subtype: inventory}", "subtype: stock}", "not_allowed", "companies[0].chart.accounts[3].subtype"),
        (
            "      accounts:",
            "      size: small\n      accounts:",
            "size_and_accounts",
            "companies[0].chart.size",
        ),
    ],
)
def test_what_is_wrong_with_a_chart_of_ones_own_is_named(old: str, new: str, code: str, path: str) -> None:
    found = problems_of(with_own_chart(OWN_CHART.replace(old, new, 1)))

    assert (code, path) in [(problem.code, problem.path) for problem in found]
    assert all(problem.line for problem in found)


def test_a_chart_of_ones_own_needs_an_account_for_exchange_differences_where_there_are_any() -> None:
    processes = "processes: {order_to_cash: {foreign_currency_share: 0.5}}\n"
    found = problems_of(with_own_chart() + processes)

    assert [(problem.code, "fx_result" in problem.message) for problem in found] == [("missing_role", True)]
    assert load_config(with_own_chart(WITH_EXCHANGE) + processes)


def test_the_schema_is_plain_json() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
