"""Names that people take for one another: case, spaces, punctuation, accents, letters of other scripts, and what
nobody sees.

Which characters look alike is Unicode's table of confusables (UTS #39, as packaged by confusable-homoglyphs).
"""

import unicodedata
from collections.abc import Iterable
from functools import cache

from confusable_homoglyphs.confusables import confusables_data

# Blank although their category says letter, mark or symbol (Unicode: Default_Ignorable_Code_Point, and two blanks).
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    chr(code)
    for first, last in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for code in range(first, last + 1)
)
# Accents of Latin, Greek and Cyrillic; marks of other scripts are vowels, without which words are others.
_ACCENTS = ((0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F))


def invisible(text: str) -> str | None:
    """The first character that nobody sees, as “U+200B ZERO WIDTH SPACE”; None when every one can be seen.

    The ordinary space is no such character; every other white space is.
    """
    for one in text:
        if one != " " and (one in _BLANK or unicodedata.category(one)[0] in "CZ"):
            return f"U+{ord(one):04X} {unicodedata.name(one, 'control character')}"
    return None


def alike(name: str, others: Iterable[str]) -> str | None:
    """The first of the others that a reader may take for this name; None when there is none."""
    mine = looks(name)
    return next((other for other in others if mine & looks(other)), None)


def looks(name: str) -> frozenset[str]:
    """What a name looks like as it is, in small and in capital letters; names that share one look alike.

    Three, because “I” looks like “l” and “i” does not, though both are the same letter.
    """
    text = unicodedata.normalize("NFKC", name)
    return frozenset(_look(one) for one in (text, text.casefold(), text.upper()))


def _look(text: str) -> str:
    plain = _bare("".join(map(_prototype, _bare(text)))).casefold()
    letters = "".join(one for one in plain if unicodedata.category(one)[0] != "P")
    return "".join(map(_prototype, letters or plain))


def _bare(text: str) -> str:
    """Without accents, spaces and what nobody sees."""
    return "".join(
        one
        for one in unicodedata.normalize("NFD", text)
        if one not in _BLANK and unicodedata.category(one)[0] not in "CZ" and not _is_accent(ord(one))
    )


def _is_accent(code: int) -> bool:
    return any(first <= code <= last for first, last in _ACCENTS)


@cache
def _prototype(character: str) -> str:
    """What stands for all characters that look like this one.

    The package lists pairs both ways; the prototype is the one that many others look like, and of a lonely pair
    the longer, then the smaller.
    """
    near = _near(character)
    if len(near) != 1:
        return character
    (other,) = near
    if len(_near(other)) > 1:
        return other
    return min((character, other), key=lambda one: (-len(one), one))


def _near(text: str) -> set[str]:
    return {one["c"].strip("\u200e") for one in confusables_data.get(text, ())}
