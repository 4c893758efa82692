"""One request of the matrix: a principal, a route, a method and an id, and what can be told from the answer."""

import itertools
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models import ProtectedError
from django.test import Client
from django.utils.http import urlencode

from core.postgres.access import in_every_schema
from core.postgres.names import SHARED_SCHEMA
from core.tenancy import shared_context, tenant_context
from generation.models import Run
from tenants.people.models import Invitation, PasswordLink
from tests.contract.routes import Route, content_of
from tests.contract.world import CALLS, FIXED, IDS, NOBODYS, RANDOM_ID, Call, Things, World

if TYPE_CHECKING:
    from tests.isolation.principals import Principal

OWN, OTHERS, RANDOM, DELETED = ID_KINDS = ("own", "other's", "random", "deleted")
RANDOM_AFTER = (
    "random, after the row was deleted"  # pages count rows: the deleted id is compared with this answer
)
_addresses = itertools.count(1)
_CSRF_TOKEN = re.compile(rb"[A-Za-z0-9]{64}")  # masked anew in every page


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller can see of an answer, the id that they sent themselves left out."""

    status: int
    location: str
    content: bytes
    sent: bytes = field(default=b"", compare=False)

    @property
    def is_to_sign_in(self) -> bool:
        return self.status == 302 and self.location.startswith("/login")

    @property
    def refuses(self) -> bool:
        """The principal is not let in, whatever the id."""
        return self.status in (401, 403) or self.is_to_sign_in

    def shown_of(self, traces: Iterable[bytes]) -> list[bytes]:
        """Those that can be read here, but for what the caller sent."""
        seen = self.content + self.location.encode()
        return sorted(one for one in traces if one in seen and one not in self.sent)


# What directories name and send; the other routes have theirs in tests/contract/world.py.
_DIRECTORY_IDS: dict[str, Callable[[Things], object]] = {
    "user_id": lambda things: things.member_id,
    "group_id": lambda things: GROUPS[things.member_id],
}
GROUPS: dict[
    UUID, UUID
] = {}  # of a directory, by the member whose organisation has it; filled by principals.prepare
_DIRECTORY_FIXED = {"rest": "nothing"}
_PATCH = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "replace", "path": "active", "value": False}],
}
_USER = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "colleague@ours.example"}


def kind_of(route: Route) -> str:
    """Page, API or SCIM: what a credential is for."""
    return "scim" if route.pattern.startswith("scim/") else "api" if route.is_api else "page"


def ids_of(route: Route) -> dict[str, Callable[[Things], object]]:
    return _DIRECTORY_IDS if kind_of(route) == "scim" else IDS


def names_object(route: Route) -> str | None:
    """The parameter that names an object of an organisation."""
    return next((name for name in route.parameters[:1] if name in ids_of(route)), None)


def ask(
    world: World, principal: "Principal", route: Route, method: str, kind: str, cookies: dict[str, str]
) -> Answer:
    """Ask, and take back whatever it changed."""
    value = _value(world, route, kind)
    with transaction.atomic():
        if kind in (DELETED, RANDOM_AFTER):
            delete_row("ours", str(names_object(route)), _value(world, route, OWN), world.ours)
        sent = _sent(route, method)
        response = _request(world, principal, route, method, sent, value, cookies)
        answer = _answer(route, response, value, sent)
        transaction.set_rollback(True)
    return answer


def traces_of(organisation: str, things: Things) -> frozenset[bytes]:
    """What tells that an answer speaks of an organisation: its names, and the ids of what it has."""
    ids = [value for value in astuple(things) if isinstance(value, UUID)]
    ids += [GROUPS[things.member_id]] if things.member_id in GROUPS else []
    names = (f"{organisation}-secret", f"@{organisation}.example")
    return frozenset(text.encode() for text in (*names, *map(str, ids)))


def _value(world: World, route: Route, kind: str) -> object | None:
    name = names_object(route)
    if name is None:
        return None
    if kind in (RANDOM, RANDOM_AFTER):
        return NOBODYS.get(name, RANDOM_ID)
    return ids_of(route)[name](world.theirs if kind == OTHERS else world.ours)


def _sent(route: Route, method: str) -> bytes:
    """The body of a request."""
    call, kind = CALLS.get((route.name, method), Call()), kind_of(route)
    if method == "GET":
        return b""
    if kind == "page":
        return urlencode(call.body, doseq=True).encode()
    return json.dumps(call.body if kind == "api" else _PATCH if method == "PATCH" else _USER).encode()


def _request(
    world: World,
    principal: "Principal",
    route: Route,
    method: str,
    sent: bytes,
    value: object,
    cookies: dict[str, str],
) -> Any:
    call = CALLS.get((route.name, method), Call())
    number = next(_addresses)  # failures count by address: none must reach the limit of another
    address = f"10.{number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"
    client = Client(raise_request_exception=False, REMOTE_ADDR=address)
    headers = {"host": "ours.localhost", "x-request-id": "the-same-for-all", **call.headers}
    kind = kind_of(route)
    if principal.bearer and (kind == principal.opens or principal.name not in cookies):
        headers["authorization"] = f"Bearer {principal.bearer(world)}"
    elif principal.name in cookies:
        client.cookies[settings.SESSION_COOKIE_NAME] = cookies[principal.name]
    fixed = FIXED | _DIRECTORY_FIXED
    values = {name: fixed[name] for name in route.parameters if name in fixed}
    if (name := names_object(route)) is not None:
        values[name] = value
    is_form = method != "GET" and kind == "page"
    media_type = "application/x-www-form-urlencoded" if is_form else "application/json"
    return client.generic(method, route.address(values), sent, media_type, headers=headers)


def _answer(route: Route, response: Any, value: object, sent: bytes) -> Answer:
    content = _CSRF_TOKEN.sub(b"", content_of(route, response))
    location = response.headers.get("Location", "")
    if value is not None:
        location = re.sub(rf"(?<!\w){value}(?!\w)", "<id>", location.replace("%2F", "/"))
        if not isinstance(value, int):  # a small number may stand there for something else
            content = content.replace(str(value).encode(), b"<id>")
    return Answer(response.status_code, location, content, unquote_plus(sent.decode()).encode())


# Ids that are no UUIDs of a row, with the row that they lead to.
_ROWS: dict[str, Callable[[Things], models.Model]] = {
    "number": lambda things: Run.objects.get(number=things.run_number),
    "factor_id": lambda things: Authenticator.objects.get(pk=things.factor_id),
    "token": lambda things: Invitation.objects.get(pk=things.invitation_id),
    "password_token": lambda things: PasswordLink.objects.get(membership_id=things.member_id),
}


def delete_row(organisation: str, name: str, value: object, things: Things) -> None:
    """Delete the row that an id names, in the organisation's schema or the shared one. Raises LookupError."""
    if name in _ROWS:
        with tenant_context(organisation):
            _delete(_ROWS[name](things))
        return
    for context, schema in ((tenant_context(organisation), organisation), (shared_context(), SHARED_SCHEMA)):
        with context:
            for model in apps.get_models():
                if (row := _row(model, schema, value)) is not None:
                    _delete(row)
                    return
    raise LookupError(f"no row is named by {name} {value!r}: add it to tests/isolation/asking.py")


def _row(model: type[models.Model], schema: str, value: object) -> models.Model | None:
    """The row of the model whose UUID it is."""
    config = model._meta.app_config
    listed = settings.SHARED_APPS if schema == SHARED_SCHEMA else settings.TENANT_APPS
    unreadable = in_every_schema() if schema == SHARED_SCHEMA else ()
    if config is None or config.name not in listed or model._meta.db_table in unreadable or model._meta.proxy:
        return None
    named = [field.name for field in model._meta.concrete_fields if isinstance(field, models.UUIDField)]
    by = next((name for name in named if name in ("id", model._meta.pk.name)), None)
    return model._default_manager.filter(**{by: value}).first() if by and isinstance(value, UUID) else None


def _delete(row: models.Model) -> None:
    try:
        with transaction.atomic():
            row.delete()
    except ProtectedError as error:
        for other in error.protected_objects:
            _delete(other)
        row.delete()
