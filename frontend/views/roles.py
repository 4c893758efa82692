"""What each role may do, and the organisation's own roles."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.errors import DomainError
from core.permissions import CATALOGUE, Permission, principal_of, requires, step_up
from core.versions import shown_version
from frontend import form_versions
from frontend.context import back_to
from frontend.paging import numbered
from frontend.role_forms import RoleForm, note_error, pages_missing
from tenants import granting, queries, role_services
from tenants.models import CustomRole


@requires(GET=Permission.ROLES_READ)
def role_list(request: HttpRequest) -> HttpResponse:
    """The organisation's own roles with who has them, and the table of all roles and permissions."""
    page = numbered(request, queries.custom_roles().order_by("name"))
    principal = principal_of(request)
    mine = {role.key for role in granting.roles_to_give(principal)}
    roles = [role for role in granting.known_roles() if role.own is None]
    context = {
        "page": page,
        "own": [(role, role_services.users_of(role.key), role.key in mine) for role in page.rows],
        "roles": roles,
        "table": [(one, [one in role.gives for role in roles]) for one in CATALOGUE],
    }
    return render(request, "frontend/roles.html", context)


@step_up("POST")
@requires(GET=Permission.ROLES_WRITE, POST=Permission.ROLES_WRITE)
def role_new(request: HttpRequest) -> HttpResponse:
    principal = principal_of(request)
    if request.method != "POST":
        return _form_page(request, RoleForm(principal=principal))
    form = RoleForm(request.POST, principal=principal)
    if not form.is_valid():
        return _form_page(request, form, status=422)
    try:
        role = role_services.create_role(principal=principal, **form.cleaned_data)
    except DomainError as error:
        note_error(form, error)
        return _form_page(request, form, status=error.http_status)
    told = f"The role “{role.name}” is there. You can give it on the page of members."
    messages.success(request, told + pages_missing(role.permissions))
    return back_to(request, "roles")


@step_up("POST")
@requires(GET=Permission.ROLES_WRITE, POST=Permission.ROLES_WRITE)
def role_edit(request: HttpRequest, role_id: UUID) -> HttpResponse:
    principal, role = principal_of(request), queries.custom_role(role_id)
    granting.refuse_more(principal, role.key)
    if request.method != "POST":
        now = {"name": role.name, "permissions": role.permissions}
        return _form_page(request, RoleForm(principal=principal, initial=now), role)
    form = RoleForm(request.POST, principal=principal)
    if not form.is_valid():
        return _form_page(request, form, role, status=422)
    try:
        seen = shown_version(form_versions.seen_in(request), queries.role_version)
        changed = role_services.change_role(principal=principal, role=role, check=seen, **form.cleaned_data)
    except DomainError as error:
        note_error(form, error)
        return _form_page(request, form, queries.custom_role(role_id), status=error.http_status)
    told = f"The role “{changed.name}” is changed. It counts from everybody’s next request."
    messages.success(request, told + pages_missing(changed.permissions))
    return back_to(request, "roles")


@step_up("POST")
@requires(POST=Permission.ROLES_WRITE)
def role_delete(request: HttpRequest, role_id: UUID) -> HttpResponse:
    role = queries.custom_role(role_id)
    role_services.delete_role(principal=principal_of(request), role=role)
    messages.success(request, f"The role “{role.name}” is deleted.")
    return back_to(request, "roles")


def _form_page(
    request: HttpRequest, form: RoleForm, role: CustomRole | None = None, *, status: int = 200
) -> HttpResponse:
    context: dict[str, object] = {"form": form, "role": role}
    if role is not None:
        context["version"] = form_versions.to_show(request, status, queries.role_version(role))
    return render(request, "frontend/role_edit.html", context, status=status)
