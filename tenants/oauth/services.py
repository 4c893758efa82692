"""Changes to applications and what they were granted. Each leaves one audit event in its transaction."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from core import audit, texts
from core.egress import is_plain_authority
from core.errors import Conflict, Forbidden, InvalidInput
from core.permissions import Principal
from tenants import credentials, granting, responsibility, scopes, standing
from tenants import queries as tenants
from tenants.keys import hash_secret, new_key
from tenants.models import Membership
from tenants.oauth import holding, queries
from tenants.oauth.models import Application, AuthorizationCode, Grant, RefreshToken, RevokedToken

SECRET_PREFIX = "ds_app_"
MAXIMAL_OVERLAP = timedelta(days=7)
CODE_LIFE = timedelta(seconds=60)
REFRESH_LIFE = timedelta(days=14)
GRANT_LIFE = timedelta(days=90)
MOST_REDIRECTS = 10
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_LAST_USE_PRECISION = timedelta(minutes=1)
_SECRETS = ("secret_hash", "responsible_id", "previous_hash", "previous_until", "previous_responsible_id")


@dataclass(frozen=True, slots=True)
class Registered:
    """An application with its secret, which is shown this once; a public one has none."""

    application: Application
    secret: str


# -- applications --------------------------------------------------------------------------------------------


def create_application(
    *,
    principal: Principal,
    name: str,
    kind: str,
    permissions: Iterable[str],
    redirect_uris: Iterable[str] = (),
) -> Registered:
    """Register an application that may do `permissions`, and no more than its maker may.

    Raises: Forbidden (more than the principal may), InvalidInput (name, no scope, an unknown one, redirects).
    """
    texts.visible_name(name)
    chosen = Application.Kind(kind)
    may = scopes.checked(permissions)
    if not may:
        raise _bad("An application needs at least one permission.", "permissions", "choose at least one")
    scopes.refuse_more(scopes.named(may), principal.permissions, "An application")
    redirects = checked_redirects(redirect_uris, is_needed=chosen != Application.Kind.SERVICE)
    key, text = new_key(prefix=SECRET_PREFIX)
    is_public = chosen == Application.Kind.PUBLIC
    secret_hash = "" if is_public else hash_secret(key.secret)  # slow, so before others have to wait
    with transaction.atomic():
        responsible = standing.begin_handing_out(principal)
        application = Application.objects.create(
            client_id=key.key_id,
            name=name,
            kind=chosen,
            redirect_uris=redirects,
            permissions=may,
            secret_hash=secret_hash,
            created_by=principal.actor,
            responsible_id=responsible.pk,
        )
        application.refresh_from_db()
        audit.record(
            actor=principal.actor,
            action="tenants.application.create",
            target=application,
            name=name,
            kind=chosen.value,
            client_id=key.key_id,
            permissions=may,
            redirect_uris=redirects,
        )
    return Registered(application, "" if is_public else text)


def rotate_secret(
    *, principal: Principal, application: Application, previous_until: datetime | None = None
) -> Registered:
    """Give an application a new secret, and make the person who is shown it responsible.

    The one before works until `previous_until`, while whoever was shown it is here; or not at all without a time. Then
    tokens and links of a service end, too: whoever knew the secret may have taken or sent them.
    Raises: Forbidden when it may do more than the principal; Conflict when it has no secret; InvalidInput when the
    overlap ends in the past or after 7 days, or when nobody answers for the secret before.
    """
    now = timezone.now()
    if application.is_public:
        raise Conflict("This application has no secret: it proves each request by its challenge.")
    scopes.refuse_more(scopes.named(application.permissions), principal.permissions, "Its new secret")
    if previous_until is not None and not now < previous_until <= now + MAXIMAL_OVERLAP:
        raise _bad(
            "The secret before works for 7 days at most.", "previous_until", "must lie within the next 7 days"
        )
    key, text = new_key(application.client_id, prefix=SECRET_PREFIX)
    secret_hash = hash_secret(key.secret)  # slow, so before others have to wait
    with transaction.atomic():
        member = standing.begin_handing_out(principal)
        row = holding.application_held(application)
        before = row.responsible_id
        if previous_until is not None and responsibility.responsible(before) is None:
            raise _bad(
                "Nobody answers for the secret before: it ends at once.", "previous_until", "must be left out"
            )
        if previous_until is None:
            credentials.end_links_of(f"application:{row.client_id}")
        row.previous_hash = row.secret_hash if previous_until else ""
        row.previous_until = previous_until
        row.previous_responsible_id = before if previous_until else None
        row.responsible_id = member.pk
        row.secret_hash = secret_hash
        row.save(update_fields=_SECRETS)
        audit.record(
            actor=principal.actor,
            action="tenants.application.rotate",
            target=row,
            client_id=row.client_id,
            previous_until=previous_until,
            responsible=member.pk,
            before=before,
        )
    return Registered(row, text)


def delete_application(*, principal: Principal, application: Application) -> None:
    """Delete an application. Its secret, and every grant and token of it, end at once. Raises NotFound."""
    with transaction.atomic():
        standing.begin_change(tenants.organisation().pk, principal)
        target = audit.label(application)
        row = holding.application_held(application)
        holding.grants_held(row)
        row.delete()
        audit.record(
            actor=principal.actor,
            action="tenants.application.delete",
            target=target,
            name=application.name,
            client_id=application.client_id,
        )


def checked_redirects(addresses: Iterable[str], *, is_needed: bool) -> list[str]:
    """Redirect addresses as they are compared later, letter by letter. Raises InvalidInput."""
    wanted = list(dict.fromkeys(one.strip() for one in addresses if one.strip()))
    if not is_needed:
        if wanted:
            raise _bad("A service takes no redirect addresses.", "redirect_uris", "must be left out")
        return []
    if not wanted:
        raise _bad("Say where people come back to.", "redirect_uris", "is needed for this kind")
    if len(wanted) > MOST_REDIRECTS:
        raise _bad("Too many addresses.", "redirect_uris", f"at most {MOST_REDIRECTS}")
    for one in wanted:
        if not _is_good_redirect(one):
            raise _bad(
                f"“{one}” cannot be a redirect address.",
                "redirect_uris",
                "https://host/path, or http:// on localhost; no fragment, no user name, no wildcard",
            )
    return wanted


def is_redirect_of(application: Application, address: str) -> bool:
    """True for exactly a registered address; on a loopback address the port may differ (RFC 8252, 7.3)."""
    if address in application.redirect_uris:
        return True
    return _is_good_redirect(address) and any(
        _without_port(address) == _without_port(one) for one in application.redirect_uris if _is_loopback(one)
    )


def _is_good_redirect(address: str) -> bool:
    if not address.isascii() or len(address) > 500:
        return False
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    is_text = address.isprintable() and not set(address) & set(" \\*#\"'<>;,")
    is_plain = (
        bool(host) and is_plain_authority(parts.netloc) and parts.username is None and parts.password is None
    )
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    return is_text and is_plain and secure


def _is_loopback(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


def _without_port(address: str) -> tuple[str, str | None, str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.path, parts.query


# -- grants and tokens ---------------------------------------------------------------------------------------


def approve(
    *,
    actor: Principal | str,
    membership: Membership,
    application: Application,
    permissions: list[str],
    redirect_uri: str,
    challenge: str,
    code: str,
) -> Grant:
    """A member lets an application act for them; `code` is what it changes for tokens within a minute.

    Raises: Forbidden for whom has just left, or whose session has just ended, NotFound for an application that has just been deleted.
    """
    now = timezone.now()
    with transaction.atomic():
        standing.begin_change(membership.tenant_id, actor)
        holding.application_held(application)
        if responsibility.responsible(membership.pk) is None:
            raise Forbidden("Your access here has just ended.")
        _forget_old(now)
        grant = Grant.objects.create(
            application=application,
            membership_id=membership.pk,
            scopes=permissions,
            expires_at=now + GRANT_LIFE,
        )
        AuthorizationCode.objects.create(
            code_hash=digest(code),
            grant=grant,
            redirect_uri=redirect_uri,
            challenge=challenge,
            expires_at=now + CODE_LIFE,
        )
        audit.record(
            actor=granting.name_of(actor),
            action="tenants.application.approve",
            target=application,
            client_id=application.client_id,
            permissions=permissions,
        )
    return grant


def use_code(*, application: Application, code: str) -> AuthorizationCode | None:
    """The code, used up by this very call; None when it does not count.

    A code that was used before may be stolen, so what was issued for it ends. Call inside a transaction.
    """
    codes = AuthorizationCode.objects.filter(code_hash=digest(code), grant__application=application)
    if holding.grant_held(application, codes) is None:
        return None
    row = codes.select_for_update(of=("self",)).select_related("grant").first()
    if row is None:
        return None
    if row.used_at is not None:
        _end(row.grant, "a code was used twice")
        return None
    now = timezone.now()
    AuthorizationCode.objects.filter(pk=row.pk).update(used_at=now)
    return row if row.expires_at > now and queries.is_live(row.grant) else None


def take_refresh_token(*, application: Application, token: str) -> RefreshToken | None:
    """The refresh token, locked; None when it does not count. A used one ends the grant: one of two has stolen it.

    Call inside a transaction, and `replace_refresh_token` before it ends.
    """
    tokens = RefreshToken.objects.filter(token_hash=digest(token), grant__application=application)
    if holding.grant_held(application, tokens) is None:
        return None
    row = tokens.select_for_update(of=("self",)).select_related("grant").first()
    if row is None or not queries.is_live(row.grant):
        return None
    if row.used_at is not None:
        _end(row.grant, "a refresh token was used twice")
        return None
    return row if row.expires_at > timezone.now() else None


def add_refresh_token(*, grant: Grant, token: str, instead_of: RefreshToken | None) -> None:
    """The next link of a grant's chain. It never outlives the grant."""
    now = timezone.now()
    if instead_of is not None:
        RefreshToken.objects.filter(pk=instead_of.pk).update(used_at=now)
    RefreshToken.objects.create(
        token_hash=digest(token), grant=grant, expires_at=min(now + REFRESH_LIFE, grant.expires_at)
    )


