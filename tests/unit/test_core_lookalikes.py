"""Names that people take for one another are found; names that differ are left alone."""

import pytest

from core.lookalikes import alike, invisible

OTHERS = ["Viewer", "Auditor", "Approver", "Admin", "Owner"]


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("OWNER", "Owner"),
        ("Ow ner", "Owner"),
        ("Owner.", "Owner"),
        ("Ｏｗｎｅｒ", "Owner"),  # full width: NFKC
        ("0wner", "Owner"),
        ("\N{CYRILLIC CAPITAL LETTER O}wner", "Owner"),
        ("\N{CYRILLIC SMALL LETTER O}wner", "Owner"),
        ("\N{LATIN LETTER SMALL CAPITAL O}wner", "Owner"),
        ("Ow\N{COMBINING GRAPHEME JOINER}ner", "Owner"),
        ("Ow\N{ZERO WIDTH SPACE}ner", "Owner"),
        ("O\N{COMBINING ACUTE ACCENT}wner", "Owner"),
        ("Adm1n", "Admin"),
        ("AdmIn", "Admin"),
        ("Admln", "Admin"),
        ("Adrnin", "Admin"),
        ("\N{MATHEMATICAL BOLD CAPITAL A}dmin", "Admin"),
        ("\N{GREEK CAPITAL LETTER ALPHA}dmin", "Admin"),
        ("VlEWER", "Viewer"),
        ("V1ewer", "Viewer"),
        ("\N{ROMAN NUMERAL FIVE}\N{GREEK CAPITAL LETTER IOTA}EWER", "Viewer"),
        ("Audit0r", "Auditor"),
        ("A\N{CYRILLIC SMALL LETTER ER}\N{CYRILLIC SMALL LETTER ER}rover", "Approver"),
    ],
)
def test_a_look_alike_is_told_with_the_name_that_it_looks_like(name: str, taken: str) -> None:
    assert alike(name, OTHERS) == taken


@pytest.mark.parametrize(
    "name",
    ["Administrator", "Owners", "Data owner", "Prüfer", "監査人", "Ядро", "Reviewer", "Owner 2", "..."],
)
def test_another_name_is_left_alone(name: str) -> None:
    assert alike(name, OTHERS) is None


def test_vowels_of_other_scripts_count() -> None:
    assert alike("लेखक", ["लखक"]) is None
    assert alike("लेखक", ["लेखक"]) == "लेखक"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Data steward", None),
        ("Müller & Söhne", None),
        ("監査人", None),
        ("a\u200bb", "U+200B ZERO WIDTH SPACE"),
        ("a\u202eb", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("a\u00a0b", "U+00A0 NO-BREAK SPACE"),
        ("a\u3164b", "U+3164 HANGUL FILLER"),
        ("a\ufe0fb", "U+FE0F VARIATION SELECTOR-16"),
        ("a\U000e0041b", "U+E0041 TAG LATIN CAPITAL LETTER A"),
        ("a\x07b", "U+0007 control character"),
    ],
)
def test_what_nobody_sees_is_named(text: str, found: str | None) -> None:
    assert invisible(text) == found
