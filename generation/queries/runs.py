"""What pages and API show about runs: lists, counts and one run in full."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from core.errors import NotFound
from core.jobs import queries as jobs
from core.jobs.queries import JobView
from generation.models import Run, RunFile

STRIP_LENGTH = 72


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as a list shows it. `stage` and `percent` are set while it is live."""

    id: UUID
    number: int
    name: str
    config_id: UUID
    version: int
    state: str
    reason: str
    gate_profile: str
    gate_verdict: str
    checks_passed: int | None
    checks_total: int | None
    estimated_lines: int
    journal_lines: int | None
    rows: int | None
    size_bytes: int | None
    seed: int
    months: int | None  # of books that were kept on; None: those of the config
    continues: UUID | None
    engine_version: str
    manifest_sha256: str
    is_open: bool  # its files may be downloaded: released, or let out by an exception
    opened_until: datetime | None  # the end of that exception
    started_by: str
    created_at: datetime
    finished_at: datetime | None
    duration_seconds: float
    stage: str | None
    percent: float | None

    @property
    def is_live(self) -> bool:
        return self.state in Run.LIVE

    @property
    def is_released(self) -> bool:
        return self.state == Run.State.RELEASED


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the strip of recent runs."""

    number: int
    name: str
    state: str
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class RunsPage:
    rows: tuple[RunRow, ...]
    counts: Mapping[str, int]  # by state, and "all"
    next_before: int | None  # pass as `before` for the next older page


@dataclass(frozen=True, slots=True)
class RunDetail:
    """One run in full; `progress` is the job's own view of its stages."""

    row: RunRow
    config_text: str
    progress: JobView
    is_cancellable: bool
    is_resumable: bool


def find_run(run_id: UUID) -> Run:
    """The run with this id. Raises NotFound, in the same words for a foreign and for an invented id."""
    return _only(Run.objects.filter(pk=run_id))


def run_numbers(ids: Collection[str]) -> dict[str, int]:
    """Numbers of the runs with these ids, by id; whatever is no id of a run is left out."""
    return {
        str(key): number
        for key, number in Run.objects.filter(pk__in=list(_uuids(ids))).values_list("pk", "number")
    }


def _uuids(texts: Collection[str]) -> Iterator[UUID]:
    for text in texts:
        with suppress(ValueError):
            yield UUID(text)


def numbered_run(number: int) -> Run:
    """The run with this number of the organisation's own count. Raises NotFound."""
    return _only(Run.objects.filter(number=number))


def listed_runs() -> QuerySet[Run]:
    """Runs with the version of their config, but for its text: no list shows it, and it may have a megabyte."""
    return Run.objects.select_related("config_version").defer("config_version__text")


def matching_runs(
    *, state: str | None = None, config_id: UUID | None = None, search: str = ""
) -> QuerySet[Run]:
    """Runs, newest first. `state` "live" means queued or running; `search` is part of a name or a number."""
    runs = listed_runs().order_by("-created_at", "-id")
    if state == "live":
        runs = runs.filter(state__in=Run.LIVE)
    elif state:
        runs = runs.filter(state=state)
    if config_id is not None:
        runs = runs.filter(config_version__config_id=config_id)
    if search:
        number = search.removeprefix("#")
        # longer digits than a column holds would be a database error, not an empty list
        is_number = number.isascii() and number.isdigit() and len(number) < 10
        match = Q(name__icontains=search)
        runs = runs.filter(match | Q(number=int(number)) if is_number else match)
    return runs


def runs_page(
    *,
    state: str | None = None,
    config_id: UUID | None = None,
    search: str = "",
    before: int | None = None,
    limit: int = 12,
) -> RunsPage:
    """One page of runs, newest first, with the number of runs in each state."""
    matching = matching_runs(state=state, config_id=config_id, search=search).order_by("-number")
    if before is not None:
        matching = matching.filter(number__lt=before)
    found = list(matching[: limit + 1])
    rows = run_rows(found[:limit])
    return RunsPage(rows, state_counts(), rows[-1].number if len(found) > limit else None)


def state_counts() -> dict[str, int]:
    """How many runs are in each state, each state present, and "all"."""
    counted = dict(Run.objects.values_list("state").annotate(Count("pk")).order_by())
    counts = {state.value: counted.get(state.value, 0) for state in Run.State}
    return counts | {"all": sum(counts.values())}


def recent_bars() -> tuple[Bar, ...]:
    """The last runs as bars, oldest first."""
    runs = list(Run.objects.order_by("-number")[:STRIP_LENGTH])
    return tuple(Bar(run.number, run.name, run.state, seconds_taken(run)) for run in reversed(runs))


def live_runs(limit: int = 5) -> tuple[RunRow, ...]:
    """Runs that wait or work, oldest first."""
    live = listed_runs().filter(state__in=Run.LIVE).order_by("number")
    return run_rows(list(live[:limit]))


def run_detail(run: Run) -> RunDetail:
    progress = jobs.view(run.job_id)
    return RunDetail(
        row=run_row(run, progress),
        config_text=run.config_version.text,
        progress=progress,
        is_cancellable=run.state in Run.LIVE,
        is_resumable=run.state in Run.RESUMABLE,
    )


def run_rows(runs: Sequence[Run]) -> tuple[RunRow, ...]:
    """Rows of these runs; the progress of all live ones comes from one question to the job ledger."""
    live = [run.job_id for run in runs if run.state in Run.LIVE]
    progress = jobs.views(live) if live else {}
    return tuple(run_row(run, progress.get(run.job_id)) for run in runs)


def run_row(run: Run, progress: JobView | None) -> RunRow:
    is_live = run.state in Run.LIVE
    return RunRow(
        id=run.pk,
        number=run.number,
        name=run.name,
        config_id=run.config_version.config_id,
        version=run.config_version.number,
        state=run.state,
        reason=run.reason,
        gate_profile=run.gate_profile,
        gate_verdict=run.gate_verdict,
        checks_passed=run.checks_passed,
        checks_total=run.checks_total,
        estimated_lines=run.estimated_lines,
        journal_lines=run.journal_lines,
        rows=run.rows,
        size_bytes=run.size_bytes,
        seed=int(run.seed),
        months=run.closings[-1] if run.closings else None,
        continues=run.continues_id,
        engine_version=run.engine_version,
        manifest_sha256=run.manifest_sha256,
        is_open=run.is_open,
        opened_until=run.opened_until if run.opened_by_exception else None,
        started_by=run.started_by,
        created_at=run.created_at,
        finished_at=run.finished_at,
        duration_seconds=seconds_taken(run),
        stage=progress.stage if progress and is_live else None,
        percent=progress.percent if progress and is_live else None,
    )


def seconds_taken(run: Run) -> float:
    """Seconds from the submission to the end, or to now for a live run."""
    return ((run.finished_at or timezone.now()) - run.created_at).total_seconds()


def _only(runs: QuerySet[Run]) -> Run:
    run = runs.select_related("config_version").first()
    if run is None:
        raise NotFound("There is no such run.")
    return run


def files_of_released_runs() -> QuerySet[RunFile]:
    """Every file that was given free, run by run: nothing of a run that its gate held."""
    released = RunFile.objects.filter(run__state=Run.State.RELEASED).select_related("run")
    return released.order_by("run__number", "path")


def bytes_of_released_files() -> int:
    """How much all of them are together."""
    return int(files_of_released_runs().aggregate(total=Sum("size_bytes"))["total"] or 0)
