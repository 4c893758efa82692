"""Exceptions of held runs: who asks, who decides, what opens and closes, and what the signed statement says."""

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from compliance import exception_queries as queries
from compliance import exception_services as services
from compliance.evidence.verify import verify_dataset
from compliance.exception_services import FourEyes, NotTheRequester
from compliance.keys import public_key_set
from compliance.models import ReleaseException
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.models import AuditEvent
from core.permissions import Permission, Principal
from core.tenancy import tenant_context
from evaluation.models import Report
from generation.models import Run
from generation.queries.files import require_open
from generation.services import continue_run
from tenants import persons
from tenants import queries as tenant_queries
from tenants import services as tenants
from tenants.models import Tenant
from tenants.oauth import services as oauth
from tenants.oauth.models import Application
from tenants.people import factors, invitations, passwords
from tests.builders import key_id_of, make_api_key, make_principal, sign_in
from tests.dataset_builders import make_held_run, make_run

REASON = "The difference is the one that we planted for the course."
Clients = Callable[..., APIClient]


@pytest.fixture(scope="module")
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Run]:
    """One held run for all tests of this module; each starts with it untouched."""
    with django_db_blocker.unblock(), tenant_context("acme"), transaction.atomic():
        yield make_held_run()
        transaction.set_rollback(True)


@pytest.fixture
def held(committed: Run, acme: Tenant) -> Run:
    committed.refresh_from_db()
    return committed


@pytest.fixture
def another_approver(acme: Tenant) -> Principal:
    """Somebody who decides and is neither the approver nor the admin of the other tests."""
    tenants.add_member(actor="test", email="second@acme.example", role="approver", password="a colleague")
    return make_principal("second")


def failed(run: Run) -> list[str]:
    return [check["id"] for check in queries.askable(run).checks]


def asked(run: Run, role: str = "operator", **changes: Any) -> ReleaseException:
    values = {"checks": failed(run), "reason": REASON} | changes
    return services.ask(principal=make_principal(role), run_id=run.pk, **values)


def granted(run: Run, **changes: Any) -> ReleaseException:
    values: dict[str, Any] = {"comment": "Once.", "principal": make_principal("approver")} | changes
    return services.grant(exception_id=asked(run).pk, **values)


def newest_event() -> AuditEvent:
    return AuditEvent.objects.order_by("-seq")[0]


def is_closed(run: Run) -> bool:
    run.refresh_from_db()
    try:
        require_open(run)
    except Conflict:
        return True
    return False


# -- asking --------------------------------------------------------------------------------------------------


def test_a_request_names_every_failed_check_and_a_reason(held: Run) -> None:
    request = asked(held)

    assert (request.standing, request.reason, request.asked_by) == ("open", REASON, "operator@acme.example")
    assert [check["id"] for check in request.checks] == Report.objects.get(run=held).body["gate"]["failures"]
    assert all(check["sentence"] for check in request.checks)
    event = newest_event()
    assert (event.action, event.actor) == ("compliance.exception.ask", "operator@acme.example")
    assert event.data["checks"] == failed(held)
    assert is_closed(held)


@pytest.mark.parametrize("extra", [["no.such_check"], None])
def test_other_checks_than_the_failed_ones_are_refused(held: Run, extra: list[str] | None) -> None:
    checks = failed(held) + extra if extra else failed(held)[1:]

    with pytest.raises(InvalidInput, match="for all failed checks of the run") as refused:
        asked(held, checks=checks)

    [problem] = refused.value.errors
    assert (extra or failed(held))[0] in problem["detail"]
    assert not ReleaseException.objects.exists()


@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 2001])
def test_a_request_needs_a_reason_of_some_length(held: Run, reason: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 2000 characters"):
        asked(held, reason=reason)


def test_what_an_exception_says_has_lines_and_no_control_characters(held: Run) -> None:
    """A statement is signed as it is read: nothing in it turns the words around it."""
    for character in ("\x1b", "\x00", "\u202e", "\u2066"):
        with pytest.raises(InvalidInput, match="A reason holds no control character") as refused:
            asked(held, reason=f"Fine{character}not")
        assert refused.value.errors[0]["pointer"] == "/reason"
    request = asked(held, reason="First line.\n\tSecond line: café.")

    with pytest.raises(InvalidInput, match="A comment holds no control character"):
        services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="On\u202ece")

    assert ReleaseException.objects.get().standing == "open"
    assert is_closed(held)


