"""Leaving the organisation; from the last one, this deletes the account, and the page cannot say which it is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.errors import DomainError
from core.permissions import Permission, principal_of, requires, step_up
from frontend.forms import Typed
from tenants import services
from tenants.people.person import me, membership_of


@step_up("POST")
@requires(GET=Permission.MEMBER, POST=Permission.MEMBER)
def leave(request: HttpRequest) -> HttpResponse:
    user, status = me(request), 200
    word = request.tenant.name  # type: ignore[attr-defined]  # see the tenant middleware
    form = Typed(word=word)
    if request.method == "POST":
        form, status = Typed(request.POST, word=word), 422
        if form.is_valid():
            try:
                services.leave(principal=principal_of(request), membership=membership_of(user))
                request.session.flush()
                return redirect("account_login")
            except DomainError as error:
                form.add_error(None, str(error))
                status = error.http_status
    context = {"form": form, "is_last_owner": services.is_last_owner(membership_of(user))}
    return render(request, "frontend/leave.html", context, status=status)
