"""Log records without secrets, and with the organisation and the request that they belong to.

It works where records are made, so that every handler of every library gets the redacted text: ours, uvicorn's, Celery's.
"""

import logging
import re
from collections.abc import Callable
from typing import Any

from django.conf import settings

from core.request_ids import current_request_id
from core.tenancy import current_schema

HIDDEN = "[hidden]"
_LONGEST = 20_000  # characters of one record; what is longer is cut before it is searched
_SHORTEST_KNOWN = 8  # a shorter setting would hide ordinary words

_SECRET_NAMES = (
    r"[\w-]*(?:password\d?|passwd|passphrase|secret|token|credential|api[_-]?key|private[_-]?key|signature|assertion|otp|totp)"
    r"|x-vault-token|x-amz-security-token|csrfmiddlewaretoken|code_verifier|saml(?:response|request)|sessionid"
    r"|[\w-]*datasynth-(?:session|csrf)"
)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # headers: all of the line, and of a dictionary's value
    (
        re.compile(
            r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(['\"]?\s*[:=,]\s*)(?:b?(['\"]).*?\3|[^\r\n]*)"
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    # our own keys and tokens: their id stays, so that the row can be found
    (re.compile(r"\b(ds_[a-z]+_[0-9a-z]{12})_?[\w-]+"), rf"\1_{HIDDEN}"),
    # a JWT; that dots follow is looked for once for each word, not from each of its beginnings
    (re.compile(r"(?<![\w-])(?=[\w-]+\.[\w-]*\.)([\w-]*?\b)eyJ[\w-]{6,}\.[\w-]*\.[\w.-]*"), rf"\1{HIDDEN}"),
    (re.compile(r"\$argon2[\w$,=+/.-]+"), HIDDEN),
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        HIDDEN,
    ),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+@"), rf"\1{HIDDEN}@"),
    # name=value, "name": "value", 'name': 'value'
    (
        re.compile(
            rf"(?i)(?<![\w-])({_SECRET_NAMES})(['\"]?\s*[=:]\s*)"
            r"(?:b?(['\"])(?:\\.|(?!\3).)*\3|[^\s&,;)\]}'\"]+)"
        ),
        rf"\1\2{HIDDEN}",
    ),
    # links that open once, or for one person: an invitation, a new password, an organisation being made
    (re.compile(r"(/(?:join|login/password|start/confirm|start/progress)/)[^\s/?\"']+"), rf"\1{HIDDEN}"),
    # what comes back from an identity provider in an address
    (
        re.compile(
            r"(?i)((?:[?&]|%(?:25)*3F|%(?:25)*26)(?:code|state|ticket|id_token_hint|nonce|next_token)"
            r"(?:=|%(?:25)*3D))[^\s&#\"']+"  # also within the address that a sign-in leads back to
        ),
        rf"\1{HIDDEN}",
    ),
)


def redacted(text: str) -> str:
    """The text with everything hidden that opens a door."""
    text = text[:_LONGEST]
    for value in _known():
        text = text.replace(value, HIDDEN)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def install() -> None:
    """Redact every record of this process from now on; a second time changes nothing."""
    make = logging.getLogRecordFactory()
    if not getattr(make, "redacts", False):
        logging.setLogRecordFactory(_redacting(make))


def _redacting(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    def record(*args: Any, **keywords: Any) -> logging.LogRecord:
        made = make(*args, **keywords)
        made.organisation = current_schema()
        made.request_id = current_request_id() or "-"
        if made.name == "uvicorn.access" and isinstance(made.args, tuple):  # its formatter wants the parts
            made.args = tuple(redacted(part) if isinstance(part, str) else part for part in made.args)
        else:
            made.msg, made.args = _one_line(redacted(_message(made))), None
        if made.exc_info:  # formatters use a text that is there already
            made.exc_text = redacted(logging.Formatter().formatException(made.exc_info))
        return made

    record.redacts = True  # type: ignore[attr-defined]
    return record


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError) as error:  # a wrong format must not cost the line
        return f"{record.msg!r} {record.args!r} ({error})"


def _one_line(text: str) -> str:
    """A message cannot pretend to be two, nor move the cursor of a terminal."""
    return text if text.isprintable() else "".join(_printable(character) for character in text)


def _printable(character: str) -> str:
    return (
        character
        if character.isprintable() or character == "\t"
        else character.encode("unicode_escape").decode()
    )


def _known() -> list[str]:
    """Secrets of this installation, whatever stands around them."""
    values = [settings.SECRET_KEY, settings.SECRETS_KMS_TOKEN]
    values += [str(database.get("PASSWORD") or "") for database in settings.DATABASES.values()]
    return [value for value in values if len(value) >= _SHORTEST_KNOWN]
