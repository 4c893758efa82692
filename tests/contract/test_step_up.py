"""Changes of who may come in, and how, ask a session for a fresh proof; what shuts somebody out is not held up."""

import pytest

from core.permissions import Permission
from tests.contract.routes import Route, all_routes

SENSITIVE = {
    Permission.MEMBERS_WRITE,
    Permission.ROLES_WRITE,
    Permission.KEYS_WRITE,
    Permission.SSO_WRITE,
    Permission.SECRETS_WRITE,
    Permission.PROVISIONING_WRITE,
    Permission.APPLICATIONS_WRITE,
    Permission.SECURITY_WRITE,
    Permission.ORGANISATION_WRITE,
    Permission.ORGANISATION_EXPORT,
    Permission.ORGANISATION_DELETE,
    Permission.EXCEPTIONS_DECIDE,
}
NOT_HELD_UP = {
    "organisation-rename": "a name lets nobody in",
    "invitation-revoke": "shuts somebody out",
    "member-sessions-end": "shuts somebody out",
    "api_member_sessions": "shuts somebody out",
    "provisioning-token-revoke": "shuts somebody out",
    "sso-domain-check": "looks up what was asked for with a proof; no look-up ends a domain’s proof before 7 days are over",
}
OWN = {
    *("account_change_password", "factor-app", "factor-key", "factor-remove", "recovery-codes", "leave"),
    *("session-end", "sessions-end-others"),
}


def _asks(route: Route, method: str) -> bool:
    holders = (
        route.callback,
        getattr(route.callback, "view_class", None),
        getattr(route.callback, "cls", None),
    )
    return any(method in getattr(holder, "step_up", ()) for holder in holders)


CHANGES = [
    pytest.param(route, method, id=f"{method} {route}")
    for route in all_routes()
    for method, permission in route.permissions.items()
    if method != "GET" and (permission in SENSITIVE or route.name in OWN) and route.name not in NOT_HELD_UP
]


@pytest.mark.parametrize(("route", "method"), CHANGES)
def test_a_sensitive_change_asks_for_a_fresh_proof(route: Route, method: str) -> None:
    assert _asks(route, method), "add @step_up to the view, or a reason to NOT_HELD_UP"
