"""The browsers that are signed in as oneself."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.permissions import Permission, principal_of, requires, step_up
from frontend.paging import numbered
from tenants.people import sessions
from tenants.people.person import me


@requires(GET=Permission.MEMBER)
def session_list(request: HttpRequest) -> HttpResponse:
    page = numbered(request, sessions.sessions_of(me(request).pk))
    tenant = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
    context = {"page": page, "current": request.session.session_key, "limits": tenant}
    return render(request, "frontend/sessions.html", context)


@step_up("POST")
@requires(POST=Permission.MEMBER)
def session_end(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """End one; for this one, signing out says it better and does the same."""
    user = me(request)
    found = sessions.session_of(user.pk, session_id)
    sessions.end_session(actor=principal_of(request), user=user, session=found)
    if found.session_key == request.session.session_key:
        request.session.flush()
        return redirect("account_login")
    messages.success(request, f"Ended: {sessions.device_name(found.device)}.")
    return redirect("sessions")


@step_up("POST")
@requires(POST=Permission.MEMBER)
def sessions_end_others(request: HttpRequest) -> HttpResponse:
    ended = sessions.end_other_sessions(
        actor=principal_of(request), user=me(request), but=request.session.session_key
    )
    sessions_ended = f"{ended} other session{'' if ended == 1 else 's'}"
    messages.success(request, f"Ended: {sessions_ended}, and open links that you made in a session.")
    return redirect("sessions")