def test_only_one_request_of_a_run_is_open_at_a_time(held: Run) -> None:
    asked(held)

    with pytest.raises(Conflict, match="asked for an exception of run #"):
        asked(held, "admin")


@pytest.mark.parametrize("state", [state for state in Run.State.values if state != "held"])
def test_only_a_held_run_can_have_one(acme: Tenant, state: str) -> None:
    run = make_run(state=state)

    with pytest.raises(Conflict, match=f"is {state}; only a held one"):
        services.ask(principal=make_principal(), run_id=run.pk, checks=["x"], reason=REASON)


def test_nobody_can_except_what_nobody_measured(held: Run) -> None:
    report = Report.objects.get(run=held)
    row = next(row for row in report.body["rows"] if row["id"] == failed(held)[0])
    row["verdict"], row["value"] = "error", None
    report.save()

    with pytest.raises(Conflict, match=f"Not measured: {row['title']}"):
        asked(held)


def test_a_run_that_was_never_measured_or_sealed_has_none(held: Run) -> None:
    bare = make_run(state="held", started_by="operator@acme.example")
    Run.objects.filter(pk=held.pk).update(manifest_sha256="")

    with pytest.raises(Conflict, match="Nothing was measured"):
        services.ask(principal=make_principal(), run_id=bare.pk, checks=["x"], reason=REASON)
    with pytest.raises(Conflict, match="before held runs were sealed"):
        asked(held)


def test_a_run_that_nobody_can_be_found_behind_has_none(held: Run) -> None:
    """Its application is gone, so that whoever made it could not be told apart from an approver."""
    Run.objects.filter(pk=held.pk).update(started_by="application:goneforever1")

    with pytest.raises(Conflict, match="Nobody can be found any more behind application:goneforever1"):
        asked(held)


# -- deciding ------------------------------------------------------------------------------------------------


def test_a_granted_exception_opens_the_files_and_leaves_the_run_held(held: Run) -> None:
    exception = granted(held)

    held.refresh_from_db()
    assert (held.state, held.gate_verdict, held.is_open) == ("held", "fail", True)
    event = newest_event()
    assert (event.action, event.actor) == ("compliance.exception.grant", "approver@acme.example")
    assert event.data["manifest_sha256"] == held.manifest_sha256
    assert event.data["statement_sha256"] == held.files.get(path="exception.dsse.json").sha256
    assert exception.statement_sha256 == event.data["statement_sha256"]


def test_the_archive_holds_a_statement_that_verifies_with_public_keys_alone(
    held: Run, api_client: Clients, tmp_path: Path
) -> None:
    until = timezone.now() + timedelta(days=30)
    granted(held, comment="For March.", expires_at=until)

    answer = api_client("operator").get(f"/api/v1/runs/{held.pk}/archive")
    zipfile.ZipFile(BytesIO(b"".join(answer))).extractall(tmp_path)
    [folder] = tmp_path.iterdir()
    found = verify_dataset(folder, public_key_set())

    assert (found.status, found.released, found.problems) == ("ok", False, ())
    assert json.loads((folder / "manifest.json").read_bytes())["released"] is False
    said = found.exception
    assert said is not None
    assert (said.asked_by, said.granted_by) == ("operator@acme.example", "approver@acme.example")
    assert (said.reason, said.comment, said.valid_until) == (REASON, "For March.", until)
    assert list(said.checks) == failed(held)


def test_a_refused_request_leaves_the_run_closed_and_another_may_follow(held: Run) -> None:
    refused = services.refuse(
        principal=make_principal("approver"), exception_id=asked(held).pk, comment="Repair the books."
    )

    assert (refused.standing, refused.comment) == ("refused", "Repair the books.")
    assert newest_event().action == "compliance.exception.refuse"
    assert is_closed(held)
    assert asked(held).standing == "open"


