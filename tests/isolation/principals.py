"""Who asks every route. Whoever builds another kind of credential adds a row here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.test import Client
from django.utils import timezone

from core.permissions import CATALOGUE, Permission
from core.tenancy import tenant_context
from tenants import queries
from tenants.keys import id_of_secret
from tenants.oauth import services, tokens
from tenants.oauth.models import Application
from tenants.roles import PERMISSIONS, Role
from tenants.scim import services as provisioning
from tenants.scim import tokens as directories
from tenants.scim.models import Group
from tests.builders import make_principal, sign_in
from tests.contract.routes import Route
from tests.contract.world import OF_PEOPLE, World
from tests.isolation.asking import GROUPS, kind_of


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks through ours's host. Without `bearer` the credential is a cookie of their browser."""

    name: str
    permissions: frozenset[Permission] = frozenset()  # inside the organisation that `home` names
    home: str | None = "ours"
    cookie: Callable[[World], str] | None = None
    bearer: Callable[[World], str] | None = None
    opens: str = "api"  # the kind of route that the bearer is for
    authentication: str | None = None  # the class of REST_FRAMEWORK that knows this credential

    def may(self, permission: Permission, route: Route) -> bool:
        """Whether the declared permission is theirs, in their home, by what they carry for this kind of route.

        What is public is there for everybody, but for who shows the API a credential that is none of its own. What is for
        members is for people with a session here: no page knows keys and tokens, and a session counts at home.
        """
        kind = kind_of(route)
        if permission is Permission.PUBLIC:
            return not (kind == "api" and self.bearer and self.opens != "api")
        if self.bearer and route.name in OF_PEOPLE:
            return False
        if self.bearer:
            return kind == self.opens and permission in self.permissions
        return self.cookie is not None and kind != "scim" and permission in self.permissions

    def refusal(self, route: Route) -> int:
        """The status for whom a route does not let in: who is known there is told that they may not."""
        kind = kind_of(route)
        if kind == "page":
            return 403 if self.cookie and not self.bearer else 302  # to the sign-in
        is_known = kind == self.opens if self.bearer else kind == "api" and self.cookie is not None
        return 403 if is_known else 401


def _member(role: Role) -> Principal:
    return Principal(
        role.value,
        PERMISSIONS[role],
        cookie=lambda world: world.sessions[role.value],
        authentication="BrowserSessionAuthentication",
    )


def _owner_of_theirs(_world: World) -> str:
    client = Client()
    sign_in(client, "owner@theirs.example", "theirs")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


NOBODY = Principal("anonymous", home=None)
STRANGER = Principal(
    "theirs' owner",
    PERMISSIONS[Role.OWNER],
    home="theirs",
    cookie=_owner_of_theirs,
    bearer=lambda world: world.keys[Role.OWNER.value, "theirs"],
)
KEY = Principal(
    "API key",
    PERMISSIONS[Role.ADMIN],
    bearer=lambda world: world.keys[Role.ADMIN.value, "ours"],
    authentication="ApiKeyAuthentication",
)
_OF_PEOPLE = {  # acts that need a person behind them, who can give no more than they have
    Permission.KEYS_READ, Permission.KEYS_WRITE, Permission.KEYS_MANAGE, Permission.MEMBERS_WRITE, Permission.ROLES_WRITE,
    Permission.EXCEPTIONS_DECIDE,
}  # fmt: skip
_OF_A_SERVICE = PERMISSIONS[Role.ADMIN] & frozenset(CATALOGUE) - _OF_PEOPLE
_SERVICE = "isolation"


def _token_of_service(_world: World) -> str:
    """A new access token each time: they last for minutes, as the matrix does."""
    with tenant_context("ours"):
        application = Application.objects.get(name=_SERVICE)
        place = tokens.Place("http://ours.localhost", str(queries.organisation().pk))
        by = id_of_secret(application.secret_hash)
        return tokens.issue(place, application=application, scopes=application.permissions, by=by)


def _token_of_directory(_world: World) -> str:
    """A new text for the directory's token, since only its hash is kept; taken back with what is asked."""
    with tenant_context("ours"):
        until = timezone.now() + timedelta(days=1)
        return directories.issue_token(
            principal=make_principal("owner", "ours"), name=_SERVICE, expires_at=until
        ).text


def prepare(world: World) -> None:
    """What principals need besides the world: an application of its own, a directory that may bring anybody. Commits."""
    for slug, things in (("ours", world.ours), ("theirs", world.theirs)):
        with tenant_context(slug):
            group = Group.objects.create(display_name=f"{slug}-secret")
            GROUPS[things.member_id] = group.pk
    with tenant_context("ours"):
        owner = make_principal("owner", "ours")
        provisioning.set_origin(principal=owner, origin="anybody")
        services.create_application(
            principal=owner,
            name=_SERVICE,
            kind=Application.Kind.SERVICE,
            permissions=sorted(_OF_A_SERVICE),
        )


TOKEN = Principal(
    "access token",
    _OF_A_SERVICE,
    bearer=_token_of_service,
    authentication="AccessTokenAuthentication",
)
DIRECTORY = Principal(
    "directory",
    frozenset({Permission.PROVISIONING_READ, Permission.PROVISIONING_WRITE}),
    bearer=_token_of_directory,
    opens="scim",
)
PRINCIPALS: tuple[Principal, ...] = (
    NOBODY,
    *(
        _member(role)
        for role in (Role.VIEWER, Role.OPERATOR, Role.AUDITOR, Role.APPROVER, Role.ADMIN, Role.OWNER)
    ),
    STRANGER,
    KEY,
    TOKEN,
    DIRECTORY,
)