def note_own_token(application: Application) -> None:
    """A service took a token for itself."""
    audit.record(
        actor=f"application:{application.client_id}",
        action="tenants.application.take_token",
        target=application,
        name=application.name,
    )


def note_use(application: Application) -> None:
    """Remember when an application last proved who it is, to the minute."""
    now = timezone.now()
    if application.last_used_at is None or now - application.last_used_at > _LAST_USE_PRECISION:
        Application.objects.filter(pk=application.pk).update(last_used_at=now)


def revoke_access_token(*, application: Application, jti: UUID, expires_at: datetime) -> None:
    """End one access token of an application. A second time changes nothing."""
    with transaction.atomic():
        RevokedToken.objects.filter(expires_at__lt=timezone.now()).delete()
        _, is_new = RevokedToken.objects.get_or_create(pk=jti, defaults={"expires_at": expires_at})
        if is_new:
            _note_revocation(application, "access token")


def revoke_refresh_token(*, application: Application, token: str) -> None:
    """End the grant that a refresh token belongs to, and every token under it."""
    with transaction.atomic():
        row = RefreshToken.objects.filter(
            token_hash=digest(token), grant__application=application, grant__revoked_at=None
        ).first()
        if row is not None:
            Grant.objects.filter(pk=row.grant_id).update(revoked_at=timezone.now())
            _note_revocation(application, "refresh token")