@pytest.mark.parametrize("decide", [services.grant, services.refuse])
@pytest.mark.parametrize("comment", ["", "   ", "x" * 2001])
def test_a_decision_needs_a_comment(held: Run, decide: Callable[..., Any], comment: str) -> None:
    request = asked(held)

    with pytest.raises(InvalidInput, match="A comment has 1 to 2000 characters"):
        decide(principal=make_principal("approver"), exception_id=request.pk, comment=comment)

    request.refresh_from_db()
    assert request.standing == "open"
    assert is_closed(held)


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_an_exception_ends_within_a_year_or_never(held: Run, days: int) -> None:
    with pytest.raises(InvalidInput, match="ends within a year"):
        granted(held, expires_at=timezone.now() + timedelta(days=days))
    assert is_closed(held)


def test_what_is_decided_is_decided(held: Run, another_approver: Principal) -> None:
    exception = granted(held)

    for again in (services.grant, services.refuse):
        with pytest.raises(Conflict, match="is granted; only one that is open can be decided"):
            again(principal=another_approver, exception_id=exception.pk, comment="No.")


def test_a_report_that_changed_since_is_not_what_was_asked_for(held: Run) -> None:
    request = asked(held)
    report = Report.objects.get(run=held)
    report.body["gate"]["failures"] = report.body["gate"]["failures"][1:]
    report.save()

    with pytest.raises(Conflict):
        services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Yes.")


def test_a_run_that_is_no_longer_held_is_not_let_out(held: Run) -> None:
    request = asked(held)
    Run.objects.filter(pk=held.pk).update(state="cancelled")

    with pytest.raises(Conflict, match="is cancelled; only a held one"):
        services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Yes.")


# -- four eyes -----------------------------------------------------------------------------------------------


def test_whoever_asked_does_not_decide(held: Run) -> None:
    request = asked(held, "admin")

    for decide in (services.grant, services.refuse):
        with pytest.raises(FourEyes):
            decide(principal=make_principal("admin"), exception_id=request.pk, comment="Mine.")


def test_whoever_started_the_run_does_not_decide(held: Run) -> None:
    Run.objects.filter(pk=held.pk).update(started_by="admin@acme.example")
    request = asked(held, "operator")

    with pytest.raises(FourEyes):
        services.grant(principal=make_principal("admin"), exception_id=request.pk, comment="Mine.")


def test_a_key_counts_as_the_person_who_made_it(held: Run, api_client: Clients) -> None:
    """Asked by a session, decided by a key of the same person; and the other way round."""
    request = asked(held, "admin")

    answer = api_client("admin").post(f"/api/v1/exceptions/{request.pk}:grant", {"comment": "Mine."})

    assert (answer.status_code, answer.json()["code"]) == (409, "four_eyes")
    services.withdraw(principal=make_principal("admin"), exception_id=request.pk)
    by_key = api_client("admin").post(
        f"/api/v1/runs/{held.pk}/exceptions",
        {"checks": failed(held), "reason": REASON},
        headers={"Idempotency-Key": "by-key"},
    )
    assert by_key.status_code == 201
    assert by_key.json()["asked_by"].endswith(" of admin@acme.example")
    with pytest.raises(FourEyes):
        services.grant(principal=make_principal("admin"), exception_id=by_key.json()["id"], comment="Mine.")


def test_a_run_that_a_key_started_belongs_to_the_keys_maker(held: Run) -> None:
    key_id = make_api_key("admin").removeprefix("ds_live_")[:12]
    Run.objects.filter(pk=held.pk).update(started_by=f"api-key:{key_id}")
    request = asked(held, "operator")

    with pytest.raises(FourEyes):
        services.grant(principal=make_principal("admin"), exception_id=request.pk, comment="Mine.")
    services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Not mine.")


def _application(maker: str, permissions: list[str]) -> Application:
    made = oauth.create_application(
        principal=make_principal(maker),
        name="script",
        kind="service",
        permissions=permissions,
        redirect_uris=[],
    )
    return made.application


