"""Who asks every route. Whoever builds another kind of credential adds a row here."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.test import Client

from core.permissions import CATALOGUE, Permission
from core.tenancy import tenant_context
from tenants import queries
from tenants.oauth import services, tokens
from tenants.oauth.models import Application
from tenants.roles import PERMISSIONS, Role
from tests.builders import make_principal, sign_in
from tests.contract.world import World


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks through ours's host. Without `bearer` the credential is a cookie of their browser."""

    name: str
    permissions: frozenset[Permission] = frozenset()  # inside the organisation that `home` names
    home: str | None = "ours"
    cookie: Callable[[World], str] | None = None
    bearer: Callable[[World], str] | None = None
    authentication: str | None = None  # the class of REST_FRAMEWORK that knows this credential

    def may(self, permission: Permission, *, is_api: bool) -> bool:
        """Whether the declared permission is theirs, in their home, by what they carry for this kind of route."""
        if permission is Permission.PUBLIC:
            return True
        is_known = is_api if self.bearer else self.cookie is not None and (is_api or self.home == "ours")
        return is_known and permission in self.permissions


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
_OF_A_SERVICE = PERMISSIONS[Role.ADMIN] & frozenset(CATALOGUE) - {
    Permission.KEYS_READ, Permission.KEYS_WRITE, Permission.KEYS_MANAGE,  # keys belong to people
}  # fmt: skip
_SERVICE = "isolation"


def _token_of_service(_world: World) -> str:
    """A new access token each time: they last for minutes, as the matrix does."""
    with tenant_context("ours"):
        application = Application.objects.get(name=_SERVICE)
        place = tokens.Place("http://ours.localhost", str(queries.organisation().pk))
        return tokens.issue(place, application=application, scopes=application.permissions, grant=None)


def prepare() -> None:
    """What principals need besides the world: an application that takes tokens for itself. Commits."""
    with tenant_context("ours"):
        services.create_application(
            principal=make_principal("owner", "ours"),
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
PRINCIPALS: tuple[Principal, ...] = (
    NOBODY,
    *(
        _member(role)
        for role in (Role.VIEWER, Role.OPERATOR, Role.AUDITOR, Role.APPROVER, Role.ADMIN, Role.OWNER)
    ),
    STRANGER,
    KEY,
    TOKEN,
)
