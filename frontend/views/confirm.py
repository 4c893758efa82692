"""Step-up: prove again that it is you, then go back to what asked for it."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.errors import Forbidden, InvalidInput
from core.permissions import Permission, requires
from frontend.forms import Code, Password, SecurityKey
from tenants import confirming
from tenants.addresses import local_path
from tenants.people import factors, proof
from tenants.people.person import me

# the hidden field `with` says which form was sent
_FORMS: dict[str, type[forms.Form]] = {"password": Password, "code": Code, "credential": SecurityKey}


@requires(GET=Permission.MEMBER, POST=Permission.MEMBER)
def confirm(request: HttpRequest) -> HttpResponse:
    """A member without a password or factor here signs in again instead: their identity provider knows them."""
    user, status, refusal = me(request), 200, ""
    shown = {name: form_class() for name, form_class in _FORMS.items()}
    way = request.POST.get("with", "password")
    if request.method == "POST" and way in _FORMS:
        form = shown[way] = _FORMS[way](request.POST)
        status = 422
        if form.is_valid():
            try:
                confirming.confirm(request, user, way, form.cleaned_data[way])
                return redirect(target_of(request))
            except InvalidInput as error:
                form.add_error(way, str(error))
            except Forbidden as error:
                refusal, status = str(error), error.http_status
    mine, ways = factors.factors_of(user.pk), confirming.ways(request, user)
    context = {
        "forms": shown,
        "next": target_of(request),
        "minutes": proof.FRESH_SECONDS // 60,
        "refusal": refusal,
        "insists_on_sso": confirming.insists_on_sso(user),
        "has_password": "password" in ways and user.has_usable_password(),
        "takes_codes": "code" in ways and (mine.has_app or mine.codes_left),
        "options": factors.confirmation_options(user) if "credential" in ways and mine.has_key else None,
    }
    return render(request, "frontend/confirm.html", context, status=status)


def target_of(request: HttpRequest) -> str:
    """Where to go on, on this host only."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    return local_path(wanted)
