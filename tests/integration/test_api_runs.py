"""Runs over the API before any worker: start with idempotency, list, read, cancel, resume, events, refusals."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from core.jobs.models import Job
from generation.models import Run
from tests.dataset_builders import make_config, make_run, small_text

ApiClient = Callable[..., APIClient]
PROBLEM = "application/problem+json"


def start(client: APIClient, body: Any, key: str | None = None) -> Any:
    headers = {} if key == "" else {"Idempotency-Key": key or str(uuid4())}
    return client.post("/api/v1/runs", body, headers=headers)


def test_a_run_is_accepted_and_read_back(api_client: ApiClient, acme: Any) -> None:
    client = api_client()

    accepted = start(client, {"text": small_text(), "seed": 2**64 - 1})

    assert accepted.status_code == 202
    run = client.get(accepted["Location"]).json()
    assert run["id"] == accepted.json()["id"]
    assert (run["number"], run["state"], run["seed"]) == (1, "queued", 2**64 - 1)
    assert run["gate"] == {"profile": "lenient", "verdict": "", "checks_passed": None, "checks_total": None}
    assert run["progress"]["percent"] == 0
    assert run["progress"]["stages"][0]["name"] == "plan"


def test_the_same_request_twice_starts_one_run(api_client: ApiClient, acme: Any) -> None:
    client = api_client()

    first, second = (start(client, {"text": small_text()}, "key-1") for _ in range(2))

    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    assert Run.objects.count() == Job.objects.count() == 1
    assert start(client, {"text": small_text(), "seed": 1}, "key-1").status_code == 422


def test_a_run_needs_an_idempotency_key(api_client: ApiClient, acme: Any) -> None:
    answer = start(api_client(), {"text": small_text()}, "")

    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)
    assert not Run.objects.exists()


def test_a_stored_config_runs_in_its_newest_or_a_chosen_version(api_client: ApiClient, acme: Any) -> None:
    client = api_client()
    config = make_config().config
    client.post(f"/api/v1/configs/{config.pk}/versions", {"text": small_text() + "# two\n"})

    newest = start(client, {"config": str(config.pk)}).json()
    first = start(client, {"config": str(config.pk), "version": 1}).json()

    assert newest["config"] == {"id": str(config.pk), "version": 2}
    assert first["config"] == {"id": str(config.pk), "version": 1}


@pytest.mark.parametrize(
    "body",
    [{}, [], None, 3, {"text": "x", "template": "y"}, {"config": "no-uuid"}, {"template": "x", "version": 1},
     {"text": "version: 1"}, {"template": ["a"]}, {"text": "a", "seed": -1}, {"text": "a", "seed": 2**64},
     {"text": "a", "seed": "many"}, {"text": "a", "extra": True}, {"config": str(uuid4()), "version": 0}],
)  # fmt: skip
def test_a_wrong_request_is_a_problem_and_starts_nothing(api_client: ApiClient, acme: Any, body: Any) -> None:
    answer = start(api_client(), body)

    assert answer.status_code in (400, 422), answer.content
    assert answer["Content-Type"] == PROBLEM
    assert not Run.objects.exists()


def test_runs_are_filtered_and_paged(api_client: ApiClient, acme: Any) -> None:
    client = api_client("viewer")
    make_run(state="released")
    make_run(state="held", reason="The strict gate failed.")
    make_run()

    assert [item["number"] for item in client.get("/api/v1/runs").json()["items"]] == [3, 2, 1]
    held = client.get("/api/v1/runs", {"state": "held"}).json()["items"]
    assert [(item["number"], item["reason"]) for item in held] == [(2, "The strict gate failed.")]
    assert [item["number"] for item in client.get("/api/v1/runs", {"state": "live"}).json()["items"]] == [3]
    assert client.get("/api/v1/runs", {"state": "odd"}).json()["errors"][0]["parameter"] == "state"
    assert client.get("/api/v1/runs", {"config": str(uuid4())}).json()["items"] == []


def test_the_list_of_runs_takes_few_queries(
    api_client: ApiClient, acme: Any, django_assert_max_num_queries: Any
) -> None:
    for _ in range(6):
        make_run()
    client = api_client()

    with django_assert_max_num_queries(12):
        assert len(client.get("/api/v1/runs").json()["items"]) == 6


def test_a_run_is_cancelled_and_resumed(api_client: ApiClient, acme: Any) -> None:
    client = api_client()
    address = f"/api/v1/runs/{make_run().pk}"

    cancelled = client.post(f"{address}:cancel")
    again = client.post(f"{address}:cancel")
    resumed = client.post(f"{address}:resume")

    assert (cancelled.status_code, cancelled.json()["state"]) == (202, "cancelled")
    assert (again.status_code, again["Content-Type"]) == (409, PROBLEM)
    assert (resumed.status_code, resumed.json()["state"]) == (202, "queued")


def test_events_are_read_from_where_one_stopped(api_client: ApiClient, acme: Any) -> None:
    client = api_client()
    address = f"/api/v1/runs/{make_run().pk}/events"

    first = client.get(address).json()
    rest = client.get(address, {"after": first["last"]}).json()

    assert [event["type"] for event in first["items"]] == ["submitted", "stage"]
    assert (rest["items"], rest["last"], rest["is_over"]) == ([], first["last"], False)
    assert client.get(address, {"after": "x"}).status_code == 422


def test_unreleased_data_is_refused_with_the_reason(api_client: ApiClient, acme: Any) -> None:
    run = make_run(state="held", reason="The strict gate failed.")
    client = api_client()

    answer = client.get(f"/api/v1/runs/{run.pk}/archive")

    assert (answer.status_code, answer["Content-Type"]) == (409, PROBLEM)
    assert "The strict gate failed." in answer.json()["detail"]


@pytest.mark.parametrize(
    "tail",
    ["", "/events", "/tables", "/files", "/files/manifest.json", "/archive", "/preview/accounts", "/report"],
)
def test_a_foreign_run_and_an_invented_one_answer_the_same(
    api_client: ApiClient, acme: Any, tail: str
) -> None:
    run = make_run()
    stranger = api_client("admin", "globex")

    foreign = stranger.get(f"/api/v1/runs/{run.pk}{tail}")
    invented = stranger.get(f"/api/v1/runs/{uuid4()}{tail}")

    assert foreign.status_code == invented.status_code == 404
    assert foreign.json() | {"request_id": ""} == invented.json() | {"request_id": ""}


def test_a_run_that_was_not_measured_has_no_report(api_client: ApiClient, acme: Any) -> None:
    assert api_client().get(f"/api/v1/runs/{make_run().pk}/report").status_code == 404


def test_strange_paths_are_not_found(api_client: ApiClient, acme: Any) -> None:
    run = make_run()

    for tail in ("files/../../etc/passwd", "files/%00", "files/a%0Ab", "preview/no-such", "files/%FF"):
        assert api_client().get(f"/api/v1/runs/{run.pk}/{tail}").status_code == 404


def test_a_viewer_may_look_but_neither_start_nor_download(api_client: ApiClient, acme: Any) -> None:
    run = make_run(state="released")
    client = api_client("viewer")

    assert client.get(f"/api/v1/runs/{run.pk}").status_code == 200
    assert start(client, {"text": small_text()}).status_code == 403
    assert client.post(f"/api/v1/runs/{run.pk}:cancel").status_code == 403
    assert client.get(f"/api/v1/runs/{run.pk}/archive").status_code == 403


def test_whoever_accepts_an_event_stream_gets_one_that_nothing_buffers(
    api_client: ApiClient, acme: Any
) -> None:
    address = f"/api/v1/runs/{make_run().pk}/events"

    answer = api_client().get(address, headers={"Accept": "text/event-stream", "Last-Event-ID": "1"})

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    assert (answer["Cache-Control"], answer["X-Accel-Buffering"]) == ("no-store", "no")
    assert answer.streaming


def test_one_stream_too_many_is_refused_and_the_events_can_be_had_as_json(
    api_client: ApiClient, acme: Any, settings: Settings, no_tries_counted: None
) -> None:
    settings.JOBS = {**settings.JOBS, "streams_per_credential": 1}
    address, client = f"/api/v1/runs/{make_run().pk}/events", api_client()
    listens = {"Accept": "text/event-stream"}
    assert client.get(address, headers=listens).status_code == 200

    refused = client.get(address, headers=listens)

    assert (refused.status_code, refused["Content-Type"]) == (429, "application/problem+json")
    assert int(refused["Retry-After"]) > 0
    assert "streams of one credential" in refused.json()["detail"]
    assert client.get(address).status_code == 200
