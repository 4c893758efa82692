"""Pages over a real run: who may see what, page or fragment, filters in the address, few queries, text stays text."""

import re
from collections.abc import Callable, Iterator
from html import escape, unescape

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from core.tenancy import shared_context, tenant_context
from generation import services
from generation.models import ConfigVersion, Run
from tenants import role_services
from tenants import services as services_of_members
from tenants.models import CustomRole, Tenant
from tests.builders import make_principal, sign_in
from tests.conftest import PASSWORD
from tests.dataset_builders import carry_out, make_config, make_run, small_text

ClientFor = Callable[..., Client]
HTMX = {"HX-Request": "true"}
HOSTILE = "<script>alert(1)</script>"
MOST_QUERIES = 12
POLICY = {
    "default-src 'none'",
    *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "font", "connect", "manifest")),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}

READ_BY_ALL = (
    "/",
    "/templates",
    "/templates/german-manufacturer",
    "/datasets",
    "/datasets/{config}",
    "/runs",
    "/runs/{run}",
    "/runs/{run}/preview",
    "/runs/{run}/preview?table=journal_lines&page=2",
    "/runs/{run}/files",
    "/runs/{run}/config",
    "/runs/{run}/log",
    "/settings/members",
    "/me",
)
NOT_FOR_VIEWERS = (
    "/datasets/new",
    "/datasets/new?template=us-retailer&view=yaml",
    "/datasets/{config}/edit",
    "/runs/{run}/files/report.json",
    "/runs/{run}/download",
    "/settings/keys",
    "/audit",
    "/audit?event=1",
    "/audit/export/csv",
)


@pytest.fixture(scope="module")
def released(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Run]:
    """One run carried out for all tests of this module, rolled back after the last."""
    text = small_text("page-books", gate="lenient").replace("Klein GmbH", f'"{HOSTILE}"')
    with django_db_blocker.unblock(), tenant_context("acme"), transaction.atomic():
        run = carry_out(make_run(source=services.OfText(text)))
        assert run.state == "released", run.reason
        yield run
        transaction.set_rollback(True)


def address(path: str, run: Run) -> str:
    return path.format(run=run.number, config=run.config_version.config_id)


def body(client: Client, path: str, **headers: str) -> str:
    """The page with its character references resolved, so that quotes in texts can be compared."""
    return unescape(client.get(path, headers=headers).content.decode())


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
@pytest.mark.parametrize("path", READ_BY_ALL)
def test_every_member_reads(client_for: ClientFor, released: Run, role: str, path: str) -> None:
    answer = client_for(role).get(address(path, released))

    assert answer.status_code == 200
    assert set(answer["Content-Security-Policy"].split("; ")) == POLICY


@pytest.mark.parametrize("path", NOT_FOR_VIEWERS)
def test_a_viewer_is_refused_what_an_operator_may(client_for: ClientFor, released: Run, path: str) -> None:
    assert client_for("operator").get(address(path, released)).status_code == 200
    refused = client_for("viewer").get(address(path, released))

    assert refused.status_code == 403
    assert "Your role does not include this" in refused.content.decode()


@pytest.mark.parametrize("path", [*READ_BY_ALL, *NOT_FOR_VIEWERS])
def test_nobody_reads_without_signing_in(client_for: ClientFor, released: Run, path: str) -> None:
    answer = client_for(None).get(address(path, released))

    assert answer.status_code == 302
    assert answer["Location"].startswith("/login?next=")


@pytest.mark.parametrize("path", [path for path in (*READ_BY_ALL, *NOT_FOR_VIEWERS) if "{" in path])
def test_a_neighbour_finds_nothing_at_the_same_address(
    client_for: ClientFor, released: Run, path: str
) -> None:
    answer = client_for("admin", "globex").get(address(path, released))

    assert answer.status_code == 404
    assert released.name not in answer.content.decode()


