"""Step-up: prove again that it is you, then go back to what asked for it."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from core.errors import InvalidInput
from core.permissions import Permission, requires
from frontend.forms import Confirmation
from tenants.models import User
from tenants.people import proof


@requires(GET=Permission.MEMBER, POST=Permission.MEMBER)
def confirm(request: HttpRequest) -> HttpResponse:
    """A member without a password here signs in again instead: their identity provider knows them."""
    user = cast(User, request.user)
    status, form = 200, Confirmation()
    if request.method == "POST":
        status, form = 422, Confirmation(request.POST)
        if form.is_valid():
            try:
                proof.confirm_with_password(request, user, form.cleaned_data["password"])
                return redirect(_target(request))
            except InvalidInput as error:
                form.add_error("password", str(error))
    context = {
        "form": form,
        "next": _target(request),
        "minutes": proof.FRESH_SECONDS // 60,
        "has_password": user.has_usable_password(),
    }
    return render(request, "frontend/confirm.html", context, status=status)


def _target(request: HttpRequest) -> str:
    """Where to go on, on this host only."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=settings.HTTPS)
    return wanted if is_ours and wanted.startswith("/") else "/"
