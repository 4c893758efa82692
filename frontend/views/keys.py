"""API keys: made, shown once, revoked."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from core.errors import DomainError
from core.permissions import Permission, principal_of, requires
from frontend.forms import NewKey
from tenants import queries, services
from tenants.keys import PREFIX
from tenants.roles import Role, includes

_UNUSED = timedelta(days=60)


@requires(GET=Permission.KEYS_READ)
def key_list(request: HttpRequest) -> HttpResponse:
    return _page(request, _form(request))


@requires(POST=Permission.KEYS_WRITE)
def key_issue(request: HttpRequest) -> HttpResponse:
    """Make a key. The answer itself shows its text: once, and stored nowhere."""
    form = _form(request, request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    chosen = form.cleaned_data
    expires_at = timezone.now() + timedelta(days=chosen["lifetime_days"])
    try:
        issued = services.issue_api_key(
            principal=principal_of(request), name=chosen["name"], role=chosen["role"], expires_at=expires_at
        )
    except DomainError as error:
        form.add_error(None, str(error))
        return _page(request, form, status=error.http_status)
    return _page(request, _form(request), issued=issued)


@requires(POST=Permission.KEYS_WRITE)
def key_revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    principal = principal_of(request)
    key = queries.api_key(principal, key_id)
    services.revoke_api_key(principal=principal, api_key=key)
    messages.success(request, f"The key “{key.name}” is revoked. Requests with it fail from now on.")
    return redirect("keys")


def _form(request: HttpRequest, data: QueryDict | None = None) -> NewKey:
    """The form with the roles that a key of this person may have."""
    own = principal_of(request).role or Role.VIEWER
    form = NewKey(data, initial={"role": own})
    allowed = [(role, label) for role, label in Role.choices if includes(own, role)]
    form.fields["role"].choices = allowed  # type: ignore[attr-defined]  # a ChoiceField
    return form


def _page(
    request: HttpRequest, form: NewKey, *, issued: services.IssuedKey | None = None, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    context = {
        "keys": queries.api_keys(principal_of(request)).order_by("-created_at", "-id"),
        "form": form,
        "issued": issued,
        "prefix": PREFIX,
        "now": now,
        "unused_since": now - _UNUSED,
        "address": request.build_absolute_uri("/api/v1/runs"),
    }
    response = render(request, "frontend/keys.html", context, status=status)
    if issued is not None:
        response["Cache-Control"] = "no-store"
    return response