@pytest.mark.parametrize(
    "path", [path for path in (*READ_BY_ALL, *NOT_FOR_VIEWERS) if "download" not in path]
)
def test_a_page_needs_few_queries(client_for: ClientFor, released: Run, path: str) -> None:
    client = client_for("admin")

    with CaptureQueriesContext(connection) as queries:
        client.get(address(path, released))

    asked = [one["sql"] for one in queries if re.match(r"\s*(select|insert|update|delete)", one["sql"], re.I)]
    asked = [sql for sql in asked if "set_config" not in sql]
    assert len(asked) <= MOST_QUERIES, "\n".join(asked)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/runs?q=page", 'id="runs"'),
        ("/datasets?q=page", 'id="datasets"'),
        ("/runs/{run}/files?q=journal", 'id="files"'),
        ("/runs/{run}/preview?table=accounts", 'id="preview"'),
        ("/runs/{run}?group=ledger", 'id="checks"'),
        ("/audit?action=generation.", 'id="events"'),
    ],
)
def test_a_fragment_request_gets_the_swapped_part_alone(
    client_for: ClientFor, released: Run, path: str, target: str
) -> None:
    client = client_for()

    fragment = client.get(address(path, released), headers=HTMX)
    page = client.get(address(path, released))
    restored = client.get(address(path, released), headers=HTMX | {"HX-History-Restore-Request": "true"})

    assert "<html" not in fragment.content.decode()
    assert target in fragment.content.decode()[:200]
    assert "<html" in page.content.decode()
    assert "<html" in restored.content.decode()
    assert "HX-Request" in page["Vary"]
    assert "HX-Request" in fragment["Vary"]


@pytest.mark.parametrize(
    ("path", "status"), [("/runs/999999", 404), ("/runs/{run}/preview?table=nothing", 404), ("/audit", 403)]
)
def test_an_error_answers_a_fragment_request_with_a_fragment(
    client_for: ClientFor, released: Run, path: str, status: int
) -> None:
    answer = client_for("viewer").get(address(path, released), headers=HTMX)

    assert answer.status_code == status
    assert "<html" not in answer.content.decode()
    assert "<h1>" in answer.content.decode()


def test_the_filter_of_runs_stands_in_the_address(client_for: ClientFor, released: Run) -> None:
    client = client_for()

    assert released.name in body(client, "/runs?state=released&q=page-books")
    assert "No run matches" in body(client, "/runs?state=failed")
    assert "No run matches" in body(client, "/runs?q=nothing-like-it")
    assert 'href="?state=held&q=page"' in body(client, "/runs?q=page")


@pytest.mark.parametrize("query", ["state=%00", "before=-1", "before=9999999999999", "q=%00%ff", "state[]=1"])
def test_a_strange_query_string_is_no_error(client_for: ClientFor, released: Run, query: str) -> None:
    client = client_for()
    paths = ("/runs", "/datasets", "/audit", f"/runs/{released.number}/files", f"/runs/{released.number}/log")

    assert {client.get(f"{path}?{query}").status_code for path in paths} == {200}


def test_preview_of_an_unknown_table_or_page_says_so(client_for: ClientFor, released: Run) -> None:
    client = client_for()

    assert client.get(f"/runs/{released.number}/preview?table=nothing").status_code == 404
    assert client.get(f"/runs/{released.number}/preview?table=x%00").status_code == 404
    assert client.get(f"/runs/{released.number}/files?format=%00&after=%00&q=%00").status_code == 200
    assert client.get(f"/runs/{released.number}/preview?table=accounts&page=x").status_code == 200


def test_hostile_text_is_shown_as_text_everywhere(client_for: ClientFor, released: Run) -> None:
    client = client_for()
    paths = (
        f"/runs/{released.number}/preview?table=companies",
        f"/runs/{released.number}/config",
        f"/datasets/{released.config_version.config_id}/edit",
        f"/runs?q={HOSTILE}",
        f"/audit?actor={HOSTILE}",
    )

    for path in paths:
        page = client.get(path).content.decode()
        assert HOSTILE not in page
        assert escape(HOSTILE) in page


def test_pages_of_runs_show_no_more_than_the_api(client_for: ClientFor, released: Run) -> None:
    """A role of the organisation's own may see runs without their reports, and neither with the configs."""
    made = role_services.create_role(
        principal=make_principal("owner"), name="Only", permissions=["runs.read"]
    )
    services_of_members.add_member(actor="test", email="only@acme.example", role="only", password=PASSWORD)
    reader = client_for(None)
    sign_in(reader, "only@acme.example", "acme")
    run, dataset = f"/runs/{released.number}", f"/datasets/{released.config_version.config_id}"

    def shown(*permissions: str) -> list[bool]:
        with shared_context():
            CustomRole.objects.filter(pk=made.pk).update(permissions=list(permissions))
        pages = [reader.get(path) for path in (run, f"{run}?group=ledger", f"{run}/config", "/", dataset)]
        words = ["checks hold", "checks-h", "annual_revenue", "Recent datasets", "Runs of this dataset"]
        return [word in page.content.decode() for word, page in zip(words, pages, strict=True)]

    assert shown("runs.read") == [False, False, False, False, False]
    assert reader.get(f"/api/v1/runs/{released.pk}/report").status_code == 403
    assert "not for your role" in body(reader, run)
    assert reader.get(f"{run}/config").status_code == 403
    assert shown("runs.read", "reports.read") == [True, True, False, False, False]
    assert shown("runs.read", "configs.read") == [False, False, True, True, True]
    assert shown("configs.read") == [False, False, False, False, False]
    assert "Last run" not in body(reader, "/datasets")


