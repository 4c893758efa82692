"""The audit trail as a file: JSON lines for programs, CSV in which no spreadsheet finds a formula."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from core.models import AuditEvent
from core.tenancy import current_schema, tenant_context
from generation.streaming import streamed

COLUMNS = ("seq", "at", "actor", "action", "target", "data", "request_id")
BATCH = 1000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Export:
    """A format: its media type, what comes first, and the text of some events."""

    suffix: str
    media_type: str
    head: str
    lines: Callable[[Iterable[AuditEvent]], str]

    def response(self, request: HttpRequest, events: QuerySet[AuditEvent]) -> StreamingHttpResponse:
        """All these events, newest first, as an attachment."""
        headers = {
            "Content-Disposition": f'attachment; filename="audit-events.{self.suffix}"',
            "Cache-Control": "no-store",
        }
        return streamed(
            request, self.pieces(current_schema(), events), content_type=self.media_type, headers=headers
        )

    def pieces(self, schema: str, events: QuerySet[AuditEvent]) -> Iterator[bytes]:
        """The file piece by piece, some events at a time."""
        yield self.head.encode()
        below: int | None = None
        while True:
            with tenant_context(schema):
                left = events.order_by("-seq")
                batch = list((left if below is None else left.filter(seq__lt=below))[:BATCH])
            if not batch:
                return
            below = batch[-1].seq
            yield self.lines(batch).encode()


def ndjson(events: Iterable[AuditEvent]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(_record(event), ensure_ascii=False) + "\n" for event in events)


def csv_text(events: Iterable[AuditEvent]) -> str:
    """One line an event; `data` is JSON text."""
    return _csv(
        [harmless(value) for value in (_record(event) | {"data": json.dumps(event.data)}).values()]
        for event in events
    )


def harmless(value: object) -> str:
    """The value as text that a spreadsheet shows and never computes. Source: OWASP, CSV injection."""
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _record(event: AuditEvent) -> dict[str, object]:
    return {
        "seq": event.seq,
        "at": event.at.isoformat(),
        "actor": event.actor,
        "action": event.action,
        "target": event.target,
        "data": event.data,
        "request_id": event.request_id,
    }


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


EXPORTS = {
    "ndjson": Export("ndjson", "application/x-ndjson", "", ndjson),
    "csv": Export("csv", "text/csv; charset=utf-8", _csv([COLUMNS]), csv_text),
}
