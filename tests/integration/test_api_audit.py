"""The audit trail over the API: filtered, paged, exported; and the public keys."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from compliance.evidence.keys import public_keys
from compliance.keys import signing_key
from core import audit
from tests.dataset_builders import make_config, make_run

ApiClient = Callable[..., APIClient]
ADDRESS = "/api/v1/audit-events"


def test_events_are_newest_first_and_filtered_by_actor_action_target_and_time(
    api_client: ApiClient, acme: Any
) -> None:
    client = api_client()
    run = make_run()
    make_config("other")

    newest = client.get(ADDRESS).json()["items"]
    assert newest[0]["action"] == "generation.config.create"
    assert [event["seq"] for event in newest] == sorted((event["seq"] for event in newest), reverse=True)
    started = client.get(ADDRESS, {"action": "generation.run"}).json()["items"]
    assert [event["action"] for event in started] == ["generation.run.start"]
    assert client.get(ADDRESS, {"target": f"generation.run:{run.pk}"}).json()["items"] == started
    assert client.get(ADDRESS, {"actor": "nobody"}).json()["items"] == []
    assert client.get(ADDRESS, {"since": "2999-01-01T00:00:00Z"}).json()["items"] == []
    assert client.get(ADDRESS, {"since": "yesterday"}).json()["errors"][0]["parameter"] == "since"


def test_pages_of_events_do_not_repeat(api_client: ApiClient, acme: Any) -> None:
    for number in range(5):
        audit.record(actor="a", action="test.page.make", target=f"page:{number}")
    client = api_client()

    first = client.get(ADDRESS, {"action": "test", "limit": "3"}).json()
    rest = client.get(ADDRESS, {"action": "test", "limit": "3", "cursor": first["next_cursor"]}).json()

    assert [event["target"] for event in first["items"] + rest["items"]] == [
        f"page:{number}" for number in (4, 3, 2, 1, 0)
    ]


def test_an_export_has_every_event_and_no_formula(api_client: ApiClient, acme: Any) -> None:
    audit.record(actor="=cmd()", action="test.export.make", target="x:1", note="ü")
    client = api_client()

    lines = b"".join(client.get(f"{ADDRESS}:export", {"action": "test"})).decode().splitlines()
    table = b"".join(client.get(f"{ADDRESS}:export", {"action": "test", "format": "csv"})).decode()

    assert [json.loads(line)["data"] for line in lines] == [{"note": "ü"}]
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [(row["actor"], json.loads(row["data"])) for row in rows] == [("'=cmd()", {"note": "ü"})]


def test_a_viewer_and_a_stranger_read_no_audit_events_of_acme(api_client: ApiClient, acme: Any) -> None:
    make_run()

    assert api_client("viewer").get(ADDRESS).status_code == 403
    assert api_client("viewer").get(f"{ADDRESS}:export").status_code == 403
    strange = api_client("admin", "globex").get(ADDRESS, {"action": "generation"})
    assert strange.json()["items"] == []


def test_anybody_may_read_the_public_keys_and_they_hold_no_private_part(
    api_client: ApiClient, acme: Any
) -> None:
    answer = api_client(None).get("/.well-known/jwks.json")

    assert answer.status_code == 200
    assert list(public_keys(answer.json())) == [signing_key().key_id]
    assert all("d" not in key for key in answer.json()["keys"])


def test_the_public_keys_are_on_the_host_without_an_organisation_too(
    api_client: ApiClient, acme: Any
) -> None:
    address = "/.well-known/jwks.json"

    bare = Client().get(address, headers={"host": "localhost"})

    assert bare.status_code == 200
    assert bare.json() == api_client(None).get(address).json()
    assert Client().post(address, headers={"host": "localhost"}).status_code == 405
    assert Client().get("/api/v1/templates", headers={"host": "localhost"}).status_code == 404
