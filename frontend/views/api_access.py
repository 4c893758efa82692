"""Which web pages of other origins may call the API of this organisation."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.errors import InvalidInput
from core.permissions import Permission, principal_of, requires, step_up
from frontend.forms import AllowedOrigins
from tenants import cors, queries


@step_up("POST")
@requires(GET=Permission.ORGANISATION_READ, POST=Permission.ORGANISATION_WRITE)
def api_access(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        form = AllowedOrigins(initial={"origins": "\n".join(queries.organisation().allowed_origins)})
        return render(request, "frontend/api_access.html", {"form": form})
    form = AllowedOrigins(request.POST)
    if form.is_valid():
        try:
            cors.allow_origins(
                principal=principal_of(request), origins=form.cleaned_data["origins"].splitlines()
            )
        except InvalidInput as error:
            form.add_error("origins", str(error))
        else:
            messages.success(request, "Saved. Browsers may keep the old answer for ten minutes.")
            return redirect("api-access")
    return render(request, "frontend/api_access.html", {"form": form}, status=422)
