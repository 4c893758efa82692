"""New datasets and new versions: one config text, shown as a form or as YAML, checked on the server."""

import re
from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.errors import DomainError, Forbidden
from core.idempotency import one_time_token
from core.permissions import Permission, principal_of, requires
from frontend import config_form
from frontend.paging import address, plain_text
from frontend.sending import sent_once
from generation import services
from generation.engine.config.reader import MOST_LINES
from generation.engine.errors import Problem
from generation.engine.templates.catalogue import Template
from generation.models import Config
from generation.queries.configs import find_config, find_template, find_version, shipped_templates

VIEWS = ("form", "yaml")
_REMOVE = re.compile(r"remove:([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class GutterLine:
    number: int
    is_bad: bool


@requires(GET=Permission.CONFIGS_WRITE, POST=Permission.CONFIGS_WRITE)
def dataset_new(request: HttpRequest) -> HttpResponse:
    """A new dataset, from `?template=name` or the first template."""
    name = plain_text(request, "template")
    template = find_template(name) if name else shipped_templates()[0]
    return _edit(request, template.yaml, template=template if name else None)


@requires(GET=Permission.CONFIGS_WRITE, POST=Permission.CONFIGS_WRITE)
def dataset_edit(request: HttpRequest, config_id: UUID) -> HttpResponse:
    """The next version of a dataset, beginning with its newest text."""
    config = find_config(config_id)
    return _edit(request, find_version(config).text, config=config)


@requires(POST=Permission.CONFIGS_WRITE)
def dataset_check(request: HttpRequest) -> HttpResponse:
    """Problems or estimate of what is in the editor now, as a fragment; writes nothing."""
    return render(request, "frontend/dataset_edit.html#check", _checked(_posted_text(request)))


def _edit(
    request: HttpRequest, text: str, *, template: Template | None = None, config: Config | None = None
) -> HttpResponse:
    view = plain_text(request, "view")
    view = view if view in VIEWS else VIEWS[0]
    if request.method != "POST":
        return _page(request, text, view, template=template, config=config)
    text = _posted_text(request)
    action = request.POST.get("action", "")
    failure, status = "", 200
    if action == "add":
        text = config_form.with_company_added(text)
    elif found := _REMOVE.fullmatch(action):
        text = config_form.with_company_removed(text, int(found[1]))
    elif action in ("save", "generate"):
        try:
            return _carry_out(request, action, text, config)
        except DomainError as error:
            failure, status = str(error), error.http_status
    return _page(request, text, view, template=template, config=config, failure=failure, status=status)


def _carry_out(request: HttpRequest, action: str, text: str, config: Config | None) -> HttpResponse:
    principal = principal_of(request)
    actor = principal.actor
    if action == "generate" and not principal.can(Permission.RUNS_WRITE):
        raise Forbidden("Your role does not start runs. Save it instead.")
    if action == "generate":
        return redirect("run", sent_once(request, text, lambda: _generate(actor, text, config)))
    if config is not None:
        version = services.add_version(actor=actor, config_id=config.pk, text=text)
    else:
        version = services.create_config(actor=actor, text=text)
    messages.success(request, f"Saved as version {version.number}.")
    return redirect("dataset", version.config_id)


def _generate(actor: str, text: str, config: Config | None) -> str:
    source: services.RunSource = services.OfText(text)
    if config is not None:
        version = services.add_version(actor=actor, config_id=config.pk, text=text)
        source = services.OfConfig(config.pk, version.number)
    return str(services.start_run(actor=actor, source=source).number)


def _posted_text(request: HttpRequest) -> str:
    """The text that came, with the keys that a posted form changed."""
    text = request.POST.get("text", "").replace("\r\n", "\n")
    return config_form.apply_form(text, request.POST) if config_form.is_readable(text) else text


def _checked(text: str) -> dict[str, object]:
    checked = services.validate_config(text)
    return {"problems": checked.problems, "estimate": checked.estimate}


def _page(
    request: HttpRequest,
    text: str,
    view: str,
    *,
    template: Template | None,
    config: Config | None,
    failure: str = "",
    status: int = 200,
) -> HttpResponse:
    checked = services.validate_config(text)
    if view == "form" and not config_form.is_readable(text):
        view = "yaml"
        failure = failure or "The form can show this text once it is readable YAML; see the problems listed."
    name = template.name if template else None
    context: dict[str, object] = {
        "heading": f"New version of {config.name}" if config else "New dataset",
        "dataset": config,
        "template": template,
        "text": text,
        "view": view,
        "views": {one: address(template=name, view=one) for one in VIEWS},
        "failure": failure,
        "token": one_time_token(),
        "problems": checked.problems,
        "estimate": checked.estimate,
    }
    if view == "form":
        context["sections"] = config_form.form_sections(text, checked.problems)
    else:
        context["gutter"] = _gutter(text, checked.problems)
    return render(request, "frontend/dataset_edit.html", context, status=status)


def _gutter(text: str, problems: tuple[Problem, ...]) -> list[GutterLine]:
    bad = {problem.line for problem in problems}
    lines = min(text.count("\n") + 1, MOST_LINES)
    return [GutterLine(line, line in bad) for line in range(1, lines + 1)]
