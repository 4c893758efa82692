"""Keys that sign access tokens: one of each organisation, made at first use, rotated with an overlap."""

import secrets
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from jwt.utils import base64url_encode

from core import audit
from core.locks import one_at_a_time
from core.secrets import seal, unseal
from core.tenancy import current_schema
from tenants.oauth.models import SigningKey

ALGORITHM = "EdDSA"
# Longer than any token lives and any reader keeps the published keys.
OVERLAP = timedelta(hours=1)


def signing_key() -> tuple[str, Ed25519PrivateKey]:
    """Id and private half of the key that signs now."""
    row = SigningKey.objects.filter(retires_at=None).first() or _first_key()
    plain = unseal(current_schema(), _name(row.kid), row.sealed)
    return row.kid, Ed25519PrivateKey.from_private_bytes(plain)


def public_key(kid: str) -> Ed25519PublicKey | None:
    """The public half of a key whose tokens count; None for any other id."""
    row = _live().filter(pk=kid).first()
    return Ed25519PublicKey.from_public_bytes(bytes(row.public)) if row else None


def published() -> list[dict[str, str]]:
    """The public keys as a JWK set has them (RFC 8037), the one that signs first."""
    rows = _live().order_by("-created_at")
    return [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": ALGORITHM,
            "kid": row.kid,
            "x": base64url_encode(bytes(row.public)).decode(),
        }
        for row in rows
    ]


def rotate(*, actor: str, is_immediate: bool = False) -> str:
    """Sign with a new key from now on; its id. Tokens of the keys before count for an hour more, or not at all.

    At once is for a key that leaked: every access token ends, and clients ask for new ones.
    """
    now = timezone.now()
    with transaction.atomic():
        one_at_a_time("oauth", "signing")
        SigningKey.objects.filter(retires_at__lte=now).delete()
        if is_immediate:
            SigningKey.objects.all().delete()
        SigningKey.objects.filter(retires_at=None).update(retires_at=now + OVERLAP)
        row = _new_key()
        audit.record(
            actor=actor, action="tenants.signing_key.rotate", target=row, kid=row.kid, immediate=is_immediate
        )
    return row.kid


def _first_key() -> SigningKey:
    with transaction.atomic():
        one_at_a_time("oauth", "signing")
        return SigningKey.objects.filter(retires_at=None).first() or _new_key()


def _new_key() -> SigningKey:
    kid, private = secrets.token_hex(8), Ed25519PrivateKey.generate()
    return SigningKey.objects.create(
        kid=kid,
        public=private.public_key().public_bytes_raw(),
        sealed=seal(current_schema(), _name(kid), private.private_bytes_raw()),
    )


def _live() -> QuerySet[SigningKey]:
    return SigningKey.objects.filter(Q(retires_at=None) | Q(retires_at__gt=timezone.now()))


def _name(kid: str) -> str:
    return f"oauth/signing/{kid}"
