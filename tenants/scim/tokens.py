"""Tokens of a directory: made, shown once, rotated, revoked, checked. They work on their organisation's hosts only."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from core import audit, ratelimit, texts
from core.errors import Conflict, InvalidInput, NotFound
from core.permissions import Permission, Principal
from core.tenancy import current_schema
from tenants import granting, queries, responsibility, standing
from tenants.key_services import MAXIMAL_OVERLAP
from tenants.keys import hash_of, hash_secret, is_remembered, new_key, read_key
from tenants.roles import Role, may_give
from tenants.scim.models import Token

PREFIX = "ds_scim_"
ACTOR = granting.DIRECTORY
_KIND = "bad-scim-token"  # what failures of an address are counted as
_MOST = 10  # that work at the same time
_LAST_USE_PRECISION = timedelta(minutes=1)
_SECRETS = ("secret_hash", "responsible_id", "previous_hash", "previous_until", "previous_responsible_id")


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token with its new text, which is shown this once."""

    token: Token
    text: str


class BadToken(Exception):
    """No live token of this organisation; `retry_after_seconds` when the address failed too often."""

    def __init__(self, retry_after_seconds: int = 0, key_id: str | None = None) -> None:
        super().__init__()
        self.retry_after_seconds, self.key_id = retry_after_seconds, key_id


def token_of(token_id: UUID) -> Token:
    """Raises NotFound."""
    found = Token.objects.filter(pk=token_id).first()
    if found is None:
        raise NotFound
    return found


def refuse_less(principal: Principal) -> None:
    """A directory adds, changes and removes whoever may do no more than an admin. Raises Forbidden for who may do less than an admin."""
    granting.refuse_more(principal, Role.ADMIN)


def may_issue(principal: Principal) -> bool:
    """Whether `refuse_less` lets them."""
    return may_give(principal, Role.ADMIN, granting.permissions_given(Role.ADMIN))


def issue_token(*, principal: Principal, name: str, expires_at: datetime) -> IssuedToken:
    """Make a token. Raises: Forbidden, InvalidInput (name, expiry), Conflict when ten work already."""
    refuse_less(principal)
    texts.visible_name(name)
    now = timezone.now()
    if not now < expires_at <= now + timedelta(days=366):
        raise InvalidInput("A token expires within a year from now.")
    key, text = new_key(prefix=PREFIX)
    secret_hash = hash_secret(key.secret)
    with transaction.atomic():
        responsible = standing.begin_handing_out(principal)
        if Token.objects.filter(revoked_at=None, expires_at__gt=now).count() >= _MOST:
            raise Conflict(f"{_MOST} tokens work already. Revoke one first.")
        token = Token.objects.create(
            name=name,
            key_id=key.key_id,
            secret_hash=secret_hash,
            created_by=principal.actor,
            responsible_id=responsible.pk,
            expires_at=expires_at,
        )
        audit.record(
            actor=principal.actor,
            action="tenants.scim_token.issue",
            target=token,
            name=name,
            key_id=key.key_id,
            expires_at=expires_at,
        )
    return IssuedToken(token, text)


def rotate_token(*, principal: Principal, token_id: UUID, previous_until: datetime | None) -> IssuedToken:
    """Give a token a new secret, and make the person who is shown it responsible.

    The one before works until `previous_until`, and brings people while whoever was shown it may.
    Raises: Forbidden; NotFound; Conflict when it works no more; InvalidInput for an overlap that is too long, or when
    nobody answers for the secret before.
    """
    refuse_less(principal)
    now = timezone.now()
    if previous_until is not None and not now < previous_until <= now + MAXIMAL_OVERLAP:
        raise InvalidInput("The secret before works for 7 days at most.")
    key, text = new_key(token_of(token_id).key_id, prefix=PREFIX)
    secret_hash = hash_secret(key.secret)  # slow, so before others have to wait
    with transaction.atomic():
        member = standing.begin_handing_out(principal)
        token = Token.objects.select_for_update().filter(pk=token_id).first()
        if token is None:
            raise NotFound
        if token.revoked_at is not None or token.expires_at <= now:
            raise Conflict("This token is revoked or expired. Make a new one.")
        before = token.responsible_id
        if previous_until is not None and responsibility.responsible(before) is None:
            raise InvalidInput("Nobody answers for the secret before: it ends at once.")
        token.previous_hash = token.secret_hash if previous_until else ""
        token.previous_until = previous_until
        token.previous_responsible_id = before if previous_until else None
        token.responsible_id = member.pk
        token.secret_hash = secret_hash
        token.save(update_fields=_SECRETS)
        audit.record(
            actor=principal.actor,
            action="tenants.scim_token.rotate",
            target=token,
            key_id=token.key_id,
            previous_until=previous_until,
            responsible=member.pk,
            before=before,
        )
    return IssuedToken(token, text)


def revoke_token(*, principal: Principal, token_id: UUID) -> Token:
    """Make a token useless at once. A second time changes nothing."""
    token = token_of(token_id)
    with transaction.atomic():
        standing.begin_change(queries.organisation().pk, principal)
        if Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            audit.record(
                actor=principal.actor, action="tenants.scim_token.revoke", target=token, key_id=token.key_id
            )
    return token


def principal_of_token(request: HttpRequest) -> Principal:
    """Whom the bearer token of a request stands for, and whether it may let anybody in (`directory_may_give`).

    Call in the organisation of the host. Raises BadToken.

    Cheap first: form and checksum, the failures of the address, one look-up, and Argon2 only for what is new.
    """
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if not text:
        raise BadToken
    key = read_key(text.strip(), prefix=PREFIX) if scheme.lower() == "bearer" else None
    here = current_schema()
    is_cheap = key is not None and is_remembered(text.strip(), prefix=PREFIX)
    if not is_cheap and (seconds := ratelimit.blocked_seconds(_KIND, request, here)):
        raise BadToken(seconds)
    now = timezone.now()
    alive = Q(revoked_at=None, expires_at__gt=now)
    token = Token.objects.filter(alive, key_id=key.key_id).first() if key else None
    shown = _secrets_of(token, now) if token else {}
    known = hash_of(key, *shown) if key else None
    if key is None or token is None or known is None:
        raise BadToken(ratelimit.note_failure(_KIND, request, here), key.key_id if key else None)
    if token.last_used_at is None or now - token.last_used_at > _LAST_USE_PRECISION:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)
    request.directory_may_give = responsibility.may_bring_people(shown[known])  # type: ignore[attr-defined]
    return Principal(
        actor=ACTOR,
        credential=f"scim:{token.key_id}",
        permissions=frozenset({Permission.PROVISIONING_READ, Permission.PROVISIONING_WRITE}),
    )


def _secrets_of(token: Token, now: datetime) -> dict[str, UUID | None]:
    """Hashes of the secrets that prove it now, and who was shown each."""
    shown = {token.secret_hash: token.responsible_id}
    if token.previous_until is not None and token.previous_until > now:
        shown[token.previous_hash] = token.previous_responsible_id
    return shown
