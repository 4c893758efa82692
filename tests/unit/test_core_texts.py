"""Names and prose hold nothing that a reader does not see. Source of the characters: Unicode, UAX #9 and UCD."""

import pytest

from core import texts
from core.errors import InvalidInput


@pytest.mark.parametrize("name", ["ci", "Zoë O’Brien-Ng", "山田 太郎", "שרה", "R&D (50 %)", ""])
def test_a_name_that_can_be_read_stays_as_it_is(name: str) -> None:
    assert texts.visible_name(name) == texts.seen(name) == name


@pytest.mark.parametrize(
    ("character", "called"),
    [
        ("\x1b", "U+001B control character"),
        ("\n", "U+000A control character"),
        ("\u200b", "U+200B ZERO WIDTH SPACE"),
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\u2067", "U+2067 RIGHT-TO-LEFT ISOLATE"),
        ("\u3164", "U+3164 HANGUL FILLER"),
    ],
)
def test_a_name_with_what_nobody_sees_is_refused_with_its_place(character: str, called: str) -> None:
    with pytest.raises(InvalidInput, match="nobody sees") as refused:
        texts.visible_name(f"c{character}i", field="name")

    assert refused.value.errors[0]["pointer"] == "/name"
    assert called in refused.value.errors[0]["detail"]
    assert texts.seen(f"c{character}i") in ("ci", "c i")


def test_prose_has_lines_and_tabs_and_any_script() -> None:
    text = "First.\r\n\tSecond: café\u00a0— שרה\u200f, می\u200cخواهم, 👩\u200d🔬"

    assert texts.plain_prose(text, "A reason", field="reason") == text


@pytest.mark.parametrize(
    "character", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\u202a", "\u202e", "\u2066", "\u2069"]
)
def test_prose_has_no_control_characters(character: str) -> None:
    with pytest.raises(InvalidInput, match="A reason holds no control character") as refused:
        texts.plain_prose(f"pay{character}me", "A reason", field="reason")

    assert refused.value.errors[0]["pointer"] == "/reason"
