"""The form and the text of a config are two views of one thing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import QueryDict

from frontend.config_fields import section_shapes
from frontend.config_form import (
    Section,
    apply_form,
    form_sections,
    is_readable,
    with_company_added,
    with_company_removed,
)
from generation.engine.config.load import load_config
from generation.engine.errors import ConfigError
from generation.engine.templates.catalogue import templates
from tests.work import work_of_at_most

TEXTS = [template.yaml for template in templates()]
NAMES = [template.name for template in templates()]


def posted(sections: tuple[Section, ...], **changes: str) -> QueryDict:
    """What a browser sends when nothing was touched, and then some fields were."""
    data = QueryDict(mutable=True)
    for field in (field for section in sections for field in section.fields):
        if field.kind == "check":
            data.setlist(field.name, ["false", "true"] if field.is_on else ["false"])
        elif field.kind == "choices":
            data.setlist(field.name, ["", *(one.value for one in field.options if one.is_chosen)])
        elif field.kind == "select":
            chosen = [one.value for one in field.options if one.is_chosen]
            data.setlist(field.name, chosen or [field.options[0].value])
        else:
            data.setlist(field.name, [field.value])
    for path, value in changes.items():
        data.setlist(f"key:{path}", [value])
    return data


def codes(text: str) -> set[str]:
    """Codes of the problems of a config."""
    try:
        load_config(text)
    except ConfigError as error:
        return {problem.code for problem in error.problems}
    return set()


@pytest.mark.parametrize("text", TEXTS, ids=NAMES)
def test_a_form_that_nobody_touched_leaves_every_byte(text: str) -> None:
    assert apply_form(text, posted(form_sections(text, ()))) == text


@pytest.mark.parametrize("text", TEXTS, ids=NAMES)
def test_a_changed_field_changes_one_line_and_its_meaning(text: str) -> None:
    changed = apply_form(text, posted(form_sections(text, ()), seed="4711"))

    assert load_config(changed).seed == 4711
    before, after = text.splitlines(), changed.splitlines()
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_every_field_of_the_form_is_a_key_that_the_config_knows() -> None:
    text = TEXTS[0]
    for field in (field for section in form_sections(text, ()) for field in section.fields):
        path = field.name.removeprefix("key:")
        assert "unknown_key" not in codes(apply_form(text, posted((), **{path: "certainly wrong"}))), path


def test_the_form_offers_what_the_release_can_do_and_no_more() -> None:
    offered = {shape.path for shape in section_shapes()}

    assert ("companies",) in offered
    assert ("processes", "order_to_cash") in offered
    assert not {("anomalies",), ("data_quality",), ("marking",)} & offered


def test_emptied_optional_keys_fall_back_to_their_default() -> None:
    text = apply_form(TEXTS[0], posted((), **{"period.months": ""}))

    assert "\n  months:" not in text
    assert load_config(text).period.months == 12


def test_values_of_the_wrong_kind_stay_as_typed_so_that_the_check_names_them() -> None:
    text = apply_form(TEXTS[0], posted((), **{"companies[0].employees": "many"}))

    with pytest.raises(ConfigError) as caught:
        load_config(text)
    assert [problem.path for problem in caught.value.problems] == ["companies[0].employees"]


def test_a_problem_stands_at_the_field_with_its_path() -> None:
    text = TEXTS[0].replace("employees: 110", "employees: many")
    with pytest.raises(ConfigError) as caught:
        load_config(text)

    fields = [field for section in form_sections(text, caught.value.problems) for field in section.fields]

    marked = [field for field in fields if field.problem]
    assert [field.name for field in marked] == ["key:companies[0].employees"]
    assert marked[0].value == "many"


@pytest.mark.parametrize("text", ["", "- a", "a: [", "a: &x 1\nb: *x", "a: 1\na: 2", "x: ${HOME}"])
def test_text_that_a_form_would_damage_is_not_shown_as_one(text: str) -> None:
    assert not is_readable(text)


def test_a_company_is_added_under_a_free_code_and_taken_away_again() -> None:
    two = with_company_added(TEXTS[0])
    one = with_company_removed(two, 0)

    assert [company.code for company in load_config(two).companies] == ["1000", "2000"]
    assert [company.code for company in load_config(one).companies] == ["2000"]
    assert with_company_removed(one, 0) == one  # the last one stays


def test_the_inputs_of_others_survive_the_form() -> None:
    text = (Path(__file__).parents[2] / "examples" / "mittelstand.yaml").read_text()

    assert apply_form(text, posted(form_sections(text, ()))) == text


@pytest.mark.parametrize("change", [with_company_added, lambda text: with_company_removed(text, 0)])
def test_a_text_that_refers_to_itself_grows_by_no_act(change: Callable[[str], str]) -> None:
    """Each level would be written out ten times as long as the one before: ten levels are more than any memory."""
    levels = ["l0: &l0 [" + ",".join("x" * 10) + "]"]
    levels += [f"l{n}: &l{n} [" + ",".join([f"*l{n - 1}"] * 10) + "]" for n in range(1, 10)]
    text = "\n".join([*levels, "companies:", "  - {code: *l9, name: a}", "  - {code: *l9, name: b}", ""])

    assert change(text) == text


def test_a_text_with_thousands_of_entries_is_shown_as_text_alone() -> None:
    """What reads a text for changing it, keeping its comments, takes seconds for as many."""
    text = TEXTS[0] + "".join(f"key{number}: 1\n" for number in range(15_000))

    with work_of_at_most(2.5):
        assert not is_readable(text)


def test_a_form_shows_as_many_companies_as_there_may_be() -> None:
    """It has dozens of fields for each, and takes minutes for a text that lists tens of thousands."""
    one = 'companies:\n  - {code: "1", name: Alpha}\n'
    most = one + "  - {code: x}\n" * 99

    assert is_readable(most)
    assert with_company_added(most) == most
    assert not any(section.addable for section in form_sections(most, ()))
    assert any(section.addable for section in form_sections(one, ()))
    assert not is_readable(most + "  - {code: x}\n")
    with work_of_at_most(2):
        assert not is_readable("companies: [" + "1," * 30_000 + "]")


@pytest.mark.parametrize("change", [with_company_added, lambda text: with_company_removed(text, 0)])
def test_a_text_that_nobody_reads_is_changed_by_no_act(change: Callable[[str], str]) -> None:
    text = TEXTS[0] + "# " + "x" * 2_000_000

    assert change(text) == text


def test_a_text_of_empty_lines_is_refused_before_it_is_scanned() -> None:
    text = 'companies:\n  - code: "1"\n' + "\n" * 1_000_000 + '  - code: "2"\n'

    with work_of_at_most(0.5):
        assert not is_readable(text)
        assert with_company_added(text) == text
        with pytest.raises(ConfigError, match="at most 50,000 lines"):
            load_config(text)