def test_an_application_counts_as_whoever_made_it_even_when_it_is_gone(held: Run) -> None:
    application = _application("admin", ["runs.write"])
    actor = f"application:{application.client_id}"
    Run.objects.filter(pk=held.pk).update(started_by=actor)
    request = asked(held, "operator")
    application.delete()

    with pytest.raises(FourEyes):
        services.grant(principal=make_principal("admin"), exception_id=request.pk, comment="Mine.")


def test_an_application_of_the_requester_does_not_decide_for_the_approver(held: Run) -> None:
    application = _application("admin", ["runs.write"])
    approver = make_principal("approver")
    acting = Principal(
        actor=f"application:{application.client_id} for approver@acme.example",
        credential=f"application:{application.client_id}:{approver.user_id}",
        permissions=approver.permissions,
        user_id=approver.user_id,
    )
    request = asked(held, "admin")

    with pytest.raises(FourEyes):
        services.grant(principal=acting, exception_id=request.pk, comment="For them.")


def come_back(email: str, role: str) -> Principal:
    """The person leaves for good and joins again under the same address: another account, the same person."""
    before = tenant_queries.members().get(user__email=email)
    tenants.remove_member(actor="test", membership=before)
    after = tenants.add_member(actor="test", email=email, role=role, password="a colleague").membership
    assert after.user_id != before.user_id
    return make_principal(email.partition("@")[0])


def test_whoever_asked_does_not_decide_after_leaving_and_coming_back(held: Run) -> None:
    request = asked(held, "operator")

    back = come_back("operator@acme.example", "approver")

    with pytest.raises(FourEyes):
        services.grant(principal=back, exception_id=request.pk, comment="Mine.")
    assert services.withdraw(principal=back, exception_id=request.pk).standing == "withdrawn"


def test_whoever_started_the_run_does_not_decide_after_leaving_and_coming_back(held: Run) -> None:
    Run.objects.filter(pk=held.pk).update(started_by="admin@acme.example")
    request = asked(held, "operator")

    back = come_back("admin@acme.example", "approver")

    with pytest.raises(FourEyes):
        services.grant(principal=back, exception_id=request.pk, comment="Mine.")


@pytest.mark.parametrize("is_gone_when_asked", [True, False])
@pytest.mark.parametrize("through", ["key", "application"])
def test_whoever_made_a_credential_does_not_decide_after_leaving_and_coming_back(
    held: Run, through: str, *, is_gone_when_asked: bool
) -> None:
    """Leaving takes the person's keys along; the trail still knows whose they were."""
    actor = f"api-key:{make_api_key('admin').removeprefix('ds_live_')[:12]}"
    if through == "application":
        made_by_key = replace(make_principal("admin"), actor=actor)
        made = oauth.create_application(
            principal=made_by_key, name="script", kind="web", permissions=["runs.write"],
            redirect_uris=["https://app.example/back"],
        )  # fmt: skip
        actor = f"application:{made.application.client_id} for viewer@acme.example"
    Run.objects.filter(pk=held.pk).update(started_by=actor)
    if is_gone_when_asked:
        back = come_back("admin@acme.example", "approver")
        request = asked(held, "operator")
    else:
        request = asked(held, "operator")
        back = come_back("admin@acme.example", "approver")

    with pytest.raises(FourEyes):
        services.grant(principal=back, exception_id=request.pk, comment="Mine.")
    services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Not mine.")


def run_of_a_service(held: Run) -> Application:
    """The owner's service started the held run."""
    owner = make_principal("owner")
    service = oauth.create_application(
        principal=owner, name="nightly", kind="service", permissions=["runs.write"], redirect_uris=[]
    ).application
    Run.objects.filter(pk=held.pk).update(started_by=f"application:{service.client_id}")
    return service


def test_whoever_holds_the_new_secret_of_a_service_does_not_decide_on_what_it_did(held: Run) -> None:
    """One person could rotate a colleague's service, act through it, and decide alone."""
    oauth.rotate_secret(principal=make_principal("admin"), application=run_of_a_service(held))
    request = asked(held, "operator")

    for role in ("owner", "admin"):
        with pytest.raises(FourEyes):
            services.grant(principal=make_principal(role), exception_id=request.pk, comment="Mine.")
    services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Not mine.")


