"""Step-up: prove again that it is you, then go back to what asked for it."""

from collections.abc import Callable

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme

from core.errors import InvalidInput
from core.permissions import Permission, requires
from frontend.forms import Code, Password, SecurityKey
from tenants.models import User
from tenants.people import factors, proof
from tenants.people.person import me

_Confirm = Callable[[HttpRequest, User, str], None]
# the hidden field `with` says which form was sent
_WAYS: dict[str, tuple[type[forms.Form], _Confirm]] = {
    "password": (Password, proof.confirm_with_password),
    "code": (Code, factors.confirm_with_code),
    "credential": (SecurityKey, factors.confirm_with_key),
}


@requires(GET=Permission.MEMBER, POST=Permission.MEMBER)
def confirm(request: HttpRequest) -> HttpResponse:
    """A member without a password or factor here signs in again instead: their identity provider knows them."""
    user, status = me(request), 200
    shown = {name: form_class() for name, (form_class, _) in _WAYS.items()}
    way = request.POST.get("with", "password")
    if request.method == "POST" and way in _WAYS:
        form_class, check = _WAYS[way]
        form = shown[way] = form_class(request.POST)
        status = 422
        if form.is_valid():
            try:
                check(request, user, form.cleaned_data[way])
                return redirect(target_of(request))
            except InvalidInput as error:
                form.add_error(way, str(error))
    mine = factors.factors_of(user.pk)
    context = {
        "forms": shown,
        "next": target_of(request),
        "minutes": proof.FRESH_SECONDS // 60,
        "has_password": user.has_usable_password(),
        "takes_codes": mine.has_app or mine.codes_left,
        "options": factors.confirmation_options(user) if mine.has_key else None,
    }
    return render(request, "frontend/confirm.html", context, status=status)


def target_of(request: HttpRequest) -> str:
    """Where to go on, on this host only."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    is_ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=settings.HTTPS)
    return wanted if is_ours and wanted.startswith("/") else "/"
