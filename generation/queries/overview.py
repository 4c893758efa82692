"""The first page of an organisation: what is done of the first steps, what is live, what was made last."""

from dataclasses import dataclass

from generation.models import Config, Run
from generation.queries.configs import DatasetRow, dataset_rows
from generation.queries.runs import RunRow, live_runs, run_rows


@dataclass(frozen=True, slots=True)
class Overview:
    """Facts of the overview; the steps that concern people and keys are known to `tenants`."""

    has_config: bool
    has_run: bool
    has_release: bool
    live: tuple[RunRow, ...]
    held: tuple[RunRow, ...]
    recent: tuple[DatasetRow, ...]


def overview(recent_limit: int = 6) -> Overview:
    held = Run.objects.select_related("config_version").filter(state=Run.State.HELD).order_by("-number")
    return Overview(
        has_config=Config.objects.exists(),
        has_run=Run.objects.exists(),
        has_release=Run.objects.filter(state=Run.State.RELEASED).exists(),
        live=live_runs(),
        held=run_rows(list(held[:5])),
        recent=dataset_rows(limit=recent_limit),
    )
