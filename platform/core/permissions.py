"""Permissions: what a route declares and what a principal has.

They are compared in two places: `core.middleware.PermissionMiddleware` for pages, `core.api.DeclaredPermission`
for the API.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar, cast

from django.core.exceptions import ImproperlyConfigured

View = TypeVar("View", bound=Callable[..., Any])


class Permission(StrEnum):
    """Everything a route can ask for, each with what it lets a member do; the one catalogue of permissions.

    PUBLIC needs no one, MEMBER any member of the organisation; nobody gives these two or takes them away.
    """

    description: str

    def __new__(cls, value: str, description: str = "") -> "Permission":
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member

    PUBLIC = "public", "Nothing is asked: open to everybody."
    MEMBER = "member", "Be a member: see and change one’s own account."
    TEMPLATES_READ = "templates.read", "See the templates that come with the platform."
    CONFIGS_READ = "configs.read", "See the datasets and every version of their config."
    CONFIGS_WRITE = "configs.write", "Make, change, archive and restore datasets."
    RUNS_READ = "runs.read", "See runs and follow them live."
    RUNS_WRITE = "runs.write", "Start, cancel, resume and repeat runs, and ask for exceptions of held ones."
    REPORTS_READ = "reports.read", "See the checks and the quality report of a run."
    FILES_READ = "files.read", "Download the files of released runs."
    EXCEPTIONS_DECIDE = (
        "exceptions.decide",
        "Grant, refuse and revoke exceptions of held runs that others asked for.",
    )
    PREVIEW_READ = "preview.read", "Look into the tables of a run in the browser."
    MEMBERS_READ = "members.read", "See who belongs to the organisation and with which role."
    MEMBERS_WRITE = "members.write", "Add people, change their roles, remove them."
    KEYS_READ = "keys.read", "See one’s own API keys."
    KEYS_WRITE = "keys.write", "Make, rotate and revoke one’s own API keys."
    KEYS_MANAGE = "keys.manage", "See the API keys of others, too; with keys.write, revoke them."
    AUDIT_READ = "audit.read", "Read the audit trail."
    ROLES_READ = "roles.read", "See what each role may do."
    ROLES_WRITE = "roles.write", "Make, change and delete the organisation’s own roles."
    SSO_READ = "sso.read", "See how single sign-on is set up."
    SSO_WRITE = "sso.write", "Set up single sign-on and verify domains."
    SECRETS_READ = "secrets.read", "See the names of stored secrets, their dates and where they are used."
    SECRETS_WRITE = (
        "secrets.write",
        "Make, replace and delete stored secrets, and name one in a field that takes it.",
    )
    PROVISIONING_READ = "provisioning.read", "See how a directory provisions people and groups."
    PROVISIONING_WRITE = "provisioning.write", "Set up provisioning and its tokens."
    SECURITY_READ = (
        "security.read",
        "See the organisation’s rules for passwords, second factors and sessions.",
    )
    SECURITY_WRITE = (
        "security.write",
        "Change the organisation’s rules for passwords, second factors and sessions.",
    )
    APPLICATIONS_READ = "applications.read", "See the applications that may ask for access."
    APPLICATIONS_WRITE = "applications.write", "Register, change and delete applications."
    ORGANISATION_READ = "organisation.read", "See the organisation’s settings."
    ORGANISATION_WRITE = "organisation.write", "Change the organisation’s settings."
    ORGANISATION_EXPORT = "organisation.export", "Export everything that the organisation has."
    ORGANISATION_DELETE = (
        "organisation.delete",
        "Delete the organisation, and take that back while it is possible.",
    )


# What comes with the state of being signed in, or needs nothing at all.
NOT_GIVEN = frozenset({Permission.PUBLIC, Permission.MEMBER})
CATALOGUE: tuple[Permission, ...] = tuple(one for one in Permission if one not in NOT_GIVEN)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `actor` goes to the audit trail; `credential` scopes rate limits and idempotency keys.

    An application that acts for itself has no user.
    """

    actor: str
    credential: str
    permissions: frozenset[Permission]
    user_id: str | None = None
    role: str | None = None
    must_enrol: bool = False  # permissions are held back until the person has proved a second factor
    shown: str = (
        ""  # what proved the credential, where it can end before that: a session's id, the id of a secret
    )
    must_confirm: bool = False  # a session whose last proof of the person is too old for `step_up` routes

    @property
    def is_anonymous(self) -> bool:
        return self.credential == "anonymous"

    @property
    def is_person(self) -> bool:
        """A session, not a key or a token."""
        return self.credential.startswith("user:")

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
        if isinstance(view, type):  # `Allow` names these; OPTIONS is the business of preflights alone
            answered = [*by_method, *(["HEAD"] if "GET" in by_method else [])]
            cast(Any, view).http_method_names = [method.lower() for method in answered]
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
