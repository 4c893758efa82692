"""API keys: made, shown once, rotated, revoked."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from core.errors import DomainError
from core.permissions import Permission, principal_of, requires, step_up
from frontend.forms import NewKey, Rotation, place_of
from frontend.paging import numbered
from tenants import key_services, queries, scopes
from tenants.addresses import own_address
from tenants.keys import PREFIX

_UNUSED = timedelta(days=60)


@requires(GET=Permission.KEYS_READ)
def key_list(request: HttpRequest) -> HttpResponse:
    return _page(request, _form(request))


@step_up("POST")
@requires(POST=Permission.KEYS_WRITE)
def key_issue(request: HttpRequest) -> HttpResponse:
    """Make a key. The answer itself shows its text: once, and stored nowhere."""
    form = _form(request, request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    chosen = form.cleaned_data
    expires_at = timezone.now() + timedelta(days=chosen["lifetime_days"])
    try:
        issued = key_services.issue_api_key(
            principal=principal_of(request),
            name=chosen["name"],
            role=chosen["role"],
            permissions=chosen["permissions"],
            expires_at=expires_at,
        )
    except DomainError as error:
        form.add_error(place_of(form, error), str(error))
        return _page(request, form, status=error.http_status)
    return _page(request, _form(request), issued=issued)


@step_up("POST")
@requires(POST=Permission.KEYS_WRITE)
def key_rotate(request: HttpRequest, key_id: UUID) -> HttpResponse:
    """Give a key a new secret. The answer itself shows it: once, and stored nowhere."""
    principal = principal_of(request)
    key = queries.api_key(principal, key_id)
    form = Rotation(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose how long the present secret works.")
        return redirect("keys")
    hours = form.cleaned_data["overlap_hours"]
    previous_until = timezone.now() + timedelta(hours=hours) if hours else None
    issued = key_services.rotate_api_key(principal=principal, api_key=key, previous_until=previous_until)
    return _page(request, _form(request), issued=issued)


@step_up("POST")
@requires(POST=Permission.KEYS_WRITE)
def key_revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    principal = principal_of(request)
    key = queries.api_key(principal, key_id)
    key_services.revoke_api_key(principal=principal, api_key=key)
    messages.success(request, f"The key “{key.name}” is revoked. Requests with it fail from now on.")
    return redirect("keys")


def _form(request: HttpRequest, data: QueryDict | None = None) -> NewKey:
    """The form with the roles and scopes that a key of this person may have."""
    principal = principal_of(request)
    form = NewKey(data)
    allowed = [(role.value, role.label) for role in key_services.roles_for(principal)]
    form.fields["role"].choices = allowed  # type: ignore[attr-defined]  # a ChoiceField
    form.fields["permissions"].choices = scopes.choices_for(principal.permissions)  # type: ignore[attr-defined]
    return form


def _page(
    request: HttpRequest, form: NewKey, *, issued: key_services.IssuedKey | None = None, status: int = 200
) -> HttpResponse:
    now, principal = timezone.now(), principal_of(request)
    context = {
        "page": numbered(request, queries.api_keys(principal).order_by("-created_at", "-id")),
        "own": principal.user_id,
        "form": form,
        "rotation": Rotation(),
        "issued": issued,
        "prefix": PREFIX,
        "now": now,
        "unused_since": now - _UNUSED,
        "address": own_address(request, "/api/v1/runs"),
    }
    response = render(request, "frontend/keys.html", context, status=status)
    if issued is not None:
        response["Cache-Control"] = "no-store"
    return response
