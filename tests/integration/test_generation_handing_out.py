"""Downloads of a run's files: who took what is in the audit trail, once for each download."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from core.models import AuditEvent
from core.storage import store
from core.tenancy import tenant_key
from generation.models import Run, RunFile
from tenants.models import Tenant
from tests.builders import key_id_of
from tests.dataset_builders import make_run

ApiClients = Callable[..., APIClient]
Clients = Callable[..., Client]
CONTENT, PATH = b"0123456789", "tables/accounts/part-00000.parquet"


@pytest.fixture
def run(acme: Tenant) -> Run:
    """Released, with one file."""
    made = make_run()
    Run.objects.filter(pk=made.pk).update(state=Run.State.RELEASED)
    key = tenant_key("runs", str(made.pk), "abc")
    store().put_bytes(key, CONTENT)
    RunFile.objects.create(
        run=made, path=PATH, table="accounts", format="parquet", size_bytes=10, sha256="abc", key=key
    )
    return Run.objects.get(pk=made.pk)


def _taken() -> list[dict[str, Any]]:
    events = AuditEvent.objects.filter(action="generation.run.download").order_by("seq")
    return [{"actor": event.actor, "target": event.target, **event.data} for event in events]


def _file(run: Run, actor: str) -> dict[str, Any]:
    return {
        "actor": actor,
        "target": f"generation.run:{run.pk}",
        "number": run.number,
        "name": run.name,
        "path": PATH,
        "table": "accounts",
        "format": "parquet",
        "size_bytes": 10,
    }


def test_each_download_says_who_took_what(run: Run, api_client: ApiClients, client_for: Clients) -> None:
    program, person = api_client("operator"), client_for("operator")
    key = key_id_of(program._credentials["HTTP_AUTHORIZATION"])  # type: ignore[attr-defined]  # of APIClient

    for _ in range(2):
        assert program.get(f"/api/v1/runs/{run.pk}/files/{PATH}").status_code == 200
    assert program.get(f"/api/v1/runs/{run.pk}/archive").status_code == 200
    assert person.get(f"/runs/{run.number}/files/{PATH}").status_code == 200
    assert person.get(f"/runs/{run.number}/download").status_code == 200

    whole = {"target": f"generation.run:{run.pk}", "number": run.number, "name": run.name, "format": "zip"}
    assert _taken() == [
        _file(run, f"api-key:{key}"),
        _file(run, f"api-key:{key}"),
        {"actor": f"api-key:{key}", **whole},
        _file(run, "operator@acme.example"),
        {"actor": "operator@acme.example", **whole},
    ]


def test_a_file_that_comes_in_ranges_is_one_download_in_whichever_order_they_come(
    run: Run, api_client: ApiClients
) -> None:
    first, second = api_client("operator"), api_client("admin")
    address = f"/api/v1/runs/{run.pk}/files/{PATH}"

    for asked in (
        "bytes=1-4",
        "bytes=5-",
        "bytes=0-0",
        "bytes=1-4",
    ):  # without its first byte it is taken, too
        assert first.get(address, headers={"range": asked}).status_code == 206
    assert len(_taken()) == 1
    assert second.get(address, headers={"range": "bytes=5-"}).status_code == 206
    assert len({one["actor"] for one in _taken()}) == 2


def test_what_is_not_handed_out_leaves_no_event(run: Run, api_client: ApiClients) -> None:
    client, address = api_client("operator"), f"/api/v1/runs/{run.pk}/files/{PATH}"

    assert client.head(address).status_code == 200
    assert client.head(f"/api/v1/runs/{run.pk}/archive").status_code == 200
    assert client.get(address, headers={"if-none-match": '"abc"'}).status_code == 304
    assert client.get(address, headers={"range": "bytes=10-"}).status_code == 416
    assert client.get(f"{address}x").status_code == 404
    assert api_client("viewer").get(address).status_code == 403
    Run.objects.filter(pk=run.pk).update(state=Run.State.HELD)
    assert client.get(address).status_code == 409

    assert _taken() == []


def test_a_download_takes_few_queries(
    run: Run, api_client: ApiClients, django_assert_max_num_queries: Any
) -> None:
    client = api_client("operator")

    for tail in (f"files/{PATH}", "archive"):
        with django_assert_max_num_queries(10):
            assert client.get(f"/api/v1/runs/{run.pk}/{tail}").status_code == 200
