"""A key that ends is dead within two seconds in every process, whatever ended it. Two real web processes."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from core.tenancy import shared_context, tenant_context
from tenants.models import ApiKey, Membership
from tests.builders import drop_organisation, key_id_of, make_api_key, make_organisation
from tests.scim.conftest import make_directory
from tests.web_process import web_process

pytestmark = pytest.mark.slow
BOUND_SECONDS = 2.0
SLUG = "deadkeys"


@dataclass
class Town:
    """An organisation with a key that both processes have just let in, and a key of its owner."""

    ports: tuple[int, int]
    key: str
    owner: str = field(repr=False)

    def ask(self, port: int, method: str, path: str, body: Any = None, *, key: str | None = None) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Host": "localhost", "Authorization": f"Bearer {key or self.owner}"}
        content = None if body is None else json.dumps(body)
        connection.request(method, path, content, {**headers, "Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def change(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> None:
        status = self.ask(self.ports[0], method, path, body, key=key)
        assert status < 300, (method, path, status)

    def seconds_until_refused(self) -> float:
        """How long the other process still lets the key in after the change is answered."""
        started = time.monotonic()
        while (status := self.ask(self.ports[1], "GET", "/api/v1/members", key=self.key)) == 200:
            if time.monotonic() - started > 10 * BOUND_SECONDS:
                break
        assert status in (401, 403)
        return time.monotonic() - started

    @property
    def row(self) -> ApiKey:
        with shared_context():
            return ApiKey.objects.get(key_id=key_id_of(self.key))

    @property
    def maker(self) -> Membership:
        with tenant_context(SLUG):
            return Membership.objects.get(user__email=f"admin@{SLUG}.example")


@pytest.fixture(scope="module")
def ports(django_db_setup: None) -> Iterator[tuple[int, int]]:
    with web_process() as one, web_process() as other:
        yield one.port, other.port


@pytest.fixture
def town(ports: tuple[int, int], django_db_blocker: DjangoDbBlocker) -> Iterator[Town]:
    with django_db_blocker.unblock():
        make_organisation(SLUG, "Dead Keys")
        key = make_api_key("admin", SLUG, role="viewer", permissions=["members.read"])
        found = Town(ports, key, make_api_key("owner", SLUG))
        for port in ports * 2:
            assert found.ask(port, "GET", "/api/v1/members", key=key) == 200
        yield found
        drop_organisation(SLUG)


def _revoked(town: Town) -> None:
    town.change("DELETE", f"/api/v2/api-keys/{town.row.pk}")


def _rotated(town: Town) -> None:
    own = make_api_key("admin", SLUG)  # only its maker rotates
    town.change("POST", f"/api/v2/api-keys/{town.row.pk}:rotate", {}, key=own)


def _maker_has_a_smaller_role(town: Town) -> None:
    """A role of the organisation's own, which lacks what the key may."""
    body = {"name": "Reader of runs", "permissions": ["runs.read"]}
    town.change("POST", "/api/v1/roles", body)
    town.change("PATCH", f"/api/v1/members/{town.maker.pk}", {"role": "reader-of-runs"})


def _maker_is_removed(town: Town) -> None:
    town.change("DELETE", f"/api/v1/members/{town.maker.pk}")


def _maker_is_ended_by_the_directory(town: Town) -> None:
    gone = {"op": "replace", "path": "active", "value": False}
    assert make_directory(SLUG, anybody=True).patch(f"/Users/{town.maker.pk}", gone).status_code == 200


def _organisation_is_suspended(town: Town) -> None:
    call_command("suspend_organisation", SLUG, "--why", "test")


def _scopes_shrink(town: Town) -> None:
    """No route does it: the scopes of a row are what counts, not those that a process has seen."""
    with shared_context():
        ApiKey.objects.filter(pk=town.row.pk).update(permissions=["runs.read"])


def _makers_role_is_gone(town: Town) -> None:
    """What no role names, gives nothing: the key stays and may nothing."""
    with shared_context():
        Membership.objects.filter(pk=town.maker.pk).update(role="gone")


@pytest.mark.parametrize(
    "end",
    [
        _revoked,
        _rotated,
        _maker_has_a_smaller_role,
        _maker_is_removed,
        _maker_is_ended_by_the_directory,
        _organisation_is_suspended,
        _scopes_shrink,
        _makers_role_is_gone,
    ],
    ids=lambda end: str(end.__name__).strip("_"),
)
def test_what_ends_in_one_process_is_dead_in_the_other(town: Town, end: Callable[[Town], None]) -> None:
    end(town)

    seconds = town.seconds_until_refused()

    print(f"\n{end.__name__.strip('_')}: refused after {seconds * 1000:.0f} ms")
    assert seconds <= BOUND_SECONDS


def test_a_dead_key_is_dead_while_valkey_is_away(town: Town) -> None:
    with web_process(VALKEY_URL="redis://127.0.0.1:9") as alone:
        town.ports = (town.ports[0], alone.port)
        assert town.ask(alone.port, "GET", "/api/v1/members", key=town.key) == 200

        _revoked(town)

        assert town.seconds_until_refused() <= BOUND_SECONDS
