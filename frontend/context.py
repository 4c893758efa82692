"""What every page of a signed-in person shows around its content: navigation, organisations, appearance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from compliance.exception_queries import open_count
from core.permissions import Permission, Principal, principal_of
from core.tenancy import current_schema
from generation.queries.runs import state_counts
from tenants.addresses import origin_of
from tenants.founding.services import is_open
from tenants.lifecycle.gate import is_open as is_open_in_grace
from tenants.people import switcher
from tenants.queries import organisations_of
from tenants.sso.models import Connection

THEMES = ("light", "dark")
DENSITIES = ("compact", "comfortable")


@dataclass(frozen=True, slots=True)
class NavItem:
    """`key` is the letter after G; `section` is the first part of the paths that belong to the item."""

    label: str
    icon: str
    route: str
    key: str
    permission: Permission
    section: str
    href: str = ""
    note: str = ""
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class NavGroup:
    title: str
    items: tuple[NavItem, ...]


@dataclass(frozen=True, slots=True)
class Organisation:
    name: str
    host: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    email: str
    role: str


NAVIGATION = (
    NavGroup(
        "",
        (
            NavItem("Overview", "layout-dashboard", "home", "o", Permission.RUNS_READ, "/"),
            NavItem("Runs", "play", "runs", "r", Permission.RUNS_READ, "/runs"),
            NavItem("Datasets", "database", "datasets", "d", Permission.CONFIGS_READ, "/datasets"),
            NavItem("Templates", "layers", "templates", "t", Permission.TEMPLATES_READ, "/templates"),
        ),
    ),
    NavGroup(
        "Governance",
        (
            NavItem(
                "Approvals", "circle-check", "approvals", "x", Permission.EXCEPTIONS_DECIDE, "/approvals"
            ),
            NavItem("Audit log", "scroll-text", "audit", "a", Permission.AUDIT_READ, "/audit"),
        ),
    ),
    NavGroup(
        "Workspace",
        (
            NavItem("API keys", "key-round", "keys", "k", Permission.KEYS_READ, "/settings/keys"),
            NavItem(
                "API access", "file-code", "api-access", "p", Permission.ORGANISATION_READ, "/settings/api"
            ),
            NavItem(
                "Applications",
                "package",
                "applications",
                "i",
                Permission.APPLICATIONS_READ,
                "/settings/applications",
            ),
            NavItem("Members", "users", "members", "m", Permission.MEMBERS_READ, "/settings/members"),
            NavItem(
                "Organisation",
                "building-2",
                "organisation",
                "n",
                Permission.ORGANISATION_READ,
                "/settings/organisation",
            ),
            NavItem(
                "Provisioning",
                "refresh-cw",
                "provisioning",
                "v",
                Permission.PROVISIONING_READ,
                "/settings/provisioning",
            ),
            NavItem("Roles", "table-2", "roles", "l", Permission.ROLES_READ, "/settings/roles"),
            NavItem("Secrets", "lock", "secrets", "e", Permission.SECRETS_READ, "/settings/secrets"),
            NavItem("Single sign-on", "shield-check", "sso", "s", Permission.SSO_READ, "/settings/sso"),
            NavItem(
                "Security",
                "fingerprint",
                "security-settings",
                "y",
                Permission.SECURITY_READ,
                "/settings/security",
            ),
        ),
    ),
)


PROFILE = NavItem("your profile", "user", "profile", "", Permission.MEMBER, "/me")


def shell(request: HttpRequest) -> dict[str, object]:
    """Context processor. Fragments draw no frame, so what costs a query is fetched only when a page asks."""
    is_fragment = request.headers.get("HX-Request") == "true"
    appearance: dict[str, object] = {
        "layout": "frontend/fragment.html" if is_fragment else "frontend/bare.html",
        "theme": _cookie(request, "theme", THEMES),
        "density": _cookie(request, "density", DENSITIES),
        "shortcuts": request.COOKIES.get("shortcuts") != "off",
        "sso_button": _once(_sso_button),
        "start_address": _start_address(),
    }
    principal = principal_of(request)
    tenant = getattr(request, "tenant", None)
    if principal.is_anonymous or tenant is None:
        return appearance
    # Under ASGI an address that no route knows is answered in a thread outside of the organisation: ask nothing there
    is_inside = current_schema() == tenant.schema_name
    return appearance | {
        "layout": appearance["layout"] if is_fragment else "frontend/base.html",
        "can": {one.value.replace(".", "_"): principal.can(one) for one in Permission},
        "person": _person(request, principal),
        "landing": landing(principal, tenant),
        "nav": _once(lambda: navigation(request, principal, with_counts=is_inside)),
        "organisations": _once(lambda: _organisations(request, principal)) if is_inside else (),
        "organisation": Organisation(tenant.name, tenant.host, "/", True),
    }


def run_counts(request: HttpRequest) -> Mapping[str, int]:
    """How many runs are in each state, asked once a request."""
    if not hasattr(request, "run_counts"):
        request.run_counts = state_counts()  # type: ignore[attr-defined]
    counts: Mapping[str, int] = request.run_counts  # type: ignore[attr-defined]
    return counts


def navigation(
    request: HttpRequest, principal: Principal, *, with_counts: bool = True
) -> tuple[NavGroup, ...]:
    """The groups with the items that the principal may open; groups without any are left out."""
    groups, tenant = [], request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
    for group in NAVIGATION:
        items = tuple(
            _drawn(item, request, with_counts)
            for item in group.items
            if principal.can(item.permission) and is_open_in_grace(tenant, principal, item.route)
        )
        if items:
            groups.append(NavGroup(group.title, items))
    return tuple(groups)


def landing(principal: Principal, tenant: Any = None) -> NavItem:
    """Where somebody starts: the first page of their navigation, the profile for a role that may open none."""
    items = (item for group in NAVIGATION for item in group.items if principal.can(item.permission))
    open_ones = (item for item in items if tenant is None or is_open_in_grace(tenant, principal, item.route))
    item = next(open_ones, PROFILE)
    return replace(item, href=reverse(item.route))


def back_to(request: HttpRequest, route: str) -> HttpResponse:
    """To the list that a change belongs to, or to where its maker starts when they may not open it."""
    item = next(one for group in NAVIGATION for one in group.items if one.route == route)
    principal = principal_of(request)
    return redirect(reverse(route) if principal.can(item.permission) else landing(principal).href)


def _drawn(item: NavItem, request: HttpRequest, with_counts: bool) -> NavItem:
    path = request.path
    is_current = path == item.section or (item.section != "/" and path.startswith(f"{item.section}/"))
    note = ""
    if item.route == "runs" and with_counts:
        counts = run_counts(request)
        live = counts["queued"] + counts["running"]
        note = f"{live} live" if live else ""
    if item.route == "approvals" and with_counts:
        waiting = open_count()
        note = f"{waiting} open" if waiting else ""
    return replace(item, href=reverse(item.route), note=note, is_current=is_current)


def _organisations(request: HttpRequest, principal: Principal) -> tuple[Organisation, ...]:
    """Each organisation has a host and a sign-in of its own."""
    tenant: Any = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
    return tuple(
        Organisation(one.name, one.host, f"{origin_of(one.host)}/", one.is_current)
        for one in organisations_of(str(principal.user_id), tenant, switcher.shown(request))
    )


def _person(request: HttpRequest, principal: Principal) -> Person:
    membership = getattr(request.user, "membership", None)
    name = getattr(membership, "name", "") or principal.actor
    return Person(name, principal.actor, getattr(membership, "role_name", ""))


def _cookie(request: HttpRequest, name: str, known: tuple[str, ...]) -> str:
    value = request.COOKIES.get(name, "")
    return value if value in known else ""


def _start_address() -> str:
    """Where somebody starts an organisation of their own; empty where nobody may."""
    return f"{origin_of(settings.BASE_HOST)}{reverse('start')}" if is_open() else ""


def _sso_button() -> Connection | None:
    """The provider that people of this organisation may sign in with."""
    return Connection.objects.filter(is_enabled=True).first()


def _once(make: Callable[[], object]) -> Callable[[], object]:
    """Templates call it; the second call costs nothing."""
    return cache(make)
