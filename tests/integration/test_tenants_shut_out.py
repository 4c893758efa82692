"""Whoever is shut out, or may less, does nothing more: not even with a request that waited for that change to end.

A module of its own, since what other threads see is committed. One connection holds the lock of changes; behind it wait,
in this order, the change that shuts an admin out and what the admin does against it.
"""

from collections.abc import Callable
from datetime import timedelta
from itertools import count

import pytest
from django.utils import timezone

from core.models import AuditEvent
from core.permissions import Principal
from core.tenancy import tenant_context
from tenants import key_services, role_services, services
from tenants.models import ApiKey, CustomRole, Membership
from tenants.oauth import services as oauth
from tenants.oauth.models import Application
from tenants.people import invitations, passwords, sessions
from tenants.people.models import Invitation, PasswordLink
from tenants.scim import services as scim
from tenants.scim import tokens
from tenants.scim.models import Token
from tenants.sso import services as sso
from tenants.sso.models import MailDomain
from tests.builders import make_principal
from tests.integration.in_turn import in_turn

_numbers = count()


def _admin() -> str:
    """The name of a new admin."""
    name = f"admin{next(_numbers)}"
    services.add_member(actor="test", email=f"{name}@out.example", role="admin")
    return name


def _member(name: str) -> Membership:
    return Membership.objects.select_related("user").get(user__email=f"{name}@out.example")


SHUT_OUT: dict[str, Callable[[Membership], object]] = {
    "deactivated": lambda one: services.end_access(one, actor=make_principal("owner", "out"), reason="test"),
    "deactivated by the directory": lambda one: services.end_access(one, actor="scim", reason="test"),
    "demoted": lambda one: services.change_role(
        actor=make_principal("owner", "out"), membership=one, role="viewer"
    ),
    "removed": lambda one: services.remove_member(actor=make_principal("owner", "out"), membership=one),
}
AGAINST: dict[str, Callable[[Principal, Membership], object]] = {
    "lets themselves in": lambda by, own: services.give_access(own, actor=by, reason="test"),
    "takes the role back": lambda by, own: services.change_role(actor=by, membership=own, role="admin"),
    "makes another one admin": lambda by, _: services.change_role(
        actor=by, membership=_member("viewer"), role="admin"
    ),
    "removes somebody": lambda by, _: services.remove_member(actor=by, membership=_member("operator")),
    "invites": lambda by, _: invitations.invite(principal=by, email="new@out.example", role="admin"),
    "makes a key": lambda by, _: key_services.issue_api_key(principal=by, name="late", role="admin"),
    "makes a role": lambda by, _: role_services.create_role(
        principal=by, name="Late", permissions=["members.write"]
    ),
    "makes a directory token": lambda by, _: tokens.issue_token(
        principal=by, name="late", expires_at=timezone.now() + timedelta(days=1)
    ),
    "gives a directory token a new secret": lambda by, _: tokens.rotate_token(
        principal=by, token_id=Token.objects.get().pk, previous_until=None
    ),
    "revokes a directory token": lambda by, _: tokens.revoke_token(
        principal=by, token_id=Token.objects.get().pk
    ),
    "makes an application": lambda by, _: oauth.create_application(
        principal=by, name="late", kind="service", permissions=["members.write"]
    ),
    "gives an application a new secret": lambda by, _: oauth.rotate_secret(
        principal=by, application=Application.objects.get(), previous_until=None
    ),
    "deletes an application": lambda by, _: oauth.delete_application(
        principal=by, application=Application.objects.get()
    ),
    "revokes a key": lambda by, _: key_services.revoke_api_key(
        principal=by, api_key=ApiKey.objects.get(name="stays")
    ),
    "revokes an invitation": lambda by, _: invitations.revoke(
        principal=by, invitation=Invitation.objects.get()
    ),
    "ends sessions": lambda by, _: sessions.end_sessions_of(actor=by, membership=_member("viewer")),
    "claims a domain": lambda by, _: sso.add_domain(principal=by, name="late.example"),
    "lets the directory bring anybody": lambda by, _: scim.set_origin(principal=by, origin="anybody"),
    "makes a password link": lambda by, _: passwords.make_link(actor=by, membership=_member("viewer")),
}


