"""Who a sign-in stands for when the member became somebody else, or may do more than the provider may touch."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from core.models import AuditEvent
from core.permissions import Permission
from tenants import role_services
from tenants import services as tenants
from tenants.sso.models import Connection, MailDomain
from tests.builders import make_principal, set_last_day
from tests.scim.conftest import make_directory
from tests.sso.conftest import SamlVisitor, member

pytestmark = pytest.mark.usefixtures("acme", "no_tries_counted")


@pytest.fixture(autouse=True)
def provider(saml_sso: Callable[..., Connection], verified: Callable[..., MailDomain]) -> None:
    saml_sso()
    verified()


def test_after_another_address_the_person_before_is_not_the_successor_and_the_successor_comes_in() -> None:
    claims = {"email": ["viewer@acme.example"], "groups": ["staff"]}
    SamlVisitor().sign_in(subject="before", attributes=claims)
    viewer = member("viewer@acme.example")
    assert viewer is not None
    moved = make_directory("acme").patch(
        f"/Users/{viewer.pk}",
        {"op": "replace", "path": "emails", "value": [{"value": "next@acme.example", "primary": True}]},
    )
    assert moved.status_code == 200

    before, successor = SamlVisitor(), SamlVisitor()
    before.sign_in(subject="before", attributes=claims)
    successor.sign_in(subject="after", attributes={"email": ["next@acme.example"], "groups": ["staff"]})

    joined, same = member("viewer@acme.example"), member("next@acme.example")
    assert joined is not None
    assert joined.pk != viewer.pk  # a new member, as anybody of a verified domain
    assert same is not None
    assert same.pk == viewer.pk
    assert successor.is_signed_in
    assert successor.client.session["_auth_user_id"] == str(same.user_id)


def test_a_sign_in_takes_no_role_that_holds_more_than_an_admins_and_notes_that() -> None:
    owner = make_principal("owner")
    role = role_services.create_role(
        principal=owner, name="Closer", permissions=[Permission.RUNS_READ, Permission.ORGANISATION_DELETE]
    )
    tenants.add_member(actor=owner, email="closer@acme.example", role=role.key)
    visitor = SamlVisitor()

    visitor.sign_in(attributes={"email": ["closer@acme.example"], "groups": ["staff"]})

    assert visitor.is_signed_in
    after = member("closer@acme.example")
    assert after is not None
    assert after.role == "closer"
    kept = AuditEvent.objects.get(action="sso.role.keep")
    assert (kept.actor, kept.data["role"], kept.data["mapped"]) == ("sso", "closer", "operator")


def test_an_auditor_keeps_the_role_and_its_last_day_and_comes_in_no_longer() -> None:
    """Auditors are made by hand: no group gives the role, and none takes its end away."""
    visitor, last = SamlVisitor(), timezone.now() + timedelta(days=5)
    auditor = member("auditor@acme.example")
    assert auditor is not None
    set_last_day(auditor, last)
    claims = {"email": ["auditor@acme.example"], "groups": ["staff"]}

    visitor.sign_in(attributes=claims)

    assert visitor.is_signed_in
    after = member("auditor@acme.example")
    assert after is not None
    assert (after.role, after.role_until) == ("auditor", last)
    kept = AuditEvent.objects.get(action="sso.role.keep")
    assert (kept.data["role"], kept.data["mapped"]) == ("auditor", "operator")

    set_last_day(after, timezone.now())
    late = SamlVisitor()
    late.sign_in(attributes=claims)
    assert not late.is_signed_in


def test_pages_that_give_roles_say_that_the_provider_gives_them_too(
    client_for: Callable[..., Client], no_tries_counted: None
) -> None:
    viewer = member("viewer@acme.example")
    assert viewer is not None
    client = client_for("admin")
    pages = [f"/settings/members/{viewer.pk}/role", "/settings/members/invitations"]

    mapped = [client.get(page).content.decode() for page in pages]
    people = client.get("/settings/members").content.decode()
    Connection.objects.update(group_roles=[], joining=Connection.Joining.NEVER)
    unmapped = [client.get(page).content.decode() for page in pages]

    assert all("At each sign-in with Acme ID the groups there give the role anew" in page for page in mapped)
    assert "Acme ID can make them a member again" in people
    assert not any("At each sign-in with Acme ID" in page for page in unmapped)
    assert "make them a member again" not in client.get("/settings/members").content.decode()
