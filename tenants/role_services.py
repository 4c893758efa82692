"""Changes to the organisation's own roles. Each leaves one audit event in its transaction."""

import re
import secrets
from collections.abc import Callable, Iterable

from django.db import transaction
from django.utils.text import slugify

from core import audit, lookalikes, texts
from core.errors import Conflict, Forbidden, InvalidInput
from core.permissions import Permission, Principal
from core.tenancy import shared_context
from core.versions import any_version
from tenants import queries, scopes, standing
from tenants.models import CustomRole
from tenants.people.models import Invitation
from tenants.roles import Role, granted_by
from tenants.scim.models import Group
from tenants.sso import queries as sso_queries

_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_KEY = 40
_NAMED = 5  # users of a role that a refusal names


class RoleInUse(Conflict):
    """A role that somebody has, or that is promised to somebody, cannot be deleted."""

    code = "role_in_use"
    title = "Role in use"


def create_role(
    *, principal: Principal, name: str, permissions: Iterable[str], key: str | None = None
) -> CustomRole:
    """Make a role of this organisation. Without a key it gets one from its name; the key never changes.

    Raises: InvalidInput; Forbidden for a permission that the principal lacks; Conflict for a name or key in use.
    """
    name, listed = _name(name), _permissions(permissions)
    scopes.refuse_more(frozenset(map(Permission, listed)), principal.permissions, "A role")
    key = _key(name) if key is None else _checked_key(key)
    with transaction.atomic():
        tenant = queries.organisation()
        standing.begin_change(tenant.pk, principal)
        _refuse_taken(name, key=key)
        with shared_context():
            role = CustomRole.objects.create(tenant=tenant, key=key, name=name, permissions=listed)
        audit.record(
            actor=principal.actor,
            action="tenants.role.create",
            target=role,
            key=key,
            name=name,
            permissions=listed,
        )
    return role


def change_role(
    *,
    principal: Principal,
    role: CustomRole,
    name: str | None = None,
    permissions: Iterable[str] | None = None,
    check: Callable[[CustomRole], None] = any_version,
) -> CustomRole:
    """Give a role another name or other permissions; it counts from everybody's next request.

    What is not given stays as it is when the change is made. Raises: InvalidInput, Conflict; Forbidden when the
    role, before or after, holds more than the principal; what `check` raises for the version it finds.
    """
    wanted_name = None if name is None else _name(name)
    wanted = None if permissions is None else _permissions(permissions)
    with transaction.atomic():
        before = _held(principal, role, check)
        name = before.name if wanted_name is None else wanted_name
        listed = before.permissions if wanted is None else wanted
        _refuse_beyond(principal, before)
        scopes.refuse_more(frozenset(map(Permission, listed)), principal.permissions, "A role")
        if (before.name, before.permissions) == (name, listed):
            return before
        _refuse_taken(name, other_than=before)
        with shared_context():
            CustomRole.objects.filter(pk=before.pk).update(name=name, permissions=listed)
        audit.record(
            actor=principal.actor,
            action="tenants.role.change",
            target=before,
            key=before.key,
            name=name,
            before_name=before.name,
            added=[one for one in listed if one not in before.permissions],
            removed=[one for one in before.permissions if one not in listed],
        )
    return queries.custom_role(role.pk)


def delete_role(
    *, principal: Principal, role: CustomRole, check: Callable[[CustomRole], None] = any_version
) -> None:
    """Delete a role that nobody has.

    Raises: RoleInUse, which says who; Forbidden for more than the principal has; what `check` raises.
    """
    with transaction.atomic():
        before = _held(principal, role, check)
        _refuse_beyond(principal, before)
        if users := users_of(before.key):
            more = f" and {len(users) - _NAMED} more" if len(users) > _NAMED else ""
            names = ", ".join(users[:_NAMED])
            raise RoleInUse(f"“{before.name}” is in use by {names}{more}. Give them another role first.")
        target = audit.label(before)
        with shared_context():
            CustomRole.objects.filter(pk=before.pk).delete()
        audit.record(
            actor=principal.actor,
            action="tenants.role.delete",
            target=target,
            key=before.key,
            name=before.name,
            permissions=before.permissions,
        )


