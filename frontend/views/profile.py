"""One's own page: appearance and shortcuts, kept in cookies of this browser, and what one's role may do."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.permissions import CATALOGUE, Permission, principal_of, requires
from frontend.forms import Appearance

_YEAR_SECONDS = 365 * 24 * 3600


@requires(GET=Permission.MEMBER, POST=Permission.MEMBER)
def profile(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        form = Appearance(request.POST)
        if form.is_valid():
            messages.success(request, "Saved for this browser.")
            return _remembered(redirect("profile"), form.cleaned_data)
    else:
        form = Appearance(
            initial={
                "theme": request.COOKIES.get("theme", ""),
                "density": request.COOKIES.get("density", ""),
                "shortcuts": request.COOKIES.get("shortcuts") != "off",
            }
        )
    principal = principal_of(request)
    rights = [one.description for one in CATALOGUE if principal.can(one)]
    return render(request, "frontend/profile.html", {"form": form, "rights": rights})


def _remembered(response: HttpResponse, choices: dict[str, object]) -> HttpResponse:
    """Choices as cookies that the page's script may read, too; an empty choice forgets the cookie."""
    values = {**choices, "shortcuts": "" if choices["shortcuts"] else "off"}
    for name, value in values.items():
        if value:
            response.set_cookie(
                name, str(value), max_age=_YEAR_SECONDS, samesite="Lax", secure=settings.HTTPS
            )
        else:
            response.delete_cookie(name, samesite="Lax")
    return response