@pytest.mark.parametrize("way_in", ["password link", "second factors", "links both ways"])
def test_whoever_opened_an_account_to_themselves_is_counted_as_that_person(held: Run, way_in: str) -> None:
    operator = tenant_queries.members().get(user__email="operator@acme.example")
    if way_in == "second factors":
        sign_in(Client(), "operator@acme.example", "acme")  # a session that ends with them
        factors.reset_factors(actor=make_principal("admin"), membership=operator)
    else:
        passwords.make_link(actor=make_principal("admin"), membership=operator)
    if way_in == "links both ways":
        admin = tenant_queries.members().get(user__email="admin@acme.example")
        passwords.make_link(actor="operator@acme.example", membership=admin)
    request = asked(held, "operator")

    with pytest.raises(FourEyes):
        services.grant(principal=make_principal("admin"), exception_id=request.pk, comment="Mine.")
    services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Not mine.")


@pytest.mark.parametrize("shown", ["sent", "renewed", "sent by a key"])
def test_whoever_was_shown_an_invitation_is_counted_as_whoever_came_in_by_it(held: Run, shown: str) -> None:
    admin = make_principal("admin")
    if shown == "sent by a key":
        key = key_id_of(make_api_key("admin"))
        admin = replace(admin, actor=f"api-key:{key}", credential=f"key:{key}")
    sender = make_principal("owner") if shown == "renewed" else admin
    sent = invitations.invite(principal=sender, email="new@acme.example", role="operator")
    if shown == "renewed":
        sent = invitations.renew(principal=admin, invitation=sent.invitation)
    invitations.accept(token=sent.token, name="New", password="quite another battery")
    request = asked(held, "new")

    for role in {"admin", "owner"} if shown == "renewed" else {"admin"}:
        with pytest.raises(FourEyes):
            services.grant(principal=make_principal(role), exception_id=request.pk, comment="Mine.")
    services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Not mine.")


def test_an_application_alone_asks_for_its_maker_and_decides_nothing(held: Run) -> None:
    application = _application("admin", ["runs.write"])
    actor = f"application:{application.client_id}"
    acting = Principal(actor=actor, credential=actor, permissions=frozenset({Permission.EXCEPTIONS_DECIDE}))

    assert persons.behind(acting) == persons.behind(make_principal("admin"))
    request = asked(held, "operator")
    with pytest.raises(Forbidden):
        services.grant(principal=acting, exception_id=request.pk, comment="Nobody.")


# -- ending --------------------------------------------------------------------------------------------------


def test_whoever_asked_may_take_it_back_and_nobody_else(held: Run) -> None:
    request = asked(held)

    with pytest.raises(NotTheRequester):
        services.withdraw(principal=make_principal("admin"), exception_id=request.pk)
    withdrawn = services.withdraw(principal=make_principal("operator"), exception_id=request.pk)

    assert (withdrawn.standing, withdrawn.ended_by) == ("withdrawn", "operator@acme.example")
    assert newest_event().action == "compliance.exception.withdraw"
    with pytest.raises(Conflict, match="is withdrawn; only one that is open can be decided"):
        services.grant(principal=make_principal("approver"), exception_id=request.pk, comment="Too late.")


def test_revoking_closes_the_files_again(held: Run, api_client: Clients) -> None:
    exception = granted(held)
    archive = f"/api/v1/runs/{held.pk}/archive"
    assert api_client("operator").get(archive).status_code == 200

    services.revoke(principal=make_principal("approver"), exception_id=exception.pk, comment="Misused.")

    assert newest_event().action == "compliance.exception.revoke"
    assert api_client("operator").get(archive).status_code == 409
    assert not held.files.filter(path="exception.dsse.json").exists()
    assert is_closed(held)
    with pytest.raises(Conflict, match="is revoked; only one that is granted can be revoked"):
        services.revoke(principal=make_principal("approver"), exception_id=exception.pk, comment="Again.")


