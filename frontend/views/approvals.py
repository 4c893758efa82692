"""Exceptions of held runs: asked for on the run's page, decided on the pages of whoever may."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from compliance import exception_queries as queries
from compliance import exception_services as services
from compliance.models import ReleaseException
from core.errors import Conflict, DomainError, InvalidInput
from core.permissions import Permission, principal_of, requires, step_up
from frontend.exceptions import Decision, Revocation, ask_form
from frontend.forms import place_of
from frontend.paging import Filter, address, numbered, plain_text
from frontend.views.run import page_of
from generation.models import Run
from generation.queries.runs import numbered_run

FILTERS = (("", "Open"), ("decided", "Decided"))


@requires(POST=Permission.RUNS_WRITE)
def exception_ask(request: HttpRequest, number: int) -> HttpResponse:
    """Ask for an exception; what is wrong is said on the form on the page of the run."""
    run = numbered_run(number)
    if run.state != Run.State.HELD:
        raise Conflict(f"Run #{number} is {run.state}; only a held one can have an exception.")
    form = ask_form(run, request.POST)
    if not form.is_valid():
        return page_of(request, run, asking=form, status=422)
    try:
        services.ask(principal=principal_of(request), run_id=run.pk, **form.cleaned_data)
    except InvalidInput as error:
        form.add_error(place_of(form, error), str(error))
        return page_of(request, run, asking=form, status=422)
    messages.success(request, "You have asked for an exception. Somebody else decides.")
    return redirect("run", number)


@requires(POST=Permission.RUNS_WRITE)
def exception_withdraw(request: HttpRequest, exception_id: UUID) -> HttpResponse:
    withdrawn = services.withdraw(principal=principal_of(request), exception_id=exception_id)
    messages.success(request, "Your request is withdrawn.")
    return redirect("run", withdrawn.run.number)


@requires(GET=Permission.EXCEPTIONS_DECIDE)
def approval_list(request: HttpRequest) -> HttpResponse:
    """What waits, or what was decided; newest first."""
    state = plain_text(request, "state")
    state = state if state in dict(FILTERS) else ""
    page = numbered(request, queries.exceptions(state=state or "open"), state=state)
    filters = [
        Filter(label, address(state=value), queries.open_count() if not value else None, value == state)
        for value, label in FILTERS
    ]
    return render(request, "frontend/approvals.html", {"page": page, "state": state, "filters": filters})


@step_up("GET", "POST")
@requires(GET=Permission.EXCEPTIONS_DECIDE, POST=Permission.EXCEPTIONS_DECIDE)
def approval(request: HttpRequest, exception_id: UUID) -> HttpResponse:
    """One request and its decision. The proof is asked for before the page: what a form held would be lost."""
    asked = queries.find_exception(exception_id)
    if request.method != "POST":
        return _page(request, asked, Decision())
    form, decision = Decision(request.POST), request.POST.get("decision")
    if decision not in ("grant", "refuse"):
        form.add_error(None, "Press “Grant” or “Refuse”.")
    if not form.is_valid():
        return _page(request, asked, form, 422)
    principal, comment = principal_of(request), form.cleaned_data["comment"]
    try:
        if decision == "grant":
            services.grant(
                principal=principal, exception_id=exception_id, comment=comment, expires_at=form.expires_at()
            )
            messages.success(request, f"Granted: run #{asked.run.number} can be downloaded.")
        else:
            services.refuse(principal=principal, exception_id=exception_id, comment=comment)
            messages.success(request, f"Refused: run #{asked.run.number} stays closed.")
    except DomainError as error:
        form.add_error(place_of(form, error), str(error))
        return _page(request, queries.find_exception(exception_id), form, error.http_status)
    return redirect("approval", exception_id)


@step_up("POST")
@requires(POST=Permission.EXCEPTIONS_DECIDE)
def approval_revoke(request: HttpRequest, exception_id: UUID) -> HttpResponse:
    form = Revocation(request.POST)
    granted = queries.find_exception(exception_id)
    if not form.is_valid():
        return _page(request, granted, Decision(), 422, form)
    comment = form.cleaned_data["comment"]
    try:
        services.revoke(principal=principal_of(request), exception_id=exception_id, comment=comment)
    except InvalidInput as error:
        form.add_error(place_of(form, error), str(error))
        return _page(request, granted, Decision(), 422, form)
    messages.success(request, f"Revoked: the downloads of run #{granted.run.number} are closed again.")
    return redirect("approval", exception_id)


def _page(
    request: HttpRequest,
    found: ReleaseException,
    form: Decision,
    status: int = 200,
    revocation: Revocation | None = None,
) -> HttpResponse:
    context = {
        "one": found,
        "form": form,
        "because": services.why_not_decide(principal_of(request), found),
        "revocation": revocation or Revocation(),
        "is_revoking": revocation is not None or request.GET.get("confirm") == "revoke",
    }
    return render(request, "frontend/approval.html", context, status=status)
