"""Changes to one thing at the same moment: one ETag counts once, and what was not asked to change does not change.

A module of its own, since what other threads see is committed.
"""

import itertools
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from core.errors import DomainError
from core.permissions import Principal
from core.tenancy import shared_context, tenant_context
from tenants import key_services, role_services, services
from tenants.lifecycle import services as lifecycle
from tenants.models import ApiKey, CustomRole, Membership
from tenants.oauth import services as oauth
from tenants.oauth.models import Application, Grant
from tenants.people.models import Invitation
from tenants.roles import PERMISSIONS, Role
from tests.builders import drop_organisation, key_id_of, make_api_key, make_organisation, make_principal
from tests.conftest import PASSWORD, forget_tries
from tests.dataset_builders import make_config
from tests.scim.conftest import make_directory

AT_ONCE = 6
ROUNDS = 2
_hours = itertools.count(1)
_names = (f"name-{number}" for number in itertools.count(1))
Answer = Any


@pytest.fixture(scope="module")
def race(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """An API key of the owner of a committed organisation."""
    with django_db_blocker.unblock():
        make_organisation("race", "Race", password=PASSWORD)
        forget_tries()
        try:
            yield make_api_key("owner", "race")
        finally:
            drop_organisation("race")


def _client(key: str) -> Client:
    return Client(headers={"host": "race.localhost", "authorization": f"Bearer {key}"})


def _send(key: str, method: str, address: str, body: Any = None, **headers: str) -> Answer:
    content = "" if body is None else json.dumps(body)
    kind = "application/scim+json" if address.startswith("/scim/") else "application/json"
    return _client(key).generic(method, address, content, kind, headers=headers)


def _at_once(*acts: Callable[[], Answer]) -> list[Answer]:
    """The answers to requests that start at one signal, each on a connection of its own."""
    start, answers = threading.Barrier(len(acts)), []

    def run(act: Callable[[], Answer]) -> None:
        try:
            start.wait()
            answers.append(act())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _key(race: str) -> str:
    """A key that `race` made, and may give a new secret therefore."""
    made = make_api_key("owner", "race", made_with=race, name=next(_names), role="viewer")
    with shared_context():
        return f"/api/v2/api-keys/{ApiKey.objects.get(key_id=key_id_of(made)).pk}"


def _role() -> CustomRole:
    with tenant_context("race"):
        return role_services.create_role(
            principal=make_principal("owner", "race"),
            name=next(_names),
            permissions=["runs.read", "members.write"],
        )


def _member() -> str:
    with tenant_context("race"):
        added = services.add_member(actor="test", email=f"{next(_names)}@race.example", role="viewer")
    return f"/api/v1/members/{added.membership.pk}"


def _config() -> str:
    with tenant_context("race"):
        return f"/api/v1/configs/{make_config(name=next(_names)).config_id}"


# what there is, what is asked of it and what the one that counts is answered
CHANGES: dict[str, tuple[Callable[[str], str], str, str, Callable[[int], Any], int]] = {
    "security settings": (
        lambda race: "/api/v1/security-settings",
        "PATCH",
        "",
        lambda number: {"session_hours": 100 + next(_hours)},
        200,
    ),
    "name of a key": (_key, "PATCH", "", lambda number: {"name": f"key {number}"}, 200),
    "secret of a key": (_key, "POST", ":rotate", lambda number: {}, 200),
    "end of a key": (_key, "DELETE", "", lambda number: None, 204),
    "name of a role": (
        lambda race: f"/api/v1/roles/{_role().pk}",
        "PATCH",
        "",
        lambda number: {"name": next(_names)},
        200,
    ),
    "role of a member": (
        lambda race: _member(),
        "PATCH",
        "",
        lambda number: {"role": ("operator", "approver", "admin")[number % 3]},
        200,
    ),
    "name of a config": (lambda race: _config(), "PATCH", "", lambda number: {"name": next(_names)}, 200),
}


@pytest.mark.parametrize("change", CHANGES)
def test_of_changes_with_one_etag_one_counts(race: str, change: str) -> None:
    make, method, suffix, body, done = CHANGES[change]
    for _ in range(ROUNDS):
        address = make(race)
        tag = _send(race, "GET", address)["ETag"]

        ask = partial(_send, race, method, address + suffix, if_match=tag)
        answers = _at_once(*(partial(ask, body(number)) for number in range(AT_ONCE)))

        assert Counter(one.status_code for one in answers) == {done: 1, 412: AT_ONCE - 1}
        lost = next(one for one in answers if one.status_code == 412)
        assert lost.json()["code"] == "precondition_failed"


def test_the_secret_of_the_rotation_that_counts_works(race: str) -> None:
    address = _key(race)
    tag = _send(race, "GET", address)["ETag"]

    answers = _at_once(
        *(lambda: _send(race, "POST", f"{address}:rotate", {}, if_match=tag) for _ in range(AT_ONCE))
    )

    [text] = [one.json()["key"] for one in answers if one.status_code == 200]
    assert _send(text, "GET", "/api/v1/runs").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_of_changes_of_a_directory_with_one_etag_one_counts(race: str, method: str) -> None:
    directory = make_directory("race", anybody=True)
    group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": next(_names)}
    made = directory.send("POST", "/Groups", group)
    address, tag = f"/scim/v2/Groups/{made.json()['id']}", made["ETag"]

    def body() -> dict[str, Any]:
        if method == "PUT":
            return group | {"displayName": next(_names)}
        operation = {"op": "replace", "path": "displayName", "value": next(_names)}
        return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}

    answers = _at_once(
        *(lambda: _send(directory.token, method, address, body(), if_match=tag) for _ in range(AT_ONCE))
    )

    assert Counter(one.status_code for one in answers) == {200: 1, 412: AT_ONCE - 1}


