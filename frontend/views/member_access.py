"""How one member comes in, for admins: sessions, factors, a new password, ending and giving access."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from core.permissions import Permission, principal_of, requires, step_up
from frontend.paging import numbered
from tenants import granting, queries, responsibility, services
from tenants.addresses import own_address
from tenants.models import Membership
from tenants.people import factors, letters, passwords, sessions
from tenants.sso import queries as sso


@requires(GET=Permission.MEMBERS_WRITE)
def member_page(request: HttpRequest, member_id: UUID) -> HttpResponse:
    return _page(request, queries.member(member_id))


@step_up("POST")
@requires(POST=Permission.MEMBERS_WRITE)
def member_password_link(request: HttpRequest, member_id: UUID) -> HttpResponse:
    """The answer itself shows the link: once, since only a digest is stored."""
    member = queries.member(member_id)
    token = passwords.make_link(actor=principal_of(request), membership=member)
    link = own_address(request, reverse("password-new", args=[token]))
    organisation = request.tenant.name  # type: ignore[attr-defined]  # set by the tenant middleware
    is_mailed = letters.mail_given_password_link(member, organisation=organisation, link=link)
    return _page(request, member, {"link": link, "is_mailed": is_mailed})


@step_up("POST")
@requires(POST=Permission.MEMBERS_WRITE)
def member_factors_reset(request: HttpRequest, member_id: UUID) -> HttpResponse:
    member = queries.member(member_id)
    factors.reset_factors(actor=principal_of(request), membership=member)
    messages.success(request, f"{member.user.email} has no second factor now, and no session.")
    return redirect("member", member_id)


@requires(POST=Permission.MEMBERS_WRITE)
def member_sessions_end(request: HttpRequest, member_id: UUID) -> HttpResponse:
    member = queries.member(member_id)
    sessions.end_sessions_of(actor=principal_of(request), membership=member)
    messages.success(request, f"All sessions of {member.user.email} have ended.")
    return redirect("member", member_id)


@step_up("POST")
@requires(POST=Permission.MEMBERS_WRITE)
def member_deactivate(request: HttpRequest, member_id: UUID) -> HttpResponse:
    member = queries.member(member_id)
    services.end_access(member, actor=principal_of(request), reason="admin")
    messages.success(
        request, f"{member.user.email} can no longer sign in. Their sessions and keys have ended."
    )
    return redirect("member", member_id)


@step_up("POST")
@requires(POST=Permission.MEMBERS_WRITE)
def member_activate(request: HttpRequest, member_id: UUID) -> HttpResponse:
    member = queries.member(member_id)
    services.give_access(member, actor=principal_of(request), reason="admin")
    messages.success(request, f"{member.user.email} can sign in again.")
    return redirect("member", member_id)


def _page(request: HttpRequest, member: Membership, more: dict[str, object] | None = None) -> HttpResponse:
    context = {
        "member": member,
        "may_touch": member.role in {role.key for role in granting.roles_to_give(principal_of(request))},
        "held": responsibility.held_by(member),
        "factors": factors.factors_of(member.user_id),
        "page": numbered(request, sessions.sessions_of(member.user_id)),
        "refuses_password": sso.refuses_password(member),
        "hours": int(passwords.LIFETIME.total_seconds() // 3600),
        **(more or {}),
    }
    response = render(request, "frontend/member.html", context)
    response["Cache-Control"] = "no-store"
    return response
