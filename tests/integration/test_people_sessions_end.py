"""A session that was ended stays ended, whatever a request does that was in it at that moment.

A module of its own, since what other threads see is committed.
"""

import re
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.locks import one_at_a_time
from core.tenancy import tenant_context
from tenants import services
from tenants.models import Membership
from tenants.people import factors, sessions
from tenants.people.models import Session
from tenants.people.session_store import SessionStore
from tests import builders
from tests.conftest import PASSWORD, forget_tries
from tests.integration.in_turn import elsewhere, in_turn, wait_for

NEW, OTHER = "quite another battery", "a third battery altogether"
_numbers = count()


@pytest.fixture
def person(out: str) -> Iterator[Membership]:
    """A new member with a password."""
    forget_tries()
    with tenant_context(out):
        email = f"person{next(_numbers)}@out.example"
        yield services.add_member(actor="test", email=email, role="viewer", password=PASSWORD).membership


def _browser(person: Membership | None = None) -> Client:
    client = Client(headers={"host": "out.localhost"})
    if person is not None:
        builders.sign_in(client, person.user.email, "out")
    return client


def _log_in(client: Client, person: Membership, password: str = PASSWORD) -> int:
    return client.post("/login", {"login": person.user.email, "password": password}).status_code


def _is_in(client: Client) -> bool:
    return client.get("/me").status_code == 200


def _change_password(client: Client, new: str) -> int:
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    return client.post("/me/password", form).status_code


# -- another key for the session -----------------------------------------------------------------------------


def _stored(person: Membership) -> SessionStore:
    """Their session, as a request reads it at its start."""
    store = SessionStore(_browser(person).session.session_key)
    assert store["_auth_user_id"] == str(person.user_id)
    return store


def test_another_key_stays_in_the_row_and_keeps_what_the_session_holds(person: Membership) -> None:
    store = _stored(person)
    before, held, row = store.session_key, dict(store.items()), store.row.id

    store.cycle_key()
    store.save()

    again = SessionStore(store.session_key)
    assert store.session_key != before
    assert dict(again.items()) == held
    assert again.row.id == row
    assert not SessionStore().exists(before or "")


def test_a_session_that_was_ended_gets_no_other_key(person: Membership) -> None:
    store = _stored(person)
    sessions.end_sessions_of(actor="test", membership=person)

    with pytest.raises(SessionInterrupted):
        store.cycle_key()
    assert not Session.objects.filter(user_id=person.user_id).exists()


def test_a_session_without_a_row_gets_one(out: str) -> None:
    with tenant_context(out):
        store = SessionStore()
        store["seen"] = "kept"
        store.cycle_key()
        store.save()

        assert SessionStore(store.session_key)["seen"] == "kept"


def test_signing_out_ends_a_session_that_got_another_key_meanwhile(person: Membership) -> None:
    store = _stored(person)
    copied = SessionStore(store.session_key)
    assert copied["_auth_user_id"] == store["_auth_user_id"]
    copied.cycle_key()

    store.flush()

    assert not Session.objects.filter(user_id=person.user_id).exists()


ENDS: dict[str, Callable[[Membership, SessionStore], object]] = {
    "all of them, by an admin": lambda who, _: sessions.end_sessions_of(actor="test", membership=who),
    "all others": lambda who, _: sessions.end_other_sessions(actor="test", user=who.user, but="another"),
    "this one": lambda who, store: sessions.end_session(actor="test", user=who.user, session=store.row),
    "the membership's": lambda who, _: services.end_access(who, actor="test", reason="test"),
}


@pytest.mark.parametrize("how", ENDS)
def test_whoever_ends_a_session_while_it_gets_another_key_ends_it(person: Membership, how: str) -> None:
    store = _stored(person)

    results: list[Any] = []
    with transaction.atomic():
        row = Session.objects.get(session_key=store.session_key)
        store.cycle_key()
        store.row = row  # as the other request has read it
        ending = elsewhere("out", lambda: ENDS[how](person, store), results)
        wait_for(1, locks="transactionid")
    ending.join(timeout=60)

    assert not Session.objects.filter(user_id=person.user_id).exists()


def test_sessions_are_deleted_in_one_statement(person: Membership) -> None:
    """A list of their keys, read first, would miss one that gets another key in between."""
    _stored(person)
    with CaptureQueriesContext(connection) as captured:
        assert sessions.delete_sessions([person.user_id], but="another") == 1

    assert [one["sql"].split()[0] for one in captured] == ["DELETE"]


# -- signing in while it happens -----------------------------------------------------------------------------


def _changed_by_link(person: Membership) -> None:
    Membership.objects.filter(pk=person.pk).update(password="argon2$of another password")


