"""The people of an organisation and their roles."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.errors import DomainError
from core.permissions import Permission, principal_of, requires
from frontend.forms import MemberRole, NewMember
from tenants import queries, services
from tenants.roles import Role


@requires(GET=Permission.MEMBERS_READ)
def member_list(request: HttpRequest) -> HttpResponse:
    return _page(request, NewMember())


@requires(POST=Permission.MEMBERS_WRITE)
def member_add(request: HttpRequest) -> HttpResponse:
    """Add a person. The answer itself shows the password to hand over: once, and stored nowhere."""
    form = NewMember(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        added = services.add_member(actor=principal_of(request), **form.cleaned_data)
    except DomainError as error:
        form.add_error("email", str(error))
        return _page(request, form, status=error.http_status)
    return _page(request, NewMember(), added=added)


@requires(POST=Permission.MEMBERS_WRITE)
def member_role(request: HttpRequest, member_id: UUID) -> HttpResponse:
    membership = queries.member(member_id)
    form = MemberRole(request.POST)
    if not form.is_valid():
        return _page(request, NewMember(), status=422)
    role = form.cleaned_data["role"]
    services.change_role(actor=principal_of(request), membership=membership, role=role)
    messages.success(
        request, f"The role of {membership.user.email} is now {queries.member(member_id).role_name.lower()}."
    )
    return redirect("members")


@requires(POST=Permission.MEMBERS_WRITE)
def member_remove(request: HttpRequest, member_id: UUID) -> HttpResponse:
    membership = queries.member(member_id)
    email = membership.user.email
    services.remove_member(actor=principal_of(request), membership=membership)
    messages.success(request, f"{email} is no longer a member. Their sessions and keys have ended.")
    return redirect("members")


def _page(
    request: HttpRequest, form: NewMember, *, added: services.AddedMember | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "members": queries.members().order_by("user__email"),
        "form": form,
        "added": added,
        "roles": Role.choices,
    }
    response = render(request, "frontend/members.html", context, status=status)
    if added is not None:
        response["Cache-Control"] = "no-store"
    return response
