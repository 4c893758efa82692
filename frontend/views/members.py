"""The people of an organisation and their roles."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from core.errors import DomainError
from core.permissions import Permission, principal_of, requires, step_up
from frontend.context import back_to
from frontend.paging import numbered
from frontend.role_forms import RoleChoice, last_day, note_error
from tenants import granting, queries, responsibility, services
from tenants.models import Membership
from tenants.people.invitations import open_invitations


@requires(GET=Permission.MEMBERS_READ)
def member_list(request: HttpRequest) -> HttpResponse:
    principal = principal_of(request)
    page = numbered(request, queries.members().order_by("user__email"))
    roles = granting.known_roles()
    names = {role.key: role.name for role in roles}
    mine = {role.key for role in granting.roles_to_give(principal)}
    may = principal.can(Permission.MEMBERS_WRITE)
    context = {
        "page": page,
        "members": [(one, names.get(one.role, one.role), one.role in mine) for one in page.rows],
        "waiting": open_invitations().count() if may else 0,
        "held": responsibility.held_by_each(page.rows) if may else {},
        "roles": roles,
        "now": timezone.now(),
    }
    return render(request, "frontend/members.html", context)


@step_up("POST")
@requires(GET=Permission.MEMBERS_WRITE, POST=Permission.MEMBERS_WRITE)
def member_role(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """Another role for a member, or another last day for an auditor."""
    principal, membership = principal_of(request), queries.member(member_id)
    granting.refuse_more(principal, membership.role)
    if request.method != "POST":
        now = {"role": membership.role, "role_until": last_day(membership.role_until)}
        return _role_page(request, membership, RoleChoice(principal=principal, initial=now))
    form = RoleChoice(request.POST, principal=principal)
    if not form.is_valid():
        return _role_page(request, membership, form, status=422)
    try:
        changed = services.change_role(actor=principal, membership=membership, **form.cleaned_data)
    except DomainError as error:
        note_error(form, error)
        return _role_page(request, membership, form, status=error.http_status)
    messages.success(request, f"The role of {membership.user.email} is now {changed.role_name.lower()}.")
    return back_to(request, "members")


@step_up("POST")
@requires(POST=Permission.MEMBERS_WRITE)
def member_remove(request: HttpRequest, member_id: UUID) -> HttpResponse:
    membership = queries.member(member_id)
    email = membership.user.email
    services.remove_member(actor=principal_of(request), membership=membership)
    messages.success(request, f"{email} is no longer a member. Their sessions and keys have ended.")
    return back_to(request, "members")


def _role_page(
    request: HttpRequest, membership: Membership, form: RoleChoice, *, status: int = 200
) -> HttpResponse:
    context = {"member": membership, "form": form}
    return render(request, "frontend/member_role.html", context, status=status)
