"""Texts that are no config: the editor gives each back as it came, with what is wrong and where."""

import re
from collections.abc import Callable, Iterator
from html import unescape

import pytest
from django.test import Client

from frontend.config_form import form_sections, is_readable
from generation import services
from generation.models import Config, Run
from tenants.models import Tenant
from tests.dataset_builders import small_text

ClientFor = Callable[..., Client]


def _with_start(day: str) -> str:
    return small_text().replace("2025-01-01", day)


MALFORMED = {
    "month 13": _with_start("2025-13-01"),
    "30 February": _with_start("2025-02-30"),
    "hour 99": _with_start("2025-01-01T99:00:00Z"),
    "day 0": _with_start("2025-01-00"),
    "list": "- a",
    "number": "5",
    "null": "null",
    "empty": " ",
    "repeated key": "{a: 1, a: 2}",
    "unknown directive": "%YAML 9.9\n---\nname: x",
    "old directive": "%YAML 1.1\n---\nname: 2025-13-01",
    "two documents": "name: a\n---\nname: b",
    "only a mark": "---\n...",
    "tab": "a:\n\t- b",
    "open bracket": "companies: [",
    "open quote": 'name: "x',
    "alias": "a: &x 1\nb: *x",
    "unknown alias": "a: *nobody",
    "merge of a number": "<<: 5\nname: x",
    "tag": "seed: !!int abc",
    "timestamp tag": "period: {start: !!timestamp abc}",
    "binary tag": "name: !!binary '*'",
    "long number": "seed: " + "9" * 5000,
    "list as key": "? [a]\n: 1",
    "companies are numbers": "companies: [5, 6]",
    "companies are a word": "companies: all",
    "period is a list": "period: [1, 2]",
    "company code without end": "companies:\n  - {code: '" + "9" * 5000 + "'}",
    "control character": "name: \x07",
    "variable": "name: ${HOME}",
    "deep": "[" * 60,
}


def _posts(client: Client, text: str) -> Iterator[str]:
    """Every way in which the editor takes a text; the pages that came back."""
    fields = {"text": text, "key:seed": "5", "key:period.start": "2025-02-30", "key:companies[0].code": "1"}
    for view in ("yaml", "form"):
        for action in ("save", "generate", "add", "remove:0", "remove:" + "9" * 5000):
            data = fields if view == "form" else {"text": text}
            answer = client.post(f"/datasets/new?view={view}", {**data, "action": action})
            assert answer.status_code in (200, 422), (view, action)
            yield answer.content.decode()


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_text_comes_back_with_its_problems(
    text: str, client_for: ClientFor, acme: Tenant
) -> None:
    client = client_for()
    checked = client.post("/datasets/check", {"text": text})
    assert checked.status_code == 200
    problems = services.validate_config(text).problems
    assert problems
    for problem in problems:
        assert not problem.line or f'data-line="{problem.line}"' in checked.content.decode()

    for page in _posts(client, text):
        assert "problem" in page
        shown = re.search(r"<textarea [^>]*name=\"text\"[^>]*>(.*?)</textarea>", page, re.DOTALL)
        assert shown is not None
        if not is_readable(text):
            assert unescape(shown[1]) == text
    assert not Config.objects.exists()
    assert not Run.objects.exists()


@pytest.mark.parametrize("day", ["2025-13-01", "2025-02-30", "2025-01-01T99:00:00Z"])
def test_a_day_that_does_not_exist_is_named_at_its_field(day: str) -> None:
    text = _with_start(day)

    sections = form_sections(text, services.validate_config(text).problems)

    fields = {field.name: field for section in sections for field in section.fields}
    assert fields["key:period.start"].value == day
    assert fields["key:period.start"].problem
