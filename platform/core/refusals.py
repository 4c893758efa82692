"""One log line for each refused credential: which, from where, at what. Refusals of a flood are not logged."""

import logging
from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core.ratelimit import client_address

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer", bound=HttpResponseBase)

_LONGEST = 40


def noted(request: HttpRequest, answer: Answer, what: str) -> Answer:
    """Log the refusal in place of Django, which knows no caller and logs outside of the organisation.

    `what` names the credential by its public part: an id, never a secret.
    """
    logger.warning("Refused %s from %s: %s %s", what, client_address(request), request.method, request.path)
    return quiet(answer)


def quiet(answer: Answer) -> Answer:
    """An answer that Django does not log: a flood must not fill the log, too."""
    answer._has_been_logged = True  # type: ignore[attr-defined]  # what Django looks at
    return answer


def named(kind: str, public_id: str | None) -> str:
    """A credential as a log line calls it; None for one whose form is wrong."""
    return f"{kind} {public_id[:_LONGEST]}" if public_id else f"{kind} that cannot be read"
