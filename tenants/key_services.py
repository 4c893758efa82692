"""Changes to API keys. Each leaves one audit event in its transaction."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from core import audit, texts
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.permissions import NOT_GIVEN, Permission, Principal
from core.tenancy import shared_context
from core.versions import any_version
from tenants import credentials, queries, scopes, standing
from tenants.keys import hash_secret, new_key
from tenants.models import ApiKey
from tenants.roles import PERMISSIONS, Role

MAXIMAL_OVERLAP = timedelta(days=7)
_MAXIMAL_LIFE = timedelta(days=366)
_LAST_USE_PRECISION = timedelta(minutes=1)


class NotTheMaker(Conflict):
    """Only the person who made an API key may change it; others may revoke it."""

    code = "not_the_maker"
    title = "Somebody else’s key"


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key with its new text, which is shown this once."""

    api_key: ApiKey
    text: str


def issue_api_key(
    *,
    principal: Principal,
    name: str,
    role: str,
    permissions: Iterable[str] = (),
    expires_at: datetime | None = None,
) -> IssuedKey:
    """Make an API key of this organisation for the principal: a role, narrowed to `permissions` if there are any.

    Raises: Forbidden (a key that could do more than the principal, or is called more), InvalidInput (the name; no such permission; expiry
    in the past or over a year away).
    """
    texts.visible_name(name)
    chosen, narrowed_to = Role(role), scopes.checked(permissions)
    may = scopes.narrowed(PERMISSIONS[chosen], narrowed_to)
    scopes.refuse_more(may, principal.permissions, "A key")
    _refuse_greater_role(principal, chosen, may)
    if narrowed_to and not may - NOT_GIVEN:
        raise InvalidInput(f"A key with the role {chosen.label} may none of these: {', '.join(narrowed_to)}.")
    key, text = new_key()
    secret_hash = hash_secret(key.secret)  # slow, so before others have to wait
    with transaction.atomic():
        tenant = queries.organisation()
        standing.begin_change(
            tenant.pk, principal
        )  # nobody revokes the key that asks, or ends its maker, meanwhile
        asking = _asking_key(principal)
        expires_at = _checked_end(expires_at, asking)
        if not queries.acting_members().filter(user_id=queries.person(principal)).exists():
            raise Forbidden("Whom this key would stand for has just left the organisation.")
        with shared_context():
            api_key = ApiKey.objects.create(
                tenant=tenant,
                created_by_id=queries.person(principal),
                name=name,
                key_id=key.key_id,
                secret_hash=secret_hash,
                role=chosen,
                permissions=narrowed_to,
                expires_at=expires_at,
                made_with=asking.key_id if asking else "",
            )
        audit.record(
            actor=principal.actor,
            action="tenants.api_key.issue",
            target=api_key,
            name=name,
            key_id=key.key_id,
            role=chosen.value,
            permissions=narrowed_to,
            expires_at=expires_at,
        )
    return IssuedKey(api_key, text)


def _checked_end(expires_at: datetime | None, asking: ApiKey | None) -> datetime | None:
    """When a new key ends: with the key that asks for it at the latest. Raises InvalidInput."""
    now = timezone.now()
    if asking is not None and asking.expires_at is not None:
        expires_at = expires_at or asking.expires_at
        if expires_at > asking.expires_at:
            raise _bad_time(
                "A key that a key makes ends with it.",
                "expires_at",
                f"must be at most {asking.expires_at:%FT%TZ}",
            )
    if expires_at is not None and not now < expires_at <= now + _MAXIMAL_LIFE:
        raise _bad_time(
            "A key expires within a year from now.", "expires_at", "must lie within the next 366 days"
        )
    return expires_at


def rotate_api_key(
    *,
    principal: Principal,
    api_key: ApiKey,
    previous_until: datetime | None = None,
    check: Callable[[ApiKey], None] = any_version,
) -> IssuedKey:
    """Give a key a new secret. The one before works until `previous_until`, or not at all without one.

    Without one, keys and links that were made with it end, too: whoever knew the secret may have made them. A secret that
    was still in its overlap from an earlier rotation ends now. Raises: NotTheMaker, also to those
    who may revoke it; Forbidden when it could do more than the principal, or would outlive the key that asks;
    Conflict when it is revoked or expired; InvalidInput when the overlap ends in the past or after 7 days; what
    `check` raises for the version it finds.
    """
    _refuse_others(principal, api_key)
    now = timezone.now()
    if previous_until is not None and not now < previous_until <= now + MAXIMAL_OVERLAP:
        raise _bad_time(
            "The secret before works for 7 days at most.", "previous_until", "must lie within the next 7 days"
        )
    key, text = new_key(api_key.key_id)
    secret_hash = hash_secret(key.secret)  # slow, so before others have to wait
    with transaction.atomic():
        standing.begin_change(api_key.tenant_id, principal)  # nobody revokes the key that asks meanwhile
        _refuse_longer_lived(_asking_key(principal), api_key)
        with shared_context():
            row = _held(api_key, check)
            if row.revoked_at is not None or (row.expires_at is not None and row.expires_at <= now):
                raise Conflict("This key is revoked or expired. Make a new one.")
            before = scopes.narrowed(PERMISSIONS[row.role], row.permissions)
            scopes.refuse_more(before, principal.permissions, "A key")
            row.previous_hash = row.secret_hash if previous_until else ""
            row.previous_until = previous_until
            row.secret_hash = secret_hash
            row.save(update_fields=["secret_hash", "previous_hash", "previous_until"])
            ended = _revoked(_made_with([row.key_id])) if previous_until is None else []
        if previous_until is None:
            credentials.end_links_of(f"key:{row.key_id}")
        audit.record(
            actor=principal.actor,
            action="tenants.api_key.rotate",
            target=row,
            key_id=row.key_id,
            previous_until=previous_until,
            revoked_keys=ended,
        )
    return IssuedKey(queries.api_key(principal, row.pk), text)


