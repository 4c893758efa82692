"""What a suspended organisation answers, what owners can do in the days of grace, and that others go on."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from core.jobs.models import Job
from core.models import AuditEvent
from core.tenancy import shared_context, tenant_context
from generation import services as generation
from generation.models import Run
from tenants.lifecycle import services
from tenants.models import Membership, Tenant
from tenants.people import passwords
from tests.builders import make_principal
from tests.contract.world import config_text
from tests.scim.conftest import make_directory

Clients = Callable[..., Any]


def start_run() -> Run:
    version = generation.create_config(actor="test", text=config_text("acme"))
    return generation.start_run(actor="test", source=generation.OfConfig(version.config_id))


# -- by the operator -----------------------------------------------------------------------------------------


def test_a_suspended_organisation_is_closed_to_people_keys_and_directories_and_others_are_not(
    acme: Tenant, client_for: Clients, api_client: Clients
) -> None:
    page, api, directory = client_for("owner"), api_client("owner"), make_directory("acme")
    call_command("suspend_organisation", "acme", "--why", "unpaid")

    for path in ("/", "/settings/organisation", "/login"):
        answer = page.get(path)
        assert answer.status_code == 403
        assert b"suspended" in answer.content
    refused = api.get("/api/v1/configs")
    assert (refused.status_code, refused.json()["code"]) == (403, "organisation_suspended")
    refused = page.post("/oauth/token", {"grant_type": "client_credentials"})
    assert (refused.status_code, refused.json()["code"]) == (403, "organisation_suspended")
    refused = directory.send("GET", "/Users")
    assert (refused.status_code, refused.json()["status"]) == (403, "403")
    assert client_for("owner", "globex").get("/").status_code == 200
    # whoever was handed a dataset verifies it with the platform's keys wherever they look
    assert page.get("/.well-known/jwks.json").status_code == 200

    call_command("suspend_organisation", "acme", "--resume")

    assert page.get("/").status_code == 200
    assert api.get("/api/v1/configs").status_code == 200
    with tenant_context("acme"):
        events = AuditEvent.objects.filter(actor="operator").values_list("action", flat=True).order_by("seq")
        assert list(events) == ["tenants.organisation.suspend", "tenants.organisation.resume"]


def test_suspending_stops_what_is_under_way_and_it_can_be_resumed_afterwards(acme: Tenant) -> None:
    run = start_run()

    services.suspend(slug="acme", why="")

    assert Job.objects.get(pk=run.job_id).state == Job.State.CANCELLED
    services.resume(slug="acme")
    generation.resume_run(actor="test", run_id=run.pk)
    assert Job.objects.get(pk=run.job_id).state == Job.State.QUEUED


@pytest.mark.parametrize("arguments", [["nobody"], ["acme", "--resume"]])
def test_a_command_that_cannot_be_carried_out_says_so(arguments: list[str], acme: Tenant) -> None:
    with pytest.raises(CommandError):
        call_command("suspend_organisation", *arguments)


# -- by an owner ---------------------------------------------------------------------------------------------


def test_only_owners_order_the_deletion_by_typing_the_name(acme: Tenant, client_for: Clients) -> None:
    assert client_for("admin").post("/settings/organisation/delete", {"typed": acme.name}).status_code == 403

    owner = client_for("owner")
    assert owner.post("/settings/organisation/delete", {"typed": "acme"}).status_code == 422
    assert owner.post("/settings/organisation/delete", {"typed": acme.name}).status_code == 302

    closed = Tenant.objects.get(pk=acme.pk)
    assert closed.delete_after is not None
    assert timedelta(days=13, hours=23) < closed.delete_after - timezone.now() <= timedelta(days=14)


def test_in_the_days_of_grace_an_owner_gets_to_the_page_of_the_organisation_and_nobody_else_anywhere(
    acme: Tenant, client_for: Clients, api_client: Clients
) -> None:
    owner, operator, api = client_for("owner"), client_for("operator"), api_client("owner")
    services.order_deletion(principal=make_principal("owner"))

    assert owner.get("/runs").headers["Location"] == "/settings/organisation"
    assert b"Restore the organisation" in owner.get("/settings/organisation").content
    assert operator.get("/runs").status_code == 403
    after_sign_in = operator.get("/settings/organisation")
    assert (after_sign_in.status_code, b"will be deleted on" in after_sign_in.content) == (403, True)
    assert operator.post("/settings/organisation/restore").status_code == 403
    assert client_for(None).get("/").headers["Location"] == "/login?next=%2Fsettings%2Forganisation"
    assert client_for(None).get("/login").status_code == 200
    assert client_for(None).get("/.well-known/jwks.json").status_code == 200
    assert api.get("/api/v1/configs").json()["code"] == "organisation_suspended"
    assert api.post("/api/v1/configs", {"text": "x"}).status_code == 403

    assert owner.post("/settings/organisation/restore").status_code == 302

    assert owner.get("/runs").status_code == 200
    assert api.get("/api/v1/configs").status_code == 200


def test_in_the_days_of_grace_access_is_ended_all_the_same(acme: Tenant, client_for: Clients) -> None:
    directory, owner, viewer = make_directory("acme"), client_for("owner"), client_for("viewer")
    ids = {
        name: Membership.objects.get(user__email=f"{name}@acme.example").pk for name in ("admin", "operator")
    }
    sessions = {name: client_for(name) for name in ids}
    services.order_deletion(principal=make_principal("owner"))

    listed = owner.get("/settings/members")
    gone = directory.patch(f"/Users/{ids['admin']}", {"op": "replace", "value": {"active": False}})
    owner.post(f"/settings/members/{ids['operator']}/deactivate")

    assert listed.status_code == 200
    assert gone.status_code == 200
    assert [one.get("/settings/organisation").status_code for one in sessions.values()] == [302, 302]
    assert not Membership.objects.filter(pk__in=ids.values(), is_active=True).exists()
    assert viewer.get("/settings/members").status_code == 403  # who ends nobody's access sees nothing
    assert viewer.get("/me/sessions").status_code == 200
    assert owner.post(f"/settings/members/{ids['operator']}/activate").status_code == 403


def test_in_the_days_of_grace_the_navigation_holds_what_opens(acme: Tenant, client_for: Clients) -> None:
    services.order_deletion(principal=make_principal("owner"))
    admin = client_for("admin")
    page = admin.get("/settings/members").content.decode()

    shown = re.findall(r'<a href="([^"]+)" data-go=', page)

    assert shown == ["/settings/members", "/settings/organisation", "/settings/sso"]
    assert {admin.get(address).status_code for address in shown} == {200}


def test_in_the_days_of_grace_an_owner_who_lost_the_password_gets_a_new_one(
    acme: Tenant, client_for: Clients
) -> None:
    services.order_deletion(principal=make_principal("owner"))
    token = passwords.make_link(
        actor="anonymous", membership=Membership.objects.get(user__email="owner@acme.example")
    )
    visitor = client_for(None)

    assert visitor.get("/login/password").status_code == 200
    assert visitor.get(f"/login/password/{token}").status_code == 200


def test_an_owner_can_keep_a_signed_statement_of_what_will_be_deleted(
    acme: Tenant, client_for: Clients
) -> None:
    owner = client_for("owner")
    assert owner.get("/settings/organisation/certificate").status_code == 404
    services.order_deletion(principal=make_principal("owner"))

    kept = owner.get("/settings/organisation/certificate")

    assert kept.json()["payloadType"] == "application/vnd.in-toto+json"
    assert "attachment" in kept["Content-Disposition"]


def test_the_operators_suspension_outweighs_an_owners_way_back(acme: Tenant, client_for: Clients) -> None:
    owner = client_for("owner")
    services.order_deletion(principal=make_principal("owner"))
    services.suspend(slug="acme", why="")

    assert owner.post("/settings/organisation/restore").status_code == 403


# -- the name ------------------------------------------------------------------------------------------------


def test_a_name_can_be_changed_and_the_hosts_stay(acme: Tenant, client_for: Clients) -> None:
    assert client_for("admin").post("/settings/organisation/rename", {"name": "Acme AG"}).status_code == 302

    with shared_context():
        assert Tenant.objects.get(pk=acme.pk).name == "Acme AG"
    shown = client_for("auditor").get("/settings/organisation").content
    assert b"Acme AG" in shown
    assert b"acme.localhost" in shown
    assert client_for("admin").post("/settings/organisation/rename", {"name": " "}).status_code == 422
