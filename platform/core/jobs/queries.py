"""What pages and the API show of jobs: state, stages, progress, time left, history."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, Count, F, FloatField, Max, Q, Sum, Value, When
from django.db.models.functions import Cast, Least
from django.utils import timezone

from core.errors import NotFound
from core.jobs.models import Job, JobEvent, Unit
from core.jobs.pipelines import pipeline

_EVENTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class StageView:
    """`done` and `total` count units; a stage that has not been opened yet has total 0."""

    name: str
    state: str  # waiting, running, done, failed, held or cancelled
    done: int
    total: int
    fraction: float  # of its work, 0 to 1
    note: str  # what a running unit last said


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as a reader sees it. Times are UTC; `eta_seconds` is None when nothing can be said honestly."""

    id: UUID
    kind: str
    state: str
    stage: str | None  # the one under way; None once the job has ended
    stages: tuple[StageView, ...]
    percent: float
    eta_seconds: int | None
    note: str
    reason: str
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    last_seq: int

    @property
    def is_live(self) -> bool:
        return self.state in (Job.State.QUEUED, Job.State.RUNNING)


@dataclass(frozen=True, slots=True)
class EventView:
    seq: int
    at: datetime
    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Tally:
    """Sums over the units of one stage."""

    units: int
    done: int
    weight: float
    weight_done: float
    note: str

    @property
    def fraction(self) -> float:
        if self.done == self.units:
            return 1.0
        return self.weight_done / self.weight if self.weight > 0 else self.done / self.units


def view(job_id: UUID) -> JobView:
    """Raises NotFound, also for another organisation's job."""
    found = views([job_id])
    if job_id not in found:
        raise NotFound("There is no such job.")
    return found[job_id]


def views(job_ids: Sequence[UUID]) -> dict[UUID, JobView]:
    """Views of these jobs by id, from two queries; unknown ids and other organisations' are left out."""
    jobs = {job.pk: job for job in Job.objects.filter(pk__in=job_ids)}
    tallies = _tallies(list(jobs))
    return {job_id: _job_view(job, tallies[job_id]) for job_id, job in jobs.items()}


def events(job_id: UUID, after_seq: int = 0) -> list[EventView]:
    """Up to 500 events after `after_seq`, in order."""
    rows = JobEvent.objects.filter(job_id=job_id, seq__gt=after_seq).order_by("seq")[:_EVENTS_AT_ONCE]
    return [EventView(row.seq, row.at, row.type, row.data) for row in rows]


def history(job_ids: Iterable[UUID]) -> Iterator[tuple[UUID, EventView]]:
    """Every event of these jobs with its job, job by job and in order; read while it is asked for."""
    rows = JobEvent.objects.filter(job_id__in=job_ids).order_by("job_id", "seq")
    for row in rows.iterator(_EVENTS_AT_ONCE):
        yield row.job_id, EventView(row.seq, row.at, row.type, row.data)


def fraction_done(job: Job) -> float:
    """Part of the job's expected work that is done, 0 to 1."""
    return _fraction(job, _tallies([job.pk])[job.pk])


def _tallies(job_ids: Sequence[UUID]) -> dict[UUID, dict[int, _Tally]]:
    part = Case(
        When(state=Unit.State.DONE, then=Value(1.0)),
        When(
            state=Unit.State.RUNNING,
            total__gt=0,
            then=Least(Value(1.0), Cast(F("done"), FloatField()) / Cast(F("total"), FloatField())),
        ),
        default=Value(0.0),
    )
    rows = (
        Unit.objects.filter(job_id__in=job_ids)
        .values("job_id", "stage")
        .annotate(
            units=Count("id"),
            done_units=Count("id", filter=Q(state=Unit.State.DONE)),
            all_weight=Sum("weight"),
            done_weight=Sum(F("weight") * part),
            last_note=Max("note", filter=Q(state=Unit.State.RUNNING)),
        )
    )
    tallies: dict[UUID, dict[int, _Tally]] = defaultdict(dict)
    for row in rows:
        tallies[row["job_id"]][row["stage"]] = _Tally(
            row["units"], row["done_units"], row["all_weight"], row["done_weight"], row["last_note"] or ""
        )
    return tallies


def _fraction(job: Job, tallies: Mapping[int, _Tally]) -> float:
    weights = [_stage_weight(job.kind, name) for name in job.stages]
    passed = [
        1.0 if number < job.stage else tallies[number].fraction if number in tallies else 0.0
        for number in range(len(weights))
    ]
    return sum(weight * part for weight, part in zip(weights, passed, strict=True)) / sum(weights)


def _stage_weight(kind: str, stage: str) -> float:
    """A job from before a renaming can still be looked at."""
    try:
        return pipeline(kind).stage(stage).weight
    except LookupError:
        return 1.0


def _job_view(job: Job, tallies: Mapping[int, _Tally]) -> JobView:
    fraction = 1.0 if job.state == Job.State.DONE else _fraction(job, tallies)
    stages = tuple(_stage_view(job, number, tallies.get(number)) for number in range(len(job.stages)))
    is_live = job.state in (Job.State.QUEUED, Job.State.RUNNING)
    return JobView(
        id=job.pk,
        kind=job.kind,
        state=job.state,
        stage=job.stages[job.stage] if is_live else None,
        stages=stages,
        percent=round(100 * fraction, 1),
        eta_seconds=_eta_seconds(job, fraction),
        note=stages[job.stage].note if is_live else "",
        reason=job.reason,
        cancel_requested=job.cancel_requested_at is not None,
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
        last_seq=job.last_seq,
    )


def _stage_view(job: Job, number: int, tally: _Tally | None) -> StageView:
    name = job.stages[number]
    if tally is None:  # not opened yet, or passed over because it had no units
        passed = number < job.stage or job.state == Job.State.DONE
        return StageView(name, "done" if passed else "waiting", 0, 0, 1.0 if passed else 0.0, "")
    if tally.done == tally.units:
        state = "done"
    elif job.state in (Job.State.QUEUED, Job.State.RUNNING):
        state = "running"
    else:
        state = str(job.state)
    return StageView(name, state, tally.done, tally.units, round(tally.fraction, 4), tally.note)


def _eta_seconds(job: Job, fraction: float) -> int | None:
    """Time left if the work left goes as fast as what was done since the start (or the last resume)."""
    gained = fraction - job.fraction_at_start
    if job.state != Job.State.RUNNING or job.started_at is None or gained < 0.01:
        return None
    elapsed = (timezone.now() - job.started_at).total_seconds()
    return round(elapsed / gained * (1.0 - fraction))
