"""The loader takes YAML and JSON, resolves the environment, and gives a config that survives the way to text and back."""

import hashlib
import json
import re
import string
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generation.engine.config.load import digest, dump, load_config, plain
from generation.engine.config.model import Config
from generation.engine.config.rates import rates_of
from generation.engine.errors import ConfigError
from generation.engine.templates.catalogue import templates
from tests.unit.test_config_malformed import GOOD, SECOND_COMPANY, problems_of


def test_defaults_are_filled_in() -> None:
    config = load_config(GOOD)

    assert config.period.start == date(2025, 1, 1)
    assert config.controls.approval_thresholds == (1_000, 10_000, 100_000, 500_000)
    assert config.companies[0].chart.size == "medium"
    assert config.quality.gate == "standard"
    assert config.processes.tax.enabled
    assert config.companies[0].loans == ()


def test_a_rate_left_out_follows_the_industry_and_a_rate_given_wins() -> None:
    config = load_config(f"{GOOD}processes: {{order_to_cash: {{late_payment_share: 0.5}}}}\n")

    rates = rates_of(config, config.companies[0])

    assert rates.customer_late_payment_share == 0.5
    assert rates.return_rate == 0.06  # retail, by the table in rates.py


def test_json_is_read_like_yaml() -> None:
    config = load_config(GOOD)

    assert load_config(json.dumps(plain(config))) == config
    assert load_config(json.dumps(plain(config), indent="\t")) == config
    assert load_config(json.dumps(plain(config)).encode()) == config


def test_characters_beyond_the_basic_plane_survive_json_escapes() -> None:
    text = json.dumps(plain(load_config(GOOD))).replace("Talwerk GmbH", "Talwerk \\ud83d\\ude00")

    assert load_config(text).companies[0].name == "Talwerk 😀"


def test_yaml_words_of_version_1_1_are_text() -> None:
    text = GOOD.replace("name: Talwerk GmbH", "name: no")

    assert load_config(text).companies[0].name == "no"


def test_a_byte_order_mark_and_windows_line_ends_are_fine() -> None:
    assert load_config("\ufeff" + GOOD.replace("\n", "\r\n")) == load_config(GOOD)


def test_the_environment_fills_in_values_of_any_type() -> None:
    text = GOOD.replace("seed: 7", "seed: ${SEED}").replace("Talwerk GmbH", "${FIRST} ${SECOND}")

    config = load_config(text, environment={"SEED": "99", "FIRST": "Tal", "SECOND": "Werk"})

    assert config.seed == 99
    assert config.companies[0].name == "Tal Werk"


def test_an_unset_variable_is_named_and_a_server_says_that_it_reads_none() -> None:
    text = GOOD.replace("Talwerk GmbH", "${COMPANY}")
    with pytest.raises(ConfigError) as caught:
        load_config(text, environment={})

    assert "COMPANY is not set" in caught.value.problems[0].message
    assert "never reads its environment" in problems_of(text)[0].message


def test_a_variable_is_put_in_once() -> None:
    text = GOOD.replace("Talwerk GmbH", "${COMPANY}")
    with pytest.raises(ConfigError, match=r"holds “\$\{” itself"):
        load_config(text, environment={"COMPANY": "${HOME}", "HOME": "/root"})


@pytest.mark.parametrize(
    "spelling", ["${secret:TOKEN}", "${secret:}", "${secret}", "${ SECRET : TOKEN }", "${secret:TOKEN"]
)
@pytest.mark.parametrize("environment", [None, {"secret": "canary", "TOKEN": "canary"}])
def test_a_secret_is_refused_because_no_field_takes_one(
    spelling: str, environment: dict[str, str] | None
) -> None:
    text = GOOD.replace("Talwerk GmbH", f'"{spelling}"')
    with pytest.raises(ConfigError) as caught:
        load_config(text, environment=environment)

    problem = caught.value.problems[0]
    assert (problem.code, problem.path) == ("secret_not_taken", "companies[0].name")
    assert "no field of a config takes a secret" in problem.message
    assert "canary" not in str(caught.value.problems)


