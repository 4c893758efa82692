"""Access tokens: JWTs after RFC 9068, signed by the organisation, for its own API on the host that issued them.

A token says who and what; whether it still counts (application, grant, member, revocation) is read anew for every
request, so it never has to be waited for.
"""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt
from django.http import HttpRequest
from django.utils import timezone

from core.permissions import Permission, Principal
from tenants import queries as tenants
from tenants import responsibility
from tenants.addresses import origin
from tenants.keys import id_of_secret
from tenants.models import Membership
from tenants.oauth import queries
from tenants.oauth.models import Application, Grant, RevokedToken
from tenants.oauth.signing import ALGORITHM, public_key, signing_key
from tenants.roles import permissions_of

LIFETIME = timedelta(minutes=10)
_TYPE = "at+jwt"
_LONGEST = 4096
_KID = re.compile(r"[0-9a-f]{16}")
_CLAIMS = ["iss", "aud", "sub", "client_id", "tenant", "scope", "iat", "nbf", "exp", "jti"]


class BadToken(Exception):
    """The token does not count. The text says why, for the log only; callers learn no more than that."""


class ExpiredToken(BadToken):
    """It was ours and is over: nothing that anybody guessed."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where tokens are issued and taken: the origin of the host, and the organisation behind it."""

    issuer: str
    tenant_id: str

    @property
    def audience(self) -> str:
        return f"{self.issuer}/api"


def place_of(request: HttpRequest) -> Place:
    """The issuer of the organisation that this request reached."""
    tenant = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
    return Place(origin(request), str(tenant.pk))


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a token says, and that its signature, times and addressee were right."""

    jti: uuid.UUID
    client_id: str
    subject: str
    grant_id: uuid.UUID | None
    secret_id: str
    scopes: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Bearer:
    """For whom a token that counts speaks."""

    application: Application
    membership: Membership | None
    principal: Principal


def issue(place: Place, *, application: Application, scopes: Iterable[str], by: Grant | str) -> str:
    """A new token of an application: under a grant, or for itself by a secret (`id_of_secret`)."""
    kid, key = signing_key()
    now = timezone.now()
    grant = by if isinstance(by, Grant) else None
    claims = {
        "iss": place.issuer,
        "aud": place.audience,
        "sub": _subject(place, grant) if grant else application.client_id,
        "client_id": application.client_id,
        "tenant": place.tenant_id,
        "scope": " ".join(scopes),
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
        "jti": str(uuid.uuid4()),
        **({"grant": str(grant.pk)} if grant else {"secret": by}),
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid, "typ": _TYPE})


def _subject(place: Place, grant: Grant) -> str:
    """Who agreed, for this organisation alone: a membership may pass to another account, whose subject is another one."""
    person = Membership.objects.get(pk=grant.membership_id).user_id
    return str(uuid.uuid5(uuid.UUID(place.tenant_id), str(person)))


def read(place: Place, text: str) -> AccessToken:
    """Check form, signature, times and addressee. The header chooses among our own keys and nothing else.

    Raises BadToken, ExpiredToken.
    """
    if len(text) > _LONGEST or not text.isascii():
        raise BadToken("form")
    try:
        header = jwt.get_unverified_header(text)
        kid = header.get("kid")
        if header.get("alg") != ALGORITHM or header.get("typ") != _TYPE or "crit" in header:
            raise BadToken("header")
        key = public_key(kid) if isinstance(kid, str) and _KID.fullmatch(kid) else None
        if key is None:
            raise BadToken("unknown key")
        claims = jwt.decode(
            text,
            key,
            algorithms=[ALGORITHM],
            audience=place.audience,
            issuer=place.issuer,
            options={"require": _CLAIMS},
        )
        if claims["tenant"] != place.tenant_id:
            raise BadToken("tenant")
        return AccessToken(
            jti=uuid.UUID(claims["jti"]),
            client_id=str(claims["client_id"]),
            subject=str(claims["sub"]),
            grant_id=uuid.UUID(claims["grant"]) if "grant" in claims else None,
            secret_id=str(claims.get("secret", "")),
            scopes=tuple(claims["scope"].split()),
            issued_at=datetime.fromtimestamp(claims["iat"], UTC),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except jwt.ExpiredSignatureError as error:
        raise ExpiredToken(str(error)) from None
    except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
        raise BadToken(str(error)) from None


def bearer(token: AccessToken) -> Bearer:
    """Whom a token speaks for now. Raises BadToken when it, its grant, application or member is no more."""
    application = Application.objects.filter(client_id=token.client_id).first()
    if application is None or RevokedToken.objects.filter(pk=token.jti).exists():
        raise BadToken("revoked")
    scopes = frozenset(token.scopes) & frozenset(application.permissions)
    may = frozenset(one for one in Permission if one in scopes)
    actor = f"application:{application.client_id}"
    if token.grant_id is None:
        if responsibility.responsible(application.responsible_id) is None:
            raise BadToken("nobody is responsible")
        if token.secret_id not in map(id_of_secret, queries.hashes_of(application)):
            raise BadToken("secret replaced")
        may &= responsibility.vouched(application.responsible_id)
        return Bearer(application, None, Principal(actor, actor, may, shown=token.secret_id))
    membership = _member(token.grant_id, application)
    if membership is None:
        raise BadToken("grant")
    principal = Principal(
        actor=f"{actor} for {membership.user.email}"[:254],
        credential=f"{actor}:{token.grant_id}",
        permissions=may & permissions_of(membership),
        user_id=str(membership.user_id),
        role=membership.role,
    )
    return Bearer(application, membership, principal)


def _member(grant_id: uuid.UUID, application: Application) -> Membership | None:
    grant = Grant.objects.filter(
        pk=grant_id, application=application, revoked_at=None, expires_at__gt=timezone.now()
    ).first()
    if grant is None:
        return None
    return tenants.acting_members().filter(pk=grant.membership_id).first()