def test_an_exception_ends_by_the_clock(held: Run) -> None:
    exception = granted(held, expires_at=timezone.now() + timedelta(days=1))
    over = timezone.now() - timedelta(seconds=1)
    Run.objects.filter(pk=held.pk).update(opened_until=over)
    ReleaseException.objects.filter(pk=exception.pk).update(expires_at=over)

    assert is_closed(held)
    assert queries.find_exception(exception.pk).standing == "expired"
    with pytest.raises(Conflict, match="is expired"):
        services.revoke(principal=make_principal("approver"), exception_id=exception.pk, comment="Over.")
    assert granted(held).standing == "granted"
    assert not is_closed(held)


def test_an_opened_run_has_no_second_exception_and_its_books_are_not_kept_on(held: Run) -> None:
    granted(held)

    with pytest.raises(Conflict, match="has an exception already"):
        asked(held)
    with pytest.raises(Conflict, match="is held; only a released one can be continued"):
        continue_run(actor="operator@acme.example", run_id=held.pk)


# -- API and the stranger ------------------------------------------------------------------------------------


def test_the_api_asks_once_lists_and_decides(held: Run, api_client: Clients) -> None:
    operator, approver = api_client("operator"), api_client("approver")
    address = f"/api/v1/runs/{held.pk}/exceptions"
    body = {"checks": failed(held), "reason": REASON}

    without_key = operator.post(address, body)
    first = operator.post(address, body, headers={"Idempotency-Key": "ask"})
    again = operator.post(address, body, headers={"Idempotency-Key": "ask"})

    assert without_key.json()["code"] == "idempotency_key_missing"
    assert (first.status_code, first.json()) == (201, again.json())
    one = first["Location"]
    assert approver.get(one).json()["state"] == "open"
    listed = approver.get("/api/v1/exceptions", {"state": "open"}).json()["items"]
    assert [item["id"] for item in listed] == [first.json()["id"]]
    assert approver.get("/api/v1/exceptions", {"state": "decided"}).json()["items"] == []
    decided = approver.post(f"{one}:grant", {"comment": "Yes.", "expires_at": "2999-01-01T00:00:00Z"})
    assert (decided.status_code, decided.json()["errors"][0]["pointer"]) == (422, "/expires_at")
    decided = approver.post(f"{one}:grant", {"comment": "Yes."})
    assert (decided.status_code, decided.json()["state"]) == (200, "granted")
    run = operator.get(f"/api/v1/runs/{held.pk}").json()
    assert (run["state"], run["downloadable"], run["opened_until"]) == ("held", True, None)
    assert approver.post(f"{one}:revoke", {"comment": "No more."}).json()["state"] == "revoked"
    assert [item["state"] for item in operator.get(address).json()["items"]] == ["revoked"]


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_who_may_not_decide_is_refused(held: Run, api_client: Clients, role: str) -> None:
    request = asked(held, "admin")

    for verb in ("grant", "refuse", "revoke"):
        answer = api_client(role).post(f"/api/v1/exceptions/{request.pk}:{verb}", {"comment": "Yes."})
        assert answer.status_code == 403


def test_an_approver_asks_for_nothing(held: Run, api_client: Clients) -> None:
    answer = api_client("approver").post(
        f"/api/v1/runs/{held.pk}/exceptions",
        {"checks": failed(held), "reason": REASON},
        headers={"Idempotency-Key": "x"},
    )

    assert answer.status_code == 403


def test_another_organisation_finds_neither_run_nor_exception(held: Run, api_client: Clients) -> None:
    request = asked(held)
    stranger = api_client("owner", "globex")

    assert stranger.get("/api/v1/exceptions").json()["items"] == []
    assert stranger.get(f"/api/v1/runs/{held.pk}/exceptions").status_code == 404
    for verb in ("grant", "refuse", "withdraw", "revoke"):
        answer = stranger.post(f"/api/v1/exceptions/{request.pk}:{verb}", {"comment": "Yes."})
        assert answer.status_code == 404, verb
    with tenant_context("globex"), pytest.raises(NotFound):
        services.grant(
            principal=make_principal("approver", "globex"), exception_id=request.pk, comment="Yes."
        )
