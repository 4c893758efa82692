"""Invitations of the organisation: send, renew, revoke."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from core.errors import Conflict, DomainError, InvalidInput
from core.permissions import Permission, principal_of, requires, step_up
from frontend.forms import NewInvitation
from frontend.paging import numbered
from tenants import granting
from tenants.addresses import own_address
from tenants.people import invitations, letters
from tenants.people.invitations import Invited


@requires(GET=Permission.MEMBERS_WRITE, POST=Permission.MEMBERS_WRITE)
@step_up("POST")
def invitation_list(request: HttpRequest) -> HttpResponse:
    """The answer to a new invitation shows its link: once, since only a digest is stored."""
    principal = principal_of(request)
    if request.method != "POST":
        return _page(request, NewInvitation(principal=principal))
    form = NewInvitation(request.POST, principal=principal)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        invited = invitations.invite(principal=principal, **form.cleaned_data)
    except DomainError as error:
        form.add_error(form.place_of(error), str(error))
        return _page(request, form, status=error.http_status)
    return _page(request, NewInvitation(principal=principal), invited=invited)


@requires(POST=Permission.MEMBERS_WRITE)
@step_up("POST")
def invitation_renew(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    principal = principal_of(request)
    found = invitations.invitation(invitation_id)
    try:
        invited = invitations.renew(principal=principal, invitation=found)
    except (InvalidInput, Conflict) as error:
        messages.error(request, str(error))
        return redirect("invitations")
    return _page(request, NewInvitation(principal=principal), invited=invited)


@requires(POST=Permission.MEMBERS_WRITE)
def invitation_revoke(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    found = invitations.invitation(invitation_id)
    invitations.revoke(principal=principal_of(request), invitation=found)
    messages.success(request, f"The invitation of {found.email} is revoked. Its link opens nothing any more.")
    return redirect("invitations")


def _page(
    request: HttpRequest, form: NewInvitation, *, invited: Invited | None = None, status: int = 200
) -> HttpResponse:
    page = numbered(request, invitations.invitations())
    context: dict[str, object] = {
        "page": page,
        "dead": invitations.dead_among(page.rows),
        "role_names": {role.key: role.name for role in granting.known_roles()},
        "form": form,
    }
    if invited is not None:
        link = own_address(request, reverse("join", args=[invited.token]))
        organisation = request.tenant.name  # type: ignore[attr-defined]  # set by the tenant middleware
        context |= {
            "invited": invited.invitation,
            "link": link,
            "is_mailed": letters.mail_invitation(invited.invitation, organisation=organisation, link=link),
        }
    response = render(request, "frontend/invitations.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
