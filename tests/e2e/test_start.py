"""Somebody without an organisation starts one, in a real browser on the platform as `make up` starts it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Visitor

pytestmark = [pytest.mark.browser]

Visit = Callable[..., Visitor]
PASSWORD = "quite another battery"


def link_for(visitor: Visitor, email: str) -> str:
    """What the operator hands over on a platform without mail."""
    listed = visitor.platform.manage("organisation_requests")
    row = re.search(rf"^(\S+)  unproved .* {re.escape(email)}$", listed, re.MULTILINE)
    assert row is not None, listed
    return visitor.platform.manage("organisation_requests", "--link", row[1]).strip()


@pytest.mark.parametrize(
    ("width", "scheme", "slug"), [(1280, "light", "initech-wide"), (390, "dark", "hooli-small")]
)
def test_a_founder_comes_from_the_sign_in_to_an_organisation_of_their_own(
    visit: Visit, tmp_path: Path, width: int, scheme: str, slug: str
) -> None:
    email = f"founder@{slug}.example"
    visitor = visit(None, width=width, color_scheme=scheme)
    page = visitor.page

    def look(name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}-{width}-{scheme}.png", full_page=True)
        assert visitor.violations() == []
        assert visitor.hidden_width() == 0

    visitor.open("/login")
    look("sign-in")
    page.get_by_role("link", name="start an organisation of your own").click()
    page.wait_for_url(f"{visitor.platform.base}/start")
    look("start")

    page.get_by_label("Name of the organisation").fill("Rheinwerk Prüfung")
    page.get_by_label("Short name").press_sequentially("acrne")
    page.get_by_text("too much like a name that is").wait_for()
    look("look-alike")
    page.get_by_label("Short name").fill("")
    page.get_by_label("Short name").press_sequentially(slug)
    page.get_by_text(f"{slug}.localhost is free").wait_for()
    look("free")
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("valid email").or_(page.get_by_text("required")).wait_for()
    look("error")
    page.get_by_label("Your e-mail").fill(email)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="Ask for your link").wait_for()
    look("sent")

    page.goto(link_for(visitor, email))
    look("confirm")
    page.get_by_label("Your name").fill("First Person")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Make the organisation").click()
    page.wait_for_url(re.compile("/start/progress/"))
    look("progress")
    page.get_by_text("Made, with you as its owner").wait_for(timeout=60_000)
    look("ready")

    page.get_by_role("link", name=f"Sign in at {slug}").click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(visitor.platform.address(slug) + "/")
    page.goto(visitor.platform.address(slug) + "/audit")
    assert "tenants.organisation.create" in page.locator("#events").inner_text()
    refused = [
        one for one in visitor.complaints if "422" not in one
    ]  # the browser's own words about the error
    assert refused == []


def test_a_link_opens_nothing_the_second_time(visit: Visit) -> None:
    visitor = visit(None)
    page = visitor.page
    page.goto(f"{visitor.platform.base}/start")
    page.get_by_label("Name of the organisation").fill("Once")
    page.get_by_label("Short name").fill("only-once")
    page.get_by_label("Your e-mail").fill("founder@only-once.example")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Ask for your link").wait_for()
    link = link_for(visitor, "founder@only-once.example")
    page.goto(link)
    page.get_by_label("Your name").fill("First Person")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/start/progress/"))

    page.goto(link)

    assert "This link is not valid, or not any more" in page.locator("main").inner_text()
