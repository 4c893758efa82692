"""Which fields take `${secret:NAME}`, the name of a stored secret in place of a secret, and how it is written.

`FIELDS` is the one list: forms, services, the refusal to delete a secret in use, and docs/operations/secrets.md follow it.
"""

import re
from dataclasses import dataclass

from core.errors import InvalidInput

LONGEST_NAME = 63
NAME = re.compile(rf"[a-z][a-z0-9_-]{{0,{LONGEST_NAME - 1}}}")
NAME_RULE = f"a-z, 0-9, - and _, a letter first, at most {LONGEST_NAME} characters"
_REFERENCE = re.compile(r"\$\{secret:([^{}]*)\}")
_MEANT = re.compile(r"\$\{\s*secret", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SecretField:
    """A field that takes a secret or the name of one. `column` of `model` is the key of the secret that is named."""

    key: str  # what the API calls it
    label: str
    model: str
    column: str
    form_field: str  # what the form and the service that fill it call it
    route: str  # its page


OIDC_CLIENT_SECRET = SecretField(
    key="sso.client_secret",
    label="Client secret of the OpenID Connect provider",
    model="sso.Connection",
    column="named_client_secret",
    form_field="client_secret",
    route="sso",
)
FIELDS = (OIDC_CLIENT_SECRET,)


def is_meant(text: str) -> bool:
    """True for what somebody wrote who meant a reference, well or badly."""
    return _MEANT.search(text) is not None


def name_in(text: str, field: SecretField) -> str | None:
    """The name that a text refers to; None for a text that is the secret itself.

    Raises InvalidInput for something between: nobody's secret looks like that, so somebody mistyped.
    """
    if not is_meant(text):
        return None
    found = _REFERENCE.fullmatch(text)
    if found is None or not NAME.fullmatch(found[1]):
        rule = "A stored secret is named as ${secret:NAME}, with nothing before and after it."
        raise InvalidInput(f"{rule} A name is {NAME_RULE}.", errors=at(field.form_field, rule))
    return found[1]


def at(field: str, detail: str) -> list[dict[str, str]]:
    """The place of an error in a body or a form."""
    return [{"pointer": f"/{field}", "code": "invalid", "detail": detail}]
