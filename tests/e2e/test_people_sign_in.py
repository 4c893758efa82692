"""Coming in with a real browser: a security key (a virtual one, by the browser's own protocol), an app, a link."""

import re
import time
from collections.abc import Callable

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value

from tests.e2e.conftest import Visitor

pytestmark = [pytest.mark.browser]

Visit = Callable[..., Visitor]
KEY = {
    "protocol": "ctap2",
    "transport": "usb",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


def plug_in_a_key(visitor: Visitor) -> None:
    protocol = visitor.context.new_cdp_session(visitor.page)
    protocol.send("WebAuthn.enable")
    protocol.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})


def sign_in_with_password(visitor: Visitor, role: str) -> None:
    visitor.open("/login")
    visitor.page.get_by_label("E-mail").fill(f"{role}@{visitor.organisation}.example")
    visitor.page.get_by_label("Password").fill(visitor.platform.password)
    visitor.page.get_by_role("button", name="Continue").click()


def test_a_security_key_is_set_up_asked_for_and_confirms(visit: Visit) -> None:
    visitor = visit("viewer", "globex")
    plug_in_a_key(visitor)

    visitor.open("/me/security/key")
    visitor.page.get_by_label("Name").fill("blue key")
    assert not visitor.violations()
    visitor.page.get_by_role("button", name="Add the key").click()
    visitor.page.get_by_role("heading", name="Your recovery codes").wait_for()
    assert len(re.findall(r"\d{5} \d{5}", visitor.page.locator("#codes").inner_text())) == 10
    assert not visitor.violations()

    visitor.open("/logout")
    visitor.page.get_by_role("button", name="Sign out").click()
    sign_in_with_password(visitor, "viewer")
    visitor.page.get_by_role("heading", name="Second factor").wait_for()
    assert not visitor.violations()
    visitor.page.get_by_role("button", name="Use the security key").click()
    visitor.page.wait_for_url(visitor.platform.address("globex") + "/")

    visitor.open("/me/confirm?next=/me/sessions")
    visitor.page.get_by_role("button", name="Use the security key").click()
    visitor.page.get_by_role("heading", name="Sessions").wait_for()
    assert not visitor.complaints


def test_an_app_is_set_up_from_the_picture_and_asked_for(visit: Visit) -> None:
    visitor = visit("operator", "globex")

    visitor.open("/me/security/app")
    assert visitor.page.locator(".qr svg").bounding_box()
    assert not visitor.violations()
    secret = visitor.page.locator("#secret").inner_text()
    visitor.page.get_by_label("Code", exact=True).fill(code_of(secret))
    visitor.page.get_by_role("button", name="Set up").click()
    visitor.page.get_by_role("heading", name="Your recovery codes").wait_for()

    visitor.open("/logout")
    visitor.page.get_by_role("button", name="Sign out").click()
    sign_in_with_password(visitor, "operator")
    visitor.page.get_by_label("Code", exact=True).fill(code_of(secret, step=1))
    visitor.page.get_by_role("button", name="Continue").click()
    visitor.page.wait_for_url(visitor.platform.address("globex") + "/")
    assert not visitor.complaints


def test_an_invited_person_joins_by_the_link(visit: Visit) -> None:
    admin = visit("admin", "globex")
    admin.open("/settings/members/invitations")
    admin.page.get_by_label("E-mail").fill("new@globex.example")
    admin.page.get_by_role("radio", name="Operator").check()
    admin.page.get_by_role("button", name="Invite", exact=True).click()
    link = admin.page.locator("#secret").inner_text()
    assert not admin.violations()

    guest = visit(None, "globex")
    guest.page.goto(link)
    guest.page.get_by_label("Your name").fill("New Person")
    guest.page.get_by_label("Password", exact=True).fill("quite another battery")
    guest.page.get_by_label("Password again").fill("quite another battery")
    assert not guest.violations()
    guest.page.get_by_role("button", name="Join").click()

    guest.page.wait_for_url(guest.platform.address("globex") + "/")
    assert not guest.complaints


def code_of(secret: str, *, step: int = 0) -> str:
    """What an app with this secret shows now, or some steps of 30 seconds later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step)))