def users_of(key: str) -> list[str]:
    """Who has a role, was promised it, gives it to whoever comes in, or vouches with it, as people read it.

    A provider lets nobody in with more than the roles of whoever saved it: another role of that key could let in more.
    """
    people = queries.members().filter(role=key).order_by("user__email").values_list("user__email", flat=True)
    invited = Invitation.objects.filter(role=key, accepted_at=None, revoked_at=None).order_by("email")
    groups = Group.objects.filter(role=key).order_by("display_name")
    connection = sso_queries.connection()
    mapped = [connection.default_role, *(row["role"] for row in connection.group_roles)] if connection else []
    vouched = (
        [part for part, setter in sso_queries.setters(connection) if setter == key] if connection else []
    )
    return [
        *people,
        *(f"the invitation of {one.email}" for one in invited),
        *(f"the directory's group {one.display_name}" for one in groups),
        *(["the roles of single sign-on"] if key in mapped else []),
        *(f"{part} of single sign-on (until somebody with another role saves that)" for part in vouched),
    ]


def _held(principal: Principal, role: CustomRole, check: Callable[[CustomRole], None]) -> CustomRole:
    """The role as it is now, and no role and no member changes until the transaction ends. Raises NotFound."""
    standing.begin_change(role.tenant_id, principal)
    before = queries.custom_role(role.pk)
    check(before)
    return before


def _refuse_beyond(principal: Principal, role: CustomRole) -> None:
    held = granted_by(role.key, frozenset(role.permissions))
    if excess := sorted(held - principal.permissions):
        raise Forbidden(f"This role holds more than you may yourself: {', '.join(excess[:10])}.")


def _name(text: str) -> str:
    name = texts.visible_name(" ".join(text.split()), "A role's name")
    if not 0 < len(name) <= 60:
        raise InvalidInput(
            "A role has a name of 1 to 60 characters.", errors=_at("name", "1 to 60 characters")
        )
    return name


def _permissions(names: Iterable[str]) -> list[str]:
    listed = scopes.checked(names)
    if not listed:
        raise InvalidInput(
            "A role needs at least one permission.", errors=_at("permissions", "at least one permission")
        )
    return listed


def _key(name: str) -> str:
    made = slugify(name)[:_LONGEST_KEY].strip("-_").replace("_", "-")
    return made if _KEY.fullmatch(made) else f"role-{secrets.token_hex(4)}"


def _checked_key(key: str) -> str:
    if not _KEY.fullmatch(key) or len(key) > _LONGEST_KEY:
        text = "a-z, 0-9 and single hyphens, at most 40 characters"
        raise InvalidInput(f"{key!r} cannot be a role's key: {text}.", errors=_at("key", text))
    return key


def _refuse_taken(name: str, *, key: str | None = None, other_than: CustomRole | None = None) -> None:
    """Raises Conflict for a name that people could take for another role's, and for a key of another role's."""
    roles = queries.custom_roles()
    others = roles.exclude(pk=other_than.pk) if other_than else roles
    if taken := lookalikes.alike(name, [*map(str, Role.labels), *(one.name for one in others)]):
        same = name == taken
        raise Conflict(
            f"There is a role “{taken}” already."
            if same
            else f"“{name}” looks like the role “{taken}”, which is another one.",
            errors=_at("name", "there is such a role already" if same else f"looks like “{taken}”"),
        )
    if key is None:
        return
    if roles.filter(key=key).exists():
        raise Conflict(f"There is a role {key!r} already.", errors=_at("key", "there is such a role already"))
    if taken := lookalikes.alike(key, Role.values):
        raise Conflict(
            f"{key!r} looks like the role {taken!r}, which is built in.",
            errors=_at("key", f"looks like {taken!r}"),
        )


def _at(field: str, detail: str) -> list[dict[str, str]]:
    return [{"pointer": f"/{field}", "code": "invalid", "detail": detail}]