def withdraw(*, principal: Principal, grant: Grant) -> None:
    """A member takes back what they granted. A second time changes nothing."""
    with transaction.atomic():
        if Grant.objects.filter(pk=grant.pk, revoked_at=None).update(revoked_at=timezone.now()):
            audit.record(
                actor=principal.actor,
                action="tenants.application.withdraw",
                target=grant.application,
                client_id=grant.application.client_id,
            )


def revoke_tokens_of(membership: Membership) -> int:
    """End everything that applications hold for a member; how many grants. The caller's event records it."""
    return Grant.objects.filter(membership_id=membership.pk, revoked_at=None).update(
        revoked_at=timezone.now()
    )


def digest(secret: str) -> str:
    """How codes and refresh tokens are kept: they are 256 random bits, so a plain hash tells nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """A code or refresh token."""
    return secrets.token_urlsafe(32)


def _end(grant: Grant, reason: str) -> None:
    if Grant.objects.filter(pk=grant.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record(
            actor=f"application:{grant.application.client_id}",
            action="tenants.application.end_grant",
            target=grant.application,
            reason=reason,
        )


def _note_revocation(application: Application, what: str) -> None:
    audit.record(
        actor=f"application:{application.client_id}",
        action="tenants.application.revoke_token",
        target=application,
        what=what,
    )


def _forget_old(now: datetime) -> None:
    """Grants that are long over: nobody else tidies this organisation's tables."""
    holding.delete_unless_held(Q(expires_at__lt=now - GRANT_LIFE))
    holding.delete_unless_held(Q(refresh_tokens=None, code__expires_at__lt=now))


def _bad(message: str, field: str, detail: str) -> InvalidInput:
    return InvalidInput(message, errors=[{"pointer": f"/{field}", "code": "invalid", "detail": detail}])
