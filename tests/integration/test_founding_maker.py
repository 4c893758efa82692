"""Making what people started: whole, once, whoever dies meanwhile. Everything here commits, as two processes do."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings

from core.errors import InvalidInput
from core.models import AuditEvent
from core.postgres.provision import rows_of
from core.tenancy import OWNER_ALIAS, owner_context, shared_context, tenant_context
from tenants import services as tenants
from tenants.founding import maker, services
from tenants.founding.models import OrganisationRequest
from tenants.models import Membership
from tests.builders import drop_organisation
from tests.conftest import PASSWORD, forget_tries

EMAIL = "founder@initech.example"


def as_owner(statement: str, *parameters: str) -> list[tuple[Any, ...]]:
    with owner_context("public"), connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def organisations() -> set[str]:
    return {name for (name,) in as_owner("SELECT schema_name FROM public.tenants_tenant")}


@pytest.fixture(autouse=True)
def committed(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, settings: Settings
) -> Iterator[None]:
    """Real commits; what a test made is removed after it."""
    settings.SELF_SERVICE = frozenset()
    settings.PUBLIC_PORT = 8000
    forget_tries()
    with django_db_blocker.unblock():
        before = organisations()
        yield
        as_owner("DELETE FROM public.founding_organisationrequest")
        for schema in organisations() - before:
            drop_organisation(schema)
        as_owner("DELETE FROM public.tenants_user WHERE email LIKE %s", "%@initech.example")
        connections.close_all()


def prove(slug: str = "initech-labs", email: str = EMAIL) -> str:
    """A wish that waits to be made; the token of its progress."""
    with shared_context():
        begun = services.begin(name="Initech Labs", slug=slug, email=email)
        assert begun is not None
        return services.confirm(token=begun.token, slug=slug, person_name="First Person", password=PASSWORD)


def wish(token: str) -> OrganisationRequest:
    with shared_context():
        return services.request_of_progress(token)


def traces(schema: str) -> list[tuple[Any, ...]]:
    """What is left in the database of an organisation that was not made."""
    return [
        *as_owner("SELECT nspname FROM pg_namespace WHERE nspname = %s", schema),
        *as_owner("SELECT rolname FROM pg_roles WHERE rolname = %s", f"t_{schema}"),
        *as_owner("SELECT schema_name FROM public.tenants_tenant WHERE schema_name = %s", schema),
        *as_owner("SELECT email FROM public.tenants_user WHERE email = %s", EMAIL),
    ]


def browser(host: str) -> Client:
    return Client(headers={"host": host})


# -- the way through -----------------------------------------------------------------------------------------


def test_a_founder_gets_an_organisation_and_signs_in_as_its_owner(settings: Settings) -> None:
    settings.HAS_EMAIL = True
    token = prove()
    mail.outbox.clear()

    assert maker.Maker().work_off() == 1

    made = wish(token)
    assert (made.state, made.password, made.reason) == ("ready", "", "")
    page = browser("localhost:8000").get(f"/start/progress/{token}").content.decode()
    assert 'href="http://initech-labs.localhost:8000/login"' in page
    (letter,) = mail.outbox
    assert (letter.to, "http://initech-labs.localhost:8000/login" in letter.body) == ([EMAIL], True)
    client = browser("initech-labs.localhost:8000")
    answer = client.post("/login", {"login": EMAIL, "password": PASSWORD})
    assert answer.status_code == 302
    assert client.get("/settings/organisation").status_code == 200
    with tenant_context("initech_labs"):
        founder = Membership.objects.get()
    assert (founder.role, founder.name) == ("owner", "First Person")


def test_the_trail_of_the_organisation_begins_with_its_creation() -> None:
    token = prove()
    maker.Maker().work_off()

    with tenant_context("initech_labs"):
        events = list(AuditEvent.objects.order_by("seq"))

    made = wish(token)
    assert [event.action for event in events] == ["tenants.organisation.create", "tenants.member.add"]
    assert {event.actor for event in events} == {f"self-service:{made.pk}"}
    assert events[0].target == f"tenants.tenant:{made.tenant_id}"
    assert events[0].data == {"name": "Initech Labs", "host": "initech-labs.localhost"}
    assert events[1].data["email"] == EMAIL
    assert PASSWORD not in str([event.data for event in events])


def test_somebody_who_is_a_member_elsewhere_founds_with_another_password() -> None:
    prove(email="owner@acme.example")
    maker.Maker().work_off()

    with tenant_context("acme"):
        before = Membership.objects.get(user__email="owner@acme.example")
    with tenant_context("initech_labs"):
        here = Membership.objects.get(user__email="owner@acme.example")

    assert here.user_id == before.user_id
    assert here.password != before.password


def test_an_organisation_that_is_deleted_takes_its_wish_with_it() -> None:
    prove()
    maker.Maker().work_off()
    with owner_context("public"):
        tables = {table for table, _ in rows_of("initech_labs", "x")}

    assert "founding_organisationrequest" in tables


# -- many makers, dead makers --------------------------------------------------------------------------------


def test_many_makers_at_once_make_each_organisation_once() -> None:
    tokens = [prove(f"initech-{word}", f"{word}@initech.example") for word in ("north", "south", "west")]
    faults: list[BaseException] = []

    def run() -> None:
        try:
            maker.Maker().work_off()
        except BaseException as error:
            faults.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    assert [wish(token).state for token in tokens] == ["ready"] * 3
    created = "SELECT count(*) FROM public.core_auditevent WHERE actor = %s"
    assert [as_owner(created, f"self-service:{wish(token).pk}") for token in tokens] == [[(1,)]] * 3


@contextmanager
def a_maker_stopped_in_the_middle() -> Iterator[subprocess.Popen[str]]:
    """A process that has made schema and role and cannot write its founder: another session holds the table."""
    with connections[OWNER_ALIAS].copy().cursor() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE public.tenants_user IN SHARE ROW EXCLUSIVE MODE")
        process = subprocess.Popen(
            [sys.executable, "-m", "django", "make_organisations"],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "SELF_SERVICE": "open"},
            text=True,
        )
        try:
            waiting = (
                "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'public.tenants_user'::regclass"
            )
            deadline = time.monotonic() + 30
            while not as_owner(waiting):
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield process
        finally:
            process.kill()
            process.wait()
            blocker.execute("ROLLBACK")
            blocker.connection.close()


def test_a_maker_that_is_killed_in_the_middle_leaves_nothing_and_the_next_one_goes_on() -> None:
    token = prove()

    with a_maker_stopped_in_the_middle() as process:
        assert wish(token).state == "making"
        page = browser("localhost").get(f"/start/progress/{token}").content.decode()
        assert "Being made" in page
        process.send_signal(signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + 10
    while as_owner("SELECT 1 FROM pg_locks WHERE relation = 'public.founding_organisationrequest'::regclass"):
        assert time.monotonic() < deadline  # the server notices that the process is gone
        time.sleep(0.05)

    assert traces("initech_labs") == []
    assert wish(token).state == "making"
    assert maker.Maker().work_off() == 1
    assert wish(token).state == "ready"
    assert len(traces("initech_labs")) == 4


def test_a_maker_that_died_between_its_two_steps_is_taken_up() -> None:
    token = prove()
    claimed = maker.claim()

    assert wish(token).state == "making"
    assert claimed == wish(token).pk
    assert maker.Maker().work_off() == 1
    assert wish(token).state == "ready"


def test_a_wish_under_which_makers_die_again_and_again_does_not_stop_the_others() -> None:
    deadly = prove()
    for _ in range(5):
        maker.claim()
    other = prove("initech-west", "west@initech.example")

    assert maker.Maker().work_off() == 2
    assert (wish(deadly).state, wish(other).state) == ("failed", "ready")
    assert "The fault is on our side" in wish(deadly).reason
    assert traces("initech_labs") == []


def test_a_second_pass_finds_nothing_to_do() -> None:
    prove()

    assert [maker.Maker().work_off() for _ in range(2)] == [1, 0]


# -- what goes wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("operators", ["initech-labs", "1nitech"])
def test_a_name_that_an_operator_took_meanwhile_is_chosen_again(operators: str) -> None:
    slug = "initech-labs" if operators == "initech-labs" else "lnitech"
    taken = operators if operators == "initech-labs" else "initech"
    token = prove(slug)
    tenants.create_organisation(actor="test", slug=taken, name="First", host=f"{taken}.localhost")

    maker.Maker().work_off()
    client = browser("localhost")
    page = client.get(f"/start/progress/{token}").content.decode()
    same = client.post(f"/start/progress/{token}", {"slug": slug})
    another = client.post(f"/start/progress/{token}", {"slug": "other-labs"})
    maker.Maker().work_off()

    assert "was not made" in page
    assert "is taken, or is too much like" in page
    assert same.status_code == 422
    assert another.status_code == 302
    assert (wish(token).state, wish(token).slug) == ("ready", "other-labs")
    answer = browser("other-labs.localhost").post("/login", {"login": EMAIL, "password": PASSWORD})
    assert answer.status_code == 302


def test_a_fault_of_the_platform_is_told_as_one_and_can_be_tried_again() -> None:
    token = prove()
    as_owner("CREATE SCHEMA initech_labs")  # a remainder that no table knows of

    maker.Maker().work_off()
    failed = wish(token)
    as_owner("DROP SCHEMA initech_labs")
    with shared_context():
        services.retry(token=token, slug="initech-labs")
    maker.Maker().work_off()

    assert failed.state == "failed"
    assert failed.reason.startswith("The fault is on our side and has been logged.")
    assert wish(token).state == "ready"


@pytest.mark.parametrize(("column", "value"), [("slug", "www"), ("slug", "A'; --"), ("name", "Ac\u202eme")])
def test_the_maker_believes_no_row(column: str, value: str) -> None:
    """Who can write the table, such as a web process that was taken over, gets nothing past the rules."""
    token = prove()
    as_owner(f"UPDATE public.founding_organisationrequest SET {column} = %s", value)
    before = organisations()

    maker.Maker().work_off()

    assert wish(token).state == "failed"
    assert organisations() == before


def test_of_two_who_prove_at_once_one_has_the_name() -> None:
    with shared_context():
        begun = [
            services.begin(name="I", slug=slug, email=f"{slug}@initech.example")
            for slug in ("initech-labs", "initechlabs")
        ]
    outcomes: list[str] = []
    barrier = threading.Barrier(2)

    def run(token: str, slug: str) -> None:
        try:
            with shared_context():
                barrier.wait()
                services.confirm(token=token, slug=slug, person_name="P", password=PASSWORD)
            outcomes.append("queued")
        except InvalidInput as error:
            outcomes.append(error.errors[0]["code"])
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(one.token, one.request.slug)) for one in begun if one]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["queued", "taken"]


# -- the process ---------------------------------------------------------------------------------------------


def test_the_process_ends_on_sigterm() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "django", "make_organisations"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "SELF_SERVICE": "open"},
    )
    token = prove()
    deadline = time.monotonic() + 30
    while wish(token).state != "ready":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=10) == 0


def test_once_ends_by_itself() -> None:
    prove()
    said = StringIO()

    call_command("make_organisations", "--once", stdout=said)

    assert said.getvalue().strip() == "1"


def test_while_self_service_is_closed_nothing_is_made(settings: Settings) -> None:
    prove()
    settings.SELF_SERVICE = None

    with pytest.raises(CommandError, match="closed"):
        call_command("make_organisations", "--once")
