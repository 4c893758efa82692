"""The audit log: filters in the address, one event in full beside the list, the same events as a file."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from compliance.export import EXPORTS
from compliance.queries import TrailFilter, audit_events
from core.models import AuditEvent
from core.permissions import Permission, requires
from frontend.fragments import render_fragment, render_page, wants_fragment
from frontend.paging import Filter, address, plain_text, positive
from frontend.templatetags.ui import short_target
from generation.queries.runs import run_numbers

PAGE = 50
AREAS = (
    ("", "All"),
    ("generation.", "Datasets and runs"),
    ("compliance.", "Exceptions"),
    ("tenants.", "People and keys"),
)
_RUN = "generation.run:"
_FIELDS = ("actor", "action", "target", "since")


@dataclass(frozen=True, slots=True)
class EventRow:
    event: AuditEvent
    target: str
    href: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    href: str


@requires(GET=Permission.AUDIT_READ)
def audit_log(request: HttpRequest) -> HttpResponse:
    """Newest first; `?event=` opens one, `?before=` continues the list."""
    chosen = _chosen(request)
    before, opened = positive(request.GET, "before"), positive(request.GET, "event")
    trail = audit_events(_trail_filter(chosen))
    found = list((trail.filter(seq__lt=before) if before else trail)[: PAGE + 1])
    events = found[:PAGE]
    event = trail.filter(seq=opened).first() if opened else None
    context = {
        "chosen": chosen,
        "is_filtered": any(chosen.values()),
        "areas": [
            Filter(label, address(**{**chosen, "action": value}), None, chosen["action"] == value)
            for value, label in AREAS
        ],
        "rows": [
            EventRow(one, target, address(**chosen, before=before, event=one.seq), one.seq == opened)
            for one, target in zip(events, _targets(events), strict=True)
        ],
        "event": event,
        "data": json.dumps(event.data, indent=2, ensure_ascii=False, sort_keys=True) if event else "",
        "pivots": _pivots(event) if event else [],
        "older": address(**chosen, before=events[-1].seq) if len(found) > PAGE else None,
        "newest": address(**chosen) if before else None,
        "exports": [
            Link(name.upper(), reverse("audit-export", args=[name]) + address(**chosen)) for name in EXPORTS
        ],
    }
    if wants_fragment(request):
        return render_fragment(request, "frontend/audit.html", "events", context)
    return render_page(request, "frontend/audit.html", context)


@requires(GET=Permission.AUDIT_READ)
def audit_export(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The events that the filter shows, all of them, as a file."""
    if kind not in EXPORTS:
        raise Http404
    return EXPORTS[kind].response(request, audit_events(_trail_filter(_chosen(request))))


def _chosen(request: HttpRequest) -> dict[str, str]:
    return {name: plain_text(request, name) for name in _FIELDS}


def _trail_filter(chosen: dict[str, str]) -> TrailFilter:
    """A day that is none is as if it were not there."""
    try:
        day = date.fromisoformat(chosen["since"])
        since = datetime(day.year, day.month, day.day, tzinfo=UTC)
    except ValueError:
        since = None
    return TrailFilter(chosen["actor"], chosen["action"], chosen["target"], since)


def _targets(events: list[AuditEvent]) -> list[str]:
    """The objects as people call them: a run by its number, all else by its kind and the beginning of its key."""
    keys = [event.target.removeprefix(_RUN) for event in events if event.target.startswith(_RUN)]
    numbers = run_numbers(keys)
    return [
        f"run #{numbers[key]}"
        if (key := event.target.removeprefix(_RUN)) in numbers
        else short_target(event.target)
        for event in events
    ]


def _pivots(event: AuditEvent) -> list[Link]:
    return [
        Link("Same person", address(actor=event.actor)),
        Link("Same action", address(action=event.action)),
        Link("Same object", address(target=event.target)),
    ]