def test_an_application_that_is_deleted_at_the_same_moment_is_not_found(race: str) -> None:
    owner = make_principal("owner", "race")
    for _ in range(8):
        with tenant_context("race"):
            made = oauth.create_application(
                principal=owner,
                name=next(_names),
                kind="service",
                permissions=["runs.read"],
                redirect_uris=(),
            ).application

        answers = _at_once(
            partial(_outcome, oauth.rotate_secret, principal=owner, application=made),
            partial(_outcome, oauth.delete_application, principal=owner, application=made),
            partial(_outcome, oauth.delete_application, principal=owner, application=made),
        )

        assert set(answers) <= {"done", "NotFound"}
        assert answers.count("done") in (1, 2)  # one of the deletions, and the other act when it came before


def test_a_key_that_is_made_while_its_maker_leaves_is_refused_or_ends_with_them(race: str) -> None:
    for _ in range(6):
        with tenant_context("race"):
            membership = services.add_member(
                actor="test", email=f"{next(_names)}@race.example", role="viewer"
            ).membership
            own = Principal(
                actor=membership.user.email,
                credential=f"user:{membership.user_id}",
                permissions=PERMISSIONS[Role.VIEWER],
                user_id=str(membership.user_id),
                role="viewer",
            )

        answers = _at_once(
            partial(_outcome, key_services.issue_api_key, principal=own, name="late", role="viewer"),
            partial(_outcome, services.remove_member, actor="test", membership=membership),
        )

        assert set(answers) <= {"done", "Forbidden"}
        with shared_context():
            assert not ApiKey.objects.filter(created_by_id=membership.user_id, revoked_at=None).exists()


