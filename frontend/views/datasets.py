"""Datasets: the list, one dataset with its versions, and what can be done to it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.idempotency import one_time_token
from core.permissions import Permission, principal_of, requires
from frontend.fragments import render_fragment, render_page, wants_fragment
from frontend.paging import numbered, positive, search_text
from frontend.sending import sent_once
from generation import services
from generation.queries.configs import (
    config_versions,
    dataset_detail,
    dataset_rows,
    find_config,
    find_version,
)


@requires(GET=Permission.CONFIGS_READ)
def dataset_list(request: HttpRequest) -> HttpResponse:
    """The page, or only its table when the filter asks for it."""
    search = search_text(request)
    context = {"rows": dataset_rows(search), "search": search}
    if wants_fragment(request):
        return render_fragment(request, "frontend/datasets.html", "table", context)
    return render_page(request, "frontend/datasets.html", context)


@requires(GET=Permission.CONFIGS_READ)
def dataset_page(request: HttpRequest, config_id: UUID) -> HttpResponse:
    """One dataset; `?version=n` shows the text of an older version, `?page=n` lists older ones."""
    config = find_config(config_id)
    detail = dataset_detail(config)
    version = positive(request.GET, "version")
    shown = find_version(config, version)
    page = numbered(request, config_versions(config), version=str(version or ""))
    context = {"dataset": detail, "shown": shown, "page": page, "token": one_time_token()}
    return render(request, "frontend/dataset.html", context)


@requires(POST=Permission.RUNS_WRITE)
def dataset_generate(request: HttpRequest, config_id: UUID) -> HttpResponse:
    """Make the newest version; the answer is the live page of the run."""
    actor = principal_of(request).actor
    source = services.OfConfig(config_id)
    number = sent_once(request, "", lambda: str(services.start_run(actor=actor, source=source).number))
    return redirect("run", number)


@requires(POST=Permission.CONFIGS_WRITE)
def dataset_archive(request: HttpRequest, config_id: UUID) -> HttpResponse:
    config = services.archive_config(actor=principal_of(request).actor, config_id=config_id)
    messages.success(request, f"{config.name} is archived. Its page stays and can restore it.")
    return redirect("dataset", config_id)


@requires(POST=Permission.CONFIGS_WRITE)
def dataset_restore(request: HttpRequest, config_id: UUID) -> HttpResponse:
    config = services.restore_config(actor=principal_of(request).actor, config_id=config_id)
    messages.success(request, f"{config.name} is back in the list.")
    return redirect("dataset", config_id)
