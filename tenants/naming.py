"""What an organisation may be called: its name for people, its slug for schema and host."""

import re
import unicodedata

from core import texts
from core.errors import InvalidInput
from core.postgres.names import is_tenant_schema

LONGEST_NAME = 100
# One way to read every text: a repetition inside another would try them all, for hours.
_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def schema_of(slug: str) -> str:
    """The schema that a slug names. Raises InvalidInput when it can name none."""
    schema = slug.replace("-", "_")
    if not _SLUG.fullmatch(slug) or not is_tenant_schema(schema):
        raise InvalidInput(
            f"{slug!r} cannot name an organisation: use a-z, 0-9 and single hyphens, at most 40.",
            errors=[{"pointer": "/slug", "code": "invalid", "detail": "use a-z, 0-9 and single hyphens"}],
        )
    return schema


def checked_name(name: str) -> str:
    """The name as a keyboard writes it: composed letters, single spaces. Raises InvalidInput."""
    refuse_endless(name)
    name = " ".join(texts.visible_name(unicodedata.normalize("NFC", name.strip())).split())
    if not name or len(name) > LONGEST_NAME:
        raise _bad_name(f"A name has 1 to {LONGEST_NAME} characters.")
    return name


def refuse_endless(name: str) -> None:
    if len(name) > 10 * LONGEST_NAME:  # putting accents in order takes the square of their number
        raise _bad_name(f"A name has 1 to {LONGEST_NAME} characters.")


def _bad_name(message: str) -> InvalidInput:
    return InvalidInput(message, errors=[{"pointer": "/name", "code": "invalid", "detail": message}])
