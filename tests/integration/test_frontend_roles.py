"""Pages of roles: who sees them, what they offer to whom, and what a role may not do is not drawn."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tenants import role_services, services
from tenants.models import CustomRole, Membership, Tenant
from tenants.scim import tokens as scim_tokens
from tests.builders import make_principal, sign_in, version_shown

Clients = Callable[..., Client]


def _page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def _member(role: str) -> Membership:
    return Membership.objects.get(user__email=f"{role}@acme.example")


def _offered(page: str) -> list[str]:
    return re.findall(r'name="role" value="([^"]+)"', page)


def _steward() -> CustomRole:
    return role_services.create_role(
        principal=make_principal("admin"), name="Data steward", permissions=["configs.read", "configs.write"]
    )


@pytest.mark.parametrize(
    ("role", "absent", "present"),
    [
        ("viewer", ["/audit", "/settings/keys", "/settings/roles", "/datasets/new"], ["/runs", "/datasets"]),
        ("operator", ["/settings/roles"], ["/audit", "/settings/keys"]),
        ("auditor", ["/settings/keys", "/datasets/new"], ["/audit", "/settings/roles"]),
        ("approver", ["/settings/keys", "/settings/roles", "/datasets/new"], ["/audit"]),
        ("owner", [], ["/audit", "/settings/keys", "/settings/roles"]),
    ],
)
def test_what_a_role_may_not_do_is_absent_from_its_pages(
    client_for: Clients, acme: Tenant, role: str, absent: list[str], present: list[str]
) -> None:
    client = client_for(role)

    pages = "".join(_page(client, path) for path in ("/", "/datasets", "/runs", "/settings/members"))

    assert [path for path in absent if f'href="{path}' in pages] == []
    assert [path for path in present if f'href="{path}' not in pages] == []
    if role != "owner":
        assert "Change role" not in pages
        assert "Remove" not in pages


def test_an_auditor_sees_roles_and_no_button_to_change_them(client_for: Clients, acme: Tenant) -> None:
    _steward()

    page = _page(client_for("auditor"), "/settings/roles")

    assert "Data steward" in page
    assert "organisation.delete" in page
    assert "New role" not in page
    assert 'data-open="delete-' not in page


def test_an_admin_is_offered_every_role_but_owner_and_an_owner_every_one(
    client_for: Clients, acme: Tenant
) -> None:
    address = f"/settings/members/{_member('viewer').pk}/role"
    _steward()

    admin, owner = (_page(client_for(role), address) for role in ("admin", "owner"))

    assert _offered(admin) == ["viewer", "operator", "auditor", "approver", "admin", "data-steward"]
    assert _offered(owner) == ["viewer", "operator", "auditor", "approver", "admin", "owner", "data-steward"]
    assert "Sees everything including settings" in admin


def test_an_owner_is_out_of_an_admins_reach(client_for: Clients, acme: Tenant) -> None:
    client, owner = client_for("admin"), _member("owner")

    page = _page(client, "/settings/members")

    assert "may do more than you" in page
    assert f"/settings/members/{owner.pk}/role" not in page
    _page(client, f"/settings/members/{owner.pk}/role", 403)
    assert client.post(f"/settings/members/{owner.pk}/remove").status_code == 403


def test_the_page_of_a_member_offers_what_one_may_do_to_them(client_for: Clients, acme: Tenant) -> None:
    acts = ("deactivate", "sessions/end", "password-link")

    def offered(role: str, member: Membership) -> list[str]:
        page = _page(client_for(role), f"/settings/members/{member.pk}")
        return [act for act in acts if f"/settings/members/{member.pk}/{act}" in page]

    client_for("owner"), client_for("viewer")  # both have a session to end

    assert offered("admin", _member("owner")) == []
    assert offered("admin", _member("viewer")) == list(acts)
    assert offered("owner", _member("owner")) == list(acts)


def test_an_auditors_last_day_is_the_whole_day(client_for: Clients, acme: Tenant) -> None:
    client, viewer = client_for("admin"), _member("viewer")
    address, day = f"/settings/members/{viewer.pk}/role", timezone.localdate() + timedelta(days=30)

    missing = client.post(address, {"role": "auditor", "role_until": ""})
    beyond = client.post(address, {"role": "auditor", "role_until": "9999-12-31"})
    done = client.post(address, {"role": "auditor", "role_until": day.isoformat()})

    assert missing.status_code == 422
    assert "An auditor needs an end date." in missing.content.decode()
    assert beyond.status_code == 422
    assert "further away than a calendar reaches" in beyond.content.decode()
    assert done.status_code == 302
    viewer.refresh_from_db()
    assert viewer.role_until is not None
    assert timezone.localtime(viewer.role_until - timedelta(seconds=1)).date() == day
    assert f'value="{day.isoformat()}"' in _page(client, address)


def test_a_role_is_made_changed_and_deleted_on_its_pages(client_for: Clients, acme: Tenant) -> None:
    client = client_for("admin")
    assert "No roles of your own" in _page(client, "/settings/roles")

    client.post("/settings/roles/new", {"name": "Data steward", "permissions": ["configs.read"]})
    role = CustomRole.objects.get()
    edit = f"/settings/roles/{role.pk}/edit"
    shown = version_shown(client, edit)
    form = {"name": "Data keeper", "permissions": ["configs.read", "configs.write"]}
    client.post(edit, form | {"version": shown})
    changed = _page(client, "/settings/roles")
    client.post(f"/settings/roles/{role.pk}/delete")

    assert "Data keeper" in changed
    assert f'data-open="delete-{role.pk}"' in changed
    assert not CustomRole.objects.exists()


def test_a_role_that_somebody_changed_meanwhile_is_not_overwritten(client_for: Clients, acme: Tenant) -> None:
    """Else a tab of yesterday gives back what was taken from everybody in the role."""
    client = client_for("admin")
    client.post("/settings/roles/new", {"name": "Keeper", "permissions": ["configs.read", "configs.write"]})
    edit = f"/settings/roles/{CustomRole.objects.get().pk}/edit"
    opened = version_shown(client, edit)
    narrower = {"name": "Keeper", "permissions": ["configs.read"], "version": opened}
    assert client.post(edit, narrower).status_code == 302
    old = {"name": "Warden", "permissions": ["configs.read", "configs.write"]}

    answers = [client.post(edit, old | {"version": version}) for version in (opened, "")]

    assert [one.status_code for one in answers] == [412, 412]
    assert "Somebody changed this since you opened it" in answers[0].content.decode()
    assert CustomRole.objects.get().permissions == ["configs.read"]
    assert client.post(edit, old | {"version": version_shown(client, edit)}).status_code == 302
    assert CustomRole.objects.get().name == "Warden"


def test_what_is_wrong_with_a_role_is_said_on_the_form(client_for: Clients, acme: Tenant) -> None:
    client = client_for("admin")

    empty = client.post("/settings/roles/new", {"name": "Nothing"})
    taken = client.post("/settings/roles/new", {"name": "Viewer", "permissions": ["configs.read"]})
    beyond = client.post("/settings/roles/new", {"name": "End", "permissions": ["organisation.delete"]})

    assert [answer.status_code for answer in (empty, taken, beyond)] == [422, 409, 422]
    assert "This field is required" in empty.content.decode()
    assert "There is a role “Viewer” already." in taken.content.decode()
    assert "organisation.delete is not one of the available choices" in beyond.content.decode()


def test_a_role_in_use_has_no_button_to_delete_it_and_stays(client_for: Clients, acme: Tenant) -> None:
    role, client = _steward(), client_for("admin")
    services.add_member(actor="test", email="dana@acme.example", role=role.key)

    page = _page(client, "/settings/roles")
    refused = client.post(f"/settings/roles/{role.pk}/delete")

    assert "dana@acme.example" in page
    assert f"delete-{role.pk}" not in page
    assert refused.status_code == 409
    assert "in use by dana@acme.example" in refused.content.decode()


def test_an_invitation_shows_the_name_of_its_role(client_for: Clients, acme: Tenant) -> None:
    steward, admin = _steward(), client_for("admin")

    for email, role in (("one@acme.example", steward.key), ("two@acme.example", "viewer")):
        admin.post("/settings/members/invitations", {"email": email, "role": role})

    page = _page(admin, "/settings/members/invitations")
    assert re.findall(r'data-label="Role"[^>]*>([^<]*)<', page) == ["Viewer", "Data steward"]


@pytest.mark.parametrize("role", ["operator", "admin", "owner"])
def test_a_new_key_allows_least_unless_more_is_chosen(client_for: Clients, acme: Tenant, role: str) -> None:
    page = _page(client_for(role), "/settings/keys")

    select = page.partition('<select name="role"')[2].partition("</select>")[0]
    assert re.findall(r'value="(\w+)" selected', select) == ["viewer"]


def test_somebody_with_a_role_of_the_organisations_own_walks_their_pages(acme: Tenant) -> None:
    role = role_services.create_role(
        principal=make_principal("admin"),
        name="Key maker",
        permissions=["keys.read", "keys.write", "runs.read"],
    )
    services.add_member(actor="test", email="kim@acme.example", role=role.key)
    client = Client(headers={"host": "acme.localhost"})
    sign_in(client, "kim@acme.example", "acme")

    assert "Key maker" in _page(client, "/me")
    assert "runs.read" in _page(client, "/settings/keys")
    _page(client, "/settings/members", 403)
    made = client.post(
        "/settings/keys/issue",
        {"name": "ci", "role": "viewer", "permissions": ["runs.read"], "lifetime_days": "30"},
    )
    too_much = client.post("/settings/keys/issue", {"name": "ci", "role": "operator", "lifetime_days": "30"})
    assert 'id="secret"' in made.content.decode()
    assert too_much.status_code in (403, 422)


def test_who_may_less_than_an_admin_is_offered_no_token_of_a_directory(acme: Tenant) -> None:
    """A directory may do what an admin may; whoever may less revokes, and is told the rest."""
    role = role_services.create_role(
        principal=make_principal("admin"),
        name="Directory watcher",
        permissions=["provisioning.read", "provisioning.write"],
    )
    services.add_member(actor="test", email="kim@acme.example", role=role.key)
    scim_tokens.issue_token(
        principal=make_principal("admin"), name="Entra", expires_at=timezone.now() + timedelta(days=30)
    )
    client = Client(headers={"host": "acme.localhost"})
    sign_in(client, "kim@acme.example", "acme")

    page = _page(client, "/settings/provisioning")

    assert "Create token" not in page
    assert "rotate-" not in page
    assert "tokens are made and rotated by people who may do as much" in page
    assert "revoke-" in page
