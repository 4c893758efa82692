"""Words that say nothing secret here: the product's name and those of the organisation. They count for nothing in a password."""

import re

from django.core.exceptions import ValidationError

from core.tenancy import current_schema
from tenants.models import Tenant, User

PRODUCT = ("datasynth",)
_SHORTEST_WORD = 3
_FEWEST_CHARACTERS = 5


class ContextWords:
    """A validator of AUTH_PASSWORD_VALIDATORS: without such words a password is still long enough."""

    def __init__(self, min_length: int = 12) -> None:
        self.min_length = min_length

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError."""
        left = password.casefold()
        used = [word for word in words() if word in left]
        for word in used:
            left = left.replace(word, "")
        if used and len(re.sub(r"[\W\d_]", "", left)) < self.min_length:
            raise ValidationError(
                f"Names of the product and of your organisation ({', '.join(used)}) are easy to guess: without "
                f"them and without digits, the password needs {self.min_length} letters.",
                code="password_context_words",
            )

    def get_help_text(self) -> str:
        return "Names of the product and of your organisation do not count."


class Variety:
    """A validator of AUTH_PASSWORD_VALIDATORS: one character again and again is no password (NIST SP 800-63B §5.1.1.2)."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError."""
        if len(set(password.casefold())) < _FEWEST_CHARACTERS:
            raise ValidationError(
                f"The password repeats itself: it needs at least {_FEWEST_CHARACTERS} different characters.",
                code="password_repeats",
            )

    def get_help_text(self) -> str:
        return f"At least {_FEWEST_CHARACTERS} different characters."


def words() -> list[str]:
    """The longest first: each name as a whole, and each word of it."""
    tenant = Tenant.objects.filter(schema_name=current_schema()).first()
    names = [tenant.name, tenant.schema_name.replace("_", " ")] if tenant else []
    found = {*PRODUCT}
    for name in names:
        plain = name.casefold()
        found |= {plain, plain.replace(" ", ""), *re.split(r"[\W_]+", plain)}
    return sorted(
        (word for word in found if len(word) >= _SHORTEST_WORD), key=lambda word: (-len(word), word)
    )
