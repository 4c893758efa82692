"""What the organisation decides about signing in and inviting."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.errors import InvalidInput, PreconditionFailed
from core.permissions import Permission, principal_of, requires, step_up
from core.versions import etag, shown_version
from frontend import form_versions
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
            seen = shown_version(form_versions.seen_in(request), etag)
            try:
                policy.change_security(principal=principal_of(request), changes=form.cleaned_data, check=seen)
                messages.success(request, "Saved. It counts from the next request of everybody.")
                return redirect("security-settings")
            except InvalidInput as error:
                for one in error.errors:
                    form.add_error(str(one["pointer"]).strip("/"), str(one["detail"]).capitalize() + ".")
            except PreconditionFailed as error:
                form.add_error(None, str(error))
                present, status = policy.security_settings(), error.http_status
    version = form_versions.to_show(request, status, etag(present))
    context = {"form": form, "version": version}
    return render(request, "frontend/security_settings.html", context, status=status)