def test_the_report_shows_the_numbers_of_report_json(client_for: ClientFor, released: Run) -> None:
    client = client_for()
    page = body(client, f"/runs/{released.number}")
    report = client.get(f"/api/v1/runs/{released.pk}/report").json()

    unbounded = sum(row["verdict"] == "pass" and row["threshold"] is None for row in report["rows"])
    passed = report["summary"]["verdicts"]["pass"] - unbounded
    assert unbounded
    assert f"{passed} of {len(report['rows']) - unbounded} checks hold" in page
    assert f"{unbounded} figures for information" in page
    assert f"{passed} hold" in page
    for group, verdicts in report["summary"]["groups"].items():
        title = group.replace("_", " ").capitalize()
        score = f"{verdicts['pass']}/{sum(verdicts.values())}"
        assert re.search(rf">{title}</a>.*?{score}<", page, re.S)
    for digit in report["figures"]["first_digit"]["observed"]:
        assert f"{digit * 100:.2f} %" in page


def test_an_opened_group_lists_its_checks(client_for: ClientFor, released: Run) -> None:
    client = client_for()
    report = client.get(f"/api/v1/runs/{released.pk}/report").json()
    titles = [row["title"] for row in report["rows"] if row["group"] == "ledger"]

    page = body(client, f"/runs/{released.number}?group=ledger")

    assert titles
    assert all(title in page for title in titles)


def test_files_come_with_their_digest_and_download(client_for: ClientFor, released: Run) -> None:
    client = client_for()
    file = released.files.get(path="report.json")

    page = body(client, f"/runs/{released.number}/files")
    answer = client.get(f"/runs/{released.number}/files/report.json")

    assert file.sha256 in page
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["ETag"] == f'"{file.sha256}"'


def test_a_viewer_sees_the_files_but_no_way_to_download(client_for: ClientFor, released: Run) -> None:
    page = body(client_for("viewer"), f"/runs/{released.number}/files")

    assert "report.json" in page
    assert f"/runs/{released.number}/files/report.json" not in page
    assert "Your role can see which files there are but not download them" in page


def test_a_held_run_says_why_and_hands_out_nothing(client_for: ClientFor, released: Run) -> None:
    reason = "The strict gate failed in 1 of 97 checks."
    Run.objects.filter(pk=released.pk).update(state="held", reason=reason)
    client = client_for()

    page = body(client, f"/runs/{released.number}")

    assert reason in page
    assert f"/runs/{released.number}/download" not in page
    refused = client.get(f"/runs/{released.number}/download")
    assert refused.status_code == 409
    assert reason in refused.content.decode()
    assert reason in body(client, f"/runs/{released.number}/preview")


def test_a_live_run_shows_progress_and_its_stream(client_for: ClientFor, acme: Tenant) -> None:
    run = make_run()
    client = client_for()

    page = body(client, f"/runs/{run.number}")
    progress = body(client, f"/runs/{run.number}/progress", **HTMX)

    assert f'hx-sse:connect="/runs/{run.number}/stream"' in page
    assert "waiting for a worker" in progress
    assert "<html" not in progress
    assert "data-ended" not in progress
    assert "data-ended" in body(client, f"/runs/{_cancelled(client).number}/progress")


def _cancelled(client: Client) -> Run:
    run = make_run()
    assert client.post(f"/runs/{run.number}/cancel").status_code == 302
    return run


def test_the_page_of_a_dataset_lists_fifty_versions_at_a_time(client_for: ClientFor, acme: Tenant) -> None:
    first = make_config("long-lived")
    ConfigVersion.objects.bulk_create(
        ConfigVersion(
            config=first.config,
            number=number,
            text=first.text,
            digest=first.digest,
            created_by="op@acme.example",
        )
        for number in range(2, 62)
    )
    client, address = client_for("viewer"), f"/datasets/{first.config.pk}"

    newest = client.get(address).content.decode()
    older = client.get(f"{address}?version=3&page=2").content.decode()

    assert [f">Version {number}<" in newest for number in (61, 12, 11)] == [True, True, False]
    assert [f">Version {number}<" in older for number in (12, 11, 1)] == [False, True, True]
    assert "version 3, not the newest" in older
