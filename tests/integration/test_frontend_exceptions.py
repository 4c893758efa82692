"""Pages of exceptions: the panel of a held run, the approvals, and what is said on their forms."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from compliance import exception_queries as queries
from compliance import exception_services as services
from compliance.models import ReleaseException
from generation.models import Run
from tenants.people.proof import RECORDS
from tests.builders import make_principal

Clients = Callable[..., Client]
ASK = "Ask for an exception"


def body(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def checks(run: Run) -> list[str]:
    return [check["id"] for check in queries.askable(run).checks]


def asked(run: Run, role: str = "operator", reason: str = "For the course.") -> ReleaseException:
    return services.ask(principal=make_principal(role), run_id=run.pk, checks=checks(run), reason=reason)


def granted(run: Run, **changes: object) -> ReleaseException:
    return services.grant(
        principal=make_principal("approver"),
        exception_id=asked(run).pk,
        comment="Only there.",
        **changes,  # type: ignore[arg-type]
    )


def test_the_page_of_a_held_run_lists_what_failed_and_takes_a_request(held: Run, client_for: Clients) -> None:
    client = client_for("operator")
    page = body(client, f"/runs/{held.number}")

    assert ASK in page
    for check in queries.askable(held).checks:
        assert f'name="checks" value="{check["id"]}"' in page
    sent = client.post(
        f"/runs/{held.number}/exception", {"checks": checks(held), "reason": "For the course."}
    )
    assert sent.headers["Location"] == f"/runs/{held.number}"
    page = body(client, f"/runs/{held.number}")
    assert "Waits for a decision" in page
    assert "For the course." in page
    assert ASK not in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reason": ""}, "This field is required."),
        ({"reason": "x" * 2001}, "at most 2000 characters"),
        ({"checks": ["no.such_check"]}, "for all failed checks of the run"),
        ({"reason": "a\0b"}, "Null characters are not allowed."),
    ],
)
def test_what_is_wrong_with_a_request_is_said_on_its_form(
    held: Run, client_for: Clients, change: dict[str, object], said: str
) -> None:
    answer = client_for("operator").post(
        f"/runs/{held.number}/exception", {"checks": checks(held), "reason": "For the course."} | change
    )

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ReleaseException.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "auditor", "approver"])
def test_who_may_not_ask_is_told_who_may(held: Run, client_for: Clients, role: str) -> None:
    page = body(client_for(role), f"/runs/{held.number}")

    assert "Nobody has asked for one. An operator or an admin can ask" in page
    assert ASK not in page


def test_a_run_that_can_have_none_says_why(held: Run, client_for: Clients) -> None:
    Run.objects.filter(pk=held.pk).update(manifest_sha256="")

    page = body(client_for("operator"), f"/runs/{held.number}")

    assert "It was held before held runs were sealed" in page
    assert ASK not in page


def test_only_whoever_asked_is_offered_to_withdraw(held: Run, client_for: Clients) -> None:
    request = asked(held)

    assert "Withdraw your request?" not in body(client_for("admin"), f"/runs/{held.number}")
    client = client_for("operator")
    assert "Withdraw your request?" in body(client, f"/runs/{held.number}")
    client.post(f"/exceptions/{request.pk}/withdraw")
    page = body(client, f"/runs/{held.number}")
    assert "Withdrawn" in page
    assert "Ask again" in page


def test_the_navigation_of_whoever_decides_counts_what_waits(held: Run, client_for: Clients) -> None:
    approver = client_for("approver")
    assert "Nothing waits for you" in body(approver, "/approvals")
    assert "1 open" not in body(approver, "/")
    asked(held)

    assert '<span class="n">1 open</span>' in body(approver, "/")
    assert held.name in body(approver, "/approvals")
    assert "Nothing was decided yet" in body(approver, "/approvals?state=decided")
    assert "/approvals" not in body(client_for("operator"), "/")
    assert client_for("operator").get("/approvals").status_code == 403


def test_a_granted_run_is_downloaded_and_a_revoked_one_is_not(held: Run, client_for: Clients) -> None:
    request, approver, operator = asked(held), client_for("approver"), client_for("operator")
    archive = f"/runs/{held.number}/download"
    assert f'href="{archive}"' not in body(operator, f"/runs/{held.number}")

    approver.post(
        f"/approvals/{request.pk}", {"decision": "grant", "comment": "Only there.", "lifetime_days": "30"}
    )

    held.refresh_from_db()
    assert held.opened_until is not None
    assert timedelta(days=29) < held.opened_until - timezone.now() < timedelta(days=30)
    page = body(operator, f"/runs/{held.number}")
    assert "Held, let out by exception" in page
    assert f'href="{archive}"' in page
    assert "Continue" not in page
    assert "exception.dsse.json" in body(operator, f"/runs/{held.number}/files")
    assert operator.get(archive).status_code == 200
    approver.post(f"/approvals/{request.pk}/revoke", {"comment": "Misused."})
    assert operator.get(archive).status_code == 409
    page = body(operator, f"/runs/{held.number}")
    assert "Revoked" in page
    assert "Misused." in page
    assert f'href="{archive}"' not in page


def test_a_refusal_is_read_where_it_was_asked(held: Run, client_for: Clients) -> None:
    request = asked(held)

    client_for("approver").post(f"/approvals/{request.pk}", {"decision": "refuse", "comment": "Repair it."})

    page = body(client_for("operator"), f"/runs/{held.number}")
    assert "Refused" in page
    assert "Repair it." in page
    assert "Ask again" in page
    assert held.name in body(client_for("approver"), "/approvals?state=decided")


def test_whoever_asked_sees_that_somebody_else_decides(held: Run, client_for: Clients) -> None:
    request, admin = asked(held, "admin"), client_for("admin")

    assert "Somebody else has to decide." in body(admin, f"/approvals/{request.pk}")
    answer = admin.post(f"/approvals/{request.pk}", {"decision": "grant", "comment": "Mine."})
    assert answer.status_code == 409
    assert queries.find_exception(request.pk).standing == "open"


def test_a_decision_without_a_comment_or_too_late_is_told(held: Run, client_for: Clients) -> None:
    request, approver = asked(held), client_for("approver")

    empty = approver.post(f"/approvals/{request.pk}", {"decision": "grant", "comment": ""})
    services.refuse(principal=make_principal("admin"), exception_id=request.pk, comment="First.")
    late = approver.post(f"/approvals/{request.pk}", {"decision": "grant", "comment": "Yes."})

    assert empty.status_code == 422
    assert "This field is required." in empty.content.decode()
    assert late.status_code == 409
    assert "is refused; only one that is open can be decided" in late.content.decode()


def test_a_revocation_needs_a_reason(held: Run, client_for: Clients) -> None:
    exception = granted(held)

    answer = client_for("approver").post(f"/approvals/{exception.pk}/revoke", {"comment": ""})

    assert answer.status_code == 422
    assert "This field is required." in answer.content.decode()
    assert queries.find_exception(exception.pk).standing == "granted"


def test_an_old_session_proves_who_it_is_before_it_sees_the_form(held: Run, client_for: Clients) -> None:
    request, approver = asked(held), client_for("approver")
    session = approver.session
    session[RECORDS] = [{"method": "password", "at": 0}]
    session.save()

    for answer in (
        approver.get(f"/approvals/{request.pk}"),
        approver.post(f"/approvals/{request.pk}", {"decision": "grant", "comment": "Yes."}),
        approver.post(f"/approvals/{request.pk}/revoke", {"comment": "Yes."}),
    ):
        assert answer.headers["Location"].startswith("/me/confirm")
    assert queries.find_exception(request.pk).standing == "open"
    assert approver.get("/approvals").status_code == 200


def test_the_list_has_pages_and_keeps_its_filter(held: Run, client_for: Clients) -> None:
    row = asked(held)
    for number in range(55):
        ReleaseException.objects.create(
            run=held, state="refused", checks=row.checks, reason=f"Reason {number:02d}",
            asked_by=row.asked_by, askers=row.askers, starters=row.starters, decided_at=timezone.now(),
        )  # fmt: skip
    approver = client_for("approver")

    first = body(approver, "/approvals?state=decided")
    second = body(approver, "/approvals?state=decided&page=2")

    assert "?state=decided&amp;page=2" in first
    assert first.count("Reason ") == 50
    assert second.count("Reason ") == 5
    assert 'href="?state=decided"' in second


def test_what_people_write_is_text(held: Run, client_for: Clients) -> None:
    request = asked(held, reason="<script>alert(1)</script>")

    for path in (f"/runs/{held.number}", "/approvals", f"/approvals/{request.pk}"):
        page = body(client_for("approver"), path)
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize("decision", [{}, {"decision": ""}, {"decision": "yes"}])
def test_what_is_neither_a_grant_nor_a_refusal_decides_nothing(
    held: Run, client_for: Clients, decision: dict[str, str]
) -> None:
    request, approver = asked(held), client_for("approver")

    answer = approver.post(f"/approvals/{request.pk}", {**decision, "comment": "Yes."})

    assert answer.status_code == 422
    assert "Press “Grant” or “Refuse”." in answer.content.decode()
    assert queries.find_exception(request.pk).standing == "open"
