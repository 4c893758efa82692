"""The history of a run in words and on a time axis, from the events of its job."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from core.jobs.models import JobEvent
from core.jobs.queries import EventView, JobView, StageView
from frontend.charts.gantt import Span, gantt
from frontend.charts.svg import Figure
from frontend.states import Status, stage_status, stage_word

_BAD = frozenset({"retry", "worker_lost"})


@dataclass(frozen=True, slots=True)
class LogLine:
    time: str
    text: str
    is_bad: bool


@dataclass(frozen=True, slots=True)
class StageLine:
    title: str
    status: Status
    note: str
    percent: int


def log_lines(events: Iterable[EventView]) -> list[LogLine]:
    """One line for each event that tells a reader something; progress is shown as bars, not as lines."""
    lines = []
    for event in events:
        text = _sentence(event)
        if text:
            at = timezone.localtime(event.at)
            is_bad = event.type in _BAD or event.data.get("state") in ("failed", "held")
            lines.append(LogLine(f"{at:%H:%M:%S}", text, is_bad))
    return lines


def stage_lines(view: JobView) -> list[StageLine]:
    return [
        StageLine(
            stage_word(stage.name), stage_status(stage.state), _stage_note(stage), round(stage.fraction * 100)
        )
        for stage in view.stages
    ]


def stage_timeline(job_id: UUID, names: Sequence[str], ended_at: datetime | None) -> Figure | None:
    """Stages on a time axis, each from its opening to the next one's; None for a job that never opened one.

    A stage that was taken up again after a failure keeps its first opening.
    """
    opened: dict[str, datetime] = {}
    rows = JobEvent.objects.filter(job_id=job_id, type="stage").order_by("seq").values_list("at", "data")
    for at, data in rows:
        opened.setdefault(data["stage"], at)
    order = [name for name in names if name in opened]
    if not order or ended_at is None:
        return None
    begin = opened[order[0]]
    ends = [opened[name] for name in order[1:]] + [ended_at]
    spans = [
        Span(stage_word(name), (opened[name] - begin).total_seconds(), (end - begin).total_seconds(), "live")
        for name, end in zip(order, ends, strict=True)
    ]
    return gantt(spans, uid="timeline", title="Stages over time")


def _stage_note(stage: StageView) -> str:
    parts = f"{stage.done} of {stage.total} parts" if stage.total > 1 else ""
    note = stage.note if stage.state == "running" else ""
    return ", ".join(part for part in (parts, note) if part)


def _sentence(event: EventView) -> str:
    data = event.data
    stage = stage_word(str(data.get("stage", "")))
    match event.type:
        case "submitted":
            return "Submitted"
        case "started":
            return "Taken up by a worker"
        case "stage":
            units = data.get("units", 1)
            return f"{stage}: begins" + (f", {units} parts" if units != 1 else "")
        case "log":
            return f"{stage}: {data.get('message', '')}"
        case "retry":
            return f"{stage}, part {data.get('unit', 0)}: {data.get('error', '')}; tried again"
        case "worker_lost":
            return f"{stage}, part {data.get('unit', 0)}: its worker was lost; tried again"
        case "released":
            return f"{stage}, part {data.get('unit', 0)}: handed back by a worker that stops"
        case "cancel_requested":
            return "Asked to stop"
        case "resumed":
            return "Taken up again"
        case "ended":
            reason = data.get("reason")
            return f"Ended: {data.get('state', '')}" + (f". {reason}" if reason else "")
        case _:
            return ""