@pytest.mark.parametrize("config", [load_config(GOOD), *(load_config(one.yaml) for one in templates())])
def test_canonical_text_and_json_give_the_same_config(config: Config) -> None:
    assert load_config(dump(config)) == config
    assert load_config(json.dumps(plain(config))) == config
    assert dump(load_config(dump(config))) == dump(config)


def test_the_digest_is_that_of_the_canonical_json() -> None:
    config = load_config(GOOD)
    # Keys sorted, no blanks, whole numbers without a point: what RFC 8785 asks for, as long as names are ASCII.
    compact = json.dumps(plain(config), sort_keys=True, separators=(",", ":"))
    canonical = re.sub(r"\.0(?=[,}])", "", compact)

    assert digest(config) == hashlib.sha256(canonical.encode()).hexdigest()
    assert digest(load_config("# comment\n" + GOOD)) == digest(config)
    assert digest(load_config(GOOD.replace("seed: 7", "seed: 8"))) != digest(config)


def test_the_largest_seed_survives_json_and_has_a_digest() -> None:
    config = load_config(GOOD.replace("seed: 7", f"seed: {2**64 - 1}"))

    assert plain(config)["seed"] == "18446744073709551615"
    assert load_config(json.dumps(plain(config))).seed == 2**64 - 1
    assert load_config(dump(config)).seed == 2**64 - 1
    assert len(digest(config)) == 64


@pytest.mark.parametrize(
    ("extra", "path"),
    [
        ("anomalies: [{type: self_approval, rate: 0.1}]", "anomalies"),
        ("data_quality: {typo_rate: 0.1}", "data_quality.typo_rate"),
        ("outputs: {formats: [parquet], exports: [ocel2]}", "outputs.exports[0]"),
        ("marking: {level: metadata}", "marking.level"),
    ],
)
def test_what_this_release_cannot_do_is_refused(extra: str, path: str) -> None:
    [problem] = problems_of(f"{GOOD}{extra}\n")

    assert (problem.code, problem.path) == ("not_available", path)
    assert problem.line == 16


@pytest.mark.parametrize(
    "extra",
    [
        "anomalies: []",
        "data_quality: {typo_rate: 0.0}",
        "outputs: {formats: [csv, parquet], exports: []}",
        "marking: {level: full}",
        "processes: {manufacturing: {enabled: false}, tax: {enabled: false}, hire_to_retire: {enabled: false}}",
    ],
)
def test_saying_that_one_does_not_want_it_is_fine(extra: str) -> None:
    load_config(f"{GOOD}{extra}\n")


@pytest.mark.parametrize("process", ["order_to_cash", "procure_to_pay", "inventory"])
def test_the_flow_of_goods_cannot_be_switched_off(process: str) -> None:
    [problem] = problems_of(f"{GOOD}processes: {{{process}: {{enabled: false}}}}\n")

    assert (problem.code, problem.path) == ("process_needed", f"processes.{process}.enabled")


def test_two_companies_in_two_currencies_are_fine() -> None:
    second = SECOND_COMPANY.replace('"1000"', '"2000"').replace("currency: EUR", "currency: JPY")

    config = load_config(GOOD.replace("volume:", f"{second}volume:"))

    assert [company.currency for company in config.companies] == ["EUR", "JPY"]


def test_owners_in_a_circle_are_refused() -> None:
    second = SECOND_COMPANY.replace('"1000"', '"2000"').replace(
        "framework: hgb", 'framework: hgb, parent: "1000"'
    )
    text = GOOD.replace("    framework: hgb\n", '    framework: hgb\n    parent: "2000"\n')

    codes = [problem.code for problem in problems_of(text.replace("volume:", f"{second}volume:"))]

    assert codes.count("parent_cycle") == 2


def test_a_year_end_without_weeks_is_refused_and_the_usual_one_is_no_wish() -> None:
    months = GOOD.replace("months: 12", "months: 12, year_end: last, year_end_weekday: saturday")

    [problem] = problems_of(months)

    assert (problem.code, problem.path) == ("without_weeks", "period.year_end")
    weeks = load_config(months.replace("months: 12", "months: 12, calendar: 4-5-4")).period
    assert (weeks.calendar, weeks.year_end) == ("4-5-4", "last")


