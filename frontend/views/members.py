"""The people of an organisation and their roles."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.permissions import Permission, principal_of, requires, step_up
from frontend.forms import MemberRole
from tenants import queries, services
from tenants.people.invitations import open_invitations
from tenants.roles import Role


@requires(GET=Permission.MEMBERS_READ)
def member_list(request: HttpRequest) -> HttpResponse:
    return _page(request)


@step_up("POST")
@requires(POST=Permission.MEMBERS_WRITE)
def member_role(request: HttpRequest, member_id: UUID) -> HttpResponse:
    membership = queries.member(member_id)
    form = MemberRole(request.POST)
    if not form.is_valid():
        return _page(request, status=422)
    role = form.cleaned_data["role"]
    services.change_role(actor=principal_of(request), membership=membership, role=role)
    messages.success(
        request, f"The role of {membership.user.email} is now {queries.member(member_id).role_name.lower()}."
    )
    return redirect("members")


@step_up("POST")
@requires(POST=Permission.MEMBERS_WRITE)
def member_remove(request: HttpRequest, member_id: UUID) -> HttpResponse:
    membership = queries.member(member_id)
    email = membership.user.email
    services.remove_member(actor=principal_of(request), membership=membership)
    messages.success(request, f"{email} is no longer a member. Their sessions and keys have ended.")
    return redirect("members")


def _page(request: HttpRequest, *, status: int = 200) -> HttpResponse:
    context = {
        "members": queries.members().order_by("user__email"),
        "waiting": open_invitations().count() if principal_of(request).can(Permission.MEMBERS_WRITE) else 0,
        "roles": Role.choices,
    }
    return render(request, "frontend/members.html", context, status=status)
