"""Permissions: what a route declares and what a principal has.

They are compared in two places: `core.middleware.PermissionMiddleware` for pages, `core.api.DeclaredPermission`
for the API.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from django.core.exceptions import ImproperlyConfigured

View = TypeVar("View", bound=Callable[..., Any])


class Permission(StrEnum):
    """Everything a route can ask for. PUBLIC needs no one, MEMBER any member of the organisation."""

    PUBLIC = "public"
    MEMBER = "member"
    TEMPLATES_READ = "templates.read"
    CONFIGS_READ = "configs.read"
    CONFIGS_WRITE = "configs.write"
    RUNS_READ = "runs.read"
    RUNS_WRITE = "runs.write"
    REPORTS_READ = "reports.read"
    FILES_READ = "files.read"
    PREVIEW_READ = "preview.read"
    MEMBERS_READ = "members.read"
    MEMBERS_WRITE = "members.write"
    KEYS_READ = "keys.read"
    KEYS_WRITE = "keys.write"
    KEYS_MANAGE = "keys.manage"  # see and revoke the keys of others, too
    AUDIT_READ = "audit.read"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `actor` goes to the audit trail; `credential` scopes rate limits and idempotency keys."""

    actor: str
    credential: str
    permissions: frozenset[Permission]
    user_id: str | None = None
    role: str | None = None
    must_confirm: bool = False  # a session whose last proof of the person is too old for `step_up` routes

    @property
    def is_anonymous(self) -> bool:
        return self.user_id is None

    def can(self, permission: Permission | str) -> bool:
        """True when this principal may; PUBLIC is open to all. Unknown names raise ValueError."""
        wanted = Permission(permission)
        return wanted is Permission.PUBLIC or wanted in self.permissions


ANONYMOUS = Principal(actor="anonymous", credential="anonymous", permissions=frozenset())


def requires(**by_method: Permission) -> Callable[[View], View]:
    """Declare the permission of each HTTP method: `@requires(GET=Permission.RUNS_READ)`.

    For function pages, class views and API views. HEAD counts as GET. A method that is not declared is answered
    with 405, a view without a declaration with an error.
    """

    def declare(view: View) -> View:
        view.permissions = dict(by_method)  # type: ignore[attr-defined]
        return view

    return declare


def step_up(*methods: str) -> Callable[[View], View]:
    """Sensitive methods of a view, beside `@requires`: a session proves again that it is its person.

    API keys and tokens are not asked: `Principal.must_confirm` is about sessions.
    """

    def declare(view: View) -> View:
        view.step_up = frozenset(methods)  # type: ignore[attr-defined]
        return view

    return declare


def must_confirm(callback: Any, method: str | None, principal: Principal) -> bool:
    """True when the view behind a URL asks this principal for a fresh proof first."""
    holders = (callback, getattr(callback, "view_class", None), getattr(callback, "cls", None))
    asking = ("GET" if method == "HEAD" else method) in {
        one for holder in holders for one in getattr(holder, "step_up", ())
    }
    return principal.must_confirm and asking


def declared(callback: Any) -> Mapping[str, Permission] | None:
    """What the view behind a URL declares; None when it declares nothing."""
    for holder in (callback, getattr(callback, "view_class", None), getattr(callback, "cls", None)):
        permissions = getattr(holder, "permissions", None)
        if isinstance(permissions, Mapping):
            return permissions
    return None


def required(callback: Any, method: str | None) -> Permission | None:
    """The permission that `method` needs; None when the view does not know the method.

    Raises ImproperlyConfigured for a view that declares nothing: nobody may pass by default.
    """
    permissions = declared(callback)
    if permissions is None:
        raise ImproperlyConfigured(f"{callback!r} declares no permission; use @requires(...)")
    return permissions.get("GET" if method == "HEAD" else method or "")


def principal_of(request: Any) -> Principal:
    """The principal of a Django or API request, as the tenant middleware found it; anonymous before it ran."""
    found = getattr(getattr(request, "_request", request), "principal", None)
    return found if isinstance(found, Principal) else ANONYMOUS
