"""Text that people type and others read: no character in it that nobody sees, or that turns what is around it."""

import re
import unicodedata
from typing import Any

from core import lookalikes
from core.errors import InvalidInput

# They order what follows otherwise than it is written (Unicode: Bidi_Control but the three plain marks).
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LAYOUT = frozenset("\t\n\r")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # NUL, and halves of surrogate pairs


def visible_name(name: str, what: str = "A name", *, field: str = "name") -> str:
    """The name as it is. Raises InvalidInput for a character that nobody sees, other than the ordinary space."""
    if unseen := lookalikes.invisible(name):
        raise _refused(f"{what} holds no character that nobody sees ({unseen}).", field, unseen)
    return name


def plain_prose(text: str, what: str, *, field: str) -> str:
    """The text as it is: lines and tabs are fine. Raises InvalidInput for control characters, also of direction."""
    for one in text:
        if one in _TURNING or (unicodedata.category(one) == "Cc" and one not in _LAYOUT):
            unseen = f"U+{ord(one):04X} {unicodedata.name(one, 'control character')}"
            raise _refused(f"{what} holds no control character ({unseen}).", field, unseen)
    return text


def seen(text: str) -> str:
    """What people see of a name that another system sent: blanks become spaces, the rest that nobody sees goes."""
    spaced = "".join(" " if one.isspace() else one for one in text)
    return "".join(one for one in spaced if not lookalikes.invisible(one)).strip()


def is_storable(value: Any) -> bool:
    """Whether a database can keep every text in a value of JSON: no NUL, no half of a surrogate pair."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, str) and _UNSTORABLE.search(one):
            return False
        if isinstance(one, dict):
            pending += [*one, *one.values()]
        elif isinstance(one, list | tuple):
            pending += one
    return True


def storable(text: str) -> str:
    """The text with a mark in place of each character that no database keeps."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _refused(message: str, field: str, unseen: str) -> InvalidInput:
    detail = f"{unseen} cannot be seen; type the text anew without it"
    return InvalidInput(message, errors=[{"pointer": f"/{field}", "code": "invalid", "detail": detail}])