def test_production_orders_need_a_manufacturer() -> None:
    making = "processes: {manufacturing: {made_share: 0.5}}"
    load_config(f"{GOOD.replace('industry: retail', 'industry: manufacturing')}{making}\n")

    [problem] = problems_of(f"{GOOD}{making}\n")

    assert (problem.code, problem.path) == ("no_manufacturer", "processes.manufacturing")


def test_moving_averages_are_for_companies_that_trade_on_their_own() -> None:
    averages = "processes: {inventory: {valuation: moving_average}"
    load_config(f"{GOOD}{averages}}}\n")

    making = GOOD.replace("industry: retail", "industry: manufacturing")
    [made] = problems_of(f"{making}{averages}, manufacturing: {{}}}}\n")
    daughter = SECOND_COMPANY.replace('"1000"', '"2000"').replace("hgb}", 'hgb, parent: "1000"}')
    group = GOOD.replace("volume:", f"{daughter}volume:")
    [traded] = problems_of(f"{group}{averages}}}\n")

    assert (made.code, made.path, made.suggestion) == (
        "not_available",
        "processes.inventory.valuation",
        "standard",
    )
    assert (traded.code, traded.path) == (made.code, made.path)
    load_config(f"{group}{averages}, intercompany: {{enabled: false}}}}\n")
    load_config(f"{making}{averages}, manufacturing: {{enabled: false}}}}\n")


def test_new_standard_costs_need_one_and_no_production_orders() -> None:
    renewed = "processes: {inventory: {new_standard_costs: true"
    load_config(f"{GOOD}{renewed}}}}}\n")

    making = GOOD.replace("industry: retail", "industry: manufacturing")
    [made] = problems_of(f"{making}{renewed}}}, manufacturing: {{}}}}\n")
    [averaged] = problems_of(f"{GOOD}{renewed}, valuation: moving_average}}}}\n")

    place = "processes.inventory.new_standard_costs"
    assert (made.code, made.path, made.suggestion) == ("not_available", place, "false")
    assert (averaged.code, averaged.path) == ("without_standard_costs", place)


def test_each_company_needs_its_share_of_lines() -> None:
    second = "".join(SECOND_COMPANY.replace('"1000"', f'"{code}"') for code in (2000, 3000, 4000, 5000))
    text = GOOD.replace("volume:", f"{second}volume:")

    [problem] = problems_of(text)

    assert (problem.code, problem.suggestion) == ("too_few_lines", "25000")


def test_the_shipped_inputs_of_one_company_load() -> None:
    for template in templates():
        config = load_config(template.yaml)
        assert config.name == template.name
        assert 20_000 <= config.volume.journal_lines_per_year <= 50_000


def outcome(text: str | bytes) -> Config | ConfigError:
    try:
        return load_config(text)
    except ConfigError as error:
        if not error.problems:
            raise ValueError("an error without a problem") from error
        return error


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_text_gives_a_config_or_problems(text: str) -> None:
    outcome(text)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_bytes_give_a_config_or_problems(text: bytes) -> None:
    outcome(text)


YAML_PIECES = st.sampled_from(
    [*"{}[]:,-?&*!|>'\"#%@`~\n \t0", "${A}", "<<", "---", "...", "%YAML 1.1\n", "!!int ", "1e999", "null"]
)


@given(st.lists(YAML_PIECES | st.sampled_from(string.ascii_letters), max_size=60).map("".join))
@settings(max_examples=400, deadline=None)
def test_any_yaml_punctuation_gives_a_config_or_problems(text: str) -> None:
    outcome(text)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["2025-02-30", "DE"])
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from([*Config.model_fields, "extra"])


@given(
    st.dictionaries(KEYS, TREES, max_size=4), st.sampled_from(["companies", "processes", "outputs", "period"])
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_value_under_any_key_gives_a_config_or_problems(changes: dict[str, object], section: str) -> None:
    data = plain(load_config(GOOD)) | changes
    if isinstance(data.get(section), dict):
        data[section] = {name: changes.get("extra") for name in data[section]}

    outcome(json.dumps(data))


@given(st.integers(0, len(GOOD)), st.integers(0, len(GOOD)), st.text(max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_damage_to_a_good_text_gives_a_config_or_problems(start: int, end: int, patch: str) -> None:
    outcome(GOOD[:start] + patch + GOOD[end:])
