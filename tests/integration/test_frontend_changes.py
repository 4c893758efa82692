"""What people change on pages: datasets, runs, members, keys, appearance. Each through the service, once, audited."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory

from core.models import AuditEvent
from core.tenancy import shared_context
from frontend.context import shell
from generation.models import Config, ConfigVersion, Run
from generation.queries.configs import find_template
from tenants.models import ApiKey, Membership, Tenant
from tests.builders import make_principal
from tests.dataset_builders import make_config, make_run, small_text

ClientFor = Callable[..., Client]
HTMX = {"HX-Request": "true"}


def body(client: Client, path: str) -> str:
    return unescape(client.get(path).content.decode())


def test_a_first_visit_offers_one_primary_way_to_a_dataset(client_for: ClientFor, acme: Tenant) -> None:
    page = body(client_for("operator"), "/")

    assert "Make your first dataset" in page
    assert page.count('class="btn primary"') == 1
    assert "An operator or an admin of Acme Audit can" in body(client_for("viewer"), "/")


def test_navigation_holds_what_the_role_may_open(client_for: ClientFor, acme: Tenant) -> None:
    assert 'href="/audit"' in body(client_for("operator"), "/")
    assert 'href="/audit"' not in body(client_for("viewer"), "/")
    assert 'href="/settings/keys"' not in body(client_for("viewer"), "/")


def test_outside_of_the_organisation_the_frame_asks_the_database_nothing(
    acme: Tenant, django_assert_num_queries: Any
) -> None:
    request = RequestFactory().get("/nothing/here", headers={"host": "acme.localhost"})
    request.principal = make_principal("admin")  # type: ignore[attr-defined]
    acme.host = "acme.localhost"  # as the request's tenant comes, so that nothing asks for it again
    request.tenant, request.user = acme, AnonymousUser()  # type: ignore[attr-defined]

    with shared_context(), django_assert_num_queries(0):
        frame = shell(request)
        groups = frame["nav"]()  # type: ignore[operator]

    assert [item.label for group in groups for item in group.items][:2] == ["Overview", "Runs"]
    assert frame["organisations"] == ()


# -- the editor ----------------------------------------------------------------------------------------------


def test_generate_stores_the_text_and_starts_one_run(client_for: ClientFor, acme: Tenant) -> None:
    answer = client_for().post("/datasets/new", {"text": small_text("mine"), "action": "generate"})

    run = Run.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.number}")
    assert run.config_version.text == small_text("mine")
    assert run.started_by == "operator@acme.example"


def test_save_keeps_the_dataset_without_running_it(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for()

    answer = client.post("/datasets/new", {"text": small_text("mine"), "action": "save"}, follow=True)

    assert Config.objects.get().name == "mine"
    assert not Run.objects.exists()
    assert "Saved as version 1." in answer.content.decode()


def test_text_with_windows_line_ends_is_stored_with_plain_ones(client_for: ClientFor, acme: Tenant) -> None:
    text = small_text("mine").replace("\n", "\r\n")

    client_for().post("/datasets/new", {"text": text, "action": "save"})

    assert ConfigVersion.objects.get().text == small_text("mine")


def test_form_fields_change_the_text_and_nothing_else(client_for: ClientFor, acme: Tenant) -> None:
    text = find_template("german-manufacturer").yaml
    fields = {
        "text": text,
        "action": "save",
        "key:seed": "99",
        "key:companies[0].employees": "110",
        "key:companies[0].annual_revenue": "25 000 000",
        "key:processes.tax.enabled": "true",
    }

    client_for().post("/datasets/new?view=form", fields)

    stored = ConfigVersion.objects.get().text
    changed = [
        (before.split("#")[0].strip(), after.split("#")[0].strip())
        for before, after in zip(text.splitlines(), stored.splitlines(), strict=True)
        if before != after
    ]
    assert changed == [
        ("seed: 20250101", "seed: 99"),
        ("annual_revenue: 24000000", "annual_revenue: 25000000"),
    ]


def test_both_views_show_one_text(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for()
    fields = {"text": small_text("mine"), "key:name": "yours"}

    as_yaml = unescape(client.post("/datasets/new?view=yaml", fields).content.decode())
    as_form = unescape(client.post("/datasets/new?view=form", fields).content.decode())

    assert "name: yours" in as_yaml
    assert 'value="yours"' in as_form
    assert "name: yours" in as_form  # the form carries the text along


def test_an_error_stands_at_its_line_and_at_its_field(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for()
    text = small_text("mine").replace("employees: 12", "employees: many")
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "many" in one)

    as_yaml = client.post("/datasets/new?view=yaml", {"text": text}).content.decode()
    as_form = client.post("/datasets/new?view=form", {"text": text}).content.decode()

    assert f"<b>{line}</b>" in as_yaml
    assert f'data-line="{line}"' in as_yaml
    field = re.search(r'<input[^>]*name="key:companies\[0\].employees"[^>]*>', as_form)
    assert field is not None
    assert 'aria-invalid="true"' in field.group()


@pytest.mark.parametrize("action", ["save", "generate"])
def test_an_invalid_text_is_refused_with_every_problem_and_kept(
    client_for: ClientFor, acme: Tenant, action: str
) -> None:
    text = small_text("mine").replace("seed: 7", "seed: -7").replace("country: DE", "country: XX")

    answer = client_for().post("/datasets/new?view=yaml", {"text": text, "action": action})

    page = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "2 problems" in page
    assert "seed: -7" in page
    assert not Config.objects.exists()


def test_text_that_is_no_yaml_is_shown_as_text_even_where_the_form_was_asked_for(
    client_for: ClientFor, acme: Tenant
) -> None:
    answer = client_for().post("/datasets/new?view=form", {"text": "a: [", "key:name": "x"})

    page = unescape(answer.content.decode())
    assert 'id="text"' in page
    assert "a: [" in page
    assert "This is not valid YAML" in page


def test_the_check_is_a_fragment_that_writes_nothing(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for()

    good = client.post("/datasets/check", {"text": small_text()}, headers=HTMX).content.decode()
    bad = client.post("/datasets/check", {"text": "version: 2"}, headers=HTMX).content.decode()

    assert "The config is valid." in good
    assert "What it will make" in good
    assert "<html" not in bad
    assert 'data-line="1"' in bad
    assert not Config.objects.exists()


def test_companies_are_added_and_removed_without_script(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for()

    two = unescape(client.post("/datasets/new", {"text": small_text(), "action": "add"}).content.decode())
    text = re.search(r'<textarea name="text"[^>]*>(.*?)</textarea>', two, re.S)
    assert text is not None
    one = client.post("/datasets/new", {"text": text.group(1), "action": "remove:0"}).content.decode()

    assert "Company 1000" in two
    assert "Company 2000" in two
    assert "Company 1000" not in one
    assert "Company 2000" in one


def test_a_new_version_is_added_to_its_dataset(client_for: ClientFor, acme: Tenant) -> None:
    version = make_config("mine")
    text = small_text("mine").replace("seed: 7", "seed: 8")

    client_for().post(f"/datasets/{version.config_id}/edit", {"text": text, "action": "save"})

    assert list(ConfigVersion.objects.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_a_name_that_is_taken_is_a_conflict_in_the_form(client_for: ClientFor, acme: Tenant) -> None:
    make_config("mine")

    answer = client_for().post("/datasets/new", {"text": small_text("mine"), "action": "save"})

    assert answer.status_code == 409
    assert "A config is named “mine” already" in answer.content.decode()


# -- runs ----------------------------------------------------------------------------------------------------


def test_run_again_repeats_version_and_seed(client_for: ClientFor, acme: Tenant) -> None:
    first = make_run(seed=123)
    client = client_for()
    client.post(f"/runs/{first.number}/cancel")

    answer = client.post(f"/runs/{first.number}/again")

    second = Run.objects.order_by("-number")[0]
    assert answer["Location"] == f"/runs/{second.number}"
    assert (second.config_version, second.seed) == (first.config_version, first.seed)


def test_cancel_and_resume_change_the_state_of_the_run(client_for: ClientFor, acme: Tenant) -> None:
    run = make_run()
    client = client_for()

    client.post(f"/runs/{run.number}/cancel")
    run.refresh_from_db()
    cancelled = run.state
    page = body(client, f"/runs/{run.number}")
    client.post(f"/runs/{run.number}/resume")
    run.refresh_from_db()

    assert (cancelled, run.state) == ("cancelled", "queued")
    assert "Resume" in page
    assert "Nothing was released" in page


def test_cancelling_twice_is_a_conflict_page(client_for: ClientFor, acme: Tenant) -> None:
    run = make_run()
    client = client_for()
    client.post(f"/runs/{run.number}/cancel")

    answer = client.post(f"/runs/{run.number}/cancel")

    assert answer.status_code == 409
    assert "only a queued or running one can be cancelled" in answer.content.decode()


@pytest.mark.parametrize("path", ["cancel", "resume", "again"])
def test_a_viewer_changes_no_run(client_for: ClientFor, acme: Tenant, path: str) -> None:
    run = make_run()

    assert client_for("viewer").post(f"/runs/{run.number}/{path}").status_code == 403
    assert not AuditEvent.objects.filter(action__in=["generation.run.cancel", "generation.run.resume"])


def test_an_archived_dataset_leaves_the_list_and_comes_back(client_for: ClientFor, acme: Tenant) -> None:
    version = make_config("mine")
    client = client_for()

    client.post(f"/datasets/{version.config_id}/archive")
    archived = body(client, "/datasets")
    client.post(f"/datasets/{version.config_id}/restore")
    restored = body(client, "/datasets")

    assert f"/datasets/{version.config_id}" not in archived
    assert f"/datasets/{version.config_id}" in restored


# -- people, keys, appearance --------------------------------------------------------------------------------


def test_an_invitation_shows_its_link_once_and_lets_one_person_in(
    client_for: ClientFor, acme: Tenant
) -> None:
    client = client_for("admin")

    answer = client.post("/settings/members/invitations", {"email": "new@acme.example", "role": "viewer"})

    link = re.search(r'id="secret">http://acme.localhost(/join/[^<]+)<', answer.content.decode())
    assert link is not None
    assert answer["Cache-Control"] == "no-store"
    assert link.group(1) not in body(client, "/settings/members/invitations")
    assert link.group(1) not in body(client, "/audit")
    fresh = Client(headers={"host": "acme.localhost"})
    assert "Join Acme Audit" in body(fresh, link.group(1))
    chosen = {"name": "New Person", "password": "quite another battery", "again": "quite another battery"}
    joined = fresh.post(link.group(1), chosen)
    assert (joined.status_code, joined["Location"]) == (302, "/")
    assert "New Person" in body(client, "/settings/members")


@pytest.mark.parametrize(
    ("email", "status", "words"),
    [
        ("nobody", 422, "Enter a valid email address"),
        ("viewer@acme.example", 409, "viewer@acme.example is a member already"),
    ],
)
def test_a_person_who_cannot_be_invited_is_said_at_the_field(
    client_for: ClientFor, acme: Tenant, email: str, status: int, words: str
) -> None:
    answer = client_for("admin").post("/settings/members/invitations", {"email": email, "role": "viewer"})

    assert answer.status_code == status
    assert words in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()


def test_roles_change_and_the_last_owner_stays(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for("owner")
    viewer = Membership.objects.get(user__email="viewer@acme.example")
    owner = Membership.objects.get(user__email="owner@acme.example")

    changed = client.post(f"/settings/members/{viewer.pk}/role", {"role": "operator"}, follow=True)
    refused = client.post(f"/settings/members/{owner.pk}/remove")

    viewer.refresh_from_db()
    assert viewer.role == "operator"
    assert "The role of viewer@acme.example is now operator." in changed.content.decode()
    assert refused.status_code == 409
    assert "This is the only owner" in refused.content.decode()


def test_an_operator_sees_members_but_changes_none(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for("operator")
    viewer = Membership.objects.get(user__email="viewer@acme.example")

    assert "Only an admin invites people" in body(client, "/settings/members")
    assert client.post(f"/settings/members/{viewer.pk}/remove").status_code == 403
    assert client.post("/settings/members/invitations", {"email": "x@acme.example"}).status_code == 403


def test_a_key_is_shown_once_and_works_until_it_is_revoked(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for("operator")

    answer = client.post("/settings/keys/issue", {"name": "ci", "role": "viewer", "lifetime_days": "30"})

    secret = re.search(r'id="secret">([^<]+)<', answer.content.decode())
    assert secret is not None
    assert answer["Cache-Control"] == "no-store"
    assert secret.group(1) not in body(client, "/settings/keys")
    assert secret.group(1) not in body(client, "/audit")
    key = ApiKey.objects.get()
    headers = {"host": "acme.localhost", "authorization": f"Bearer {secret.group(1)}"}
    program = Client(headers=headers)
    assert program.get("/api/v1/runs").status_code == 200
    client.post(f"/settings/keys/{key.pk}/revoke")
    assert program.get("/api/v1/runs").status_code == 401
    assert "Revoked" in body(client, "/settings/keys")


def test_a_key_cannot_do_more_than_its_maker(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for("operator")

    answer = client.post("/settings/keys/issue", {"name": "ci", "role": "admin", "lifetime_days": "30"})

    assert answer.status_code == 422
    assert '<option value="admin"' not in body(client, "/settings/keys")
    assert not ApiKey.objects.exists()


def test_appearance_is_kept_in_cookies_and_drawn_by_the_server(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for("viewer")

    answer = client.post("/me", {"theme": "dark", "density": "compact"})
    page = body(client, "/me")

    assert answer.status_code == 302
    assert '<html lang="en" data-theme="dark" data-density="compact" data-shortcuts="off">' in page
    client.post("/me", {"theme": "", "density": "", "shortcuts": "on"})
    assert '<html lang="en">' in body(client, "/me")


def test_the_audit_log_shows_filters_and_one_event_in_full(client_for: ClientFor, acme: Tenant) -> None:
    version = make_config("mine")
    client = client_for("admin")
    event = AuditEvent.objects.get(action="generation.config.create")

    page = body(client, f"/audit?action=generation.config&event={event.seq}")
    other = body(client, "/audit?actor=nobody-like-this")
    export = client.get("/audit/export/ndjson?action=generation.config").getvalue()

    assert version.digest in page
    assert f'href="?target=generation.config%3A{version.config_id}"' in page
    assert "No event matches" in other
    assert export.count(b"\n") == 1
    assert client.get("/audit/export/xml").status_code == 404


def test_signing_out_ends_the_session(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for("viewer")

    client.post("/logout")

    assert client.get("/").status_code == 302


def test_a_wrong_password_is_said_without_telling_who_exists(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for(None)

    answers = [
        client.post("/login", {"login": email, "password": "wrong horse battery"}).content.decode()
        for email in ("viewer@acme.example", "nobody@acme.example")
    ]

    said = [re.search(r'role="alert">.*?<p[^>]*>(.*?)</p>', answer, re.S) for answer in answers]
    assert said[0] is not None
    assert said[1] is not None
    assert said[0].group(1) == said[1].group(1)


# -- once, and without scripts -------------------------------------------------------------------------------


def _token(page: str) -> str:
    found = re.search(r'name="token" value="([\w-]+)"', page)
    assert found is not None
    return found[1]


def test_a_form_sent_twice_generates_once(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for()
    data = {"text": small_text("mine"), "action": "generate", "token": _token(body(client, "/datasets/new"))}

    first, second = (client.post("/datasets/new", data) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Run.objects.count() == 1
    client.post("/datasets/new", data | {"text": small_text("other")})
    assert Run.objects.count() == 2

    dataset = f"/datasets/{Config.objects.get(name='mine').pk}"
    again = {"token": _token(body(client, dataset))}
    assert {client.post(f"{dataset}/generate", again)["Location"] for _ in range(2)} == {"/runs/3"}


def test_what_cannot_be_undone_asks_first_without_scripts_too(client_for: ClientFor, acme: Tenant) -> None:
    client = client_for("admin")
    run, member = make_run(), Membership.objects.get(user__email="viewer@acme.example")
    dataset = f"/datasets/{run.config_version.config_id}"
    places = [
        (f"/runs/{run.number}", "cancel"),
        ("/settings/members", f"remove-{member.pk}"),
        (dataset, "archive"),
    ]

    for path, name in places:
        assert f'confirm={name}" data-open="{name}"' in body(client, path)
        assert f'<dialog id="{name}" open' not in body(client, path)
        assert f'<dialog id="{name}" open' in body(client, f"{path}?confirm={name}")


def test_a_cancelled_run_says_by_whom_and_what_can_be_done(client_for: ClientFor, acme: Tenant) -> None:
    run = make_run()
    client_for().post(f"/runs/{run.number}/cancel")

    page = body(client_for(), f"/runs/{run.number}")

    assert "Cancelled by operator@acme.example" in page
    assert "Nothing was released." in page
    assert f"run #{run.number}</code>" in body(client_for(), "/audit")
