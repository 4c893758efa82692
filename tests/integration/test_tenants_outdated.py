"""What is done with rights that ended after the request came: nothing, wherever it is done."""

from collections.abc import Callable

import pytest

from compliance import exception_services as exceptions
from core.errors import Forbidden
from core.models import AuditEvent
from core.permissions import Principal
from generation.models import Run
from tenants import cors, queries, services
from tenants.lifecycle import services as lifecycle
from tenants.models import Tenant
from tenants.people import policy
from tenants.vault import services as vault
from tenants.vault.models import NamedSecret
from tests.builders import make_principal
from tests.exception_builders import asked, failed

Act = Callable[[Principal], object]
_OF_SECRETS: dict[str, Act] = {
    "stores a secret": lambda by: vault.make_secret(
        principal=by, name="late", value="a value of some length"
    ),
    "replaces a secret": lambda by: vault.change_secret(
        principal=by, secret=_secret(), value="another value"
    ),
    "deletes a secret": lambda by: vault.delete_secret(principal=by, secret=_secret()),
}
_OF_SETTINGS: dict[str, Act] = {
    "changes the rules of sessions": lambda by: policy.change_security(
        principal=by, changes={"session_hours": 700}
    ),
    "allows an origin": lambda by: cors.allow_origins(principal=by, origins=["https://late.example"]),
}
_OF_OWNERS: dict[str, Act] = {
    "renames the organisation": lambda by: lifecycle.rename(principal=by, name="Late"),
    "orders the deletion": lambda by: lifecycle.order_deletion(principal=by),
    "takes the deletion back": lambda by: lifecycle.restore(principal=by),
    "takes everything away": lambda by: lifecycle.order_export(principal=by, with_files=False),
}


def _secret() -> NamedSecret:
    return NamedSecret.objects.get(name="kept")


def _events() -> int:
    return AuditEvent.objects.exclude(action__startswith="tenants.member.").count()


@pytest.mark.parametrize("act", [*_OF_SECRETS, *_OF_SETTINGS, *_OF_OWNERS])
def test_who_was_demoted_meanwhile_changes_nothing(acme: Tenant, act: str) -> None:
    owner = make_principal("owner")
    vault.make_secret(principal=owner, name="kept", value="a value of some length")
    member = services.add_member(actor=owner, email="second@acme.example", role="owner").membership
    second = make_principal("second")
    services.change_role(actor=owner, membership=member, role="viewer")
    before = _events()

    with pytest.raises(Forbidden, match="ended or changed"):
        (_OF_SECRETS | _OF_SETTINGS | _OF_OWNERS)[act](second)

    now = queries.organisation()
    assert (now.name, now.allowed_origins, now.delete_after) == (acme.name, [], None)
    assert _secret().version == 1
    assert _events() == before


@pytest.mark.parametrize("act", _OF_SECRETS | _OF_SETTINGS)
def test_whose_rights_stay_does_it(acme: Tenant, act: str) -> None:
    owner = make_principal("owner")
    vault.make_secret(principal=owner, name="kept", value="a value of some length")
    before = _events()

    (_OF_SECRETS | _OF_SETTINGS)[act](owner)

    assert _events() == before + 1


def test_who_was_deactivated_meanwhile_decides_on_no_exception(held: Run) -> None:
    owner, approver = make_principal("owner"), make_principal("approver")
    request = asked(held, "operator")
    services.end_access(queries.members().get(user__email=approver.actor), actor=owner, reason="test")

    for decide in (exceptions.grant, exceptions.refuse):
        with pytest.raises(Forbidden):
            decide(principal=approver, exception_id=request.pk, comment="Late.")
    exceptions.grant(principal=owner, exception_id=request.pk, comment="In time.")
    with pytest.raises(Forbidden):
        exceptions.revoke(principal=approver, exception_id=request.pk, comment="Late.")


def test_who_was_deactivated_meanwhile_asks_for_no_exception_and_takes_none_back(held: Run) -> None:
    owner, operator = make_principal("owner"), make_principal("operator")
    request = asked(held, "operator")
    services.end_access(queries.members().get(user__email=operator.actor), actor=owner, reason="test")

    with pytest.raises(Forbidden):
        exceptions.withdraw(principal=operator, exception_id=request.pk)
    exceptions.refuse(principal=owner, exception_id=request.pk, comment="No.")
    with pytest.raises(Forbidden):
        exceptions.ask(principal=operator, run_id=held.pk, checks=failed(held), reason="Late.")
