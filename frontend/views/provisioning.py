"""Provisioning: whom a directory may bring, its tokens, and which role each of its groups gives."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from core.errors import DomainError
from core.permissions import Permission, principal_of, requires, step_up
from core.problems import SCIM_PREFIX
from frontend.forms import NewToken, Rotation, place_of
from frontend.paging import numbered
from tenants import granting, responsibility
from tenants.addresses import own_address
from tenants.queries import custom_roles
from tenants.roles import Role, may_give
from tenants.scim import queries, services, tokens
from tenants.scim.models import Group, Setup, Token
from tenants.sso.models import MailDomain


@requires(GET=Permission.PROVISIONING_READ)
def provisioning(request: HttpRequest) -> HttpResponse:
    return _page(request, NewToken())


@step_up("POST")
@requires(POST=Permission.PROVISIONING_WRITE)
def provisioning_origin(request: HttpRequest) -> HttpResponse:
    """Choose whom the directory may bring."""
    try:
        services.set_origin(principal=principal_of(request), origin=request.POST.get("origin", ""))
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Saved.")
    return redirect("provisioning")


@step_up("POST")
@requires(POST=Permission.PROVISIONING_WRITE)
def provisioning_token_issue(request: HttpRequest) -> HttpResponse:
    """Make a token. The answer itself shows it: once, and stored nowhere."""
    form = NewToken(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        issued = tokens.issue_token(
            principal=principal_of(request),
            name=form.cleaned_data["name"],
            expires_at=timezone.now() + timedelta(days=form.cleaned_data["lifetime_days"]),
        )
    except DomainError as error:
        form.add_error(place_of(form, error), str(error))
        return _page(request, form, status=error.http_status)
    return _page(request, NewToken(), issued=issued)


@step_up("POST")
@requires(POST=Permission.PROVISIONING_WRITE)
def provisioning_token_rotate(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Give a token a new secret. The answer itself shows it: once, and stored nowhere."""
    token = tokens.token_of(token_id)
    form = Rotation(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose how long the present secret works.")
        return redirect("provisioning")
    hours = form.cleaned_data["overlap_hours"]
    issued = tokens.rotate_token(
        principal=principal_of(request),
        token_id=token.pk,
        previous_until=timezone.now() + timedelta(hours=hours) if hours else None,
    )
    return _page(request, NewToken(), issued=issued)


@requires(POST=Permission.PROVISIONING_WRITE)
def provisioning_token_revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    token = tokens.revoke_token(principal=principal_of(request), token_id=token_id)
    messages.success(request, f"The token “{token.name}” is revoked. The directory is shut out from now on.")
    return redirect("provisioning")


@step_up("POST")
@requires(POST=Permission.PROVISIONING_WRITE)
def provisioning_group(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """Give the members of a group a role."""
    try:
        group = services.map_group(
            principal=principal_of(request), group_id=group_id, role=request.POST.get("role", "")
        )
    except DomainError as error:
        if error.http_status == 404:
            raise
        messages.error(request, str(error))
    else:
        words = "have that role now" if group.role else "have no role by it any more"
        messages.success(request, f"The members of “{group.display_name}” {words}.")
    return redirect("provisioning")


def _roles(request: HttpRequest) -> list[tuple[str, str]]:
    """The roles that a group may give and this person may."""
    principal = principal_of(request)
    return [
        (one.key, one.name) for one in granting.mappable_roles() if may_give(principal, one.key, one.gives)
    ]


def _page(
    request: HttpRequest,
    form: NewToken,
    *,
    issued: tokens.IssuedToken | None = None,
    status: int = 200,
) -> HttpResponse:
    now, roles = timezone.now(), _roles(request)
    names = dict(Role.choices) | {one.key: one.name for one in custom_roles()}
    page = numbered(request, Group.objects.order_by("display_name", "id"))
    listed = Token.objects.order_by("-created_at", "-id")[:50]
    context = {
        "address": own_address(request, SCIM_PREFIX).rstrip("/"),
        "origin": queries.setup().origin,
        "origins": Setup.Origin.choices,
        "domains": MailDomain.objects.filter(verified_at__isnull=False).order_by("name"),
        "tokens": listed,
        "people": responsibility.members_by_id(one.responsible_id for one in listed),
        "vouched": {one.pk for one in listed if responsibility.may_bring_people(one.responsible_id)},
        "page": page,
        "groups": [
            {"group": one, "size": one.members.count(), "role_name": names.get(one.role, one.role)}
            for one in page.rows
        ],
        "roles": roles,
        "role_keys": {key for key, _ in roles},
        "form": form,
        "may_issue": tokens.may_issue(principal_of(request)),
        "rotation": Rotation(),
        "issued": issued,
        "prefix": tokens.PREFIX,
        "now": now,
    }
    response = render(request, "frontend/provisioning.html", context, status=status)
    if issued is not None:
        response["Cache-Control"] = "no-store"
    return response
