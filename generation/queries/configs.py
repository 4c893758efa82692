"""What pages and API show about configs ("datasets" on the pages), their versions and the templates."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery

from core.errors import NotFound
from generation.engine.templates.catalogue import Template, templates
from generation.models import Config, ConfigVersion, Run
from generation.queries.runs import RunRow, listed_runs, run_rows


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """One config as a list shows it, with its newest version and its newest run."""

    id: UUID
    name: str
    version: int
    runs: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    last_run: RunRow | None


@dataclass(frozen=True, slots=True)
class ConfigDetail:
    """One config with the text of its newest version; `revision` counts its changes."""

    id: UUID
    name: str
    revision: int
    version: int
    text: str
    digest: str
    runs: int
    is_archived: bool
    created_by: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DatasetDetail:
    """One config and its last runs; its versions are a list of their own."""

    id: UUID
    name: str
    is_archived: bool
    created_by: str
    created_at: datetime
    newest_version: int
    runs: tuple[RunRow, ...]


def shipped_templates() -> tuple[Template, ...]:
    return tuple(templates())


def find_template(name: str) -> Template:
    """The shipped template of this name. Raises NotFound."""
    for template in templates():
        if template.name == name:
            return template
    raise NotFound("There is no such template.")


def live_configs(search: str = "") -> QuerySet[Config]:
    """Configs that are not archived, newest first, each with the number of its newest version."""
    configs = Config.objects.filter(archived_at__isnull=True).order_by("-created_at", "-id")
    return (configs.filter(name__icontains=search) if search else configs).annotate(
        version=Subquery(_newest_version().values("number")[:1]),
        runs=Count("versions__runs", distinct=True),
    )


def find_config(config_id: UUID) -> Config:
    """The config with this id, archived or not. Raises NotFound."""
    config = Config.objects.filter(pk=config_id).first()
    if config is None:
        raise NotFound("There is no such config.")
    return config


def config_versions(config: Config) -> QuerySet[ConfigVersion]:
    """All versions of a config, newest first, each with the number of its runs."""
    return config.versions.defer("text").annotate(run_count=Count("runs")).order_by("-number")


def find_version(config: Config, number: int | None = None) -> ConfigVersion:
    """One version of a config, the newest without a number. Raises NotFound."""
    versions = config.versions.order_by("-number")
    version = versions.first() if number is None else versions.filter(number=number).first()
    if version is None:
        raise NotFound(f"This config has no version {number}.")
    return version


def config_detail(config_id: UUID) -> ConfigDetail:
    """One config with its newest text. Raises NotFound."""
    config = find_config(config_id)
    version = find_version(config)
    return ConfigDetail(
        id=config.pk,
        name=config.name,
        revision=config.revision,
        version=version.number,
        text=version.text,
        digest=version.digest,
        runs=Run.objects.filter(config_version__config=config).count(),
        is_archived=config.archived_at is not None,
        created_by=config.created_by,
        created_at=config.created_at,
        updated_at=config.updated_at,
    )


def dataset_rows(search: str = "", limit: int = 50) -> tuple[DatasetRow, ...]:
    """Configs with what happened last, the most recently changed first."""
    newest_run = Run.objects.filter(config_version__config=OuterRef("pk")).order_by("-number")
    configs: list[Any] = list(  # rows with annotations, which the type of a queryset does not carry
        live_configs(search)
        .annotate(last_run_id=Subquery(newest_run.values("pk")[:1]))
        .order_by("-updated_at", "-id")[:limit]
    )
    last_ids = [config.last_run_id for config in configs if config.last_run_id]
    last_runs = {row.id: row for row in run_rows(list(listed_runs().filter(pk__in=last_ids)))}
    return tuple(
        DatasetRow(
            id=config.pk,
            name=config.name,
            version=config.version,
            runs=config.runs,
            created_by=config.created_by,
            created_at=config.created_at,
            updated_at=config.updated_at,
            last_run=last_runs.get(config.last_run_id),
        )
        for config in configs
    )


def dataset_detail(config: Config, run_limit: int = 12) -> DatasetDetail:
    runs = listed_runs().filter(config_version__config=config)
    return DatasetDetail(
        id=config.pk,
        name=config.name,
        is_archived=config.archived_at is not None,
        created_by=config.created_by,
        created_at=config.created_at,
        newest_version=_newest_version_of(config),
        runs=run_rows(list(runs.order_by("-number")[:run_limit])),
    )


def _newest_version_of(config: Config) -> int:
    return int(config.versions.aggregate(newest=Max("number"))["newest"])


def _newest_version() -> QuerySet[ConfigVersion]:
    return ConfigVersion.objects.filter(config=OuterRef("pk")).order_by("-number")
