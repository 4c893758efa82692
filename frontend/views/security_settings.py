"""What the organisation decides about signing in and inviting."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.errors import InvalidInput
from core.permissions import Permission, principal_of, requires, step_up
from frontend.forms import SecuritySettings
from tenants.people import policy


@step_up("POST")
@requires(GET=Permission.SECURITY_READ, POST=Permission.SECURITY_WRITE)
def security_settings(request: HttpRequest) -> HttpResponse:
    present = policy.security_settings()
    lines = "\n".join(present["invitation_domains"])
    form, status = SecuritySettings(initial={**present, "invitation_domains": lines}), 200
    if request.method == "POST":
        form, status = SecuritySettings(request.POST), 422
        if form.is_valid():
            try:
                policy.change_security(actor=principal_of(request).actor, changes=form.cleaned_data)
                messages.success(request, "Saved. It counts from the next request of everybody.")
                return redirect("security-settings")
            except InvalidInput as error:
                for one in error.errors:
                    form.add_error(str(one["pointer"]).strip("/"), str(one["detail"]).capitalize() + ".")
    return render(request, "frontend/security_settings.html", {"form": form}, status=status)