_OF_SHUTTING_OUT = ("tenants.member.end_access", "tenants.member.change_role", "tenants.member.remove")


@pytest.fixture
def there(out: str) -> tuple[list[str], int]:
    """What the acts could change, by somebody who stays; and what the trail has of changes but those that shut out."""
    with tenant_context(out):
        if not Token.objects.exists():
            owner = make_principal("owner", out)
            tokens.issue_token(principal=owner, name="stays", expires_at=timezone.now() + timedelta(days=1))
            oauth.create_application(principal=owner, name="stays", kind="service", permissions=["runs.read"])
            key_services.issue_api_key(principal=owner, name="stays", role="viewer")
            invitations.invite(principal=owner, email="waits@out.example", role="viewer")
        return _secrets(), _events()


def _secrets() -> list[str]:
    """Everything that could be made, replaced or ended."""
    return sorted(
        str(row)
        for rows in (
            Token.objects.values_list("key_id", "secret_hash", "revoked_at"),
            Application.objects.values_list("client_id", "secret_hash"),
            ApiKey.objects.values_list("key_id", "secret_hash", "revoked_at"),
            Invitation.objects.values_list("email", "token_digest", "revoked_at"),
            MailDomain.objects.values_list("name"),
        )
        for row in rows
    )


def _events() -> int:
    return AuditEvent.objects.exclude(action__in=[*_OF_SHUTTING_OUT, "tenants.member.add"]).count()


@pytest.mark.parametrize("act", AGAINST)
@pytest.mark.parametrize("how", SHUT_OUT)
def test_who_is_shut_out_does_nothing_with_a_request_that_waited(
    out: str, there: tuple[list[str], int], how: str, act: str
) -> None:
    with tenant_context(out):
        name = _admin()
        before, principal = _member(name), make_principal(name, out)

    outcomes = in_turn("out", lambda: SHUT_OUT[how](before), lambda: AGAINST[act](principal, before))

    assert outcomes[0] not in ("Forbidden", "NotFound")
    assert outcomes[1] in ("Forbidden", "NotFound")  # of a membership that is gone
    with tenant_context(out):
        now = Membership.objects.filter(pk=before.pk).first()
        assert now is None or not now.is_active or now.role == "viewer"
        assert (_member("viewer").role, _member("operator").role) == ("viewer", "operator")
        assert (_secrets(), _events()) == there
        assert not PasswordLink.objects.exists()
        assert not CustomRole.objects.filter(name="Late").exists()
        assert not ApiKey.objects.filter(name="late").exists()


def test_a_key_of_somebody_who_is_shut_out_does_not_let_them_in(out: str) -> None:
    with tenant_context(out):
        name = _admin()
        before, principal = _member(name), make_principal(name, out)
        key = key_services.issue_api_key(principal=principal, name="key", role="admin").api_key.key_id
        by_key = Principal(
            actor=f"api-key:{key}",
            credential=f"key:{key}",
            permissions=principal.permissions,
            user_id=principal.user_id,
            role="admin",
        )

    outcomes = in_turn(
        "out",
        lambda: services.end_access(before, actor="scim", reason="test"),
        lambda: services.give_access(before, actor=by_key, reason="test"),
    )

    assert outcomes[1] == "Forbidden"


def test_whose_rights_stay_goes_on_after_waiting(out: str) -> None:
    with tenant_context(out):
        name = _admin()
        principal, other = make_principal(name, out), _member(_admin())

    outcomes = in_turn(
        "out",
        lambda: services.end_access(other, actor="scim", reason="test"),
        lambda: services.give_access(other, actor=principal, reason="test"),
    )

    assert "Forbidden" not in outcomes