def test_nobody_lets_an_application_act_or_is_shown_a_secret_while_they_leave(race: str) -> None:
    """What comes after the end of their access is refused: it would wake when they are let in again."""
    owner = make_principal("owner", "race")
    with tenant_context("race"):
        service = oauth.create_application(
            principal=owner, name=next(_names), kind="service", permissions=["runs.read"], redirect_uris=()
        ).application
    for _ in range(6):
        with tenant_context("race"):
            leaving = services.add_member(
                actor="test", email=f"{next(_names)}@race.example", role="admin"
            ).membership
        own = replace(
            make_principal("admin", "race"),
            actor=leaving.user.email,
            credential=f"user:{leaving.user_id}",
            user_id=str(leaving.user_id),
        )

        agree = partial(
            oauth.approve,
            actor=own.actor,
            membership=leaving,
            application=service,
            permissions=["runs.read"],
            redirect_uri="https://app.example/back",
            challenge="c" * 43,
            code=next(_names),
        )
        answers = _at_once(
            partial(_outcome, agree),
            partial(_outcome, oauth.rotate_secret, principal=own, application=service),
            partial(_outcome, services.end_access, membership=leaving, actor="test", reason="test"),
        )

        assert set(answers) <= {"done", "Forbidden"}
        with tenant_context("race"):
            assert not Grant.objects.filter(membership_id=leaving.pk, revoked_at=None).exists()
            assert not Application.objects.filter(responsible_id=leaving.pk).exists()


def _parent() -> tuple[ApiKey, Principal]:
    """A key of an admin of its own, and the principal that it makes."""
    membership = services.add_member(
        actor="test", email=f"{next(_names)}@race.example", role="admin"
    ).membership
    person = Principal(
        actor=membership.user.email,
        credential=f"user:{membership.user_id}",
        permissions=PERMISSIONS[Role.ADMIN],
        user_id=str(membership.user_id),
        role="admin",
    )
    key = key_services.issue_api_key(principal=person, name=next(_names), role="admin").api_key
    return key, replace(person, actor=f"api-key:{key.key_id}", credential=f"key:{key.key_id}")


def test_keys_that_a_key_makes_while_it_is_revoked_end_with_it(race: str) -> None:
    owner = make_principal("owner", "race")
    for _ in range(4):
        with tenant_context("race"):
            parent, itself = _parent()
        issue = partial(_outcome, key_services.issue_api_key, principal=itself, name="child", role="viewer")

        answers = _at_once(
            *(issue for _ in range(AT_ONCE - 1)),
            partial(_outcome, key_services.revoke_api_key, principal=owner, api_key=parent),
        )

        assert len(answers) == AT_ONCE
        assert set(answers) <= {"done", "Forbidden"}
        with shared_context():
            assert not ApiKey.objects.filter(made_with=parent.key_id, revoked_at=None).exists()


def test_a_key_is_revoked_while_its_maker_gets_a_smaller_role(race: str) -> None:
    """Both end the key and those that it made, in whatever order each finds them."""
    owner = make_principal("owner", "race")
    for _ in range(12):
        with tenant_context("race"):
            parent, itself = _parent()
            for _child in range(4):
                key_services.issue_api_key(principal=itself, name=next(_names), role="admin")
            maker = Membership.objects.get(user_id=parent.created_by_id)

        answers = _at_once(
            partial(_outcome, key_services.revoke_api_key, principal=owner, api_key=parent),
            partial(_outcome, services.change_role, actor="test", membership=maker, role="viewer"),
        )

        assert answers == ["done", "done"]
        with shared_context():
            assert not ApiKey.objects.filter(created_by_id=parent.created_by_id, revoked_at=None).exists()


def test_of_exports_that_are_ordered_at_once_one_is_packed(race: str) -> None:
    owner = make_principal("owner", "race")

    answers = _at_once(
        *(
            partial(_outcome, lifecycle.order_export, principal=owner, with_files=False)
            for _ in range(AT_ONCE)
        )
    )

    assert Counter(answers) == {"done": 1, "Conflict": AT_ONCE - 1}


def _outcome(act: Callable[..., object], **arguments: object) -> str:
    """What became of an act of a service in the organisation."""
    try:
        with tenant_context("race"):
            act(**arguments)
    except DomainError as error:
        return type(error).__name__
    return "done"


