"""Downloads of a run's files: who took what is in the audit trail, once for each download."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from core.models import AuditEvent
from core.storage import store
from core.tenancy import tenant_context, tenant_key
from generation.downloads import archive_name
from generation.models import Run, RunFile
from tenants.models import Tenant
from tests.builders import key_id_of, make_api_key
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


def test_an_archive_has_every_file_however_many_and_a_head_reads_none(
    run: Run, api_client: ApiClients
) -> None:
    file = run.files.get()
    RunFile.objects.bulk_create(
        RunFile(
            run=run, path=f"tables/accounts/part-{number:05d}.parquet", table="accounts", format="parquet",
            size_bytes=10, sha256="abc", key=file.key,
        )
        for number in range(1, 1101)
    )  # fmt: skip
    client = api_client("operator")
    address = f"/api/v1/runs/{run.pk}/archive"

    with CaptureQueriesContext(connection) as asked:
        assert client.head(address).status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(b"".join(client.get(address))))

    assert not [query for query in asked if "generation_runfile" in query["sql"]]
    folder = archive_name(run)
    assert archive.namelist() == [
        f"{folder}/tables/accounts/part-{number:05d}.parquet" for number in range(1101)
    ]


def test_an_event_loop_sends_an_archive_piece_by_piece(out: str) -> None:
    """Each in some thread, on a connection of its own: what it sees is committed."""
    with tenant_context(out):
        made = make_run()
        Run.objects.filter(pk=made.pk).update(state=Run.State.RELEASED)
        key = tenant_key("runs", str(made.pk), "abc")
        store().put_bytes(key, CONTENT)
        RunFile.objects.bulk_create(
            RunFile(run=made, path=f"{number}.json", format="json", size_bytes=10, sha256="abc", key=key)
            for number in range(3)
        )
    headers = {"authorization": f"Bearer {make_api_key('operator', out)}"}

    async def pieces() -> list[bytes]:
        response: Any = await AsyncClient().get(f"/api/v1/runs/{made.pk}/archive", headers=headers)
        assert response.status_code == 200, response.content
        return [piece async for piece in response.streaming_content]

    archive = async_to_sync(pieces)()

    assert len(archive) > 3
    with zipfile.ZipFile(io.BytesIO(b"".join(archive))) as opened:
        assert opened.testzip() is None
        assert {opened.read(name) for name in opened.namelist()} == {CONTENT}
        assert len(opened.namelist()) == 3


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
