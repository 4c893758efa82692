"""Sessions of people: how long they last, who sees them, who ends them."""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core import audit
from core.errors import Forbidden, NotFound
from core.permissions import Principal
from core.ratelimit import client_address
from tenants import credentials, granting, queries, standing
from tenants.models import Membership, Tenant, User
from tenants.people.models import Session
from tenants.people.session_store import VISITOR, end

_SEEN_PRECISION = timedelta(minutes=1)
_PARTS = (  # what a browser's own words tell, the most telling first
    ("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


# -- what is known -------------------------------------------------------------------------------------------


def sessions_of(user_id: UUID | str) -> QuerySet[Session]:
    """A person's sessions in this organisation that have not run out, the latest used first."""
    rows = Session.objects.filter(user_id=user_id, expire_date__gt=timezone.now())
    return rows.exclude(_beyond(queries.organisation())).order_by("-seen_at", "id")


def session_of(user_id: UUID | str, session_id: UUID) -> Session:
    """Raises NotFound, also for a session of somebody else."""
    found = sessions_of(user_id).filter(id=session_id).first()
    if found is None:
        raise NotFound
    return found


def device_name(words: str) -> str:
    """“Firefox on Linux” from a browser's own words; they are a hint, not a proof."""
    browser = next((name for mark, name in _PARTS if mark in words), "")
    system = next((name for mark, name in _SYSTEMS if mark in words), "")
    return " on ".join(part for part in (browser, system) if part) or "Unknown device"


# -- while it lasts ------------------------------------------------------------------------------------------


def note_sign_in(request: HttpRequest) -> None:
    """Remember when, where and with what the session began. An end that a sign-in before this one gave it is gone."""
    request.session.set_expiry(None)
    request.session[VISITOR] = {
        "at": time.time(),
        "address": client_address(request)[:45],
        "device": request.headers.get("User-Agent", "")[:200],
    }


def has_run_out(session: Any, tenant: Tenant) -> bool:
    """True when the organisation's limits say so: too long unused, or too long since sign-in."""
    now, row = timezone.now(), getattr(session, "row", None)
    if row is None:
        return False
    began = row.signed_in_at or now
    idle, whole = timedelta(minutes=tenant.session_idle_minutes), timedelta(hours=tenant.session_hours)
    return bool(now - row.seen_at > idle or now - began > whole)


def clear_run_out(tenant: Tenant) -> None:
    """Delete what the limits have ended: nobody else tidies this organisation's table of sessions."""
    Session.objects.filter(Q(expire_date__lt=timezone.now()) | _beyond(tenant)).delete()


def _beyond(tenant: Tenant) -> Q:
    now = timezone.now()
    return Q(seen_at__lt=now - timedelta(minutes=tenant.session_idle_minutes)) | Q(
        signed_in_at__isnull=False, signed_in_at__lt=now - timedelta(hours=tenant.session_hours)
    )


def note_use(session: Any) -> None:
    """Remember when a session was used, to the minute."""
    row, now = getattr(session, "row", None), timezone.now()
    if row is not None and now - row.seen_at > _SEEN_PRECISION:
        Session.objects.filter(id=row.id).update(seen_at=now)


def refuse_ended(session: Any) -> None:
    """Raises Forbidden when the session was ended since it was read: whoever was in it changes no way in any more."""
    if not session.exists(session.session_key):
        raise Forbidden("Your session has just ended. Nothing was done.")


# -- ending --------------------------------------------------------------------------------------------------


def end_session(*, actor: Principal | str, user: User, session: Session) -> None:
    """End one session of a person."""
    with transaction.atomic():
        standing.begin_change(queries.organisation().pk, actor)
        if end(Session.objects.filter(id=session.id)):
            audit.record(
                actor=granting.name_of(actor), action="tenants.session.end", target=user, session=session.id
            )


def end_other_sessions(*, actor: Principal | str, user: User, but: str | None) -> int:
    """End all sessions of a person except the one with this key, and links that they made in sessions; how many sessions.

    None of the links says which session it was made in: somebody else may have been in any that ends.
    """
    with transaction.atomic():
        standing.begin_change(queries.organisation().pk, actor)
        ended = delete_sessions([user.pk], but=but)
        links = credentials.end_links_of_sessions(queries.members().get(user=user))
        if ended or links:
            audit.record(
                actor=granting.name_of(actor),
                action="tenants.session.end_others",
                target=user,
                sessions=ended,
                links=links,
            )
    return ended


def end_sessions_of(*, actor: Principal | str, membership: Membership) -> int:
    """End all sessions of a member, and links that they made in them, as an admin; how many sessions.

    Raises Forbidden for a member who may do more.
    """
    with transaction.atomic():
        standing.begin_change(membership.tenant_id, actor)
        granting.refuse_more(actor, queries.member(membership.pk).role)  # which may be another one by now
        ended = delete_sessions([membership.user_id])
        links = credentials.end_links_of_sessions(membership)
        if ended or links:
            audit.record(
                actor=granting.name_of(actor),
                action="tenants.member.end_sessions",
                target=membership,
                email=membership.user.email,
                sessions=ended,
                links=links,
            )
    return ended


def delete_sessions(user_ids: Iterable[UUID], *, but: str | None = None) -> int:
    """Part of larger changes, which write the audit event themselves."""
    return end(Session.objects.filter(user_id__in=list(user_ids)).exclude(session_key=but))
