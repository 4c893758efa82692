"""What proved a request, and ended while it waited for its turn, proves nothing any more: a session, a secret, a token.

A module of its own, since what other threads see is committed.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from core.tenancy import shared_context, tenant_context
from tenants import granting, key_services, queries, services
from tenants.models import ApiKey, Membership
from tenants.oauth import services as oauth
from tenants.oauth.models import Application, Grant
from tenants.people import factors, invitations, passwords, sessions
from tenants.people.models import Invitation, Session
from tenants.scim import services as scim
from tenants.scim import tokens as directories
from tests import builders
from tests.builders import key_id_of, make_principal
from tests.conftest import PASSWORD, forget_tries
from tests.integration.in_turn import in_turn
from tests.scim.conftest import Directory, user

_numbers = count()


def _admin() -> Membership:
    with tenant_context("out"):
        email = f"admin{next(_numbers)}@out.example"
        return services.add_member(actor="test", email=email, role="admin", password=PASSWORD).membership


def _invite(client: Client) -> int:
    body = json.dumps({"email": f"new{next(_numbers)}@out.example", "role": "viewer"})
    answer: Any = client.post("/api/v1/invitations", body, content_type="application/json")
    return int(answer.status_code)


def _alive() -> bool:
    with tenant_context("out"):
        rows = list(Invitation.objects.filter(accepted_at=None, revoked_at=None))
        return bool({row.pk for row in rows} - invitations.dead_among(rows))


# -- sessions ------------------------------------------------------------------------------------------------


def _change_password(person: Membership) -> object:
    client = Client(headers={"host": "out.localhost"})
    builders.sign_in(client, person.user.email, "out")
    new = "quite another battery"
    return client.post("/me/password", {"oldpassword": PASSWORD, "password1": new, "password2": new})


ENDED: dict[str, Callable[[Membership], object]] = {
    "all others": lambda one: sessions.end_other_sessions(actor="test", user=one.user, but="another"),
    "all, by an admin": lambda one: sessions.end_sessions_of(
        actor=make_principal("owner", "out"), membership=one
    ),
    "another password": _change_password,
    "factors that are reset": lambda one: factors.reset_factors(
        actor=make_principal("owner", "out"), membership=one
    ),
}


@pytest.mark.parametrize("how", ENDED)
def test_a_request_of_a_session_that_ended_before_its_turn_does_nothing(out: str, how: str) -> None:
    forget_tries()
    person, thief = _admin(), Client(headers={"host": "out.localhost"})
    builders.sign_in(thief, person.user.email, "out")

    outcomes = in_turn("out", lambda: ENDED[how](person), lambda: _invite(thief))

    assert outcomes[1] == "403"
    assert not _alive()


ACTS: dict[str, Callable[[Client], Any]] = {
    "leaves": lambda client: client.post("/me/leave", {"typed": "Out"}),
    "ends all others": lambda client: client.post("/me/sessions/end-others"),
}


@pytest.mark.parametrize("act", ACTS)
def test_an_ended_session_does_nothing_to_its_person(out: str, act: str) -> None:
    forget_tries()
    person = _admin()
    own, thief = (Client(headers={"host": "out.localhost"}) for _ in range(2))
    for client in (own, thief):
        builders.sign_in(client, person.user.email, "out")

    outcomes = in_turn(
        "out",
        lambda: own.post("/me/sessions/end-others").status_code,
        lambda: ACTS[act](thief).status_code,
    )

    assert outcomes == ["302", "403"]
    assert own.get("/me").status_code == 200


def test_who_was_removed_meanwhile_ends_no_sessions(out: str) -> None:
    person, client = _admin(), Client(headers={"host": "out.localhost"})
    builders.sign_in(client, person.user.email, "out")

    outcomes = in_turn(
        "out",
        lambda: services.remove_member(actor="test", membership=person),
        lambda: ACTS["ends all others"](client).status_code,
    )

    assert outcomes[1] == "403"


TO_OTHERS: dict[str, Callable[[Membership], object]] = {
    "resets the factors": lambda one: factors.reset_factors(
        actor=make_principal("admin", "out"), membership=one
    ),
    "ends the sessions": lambda one: sessions.end_sessions_of(
        actor=make_principal("admin", "out"), membership=one
    ),
    "makes a link to a password": lambda one: passwords.make_link(
        actor=make_principal("admin", "out"), membership=one
    ),
}


@pytest.mark.parametrize("act", TO_OTHERS)
def test_who_became_an_owner_meanwhile_is_one_for_whoever_waited(out: str, act: str) -> None:
    person = _admin()

    outcomes = in_turn(
        "out",
        lambda: services.change_role(actor=make_principal("owner", "out"), membership=person, role="owner"),
        lambda: TO_OTHERS[act](person),
    )

    assert outcomes[1] == "Forbidden"


def test_an_ended_session_lets_no_application_act_for_its_person(out: str) -> None:
    """What it was let do would outlive the session."""
    person, thief = _admin(), Client(headers={"host": "out.localhost"})
    builders.sign_in(thief, person.user.email, "out")
    with tenant_context(out):
        row = Session.objects.get(user_id=person.user_id)
        principal = replace(make_principal(person.user.email.partition("@")[0], out), shown=str(row.id))
        made = oauth.create_application(
            principal=make_principal("owner", out),
            name="app",
            kind="public",
            permissions=["runs.read"],
            redirect_uris=["https://app.example/back"],
        )

    def approve() -> object:
        return oauth.approve(
            actor=principal,
            membership=person,
            application=made.application,
            permissions=["runs.read"],
            redirect_uri="https://app.example/back",
            challenge="c" * 43,
            code=oauth.new_secret(),
        )

    outcomes = in_turn("out", lambda: ENDED["all, by an admin"](person), approve)

    assert outcomes[1] == "Forbidden"
    with tenant_context(out):
        assert not Grant.objects.filter(membership_id=person.pk).exists()


# -- secrets -------------------------------------------------------------------------------------------------


def _with(token: str) -> Client:
    return Client(headers={"host": "out.localhost", "authorization": f"Bearer {token}"})


def _rotated_key(key: str, until: Any) -> object:
    with shared_context():
        row = ApiKey.objects.select_related("tenant").get(key_id=key_id_of(key))
        maker = Membership.objects.select_related("user").get(
            tenant_id=row.tenant_id, user_id=row.created_by_id
        )
    by = make_principal(maker.user.email.partition("@")[0], "out")
    return key_services.rotate_api_key(principal=by, api_key=row, previous_until=until)


@pytest.mark.parametrize("overlap", [None, timedelta(hours=1)])
@pytest.mark.parametrize("act", ["an invitation", "another key"])
def test_a_request_by_a_secret_that_was_replaced_before_its_turn_does_nothing(
    out: str, act: str, overlap: timedelta | None
) -> None:
    person = _admin()
    key = builders.make_api_key(person.user.email.partition("@")[0], "out", role="admin")
    client = _with(key)
    until = timezone.now() + overlap if overlap else None
    body = json.dumps({"name": f"child {next(_numbers)}", "role": "viewer"})

    def ask() -> int:
        if act == "an invitation":
            return _invite(client)
        return int(client.post("/api/v1/api-keys", body, content_type="application/json").status_code)

    outcomes = in_turn("out", lambda: _rotated_key(key, until), ask)

    assert outcomes[1] == ("201" if overlap else "403")
    if not overlap:
        assert not _alive()
        with shared_context():
            assert not ApiKey.objects.filter(made_with=key_id_of(key), revoked_at=None).exists()
    with tenant_context(out):
        Invitation.objects.all().delete()


def test_a_request_of_a_service_whose_secret_was_replaced_before_its_turn_does_nothing(out: str) -> None:
    with tenant_context(out):
        owner = make_principal("owner", out)
        made = oauth.create_application(
            principal=owner, name="service", kind="service", permissions=["members.write"]
        )
        service = Application.objects.get(pk=made.application.pk)
    key, secret = service.client_id, made.secret
    web = Client(headers={"host": "out.localhost"})
    form = {"grant_type": "client_credentials", "client_id": key, "client_secret": secret}
    token = web.post("/oauth/token", form).json()["access_token"]

    outcomes = in_turn(
        "out",
        lambda: oauth.rotate_secret(principal=owner, application=service, previous_until=None),
        lambda: _invite(_with(token)),
    )

    assert outcomes[1] == "403"
    assert not _alive()


@pytest.mark.parametrize("how", ["revoked", "replaced"])
def test_a_directory_does_nothing_by_a_token_that_ended_before_its_turn(out: str, how: str) -> None:
    with tenant_context(out):
        owner = make_principal("owner", out)
        scim.set_origin(principal=owner, origin="anybody")
        made = directories.issue_token(
            principal=owner, name="directory", expires_at=timezone.now() + timedelta(days=1)
        )
    directory, email = Directory(out, made.text), f"late{next(_numbers)}@out.example"

    def end() -> object:
        if how == "revoked":
            return directories.revoke_token(principal=owner, token_id=made.token.pk)
        return directories.rotate_token(principal=owner, token_id=made.token.pk, previous_until=None)

    outcomes = in_turn("out", end, lambda: directory.send("POST", "/Users", user(email)).status_code)

    assert outcomes[1] == "401"
    with tenant_context(out):
        assert not queries.members().filter(user__email=email).exists()


# -- one-time links ------------------------------------------------------------------------------------------


def _hold() -> str:
    with transaction.atomic():
        granting.one_change_at_a_time(queries.organisation().pk)
        time.sleep(7)  # longer than whoever waits has patience
    return "held"


def test_who_joined_and_cannot_be_signed_in_at_once_is_told_to_sign_in(out: str) -> None:
    forget_tries()
    with tenant_context(out):
        email = f"joins{next(_numbers)}@out.example"
        sent = invitations.invite(principal=make_principal("owner", out), email=email, role="viewer")
    client = Client(headers={"host": "out.localhost"})
    new = "quite another battery"
    form = {"name": "Joined", "password": new, "again": new}

    def join() -> str:
        answer = client.post(f"/join/{sent.token}", form)
        return f"{answer.status_code} {answer.get('Location')}"

    outcomes = in_turn("out", join, _hold)

    assert outcomes == ["302 /login", "held"]
    assert b"Your password is set" in client.get("/login").content
    assert client.post("/login", {"login": email, "password": new}).status_code == 302
