"""The audit trail, as pages and API read it."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from core.models import AuditEvent


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """What to look for; empty means everything. `action` and `target` match from their beginning."""

    actor: str = ""
    action: str = ""
    target: str = ""
    since: datetime | None = None


def audit_events(chosen: TrailFilter) -> QuerySet[AuditEvent]:
    """Events of the organisation, newest first."""
    events = AuditEvent.objects.order_by("-seq")
    if chosen.actor:
        events = events.filter(actor__icontains=chosen.actor)
    if chosen.action:
        events = events.filter(action__startswith=chosen.action)
    if chosen.target:
        events = events.filter(target__startswith=chosen.target)
    return events.filter(at__gte=chosen.since) if chosen.since else events
