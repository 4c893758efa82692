"""An application is registered, a person lets it act for them and takes that back, in a real browser."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Visitor
from tests.oauth.conftest import CHALLENGE

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
BACK = "http://localhost:9/back"


def _shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_a_person_lets_an_application_in_and_takes_it_back(visit: Visit) -> None:
    visitor = visit(role="owner")
    page = visitor.page
    visitor.open("/settings/applications")
    page.get_by_label("Name", exact=True).fill("Reporting")
    page.get_by_label("Kind").select_option("public")
    page.get_by_label("Redirect addresses").fill(BACK)
    page.get_by_label("runs.read", exact=False).check()
    _shot(page, "applications-form")
    page.get_by_role("button", name="Register").click()
    client_id = page.locator("code.secret").first.inner_text()
    assert visitor.violations() == []
    _shot(page, "applications-made")

    visitor.open(
        f"/oauth/authorize?response_type=code&client_id={client_id}&redirect_uri={BACK}&state=s"
        f"&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
    assert page.get_by_role("heading", name="Let “Reporting” act for you?").is_visible()
    assert visitor.violations() == []
    _shot(page, "authorize")
    went: list[str] = []
    page.on("request", lambda request: went.append(request.url))
    page.get_by_role("button", name="Allow").click(no_wait_after=True)
    page.wait_for_timeout(1500)

    # the policy of the page lets the browser go there
    (back,) = {one for one in went if one.startswith(BACK)}
    assert re.search(r"[?&]code=[\w-]{43}&state=s&iss=http", back)

    for path in ("/me/applications", "/settings/keys", "/settings/api", "/me"):
        visitor.open(path)
        assert visitor.violations() == []
        assert visitor.hidden_width() == 0
        _shot(page, path.strip("/").replace("/", "-"))
