"""The nine who ask every route, and those who join when another kind of credential is built."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.test import Client

from core.permissions import Permission
from tenants.roles import PERMISSIONS, Role
from tests.builders import sign_in
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
PRINCIPALS: tuple[Principal, ...] = (
    NOBODY,
    *(
        _member(role)
        for role in (Role.VIEWER, Role.OPERATOR, Role.AUDITOR, Role.APPROVER, Role.ADMIN, Role.OWNER)
    ),
    STRANGER,
    KEY,
)