def rename_api_key(
    *, principal: Principal, api_key: ApiKey, name: str, check: Callable[[ApiKey], None] = any_version
) -> ApiKey:
    """Give a key another name. Raises: NotTheMaker, InvalidInput; what `check` raises for the version it finds."""
    _refuse_others(principal, api_key)
    texts.visible_name(name)
    with transaction.atomic():
        standing.begin_change(api_key.tenant_id, principal)
        with shared_context():
            before = _held(api_key, check)
            ApiKey.objects.filter(pk=before.pk).update(name=name)
        audit.record(
            actor=principal.actor,
            action="tenants.api_key.rename",
            target=before,
            key_id=before.key_id,
            name=name,
            before=before.name,
        )
    return queries.api_key(principal, api_key.pk)


def revoke_api_key(
    *, principal: Principal, api_key: ApiKey, check: Callable[[ApiKey], None] = any_version
) -> None:
    """Make a key and all that were made with it useless at once. A second time changes nothing.

    Raises: Forbidden for a key of somebody else; what `check` raises for the version it finds.
    """
    if str(api_key.created_by_id) != principal.user_id and not principal.can(Permission.KEYS_MANAGE):
        raise Forbidden("Only its maker or an admin may revoke a key.")
    with transaction.atomic():
        standing.begin_change(api_key.tenant_id, principal)  # no key is made with it meanwhile
        with shared_context():
            _held(api_key, check)
            ended = _revoked([api_key.key_id])
        if ended:
            audit.record(
                actor=principal.actor,
                action="tenants.api_key.revoke",
                target=api_key,
                key_id=api_key.key_id,
                revoked_keys=ended,
            )


def _revoked(key_ids: list[str]) -> list[str]:
    """Revoke these keys, the keys made with them, and so on; ids of those that were alive. Call in the shared schema."""
    ended: list[str] = []
    while key_ids:
        alive = ApiKey.objects.filter(key_id__in=key_ids, revoked_at=None)
        ended += alive.values_list("key_id", flat=True)
        alive.update(revoked_at=timezone.now())
        key_ids = _made_with(key_ids)
    return ended


def _made_with(key_ids: list[str]) -> list[str]:
    return list(ApiKey.objects.filter(made_with__in=key_ids).values_list("key_id", flat=True))


def roles_for(principal: Principal) -> list[Role]:
    """The roles that a key of this principal may be called by: none that holds more than theirs.

    A role of the organisation's own may hold no built-in one. Then its keys have any but the owner's, as small as
    their scopes allow.
    """
    mine = PERMISSIONS.get(principal.role or "", principal.permissions)
    within = [role for role in Role if PERMISSIONS[role] <= mine]
    return within or [role for role in Role if role != Role.OWNER]


def _refuse_greater_role(principal: Principal, role: Role, may: frozenset[Permission]) -> None:
    allowed = roles_for(principal)
    smaller = [one for one in allowed if may <= PERMISSIONS[one] < PERMISSIONS[role]]
    is_mine = PERMISSIONS[role] <= PERMISSIONS.get(principal.role or "", principal.permissions)
    if role not in allowed or (smaller and not is_mine):
        named = f"Say “{smaller[0]}”, which holds these scopes." if smaller else "Choose a smaller role."
        raise Forbidden(f"A key is not called more than its maker: “{role}” holds more than you do. {named}")


def _held(api_key: ApiKey, check: Callable[[ApiKey], None]) -> ApiKey:
    """The key as it is now, and nobody else changes it until the transaction ends. Call in the shared schema.

    Raises: NotFound when it went with its maker a moment ago; what `check` raises.
    """
    row = ApiKey.objects.select_for_update(of=("self",)).filter(pk=api_key.pk).first()
    if row is None:
        raise NotFound("This key has just been deleted with its maker’s membership.")
    check(row)
    return row


def _asking_key(principal: Principal) -> ApiKey | None:
    """The key that asks for another one; None for a person. Raises Forbidden for an application."""
    kind, _, key_id = principal.credential.partition(":")
    if kind == "application":
        raise Forbidden("An application makes no API keys: they would outlive what it was granted.")
    if kind != "key":
        return None
    with shared_context():
        asking = ApiKey.objects.filter(key_id=key_id).first()
    if asking is None or asking.revoked_at is not None:
        raise Forbidden("The key that asks has just ended.")
    return asking


def _refuse_longer_lived(asking: ApiKey | None, api_key: ApiKey) -> None:
    """A secret that a key has learnt must end with it: a key rotates itself and what it made, a person any of theirs."""
    if asking is not None and asking.key_id not in (api_key.key_id, api_key.made_with):
        raise Forbidden(
            "A key rotates itself and keys made with it, so that no secret it learnt outlives it. "
            "Ask with the key that is to be rotated, or rotate it on the page of API keys."
        )


def note_key_use(api_key: ApiKey) -> None:
    """Remember when a key was used, to the minute. Call in the shared schema."""
    now = timezone.now()
    if api_key.last_used_at is None or now - api_key.last_used_at > _LAST_USE_PRECISION:
        ApiKey.objects.filter(pk=api_key.pk).update(last_used_at=now)


def _refuse_others(principal: Principal, api_key: ApiKey) -> None:
    if str(api_key.created_by_id) != principal.user_id:
        raise NotTheMaker("Only its maker changes a key, since its secret is theirs. You may revoke it.")


def _bad_time(message: str, field: str, detail: str) -> InvalidInput:
    return InvalidInput(message, errors=[{"pointer": f"/{field}", "code": "invalid", "detail": detail}])
