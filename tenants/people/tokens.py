"""Links that work once: the token goes to one person, the database keeps a digest."""

import hashlib
import secrets

from django.http import HttpRequest

from tenants.models import Domain

WORDS_FOR_NONE = "This link is not valid, or not any more. Ask an admin of the organisation for a new one."


def new_token() -> tuple[str, str]:
    """256 random bits as text, and their digest: a plain hash is enough for what nobody can guess."""
    token = secrets.token_urlsafe(32)
    return token, digest_of(token)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def address(request: HttpRequest, path: str) -> str:
    """The whole address of a path on the organisation's own host, whichever host the request came to."""
    port = request.get_host().partition(":")[2]
    host = Domain.objects.get(is_primary=True).domain
    return f"{request.scheme}://{host}{':' + port if port else ''}{path}"
