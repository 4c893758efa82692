"""What people and programs may do with configs and runs: check, write, audit, enqueue."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from core import audit
from core.errors import Conflict, InvalidInput, PreconditionFailed, QuotaExceeded
from core.jobs import services as jobs
from core.jobs.models import Job
from core.locks import one_at_a_time
from generation.config_text import parse_config
from generation.engine.config.load import digest
from generation.engine.config.model import Config as EngineConfig
from generation.engine.dataset import ENGINE_VERSION
from generation.engine.errors import ConfigError, Problem
from generation.engine.estimate import Estimate, estimate
from generation.engine.run import with_months
from generation.models import Config, ConfigVersion, Run
from generation.queries.configs import find_config, find_template, find_version
from generation.queries.runs import find_run

JOB_KIND = "dataset"
MAX_SEED = (1 << 64) - 1
MAX_MONTHS = 120  # of books, as in the config
BULK_ABOVE_LINES = 1_000_000
CONFIG_NAME = r"^[a-z0-9][a-z0-9-]{0,62}$"  # what a config's text may say as its name, too
CONFIG_NAME_RULE = "A name has 1 to 63 lowercase letters, digits and hyphens, and begins with no hyphen."


@dataclass(frozen=True, slots=True)
class Validation:
    """What is wrong with a config, or what running it would take."""

    problems: tuple[Problem, ...]
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class OfConfig:
    """Run a stored config: its newest version, or the one with this number."""

    config_id: UUID
    version: int | None = None


@dataclass(frozen=True, slots=True)
class OfTemplate:
    """Run a shipped template as it is."""

    name: str


@dataclass(frozen=True, slots=True)
class OfText:
    """Run this YAML or JSON; it is stored as a version of the config of the same name."""

    text: str


RunSource = OfConfig | OfTemplate | OfText


def validate_config(text: str) -> Validation:
    """Every problem of a config at once, or the estimate of a run. Writes nothing."""
    try:
        config = parse_config(text)
    except ConfigError as error:
        return Validation(error.problems, None)
    excess = _excess(config)
    if excess:
        return Validation(
            (Problem("volume.journal_lines_per_year", None, None, "quota_exceeded", excess),), None
        )
    return Validation((), estimate(config))


def estimate_config(text: str) -> Estimate:
    """What a run of a config would take. Raises InvalidInput with every problem, QuotaExceeded."""
    config = _parsed(text)
    _refuse_excess(config)
    return estimate(config)


@transaction.atomic
def create_config(*, actor: str, text: str, name: str | None = None) -> ConfigVersion:
    """Store a config under a new name (that of the text if none is given) as its version 1.

    Raises:
        InvalidInput: the text is not a valid config, `errors` lists every problem; or the name breaks the rule.
        Conflict: a config of this name exists.
    """
    parsed = _parsed(text)
    name = parsed.name if name is None else name
    _check_name(name)
    _refuse_taken(name)
    config = Config.objects.create(name=name, created_by=actor)
    version = _write_version(config, 1, text, parsed, actor)
    audit.record(
        actor=actor, action="generation.config.create", target=config, name=name, digest=version.digest
    )
    return version


@transaction.atomic
def add_version(*, actor: str, config_id: UUID, text: str, revision: int | None = None) -> ConfigVersion:
    """Store a new text of a config; the newest version is answered if neither text nor meaning changed.

    Raises: NotFound, InvalidInput, Conflict (archived), PreconditionFailed (`revision` is not current).
    """
    parsed = _parsed(text)
    config = _locked_config(config_id, revision)
    return _next_version(config, text, parsed, actor)


@transaction.atomic
def rename_config(*, actor: str, config_id: UUID, name: str, revision: int | None = None) -> Config:
    """Give a config another name. Raises InvalidInput, NotFound, PreconditionFailed, or Conflict if it is taken."""
    _check_name(name)
    config = _locked_config(config_id, revision)
    if config.name == name:
        return config
    _refuse_taken(name)
    previous, config.name = config.name, name
    _save(config, "name")
    audit.record(actor=actor, action="generation.config.rename", target=config, previous=previous, name=name)
    return config


@transaction.atomic
def archive_config(*, actor: str, config_id: UUID, revision: int | None = None) -> Config:
    """Take a config out of every list. Its runs stay, and `restore_config` brings it back."""
    config = _locked_config(config_id, revision)
    config.archived_at = timezone.now()
    _save(config, "archived_at")
    audit.record(actor=actor, action="generation.config.archive", target=config, name=config.name)
    return config


@transaction.atomic
def restore_config(*, actor: str, config_id: UUID) -> Config:
    """Undo `archive_config`. Raises NotFound, or Conflict if the name was given to another config since."""
    config = Config.objects.select_for_update().get(pk=find_config(config_id).pk)
    if config.archived_at is None:
        return config
    _refuse_taken(config.name)
    config.archived_at = None
    _save(config, "archived_at")
    audit.record(actor=actor, action="generation.config.restore", target=config, name=config.name)
    return config


@transaction.atomic
def start_run(*, actor: str, source: RunSource, seed: int | None = None) -> Run:
    """Record a run and submit the job that makes, checks, seals and releases its dataset.

    Args: seed: 0 to 2**64 - 1, instead of the seed of the config.
    Raises:
        NotFound: no such config, version or template.
        InvalidInput: the config is not valid any more or the seed is out of range.
        QuotaExceeded: more journal lines than one run may have.
    """
    version = _version_of(source, actor)
    parsed = _parsed(version.text)
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise InvalidInput(f"seed must be from 0 to {MAX_SEED}, got {seed}.")
    _refuse_excess(parsed)
    run = _submitted(actor, version, parsed, seed=parsed.seed if seed is None else seed)
    audit.record(
        actor=actor,
        action="generation.run.start",
        target=run,
        number=run.number,
        config=str(version.config_id),
        version=version.number,
        seed=str(run.seed),
    )
    return run


@transaction.atomic
def continue_run(*, actor: str, run_id: UUID, months: int = 1) -> Run:
    """Keep the books of a released run on for further months: a new run that takes over the files of the closed ones.

    Raises:
        NotFound. Conflict: it is not released, or another engine began its books.
        InvalidInput: the books would have more months than books may have. QuotaExceeded: or too many lines.
    """
    begun = find_run(run_id)
    if begun.state != Run.State.RELEASED:
        raise Conflict(f"Run #{begun.number} is {begun.state}; only a released one can be continued.")
    if begun.engine_version != ENGINE_VERSION:
        raise Conflict(
            f"Run #{begun.number} was made by engine {begun.engine_version}; only the same version can keep its books on, and "
            f"this is {ENGINE_VERSION}. Run its config again first."
        )
    parsed = _parsed(begun.config_version.text)
    closings = begun.closings or [parsed.period.months]
    if not 1 <= months <= MAX_MONTHS - closings[-1]:
        raise InvalidInput(
            f"The books have {closings[-1]} months and may have {MAX_MONTHS}; {months} cannot be added.",
            errors=[
                {
                    "pointer": "/months",
                    "code": "invalid",
                    "detail": f"must be from 1 to {MAX_MONTHS - closings[-1]}",
                }
            ],
        )
    longer = with_months(parsed, closings[-1] + months)
    _refuse_excess(longer)
    run = _submitted(
        actor,
        begun.config_version,
        longer,
        seed=int(begun.seed),
        continues=begun,
        closings=[*closings, closings[-1] + months],
    )
    audit.record(
        actor=actor,
        action="generation.run.continue",
        target=run,
        number=run.number,
        continues=begun.number,
        months=months,
    )
    return run


@transaction.atomic
def cancel_run(*, actor: str, run_id: UUID) -> Run:
    """Ask a live run to stop; it is cancelled within seconds. Raises NotFound, Conflict if it has ended."""
    run = find_run(run_id)
    if run.state not in Run.LIVE:
        raise Conflict(f"Run #{run.number} is {run.state}; only a queued or running one can be cancelled.")
    # the job is locked before the run, as at its end, so that the two cannot wait for each other
    if jobs.cancel(run.job_id):
        audit.record(actor=actor, action="generation.run.cancel", target=run, number=run.number)
    run.refresh_from_db()
    return run


@transaction.atomic
def resume_run(*, actor: str, run_id: UUID) -> Run:
    """Take up a failed or cancelled run where it stopped. Raises NotFound, Conflict in other states."""
    run = find_run(run_id)
    if run.state not in Run.RESUMABLE:
        raise Conflict(f"Run #{run.number} is {run.state}; only a failed or cancelled one can be resumed.")
    jobs.resume(run.job_id)
    run.state = Run.State.RUNNING if run.started_at else Run.State.QUEUED
    run.reason, run.finished_at = "", None
    run.save(update_fields=["state", "reason", "finished_at"])
    audit.record(actor=actor, action="generation.run.resume", target=run, number=run.number)
    return run


def _submitted(
    actor: str,
    version: ConfigVersion,
    config: EngineConfig,
    *,
    seed: int,
    continues: Run | None = None,
    closings: Sequence[int] = (),
) -> Run:
    """A new run with its job."""
    lines = estimate(config).journal_lines
    run_id = uuid4()
    job = jobs.submit(kind=JOB_KIND, spec={"run_id": str(run_id)}, priority=_priority(lines))
    one_at_a_time("run number")
    return Run.objects.create(
        pk=run_id,
        number=(Run.objects.aggregate(last=Max("number"))["last"] or 0) + 1,
        config_version=version,
        job_id=job.id,
        name=version.config.name,
        seed=seed,
        gate_profile=config.quality.gate,
        engine_version=ENGINE_VERSION,
        estimated_lines=lines,
        started_by=actor,
        continues=continues,
        closings=list(closings),
    )


def _parsed(text: str) -> EngineConfig:
    try:
        return parse_config(text)
    except ConfigError as error:
        count = len(error.problems)
        raise InvalidInput(
            f"The config has {count} problem{'s' if count > 1 else ''}.",
            errors=_problem_errors(error.problems),
        ) from error


def _problem_errors(problems: tuple[Problem, ...]) -> list[dict[str, object]]:
    """Config problems in the shape of the `errors` of a problem document."""
    return [
        {
            "path": problem.path,
            "line": problem.line,
            "column": problem.column,
            "code": problem.code,
            "detail": problem.message,
            "suggestion": problem.suggestion,
        }
        for problem in problems
    ]


def _excess(config: EngineConfig) -> str:
    """Why a config asks for too much, or nothing; from two numbers, since planning too much costs much."""
    limit = settings.GENERATION_MAX_JOURNAL_LINES
    lines = config.volume.journal_lines_per_year * config.period.months // 12
    return (
        f"A run may have at most {limit:,} journal lines; this config asks for {lines:,}."
        if lines > limit
        else ""
    )


def _refuse_excess(config: EngineConfig) -> None:
    excess = _excess(config)
    if excess:
        raise QuotaExceeded(excess)


def _priority(lines: int) -> Job.Priority:
    """Long runs have a queue of their own, so that somebody with a short one need not wait for them."""
    return Job.Priority.BULK if lines > BULK_ABOVE_LINES else Job.Priority.INTERACTIVE


def _version_of(source: RunSource, actor: str) -> ConfigVersion:
    match source:
        case OfConfig(config_id, number):
            return find_version(_locked_config(config_id), number)
        case OfTemplate(name):
            return _stored(find_template(name).yaml, actor)
        case OfText(text):
            return _stored(text, actor)


def _stored(text: str, actor: str) -> ConfigVersion:
    """The version that holds this text, in the config named as the text says; both are made when missing."""
    parsed = _parsed(text)
    one_at_a_time(f"config {parsed.name}")
    config = Config.objects.filter(name=parsed.name, archived_at__isnull=True).first()
    if config is None:
        return create_config(actor=actor, text=text)
    return _next_version(_locked_config(config.pk), text, parsed, actor)


def _next_version(config: Config, text: str, parsed: EngineConfig, actor: str) -> ConfigVersion:
    latest = find_version(config)
    if latest.text == text and latest.digest == digest(parsed):
        return latest
    version = _write_version(config, latest.number + 1, text, parsed, actor)
    _save(config)
    audit.record(
        actor=actor,
        action="generation.config.version",
        target=config,
        version=version.number,
        digest=version.digest,
    )
    return version


def _write_version(config: Config, number: int, text: str, parsed: EngineConfig, actor: str) -> ConfigVersion:
    return ConfigVersion.objects.create(
        config=config, number=number, text=text, digest=digest(parsed), created_by=actor
    )


def _save(config: Config, *fields: str) -> None:
    config.revision += 1
    config.save(update_fields=[*fields, "revision", "updated_at"])


def _check_name(name: str) -> None:
    if not re.fullmatch(CONFIG_NAME, name):
        raise InvalidInput(CONFIG_NAME_RULE)


def _refuse_taken(name: str) -> None:
    one_at_a_time(f"config {name}")
    if Config.objects.filter(name=name, archived_at__isnull=True).exists():
        raise Conflict(f"A config is named “{name}” already. Add a version to it, or choose another name.")


def _locked_config(config_id: UUID, revision: int | None = None) -> Config:
    config = Config.objects.select_for_update().get(pk=find_config(config_id).pk)
    if config.archived_at is not None:
        raise Conflict("This config is archived. Restore it first.")
    if revision is not None and revision != config.revision:
        raise PreconditionFailed("The config was changed meanwhile. Read it again, then repeat the change.")
    return config
