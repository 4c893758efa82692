"""Exceptions of held runs: who asks, who decides, what opens and closes, and what the signed statement says."""

import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from compliance import exception_queries as queries
from compliance import exception_services as services
from compliance.evidence.verify import verify_dataset
from compliance.exception_services import NotTheRequester
from compliance.keys import public_key_set
from compliance.models import ReleaseException
from core.errors import Conflict, InvalidInput, NotFound
from core.models import AuditEvent
from core.permissions import Principal
from core.tenancy import tenant_context
from evaluation.models import Report
from generation.models import Run
from generation.queries.files import require_open
from generation.services import continue_run
from tenants import services as tenants
from tenants.models import Tenant
from tests.builders import make_principal
from tests.dataset_builders import make_run
from tests.exception_builders import REASON, asked, failed

Clients = Callable[..., APIClient]


@pytest.fixture
def another_approver(acme: Tenant) -> Principal:
    """Somebody who decides and is neither the approver nor the admin of the other tests."""
    tenants.add_member(actor="test", email="second@acme.example", role="approver", password="a colleague")
    return make_principal("second")


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
