"""Stored secrets: made, replaced, deleted. No page shows a value, also not the one that was just sent."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.errors import DomainError
from core.permissions import Permission, principal_of, requires, step_up
from core.versions import shown_version
from frontend import form_versions
from frontend.context import back_to
from frontend.forms import place_of
from frontend.paging import numbered
from frontend.secret_forms import ChangedSecret, NewSecret
from tenants.vault import queries, services
from tenants.vault.models import NamedSecret
from tenants.vault.references import FIELDS


@requires(GET=Permission.SECRETS_READ)
def secret_list(request: HttpRequest) -> HttpResponse:
    page = numbered(request, queries.named_secrets())
    uses = queries.uses(page.rows)
    context = {"page": page, "secrets": [(one, uses[one.pk]) for one in page.rows], "fields": FIELDS}
    return render(request, "frontend/secrets.html", context)


@step_up("GET", "POST")  # before the form, too: what was typed would be lost on the way to the proof
@requires(GET=Permission.SECRETS_WRITE, POST=Permission.SECRETS_WRITE)
def secret_new(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _form_page(request, NewSecret())
    form = NewSecret(request.POST)
    if not form.is_valid():
        return _form_page(request, form, status=422)
    try:
        secret = services.make_secret(principal=principal_of(request), **form.cleaned_data)
    except DomainError as error:
        form.add_error(place_of(form, error), str(error))
        return _form_page(request, form, status=error.http_status)
    messages.success(request, f"“{secret.name}” is stored. Write {secret.reference} where it is to be used.")
    return back_to(request, "secrets")


@step_up("GET", "POST")
@requires(GET=Permission.SECRETS_WRITE, POST=Permission.SECRETS_WRITE)
def secret_edit(request: HttpRequest, secret_id: UUID) -> HttpResponse:
    secret = queries.named_secret(secret_id)
    if request.method != "POST":
        return _form_page(request, ChangedSecret(initial={"description": secret.description}), secret)
    form, seen = (
        ChangedSecret(request.POST),
        shown_version(form_versions.seen_in(request), queries.version_of),
    )
    if not form.is_valid():
        return _form_page(request, form, secret, status=422)
    try:
        changed = services.change_secret(
            principal=principal_of(request), secret=secret, check=seen, **form.changes()
        )
    except DomainError as error:
        form.add_error(place_of(form, error), str(error))
        return _form_page(request, form, secret, status=error.http_status)
    messages.success(request, _told(secret, changed))
    return back_to(request, "secrets")


@step_up("POST")
@requires(POST=Permission.SECRETS_WRITE)
def secret_delete(request: HttpRequest, secret_id: UUID) -> HttpResponse:
    secret = queries.named_secret(secret_id)
    services.delete_secret(principal=principal_of(request), secret=secret)
    messages.success(request, f"“{secret.name}” is deleted.")
    return back_to(request, "secrets")


def _told(before: NamedSecret, changed: NamedSecret) -> str:
    if changed.version != before.version:
        return f"“{changed.name}” is replaced. Version {changed.version} counts from the next use on."
    if changed.description != before.description:
        return f"The description of “{changed.name}” is changed. Its value is the same."
    return f"Nothing of “{changed.name}” was changed."


def _form_page(
    request: HttpRequest, form: ChangedSecret, secret: NamedSecret | None = None, *, status: int = 200
) -> HttpResponse:
    context: dict[str, object] = {"form": form, "secret": secret, "uses": []}
    if secret is not None:
        shown = form_versions.to_show(request, status, queries.version_of(secret))
        context |= {"uses": queries.uses([secret])[secret.pk], "version": shown}
    return render(request, "frontend/secret_edit.html", context, status=status)
