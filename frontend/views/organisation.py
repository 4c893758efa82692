"""The organisation itself: its name and hosts, the export of everything, and its end."""

import json
from collections.abc import Iterator
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from compliance.deletion import pending_certificate
from core.errors import DomainError, NotFound
from core.permissions import Permission, principal_of, requires, step_up
from core.storage import store
from core.tenancy import own_key
from frontend.forms import OrganisationName, Typed
from generation.queries.runs import bytes_of_released_files
from generation.streaming import streamed
from tenants import queries
from tenants.lifecycle import services
from tenants.lifecycle.models import Export
from tenants.models import Domain

_CHUNK_BYTES = 2 << 20


@requires(GET=Permission.ORGANISATION_READ)
def organisation(request: HttpRequest) -> HttpResponse:
    return _page(request)


@requires(POST=Permission.ORGANISATION_WRITE)
def organisation_rename(request: HttpRequest) -> HttpResponse:
    form = OrganisationName(request.POST)
    if form.is_valid():
        try:
            services.rename(principal=principal_of(request), name=form.cleaned_data["name"])
        except DomainError as error:
            form.add_error("name", str(error))
    if form.errors:
        return _page(request, name_form=form, status=422)
    messages.success(request, "Saved.")
    return redirect("organisation")


@step_up("POST")
@requires(POST=Permission.ORGANISATION_EXPORT)
def organisation_export(request: HttpRequest) -> HttpResponse:
    """Have everything packed."""
    try:
        services.order_export(
            principal=principal_of(request), with_files=request.POST.get("with_files") == "on"
        )
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request,
            "The export is being packed. Reload this page in a minute; files of large runs take longer.",
        )
    return redirect("organisation")


@step_up("GET")
@requires(GET=Permission.ORGANISATION_EXPORT)
def export_download(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """The ZIP, until it expires."""
    export = services.export_to_download(principal=principal_of(request), export_id=export_id)
    name = f"{queries.organisation().schema_name}-export-{export.created_at:%Y-%m-%d}.zip"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(export.size_bytes),
        "Cache-Control": "no-store",
    }
    pieces = _pieces(own_key(export.key), export.size_bytes or 0)
    return streamed(request, pieces, content_type="application/zip", headers=headers)


@step_up("POST")
@requires(POST=Permission.ORGANISATION_DELETE)
def organisation_delete(request: HttpRequest) -> HttpResponse:
    """Close the organisation and order its deletion; its name has to be typed."""
    form = Typed(request.POST, word=queries.organisation().name)
    if not form.is_valid():
        return _page(request, delete_form=form, status=422)
    try:
        services.order_deletion(principal=principal_of(request))
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("organisation")


@step_up("POST")
@requires(POST=Permission.ORGANISATION_DELETE)
def organisation_restore(request: HttpRequest) -> HttpResponse:
    try:
        services.restore(principal=principal_of(request))
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "The organisation is back. Runs that were stopped can be resumed.")
    return redirect("organisation")


@requires(GET=Permission.ORGANISATION_DELETE)
def organisation_certificate(request: HttpRequest) -> HttpResponse:
    """What is ordered to be deleted, signed. Raises NotFound while nothing is."""
    tenant = queries.organisation()
    if tenant.delete_after is None:
        raise NotFound
    text = json.dumps(pending_certificate(tenant, services.counts()), indent=1)
    headers = {"Content-Disposition": f'attachment; filename="{tenant.schema_name}-deletion-pending.json"'}
    return HttpResponse(text, content_type="application/vnd.dsse+json", headers=headers)


def _pieces(key: str, size: int) -> Iterator[bytes]:
    for start in range(0, size, _CHUNK_BYTES):
        yield store().read_range(key, start, min(start + _CHUNK_BYTES, size))


def _page(
    request: HttpRequest,
    *,
    name_form: OrganisationName | None = None,
    delete_form: Typed | None = None,
    status: int = 200,
) -> HttpResponse:
    tenant = queries.organisation()
    context = {
        "tenant": tenant,
        "members": queries.members().filter(is_active=True).count(),
        "hosts": Domain.objects.order_by("domain"),
        "exports": Export.objects.filter(expires_at__gt=timezone.now()).order_by("-created_at", "-id")[:20],
        "is_late": tenant.delete_after is not None and tenant.delete_after <= timezone.now(),
        "is_packing": services.is_packing(),
        "name_form": name_form or OrganisationName(initial={"name": tenant.name}),
        "delete_form": delete_form or Typed(word=tenant.name),
        "grace_days": services.GRACE.days,
        "export_days": services.EXPORT_LIFE.days,
        "files_bytes": bytes_of_released_files(),
    }
    return render(request, "frontend/organisation.html", context, status=status)