def test_a_permission_taken_from_a_role_stays_away_while_it_gets_a_name(race: str) -> None:
    for _ in range(5):
        role, name = _role(), next(_names)
        address = f"/api/v1/roles/{role.pk}"

        answers = _at_once(
            partial(_send, race, "PATCH", address, {"name": name}),
            partial(_send, race, "PATCH", address, {"permissions": ["runs.read"]}),
        )

        now = _send(race, "GET", address).json()
        assert {one.status_code for one in answers} == {200}
        assert (now["name"], now["permissions"]) == (name, ["runs.read"])


def _while_held(act: Callable[[], object], ask: Callable[[], Answer]) -> Answer:
    """The answer to a request that comes when a change is done but not yet committed."""
    answers: list[Answer] = []

    def run() -> None:
        try:
            answers.append(ask())
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with tenant_context("race"), transaction.atomic():
        act()
        thread.start()
        thread.join(timeout=1)  # long enough to be answered, if it did not wait
    thread.join()
    return answers[0]


def test_nobody_is_invited_to_a_role_whose_deletion_has_begun(race: str) -> None:
    role, owner = _role(), make_principal("owner", "race")
    body = {"email": f"{next(_names)}@race.example", "role": role.key}

    answer = _while_held(
        lambda: role_services.delete_role(principal=owner, role=role),
        lambda: _send(race, "POST", "/api/v1/invitations", body),
    )

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/role")
    with tenant_context("race"):
        assert not Invitation.objects.filter(role=role.key).exists()


def test_an_invitation_is_not_renewed_to_a_role_that_just_became_more_than_ones_own(race: str) -> None:
    role, owner, admin = _role(), make_principal("owner", "race"), make_api_key("admin", "race")
    body = {"email": f"{next(_names)}@race.example", "role": role.key}
    sent = _send(admin, "POST", "/api/v1/invitations", body).json()["id"]

    answer = _while_held(
        lambda: role_services.change_role(principal=owner, role=role, permissions=["organisation.delete"]),
        lambda: _send(admin, "POST", f"/api/v1/invitations/{sent}/renewal"),
    )

    assert answer.status_code == 403
    assert "organisation.delete" in answer.json()["detail"]


def test_a_role_that_an_invitation_promises_is_not_deleted(race: str) -> None:
    role, email = _role(), f"{next(_names)}@race.example"
    sent = _send(race, "POST", "/api/v1/invitations", {"email": email, "role": role.key})

    refused = _send(race, "DELETE", f"/api/v1/roles/{role.pk}")

    assert sent.status_code == 201
    assert (refused.status_code, refused.json()["code"]) == (409, "role_in_use")
    assert f"the invitation of {email}" in refused.json()["detail"]


def test_roles_and_members_take_an_etag_and_need_none(race: str) -> None:
    role, member = f"/api/v1/roles/{_role().pk}", _member()

    for address, body in ((role, {"permissions": ["runs.read"]}), (member, {"role": "operator"})):
        stale = _send(race, "GET", address)["ETag"]
        for method in ("PATCH", "DELETE"):
            assert _send(race, method, address, body, if_match='"nonsense"').status_code == 412
        changed = _send(race, "PATCH", address, body)
        assert changed.status_code == 200
        assert _send(race, "PATCH", address, body, if_match=stale).status_code == 412
        assert _send(race, "PATCH", address, body, if_match=changed["ETag"]).status_code == 200
        assert _send(race, "DELETE", address, if_match=changed["ETag"]).status_code == 204


def test_a_name_that_lost_leaves_no_trace(race: str) -> None:
    """The event of a change and the row agree."""
    address = _key(race)
    tag = _send(race, "GET", address)["ETag"]

    ask = partial(_send, race, "PATCH", address, if_match=tag)
    _at_once(*(partial(ask, {"name": f"mine {number}"}) for number in range(AT_ONCE)))

    with shared_context():
        name = ApiKey.objects.get(pk=address.rpartition("/")[2]).name
    events = _send(race, "GET", "/api/v1/audit-events?action=tenants.api_key.rename&limit=200").json()[
        "items"
    ]
    assert [one["data"]["name"] for one in events if one["data"]["name"].startswith("mine")] == [name]
