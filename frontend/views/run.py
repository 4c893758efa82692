"""One run: live progress, then the report; its config, its log, and what can be done to it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from compliance.queries import TrailFilter, audit_events
from core.audit import label
from core.errors import Conflict, Forbidden
from core.jobs import listeners
from core.jobs import queries as jobs
from core.jobs.queries import EventView
from core.jobs.stream import Message, follow, parse_last_event_id
from core.permissions import Permission, principal_of, requires
from evaluation.queries import report_view
from frontend.exceptions import AskException, exception_panel
from frontend.fragments import render_fragment, render_page, wants_fragment
from frontend.paging import Filter, address, plain_text, positive
from frontend.report import report_page
from frontend.report_figures import companies, report_figures
from frontend.timeline import log_lines, stage_lines, stage_timeline
from generation import services
from generation.models import Run
from generation.queries.files import run_files
from generation.queries.runs import RunDetail, numbered_run, run_detail
from tenants.listening import still_may

_LIVE_LOG_EVENTS = 120
_LIVE_LOG_LINES = 40
_HONEST_FROM_PERCENT = 5  # before that the start of the first worker outweighs the work
_LOG_PAGE_EVENTS = 500
_ICONS = {"json": "file-code", "html": "file-text"}


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    href: str
    is_current: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    path: str
    icon: str
    sha256: str
    size_bytes: int


@requires(GET=Permission.RUNS_READ)
def run_page(request: HttpRequest, number: int) -> HttpResponse:
    """While the run is live its progress, after that its report, at the same address."""
    return page_of(request, numbered_run(number))


def page_of(
    request: HttpRequest, run: Run, *, asking: AskException | None = None, status: int = 200
) -> HttpResponse:
    """The page of a run; `asking` is the form of its exception as somebody has filled it in."""
    detail = run_detail(run)
    if detail.row.is_live:
        return render(request, "frontend/run_live.html", head(request, detail, "run") | progress_context(run))
    principal = principal_of(request)
    context = head(request, detail, "run") | _facts(run, detail)
    if not principal.can(Permission.REPORTS_READ):
        return render_page(request, "frontend/run.html", context, status)
    context |= _report_context(request, run) | {"may_read_report": True}
    if run.state == Run.State.HELD:
        context["exception"] = exception_panel(principal, run, asking)
    if wants_fragment(request) and "group" in request.GET:
        return render_fragment(request, "frontend/run.html", "checks", context)
    return render_page(request, "frontend/run.html", context, status)


@requires(GET=Permission.RUNS_READ)
def run_progress(request: HttpRequest, number: int) -> HttpResponse:
    """The moving part of the live page, for readers whose stream does not open."""
    return render(request, "frontend/run_live.html#progress", progress_context(numbered_run(number)))


@requires(GET=Permission.RUNS_READ)
async def run_stream(request: HttpRequest, number: int) -> StreamingHttpResponse:
    """The moving part of the live page, sent again after each news of the job; `done` ends it."""
    run = await sync_to_async(numbered_run)(number)
    tenant: Any = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware

    def draw(events: Sequence[EventView]) -> list[Message]:
        html = render_to_string("frontend/run_live.html#progress", progress_context(run))
        return [Message(events[-1].seq, html)]

    after = parse_last_event_id(request.headers.get("Last-Event-ID"))
    may_listen = still_may(request, Permission.RUNS_READ)
    seat = await sync_to_async(listeners.take)(principal_of(request).credential)
    pieces: AsyncIterator[bytes] = follow(
        tenant.schema_name, run.job_id, after, draw, may_listen=may_listen, seat=seat
    )
    response = StreamingHttpResponse(pieces, content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


@requires(GET=Permission.CONFIGS_READ)
def run_config(request: HttpRequest, number: int) -> HttpResponse:
    detail = run_detail(numbered_run(number))
    context = {"title": "Config", "config_text": detail.config_text}
    return render(request, "frontend/run_text.html", head(request, detail, "run-config") | context)


@requires(GET=Permission.RUNS_READ)
def run_log(request: HttpRequest, number: int) -> HttpResponse:
    """The newest lines, or from `?after=` on."""
    run = numbered_run(number)
    detail = run_detail(run)
    last = detail.progress.last_seq
    after = positive(request.GET, "after", 0) if "after" in request.GET else max(0, last - _LOG_PAGE_EVENTS)
    events = jobs.events(run.job_id, after or 0)
    shown_to = events[-1].seq if events else last
    context = {
        "title": "Log",
        "log": log_lines(events),
        "config_text": None,
        "earlier": "?after=0" if after else None,
        "later": address(after=shown_to) if shown_to < last else None,
    }
    return render(request, "frontend/run_text.html", head(request, detail, "run-log") | context)


@requires(POST=Permission.RUNS_WRITE)
def run_cancel(request: HttpRequest, number: int) -> HttpResponse:
    run = services.cancel_run(actor=principal_of(request).actor, run_id=numbered_run(number).pk)
    return redirect("run", run.number)


@requires(POST=Permission.RUNS_WRITE)
def run_resume(request: HttpRequest, number: int) -> HttpResponse:
    run = services.resume_run(actor=principal_of(request).actor, run_id=numbered_run(number).pk)
    return redirect("run", run.number)


@requires(POST=Permission.RUNS_WRITE)
def run_again(request: HttpRequest, number: int) -> HttpResponse:
    """A new run of the same version and seed: it must give the same bytes."""
    run = numbered_run(number)
    if run.continues is not None:
        raise Conflict(
            f"Run #{number} keeps the books of run #{run.continues.number} on. Repeat that one, then continue it."
        )
    version = run.config_version
    source = services.OfConfig(version.config_id, version.number)
    again = services.start_run(actor=principal_of(request).actor, source=source, seed=int(run.seed))
    messages.success(request, f"Run #{again.number} repeats run #{number}: same version, same seed.")
    return redirect("run", again.number)


@requires(POST=Permission.RUNS_WRITE)
def run_continue(request: HttpRequest, number: int) -> HttpResponse:
    """A new run that keeps the books on for further months."""
    months = positive(request.POST, "months") or 0
    run = services.continue_run(
        actor=principal_of(request).actor, run_id=numbered_run(number).pk, months=months
    )
    messages.success(request, f"Run #{run.number} keeps the books of run #{number} on.")
    return redirect("run", run.number)


def head(request: HttpRequest, detail: RunDetail, current: str) -> dict[str, object]:
    """What the heading and the tabs of every page of a run need. Raises: Forbidden for who sees no runs."""
    if not principal_of(request).can(Permission.RUNS_READ):
        raise Forbidden("Your role does not see runs.")
    row = detail.row
    begun = Run.objects.filter(pk=row.continues).first() if row.continues else None
    tabs = [("run", "Progress" if row.is_live else "Report")]
    if not row.is_live:
        tabs += [("run-preview", "Data preview"), ("run-files", "Files")]
    tabs += [("run-config", "Config"), ("run-log", "Log")]
    return {
        "run": row,
        "detail": detail,
        "begun": begun,
        "tabs": [Tab(label, reverse(route, args=[row.number]), route == current) for route, label in tabs],
    }


def progress_context(run: Run) -> dict[str, object]:
    """Percent, time left, stages and the newest lines of the log."""
    view = jobs.view(run.job_id)
    events = jobs.events(run.job_id, max(0, view.last_seq - _LIVE_LOG_EVENTS))
    elapsed = (view.ended_at or timezone.now()) - view.created_at
    return {
        "progress": view,
        "elapsed": elapsed.total_seconds(),
        "eta": view.eta_seconds if view.percent >= _HONEST_FROM_PERCENT else None,
        "tens": int(view.percent // 10 * 10),
        "stages": stage_lines(view),
        "log": log_lines(events)[-_LIVE_LOG_LINES:],
    }


def _cancelled_by(run: Run) -> str:
    if run.state != Run.State.CANCELLED:
        return ""
    asked = audit_events(TrailFilter(target=label(run))).filter(action="generation.run.cancel").first()
    return asked.actor if asked else ""


def _facts(run: Run, detail: RunDetail) -> dict[str, object]:
    view = detail.progress
    return {
        "cancelled_by": _cancelled_by(run),
        "timeline": stage_timeline(run.job_id, [stage.name for stage in view.stages], view.ended_at),
        "documents": [
            DocumentRow(file.path, _ICONS.get(file.format, "fingerprint"), file.sha256, file.size_bytes)
            for file in run_files(run, table="").filter(table="")
        ],
    }


def _report_context(request: HttpRequest, run: Run) -> dict[str, object]:
    report = report_view(run)
    if report is None:
        return {}
    codes = companies(report.figures)
    company = plain_text(request, "company")
    company = company if company in codes else next(iter(codes), "")
    return {
        "report": report_page(report, plain_text(request, "group")),
        "figures": report_figures(report.figures, company),
        "companies": [Filter(code, address(company=code), None, code == company) for code in codes],
    }
