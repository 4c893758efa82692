"""Twenty configs that cannot be used: every problem at once, each with path and line, within two seconds."""

import pytest

from generation.engine.config.load import load_config
from generation.engine.config.reader import LONGEST_KEY
from generation.engine.errors import ConfigError, Problem
from tests.work import work_of_at_most

GOOD = """\
version: 1
name: small-books
seed: 7
period: {start: 2025-01-01, months: 12}
group: {name: Talwerk, currency: EUR}
companies:
  - code: "1000"
    name: Talwerk GmbH
    country: DE
    currency: EUR
    industry: retail
    annual_revenue: 5000000
    employees: 40
    framework: hgb
volume: {journal_lines_per_year: 20000}
"""
SECOND_COMPANY = """\
  - {code: "1000", name: Talwerk Zwei GmbH, country: DE, currency: EUR, industry: retail, annual_revenue: 5000000,
     employees: 40, framework: hgb}
"""


def problems_of(text: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load_config(text)
    return caught.value.problems


# Text that is replaced in the good config, the replacement, and the problems as (code, path, line).
EDITS = {
    "unknown key": ("seed: 7", "sead: 7", [("unknown_key", "sead", 3)]),
    "unknown key of a section": ("months: 12", "monhts: 12", [("unknown_key", "period.monhts", 4)]),
    "wrong type": ("employees: 40", "employees: many", [("wrong_type", "companies[0].employees", 13)]),
    "number for text": ('code: "1000"', "code: 1000", [("wrong_type", "companies[0].code", 7)]),
    "impossible date": ("2025-01-01", "2025-02-30", [("bad_date", "period.start", 4)]),
    "middle of a month": ("2025-01-01", "2025-01-15", [("not_first_of_month", "period.start", 4)]),
    "out of range": ("months: 12", "months: 121", [("out_of_range", "period.months", 4)]),
    "seed beyond 64 bits": ("seed: 7", "seed: 18446744073709551616", [("out_of_range", "seed", 3)]),
    "unknown country": ("country: DE", "country: XX", [("unknown_country", "companies[0].country", 9)]),
    "unknown currency": (
        "    currency: EUR",
        "    currency: EURO",
        [("unknown_currency", "companies[0].currency", 10)],
    ),
    "environment variable": ("Talwerk GmbH", "${HOME}", [("environment_variable", "companies[0].name", 8)]),
    "duplicate key": ("seed: 7", "seed: 7\nseed: 8", [("duplicate_key", "seed", 4)]),
    "missing key": ("    framework: hgb\n", "", [("missing_key", "companies[0].framework", 7)]),
    "unknown parent": (
        "    employees: 40",
        '    employees: 40\n    parent: "9"',
        [("unknown_parent", "companies[0].parent", 14)],
    ),
    "two companies with one code": (
        "volume:",
        f"{SECOND_COMPANY}volume:",
        [("duplicate_company", "companies[1].code", 15)],
    ),
    "alias": ("{name: Talwerk,", "&g {name: *g,", [("anchor", "group", 5), ("alias", "group.name", 5)]),
    "tag": ("name: Talwerk GmbH", "name: !!python/name:os.system x", [("tag", "companies[0].name", 8)]),
    "control character": (
        "Talwerk GmbH",
        '"Talwerk\\u0007 GmbH"',
        [("control_character", "companies[0].name", 8)],
    ),
    "reversed text": (
        "{name: Talwerk,",
        '{name: "Tal\u202ewerk",',
        [("control_character", "group.name", 5)],
    ),
    "isolated text": ("Talwerk GmbH", "\u2067Talwerk GmbH", [("control_character", "companies[0].name", 8)]),
    "people without pay": (
        "employees: 40",
        "employees: 18751",
        [("too_many_employees", "companies[0].employees", 13)],
    ),
    "csv only": (
        "volume:",
        "outputs: {formats: [csv]}\nvolume:",
        [("parquet_missing", "outputs.formats", 15)],
    ),
    "broken syntax": (
        "{journal_lines_per_year: 20000}",
        "{journal_lines_per_year: 20000",
        [("yaml_syntax", "", 16)],
    ),
    "two configs in a file": ("volume:", "---\nvolume:", [("several_documents", "", 15)]),
}


@pytest.mark.parametrize("case", EDITS)
def test_a_malformed_config_names_code_path_and_line(case: str) -> None:
    old, new, expected = EDITS[case]
    assert old in GOOD

    with work_of_at_most(2):
        problems = problems_of(GOOD.replace(old, new, 1))

    found = {(problem.code, problem.path, problem.line) for problem in problems}
    assert set(expected) <= found


@pytest.mark.parametrize("key", ["code", "parent", "currency", "chart"])
@pytest.mark.parametrize("value", ["[a]", "{a: 1}", "5", "null"])
def test_a_key_of_a_company_with_a_value_of_another_kind_is_a_problem_in_a_pooled_group(
    key: str, value: str
) -> None:
    company = {"code": '"1000"', "parent": '"2000"', "currency": "EUR", "chart": "{accounts: []}"} | {
        key: value
    }
    first = ", ".join(f"{name}: {given}" for name, given in company.items())
    text = f'companies:\n  - {{{first}}}\n  - {{code: "2000", currency: EUR}}\nprocesses: {{treasury: {{cash_pool: daily}}}}\n'

    assert problems_of(text)


def test_the_good_config_is_good() -> None:
    assert load_config(GOOD).companies[0].name == "Talwerk GmbH"


def test_people_that_revenue_carries_are_fine_to_the_last_one() -> None:
    # 45 % of 5,000,000 is 2,250,000, that is 120 a year for 18,750 people
    assert load_config(GOOD.replace("employees: 40", "employees: 18750"))
    assert load_config(
        GOOD.replace("employees: 40", "employees: 18751") + "processes: {hire_to_retire: {enabled: false}}\n"
    )
    problem = problems_of(GOOD.replace("employees: 40", "employees: 18751"))[0]
    assert "5,000,000" in problem.message
    assert "18,751" in problem.message
    assert problem.suggestion == "18750"


def test_every_problem_is_reported_at_once_in_the_order_of_the_file() -> None:
    text = GOOD
    for old, new in (
        ("version: 1", "version: 2"),
        ("name: small-books", "name: Small Books"),
        ("2025-01-01", "2025-02-30"),
        ("months: 12", "monhts: 12"),
        ("country: DE", "country: XX"),
        ("industry: retail", "industry: retial"),
        ("annual_revenue: 5000000", "annual_revenue: 5e6"),
        ("employees: 40", "employees: 0"),
    ):
        text = text.replace(old, new, 1)
    text += "processes: {order_to_cash: {return_rate: 5}, manufacturing: {}}\n"
    text += "controls: {approval_thresholds: [5, 3]}\nanomalies: [{type: ghost_employee, count: 3}]\n"

    problems = problems_of(text)

    assert [problem.code for problem in problems] == [
        "out_of_range", "bad_text", "bad_date", "unknown_key", "unknown_country", "not_allowed", "wrong_type",
        "out_of_range", "out_of_range", "no_manufacturer", "not_ascending", "not_available",
    ]  # fmt: skip
    assert [problem.line for problem in problems] == [1, 2, 4, 4, 9, 11, 12, 13, 16, 16, 17, 18]


def test_problems_say_what_to_write_instead() -> None:
    def suggestion(old: str, new: str) -> str | None:
        return problems_of(GOOD.replace(old, new, 1))[0].suggestion

    assert suggestion("months: 12", "month: 12") == "months"
    assert suggestion("industry: retail", "industry: Retail") == "retail"
    assert suggestion("    currency: EUR", "    currency: eur") == "EUR"
    assert suggestion('code: "1000"', "code: 1000") == '"1000"'
    assert suggestion("annual_revenue: 5000000", 'annual_revenue: "5,000,000"') == "5000000"
    assert suggestion("2025-01-01", "2025-03-09") == "2025-03-01"


def test_a_percentage_is_explained_as_a_share() -> None:
    [problem] = problems_of(f"{GOOD}processes: {{order_to_cash: {{return_rate: 3}}}}\n")

    assert "3 % is written 0.03" in problem.message
    assert problem.suggestion == "0.03"


def test_a_key_in_the_wrong_section_is_sent_to_the_right_one() -> None:
    [problem] = problems_of(f"months: 3\n{GOOD}")

    assert "in “period”" in problem.message


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("just text", "not_a_config"),
        ("- 1\n- 2", "not_a_config"),
        (b"name: \xff\xfe", "not_utf8"),
        ("name: a\x00b", "bad_character"),
        ("name: \ud800", "bad_character"),
        ("a:\n\t- tab", "yaml_syntax"),
        ("[" * 5_000, "too_deep"),
        ("? [a, b]\n: c", "bad_key"),
    ],
)
def test_what_cannot_be_read_at_all_is_refused(text: str | bytes, code: str) -> None:
    assert code in [problem.code for problem in problems_of(text)]


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\n" * 1_000_000,  # 5 MB
        "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a]\n" for n in range(2_000)),  # aliases of aliases
        "[" + "1," * 500_000 + "]",
        "".join(f"key{n}: 1\n" for n in range(80_000)),
        "a: " + "b " * 500_000,
        "a: '" + "b\n\n" * 330_000 + "'",
        "[" * 100_000,
        "- " * 500_000,
        '{"a": ' * 10_000,
        "companies: [" + "{}," * 9_000 + "]",
        "x: 1\n" * 9_000,
        "seed: " + "9" * 900_000,
        "? "
        + " ".join(["k" * 999] * 900)
        + "\n: ["
        + "*a," * 30_000
        + "]\n",  # each alias is told with its path
        "k" * 200 + ": " + "[!t x, " * 45 + "!t x," * 30_000 + "]" * 45,
    ],
    ids=[
        "5 MB",
        "aliases",
        "flow",
        "keys",
        "words",
        "lines",
        "nest",
        "dashes",
        "json",
        "empties",
        "repeats",
        "digits",
        "a long key",
        "tags",
    ],
)
def test_a_bomb_is_refused_within_two_seconds(text: str) -> None:
    with work_of_at_most(2):
        assert problems_of(text)


def test_a_key_has_two_hundred_characters_at_most() -> None:
    long = "k" * LONGEST_KEY

    assert [problem.code for problem in problems_of(GOOD + f"{long}: 1\n")] == ["unknown_key"]
    [problem] = problems_of(GOOD + f"{long}k: 1\n")
    assert (problem.code, problem.line, problem.message) == (
        "too_long",
        len(GOOD.splitlines()) + 1,
        "A key has at most 200 characters.",
    )


def test_at_most_two_hundred_problems_are_listed() -> None:
    problems = problems_of(GOOD + "".join(f"extra{n}: 1\n" for n in range(1_000)))

    assert len(problems) == 201
    assert problems[-1].code == "more_problems"
