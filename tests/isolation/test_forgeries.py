"""What somebody makes up who knows how it works: messages, cursors, host names, forwarded headers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from rest_framework.test import APIClient

from core.jobs import ledger
from core.jobs.models import Job, Unit
from core.jobs.pipelines import pipeline
from core.tenancy import shared_context, tenant_context
from generation import services
from generation.models import Run
from tenants.models import Tenant
from tests import dataset_builders
from tests.builders import sign_in
from tests.dataset_builders import make_config, make_run, small_text

ClientFor = Callable[..., Client]
ApiClientFor = Callable[..., APIClient]


# -- messages of the broker ----------------------------------------------------------------------------------


@pytest.fixture
def runs(acme: Tenant) -> dict[str, Run]:
    """One run each, whose first units are queued."""
    made = {"acme": make_run()}
    with tenant_context("globex"):
        made["globex"] = make_run()
    with shared_context():
        Unit.objects.update(state=Unit.State.QUEUED)
    return made


def _unit(run: Run) -> Unit:
    return Unit.objects.filter(job_id=run.job_id).get()


def test_a_message_that_pairs_a_job_with_a_unit_of_another_organisation_claims_nothing(
    runs: dict[str, Run],
) -> None:
    with shared_context():
        unit = _unit(runs["globex"])

        assert ledger.claim(runs["acme"].job_id, unit.pk, unit.attempt, worker="forged") is None
        assert _unit(runs["globex"]).state == _unit(runs["acme"]).state == Unit.State.QUEUED


def test_whoever_sends_the_message_the_work_is_done_for_the_owner_of_the_job(runs: dict[str, Run]) -> None:
    with shared_context():
        unit = _unit(runs["globex"])
        claim = ledger.claim(runs["globex"].job_id, unit.pk, unit.attempt, worker="any")

    assert claim is not None
    assert claim.tenant == "globex"


def test_a_job_of_one_organisation_that_names_a_run_of_another_finds_no_run(runs: dict[str, Run]) -> None:
    """As if the row of the job itself had been forged."""
    stage = pipeline(services.JOB_KIND).stages[0]
    forged = dataset_builders.Unit(
        runs["acme"].job_id, {"run_id": str(runs["globex"].pk)}, stage.name, 0, Path(), {}
    )

    with pytest.raises(Exception, match=r"does not exist|nothing here"):
        stage.run(forged)


def test_no_organisation_can_write_a_row_of_the_ledger_for_another(runs: dict[str, Run]) -> None:
    """Inside acme the rows of globex are not there to be changed."""
    assert Job.objects.filter(pk=runs["globex"].job_id).update(state=Job.State.CANCELLED) == 0
    assert Unit.objects.filter(job_id=runs["globex"].job_id).delete()[0] == 0


# -- cursors -------------------------------------------------------------------------------------------------


def test_a_cursor_works_in_the_organisation_and_the_list_that_gave_it_out(
    acme: Tenant, api_client: ApiClientFor
) -> None:
    for number in range(2):
        make_config(f"number-{number}")
    here, there = api_client("operator", "acme"), api_client("operator", "globex")
    cursor = here.get("/api/v1/configs?limit=1").json()["next_cursor"]

    assert here.get(f"/api/v1/configs?cursor={cursor}").status_code == 200
    for answer in (
        there.get(f"/api/v1/configs?cursor={cursor}"),
        here.get(f"/api/v1/runs?cursor={cursor}"),
        here.get(f"/api/v1/configs?cursor={cursor[:-2]}xx"),
        here.get("/api/v1/configs?cursor=W10"),
    ):
        assert answer.status_code == 422


# -- hosts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "globex.localhost",
        "GLOBEX.localhost",
        "globex.localhost:8000",
        "globex.localhost.",
        "globex.localhost:0",
    ],
)
def test_a_session_at_the_host_of_another_organisation_is_nobodys(
    acme: Tenant, client_for: ClientFor, host: str
) -> None:
    browser = client_for("owner", "acme")

    answer = browser.get("/settings/members", headers={"host": host})

    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/login")


@pytest.mark.parametrize(
    "host",
    [
        "", "localhost", "nobody.localhost", "acme.localhost@globex.localhost", "acme.localhost,globex.localhost",
        "acme.localhost/../globex", "acme.localhost#globex", "acme localhost", "public", "acme.localhost\x00", "127.0.0.1",
        "[::1]", "xn--acme-.localhost", "acme.localhost.evil.example", "evil.example", "*.localhost", "t_acme",
    ],
)  # fmt: skip
def test_a_host_that_is_nobodys_is_answered_without_a_word_of_anybody(db: None, host: str) -> None:
    answer = Client(raise_request_exception=False).get("/", headers={"host": host})

    assert answer.status_code == 404
    assert b"Acme" not in answer.content
    assert b"Globex" not in answer.content


@pytest.mark.parametrize(
    "header",
    [
        "x-forwarded-host",
        "x-host",
        "x-forwarded-server",
        "forwarded",
        "x-original-host",
        "x-rewrite-url",
        "x-original-url",
    ],
)
def test_no_other_header_says_whose_request_it_is(acme: Tenant, client_for: ClientFor, header: str) -> None:
    browser = client_for("owner", "acme")
    value = "host=globex.localhost" if header == "forwarded" else "globex.localhost"

    answer = browser.get("/settings/members", headers={header: value})

    assert answer.status_code == 200
    assert b"Acme Audit" in answer.content
    assert b"globex.example" not in answer.content


def test_a_key_at_the_host_of_another_organisation_works_for_its_own(
    acme: Tenant, api_client: ApiClientFor
) -> None:
    client = api_client("owner", "acme")

    members = client.get("/api/v1/members", headers={"host": "globex.localhost"}).json()["items"]

    assert {one["email"].partition("@")[2] for one in members} == {"acme.example"}


def test_a_key_beside_a_session_of_another_organisation_decides_alone(
    acme: Tenant, api_client: ApiClientFor
) -> None:
    """One request never works for two organisations."""
    client: Any = api_client("viewer", "acme")
    browser = Client()
    sign_in(browser, "owner@globex.example", "globex")
    client.cookies[django_settings.SESSION_COOKIE_NAME] = browser.cookies[
        django_settings.SESSION_COOKIE_NAME
    ].value

    members = client.get("/api/v1/members", headers={"host": "globex.localhost"}).json()["items"]
    adding = client.post("/api/v1/configs", {"text": small_text()}, headers={"host": "globex.localhost"})

    assert {one["email"].partition("@")[2] for one in members} == {"acme.example"}
    assert adding.status_code == 403