CHANGES: dict[str, Callable[[Membership], object]] = {
    "another password": _changed_by_link,
    "a second factor": lambda person: TOTP.activate(person.user, generate_totp_secret()),
    "the end of the membership": lambda person: services.end_access(person, actor="test", reason="test"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_sign_in_that_began_before_a_change_does_not_end_after_it(person: Membership, change: str) -> None:
    client = _browser()

    outcomes = in_turn("out", lambda: _log_in(client, person), meanwhile=lambda: CHANGES[change](person))

    assert outcomes == ["403"]
    assert not _is_in(client)
    assert not Session.objects.filter(user_id=person.user_id).exists()


def test_a_sign_in_without_a_change_goes_on(person: Membership) -> None:
    client = _browser()

    assert in_turn("out", lambda: _log_in(client, person)) == ["302"]
    assert _is_in(client)


def test_a_sign_in_is_found_by_whoever_changes_the_password_next(person: Membership) -> None:
    thief, client = _browser(), _browser(person)

    outcomes = in_turn("out", lambda: _log_in(thief, person), lambda: _change_password(client, NEW))

    assert outcomes == ["302", "302"]
    assert (_is_in(thief), _is_in(client)) == (False, True)


def test_a_sign_in_that_waits_for_a_factor_needs_the_password_that_is(person: Membership) -> None:
    secret = generate_totp_secret()
    TOTP.activate(person.user, secret)
    thief, client = _browser(), _browser(person)
    assert _log_in(thief, person) == 302  # on to the factor
    assert _change_password(client, NEW) == 302

    code = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    assert thief.post("/login/factor", {"code": code}).status_code == 403
    assert not _is_in(thief)


def test_a_factor_that_is_set_up_ends_a_sign_in_that_waits_for_it(person: Membership) -> None:
    thief, client = _browser(), _browser(person)
    page = client.get("/me/security/app").content.decode()
    secret = re.search(r"[A-Z2-7]{32}", page)
    assert secret
    code = format_hotp_value(hotp_value(secret[0], int(time.time()) // 30))

    outcomes = in_turn(
        "out",
        lambda: client.post("/me/security/app", {"code": code}).status_code,
        lambda: _log_in(thief, person),
    )

    assert outcomes == ["200", "403"]
    assert (_is_in(thief), _is_in(client)) == (False, True)


# -- what an ended session began -----------------------------------------------------------------------------


def test_of_two_new_passwords_at_once_the_first_counts(person: Membership) -> None:
    """The thief's change, under way in a session of theirs, must not take the account."""
    client, thief = _browser(person), _browser(person)

    outcomes = in_turn("out", lambda: _change_password(client, NEW), lambda: _change_password(thief, OTHER))

    assert outcomes == ["302", "403"]
    assert (_is_in(client), _is_in(thief)) == (True, False)
    assert _log_in(_browser(), person, OTHER) == 200  # the form again
    assert _log_in(_browser(), person, NEW) == 302


def test_an_ended_session_changes_no_password(person: Membership) -> None:
    thief = _browser(person)

    outcomes = in_turn(
        "out",
        lambda: _change_password(thief, OTHER),
        meanwhile=lambda: sessions.delete_sessions([person.user_id]),
    )

    assert outcomes == ["403"]
    assert _log_in(_browser(), person) == 302


def test_an_ended_session_adds_no_factor(person: Membership) -> None:
    thief = _browser(person)
    page = thief.get("/me/security/app").content.decode()
    secret = re.search(r"[A-Z2-7]{32}", page)
    assert secret
    code = format_hotp_value(hotp_value(secret[0], int(time.time()) // 30))

    outcomes = in_turn(
        "out",
        lambda: thief.post("/me/security/app", {"code": code}).status_code,
        meanwhile=lambda: sessions.delete_sessions([person.user_id]),
    )

    assert outcomes == ["400"]
    assert not _is_in(thief)
    assert _log_in(_browser(), person) == 302  # asked for no factor


# -- factors that are tried while they go --------------------------------------------------------------------


def _recovery_codes(person: Membership) -> list[str]:
    TOTP.activate(person.user, generate_totp_secret())
    return list(RecoveryCodes.activate(person.user).get_unused_codes())


def test_a_recovery_code_that_is_replaced_while_it_is_tried_is_wrong(person: Membership) -> None:
    codes, client = _recovery_codes(person), _browser()
    builders.sign_in(client, person.user.email, "out")

    def replace() -> None:
        one_at_a_time("factors", person.user_id)
        Authenticator.objects.filter(user=person.user, type=Authenticator.Type.RECOVERY_CODES).delete()
        RecoveryCodes.activate(person.user)

    form = {"with": "code", "code": codes[0], "next": "/me"}
    outcomes = in_turn("out", lambda: client.post("/me/confirm", form).status_code, before=replace)

    assert outcomes == ["422"]


def test_a_sign_in_whose_factors_are_reset_while_it_tries_one_is_not_let_in(person: Membership) -> None:
    codes, client = _recovery_codes(person), _browser()
    assert _log_in(client, person) == 302  # on to the factor

    outcomes = in_turn(
        "out",
        lambda: factors.reset_factors(actor="test", membership=person),
        lambda: client.post("/login/factor", {"code": codes[0]}).status_code,
    )

    assert outcomes[1] == "200"  # the form again
    assert not _is_in(client)


def test_a_recovery_code_is_not_used_up_by_a_sign_in_that_is_refused(person: Membership) -> None:
    codes, thief, client = _recovery_codes(person), _browser(), _browser(person)
    assert _log_in(thief, person) == 302
    assert _change_password(client, NEW) == 302

    assert thief.post("/login/factor", {"code": codes[0]}).status_code == 403
    late = _browser()
    assert _log_in(late, person, NEW) == 302
    assert late.post("/login/factor", {"code": codes[0]}).status_code == 302
    assert _is_in(late)
