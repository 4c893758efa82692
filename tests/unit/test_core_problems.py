"""How much of what somebody sent a refusal says again, and what finding that out costs."""

import json

import pytest

from core.problems import LONGEST_TEXT, problem, shortened
from tests.work import work_of_at_most


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("“short” is none", "“short” is none"),
        (f"“{'a b' * 100}” is no name", f"“{('a b' * 100)[:77]}…” is no name"),
        (f"'{'x' * 500}' is no name", f"'{'x' * 78}…' is no name"),
        (f'"{"a b" * 100}" is no name', f'"{("a b" * 100)[:77]}…" is no name'),
        (f"It began “{'a b' * 100}", f"It began “{('a b' * 100)[:77]}…b"),
        (f"“{'“ ' * 100}” is no name", f"“{('“ ' * 100)[:77]}…” is no name"),
        ("word " * 300, ("word " * 200)[:999] + "…"),
    ],
)
def test_quoted_values_and_words_are_cut_in_their_middle(text: str, said: str) -> None:
    assert shortened(text) == said
    assert len(shortened(text)) <= LONGEST_TEXT


@pytest.mark.parametrize("piece", ["“", "“ ", "“a ", '"', '" ', '“"', "'", "”", "a", "a “"])
def test_a_message_of_a_million_characters_is_cut_at_once(piece: str) -> None:
    text = "/" + piece * (1_000_000 // len(piece))

    with work_of_at_most(0.5):
        answer = problem(
            status=400, code="invalid", title="Invalid", errors=[{"pointer": text, "detail": "x"}]
        )

    assert len(json.loads(answer.content)["errors"][0]["pointer"]) <= LONGEST_TEXT
