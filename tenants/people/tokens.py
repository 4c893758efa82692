"""Links that work once: the token goes to one person, the database keeps a digest."""

import hashlib
import secrets

WORDS_FOR_NONE = "This link is not valid, or not any more. Ask an admin of the organisation for a new one."


def new_token() -> tuple[str, str]:
    """256 random bits as text, and their digest: a plain hash is enough for what nobody can guess."""
    token = secrets.token_urlsafe(32)
    return token, digest_of(token)


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
