"""Applications (OAuth 2.0): registered, their secret shown once, rotated, deleted; and whom a person let in."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from core.errors import DomainError
from core.permissions import Permission, principal_of, requires, step_up
from frontend.forms import NewApplication, Rotation
from frontend.paging import numbered
from tenants import scopes
from tenants.oauth import queries, services
from tenants.oauth.tokens import place_of
from tenants.responsibility import members_by_id


@requires(GET=Permission.APPLICATIONS_READ)
def application_list(request: HttpRequest) -> HttpResponse:
    return _page(request, _form(request))


@step_up("POST")
@requires(POST=Permission.APPLICATIONS_WRITE)
def application_create(request: HttpRequest) -> HttpResponse:
    """Register an application. The answer itself shows its secret: once, and stored nowhere."""
    form = _form(request, request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    chosen = form.cleaned_data
    try:
        made = services.create_application(
            principal=principal_of(request),
            name=chosen["name"],
            kind=chosen["kind"],
            permissions=chosen["permissions"],
            redirect_uris=chosen["redirect_uris"].splitlines(),
        )
    except DomainError as error:
        for field, text in _problems(error):
            form.add_error(field if field in form.fields else None, text)
        return _page(request, form, status=error.http_status)
    return _page(request, _form(request), made=made)


@step_up("POST")
@requires(POST=Permission.APPLICATIONS_WRITE)
def application_rotate(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Give an application a new secret. The answer itself shows it: once, and stored nowhere."""
    application = queries.application(application_id)
    form = Rotation(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose how long the present secret works.")
        return redirect("applications")
    hours = form.cleaned_data["overlap_hours"]
    made = services.rotate_secret(
        principal=principal_of(request),
        application=application,
        previous_until=timezone.now() + timedelta(hours=hours) if hours else None,
    )
    return _page(request, _form(request), made=made)


@step_up("POST")
@requires(POST=Permission.APPLICATIONS_WRITE)
def application_delete(request: HttpRequest, application_id: UUID) -> HttpResponse:
    application = queries.application(application_id)
    services.delete_application(principal=principal_of(request), application=application)
    messages.success(request, f"“{application.name}” is deleted. Its tokens ended with it.")
    return redirect("applications")


@requires(GET=Permission.MEMBER)
def grant_list(request: HttpRequest) -> HttpResponse:
    """The applications that act for the person who looks."""
    grants = queries.grants_of(request.user.membership)  # type: ignore[union-attr]
    return render(request, "frontend/grants.html", {"page": numbered(request, grants)})


@requires(POST=Permission.MEMBER)
def grant_withdraw(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    grant = queries.grant_of(request.user.membership, grant_id)  # type: ignore[union-attr]
    services.withdraw(principal=principal_of(request), grant=grant)
    messages.success(request, f"“{grant.application.name}” no longer acts for you.")
    return redirect("grants")


def _form(request: HttpRequest, data: QueryDict | None = None) -> NewApplication:
    form = NewApplication(data)
    offered = scopes.choices_for(principal_of(request).permissions)
    form.fields["permissions"].choices = offered  # type: ignore[attr-defined]  # a ChoiceField
    return form


def _problems(error: DomainError) -> Sequence[tuple[str | None, str]]:
    """The field and the words of each problem that a service names."""
    named = [(str(one.get("pointer", "")).strip("/"), f"{error} ({one['detail']})") for one in error.errors]
    return named or [(None, str(error))]


def _page(
    request: HttpRequest, form: NewApplication, *, made: services.Registered | None = None, status: int = 200
) -> HttpResponse:
    page = numbered(request, queries.applications().order_by("-created_at", "-id"))
    own = principal_of(request).permissions
    context = {
        "page": page,
        "people": members_by_id(one.responsible_id for one in page.rows),
        "beyond": {one.pk for one in page.rows if scopes.beyond(scopes.named(one.permissions), own)},
        "form": form,
        "rotation": Rotation(),
        "made": made,
        "now": timezone.now(),
        "issuer": place_of(request).issuer,
    }
    response = render(request, "frontend/applications.html", context, status=status)
    if made is not None:
        response["Cache-Control"] = "no-store"
    return response
