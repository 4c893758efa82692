"""An application is registered, a person lets it act for them and takes that back, in a real browser."""

import re
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Platform, Visitor, shot
from tests.oauth.conftest import CHALLENGE

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]
BACK = "http://localhost:9/back"


def test_a_person_lets_an_application_in_and_takes_it_back(visit: Visit) -> None:
    visitor = visit(role="owner")
    page = visitor.page
    visitor.open("/settings/applications")
    page.get_by_label("Name", exact=True).fill("Reporting")
    page.get_by_label("Kind").select_option("public")
    page.get_by_label("Redirect addresses").fill(BACK)
    page.get_by_label("runs.read", exact=False).check()
    shot(page, "applications-form")
    page.get_by_role("button", name="Register").click()
    client_id = page.locator("code.secret").first.inner_text()
    assert visitor.violations() == []
    shot(page, "applications-made")

    visitor.open(
        f"/oauth/authorize?response_type=code&client_id={client_id}&redirect_uri={BACK}&state=s"
        f"&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
    assert page.get_by_role("heading", name="Let “Reporting” act for you?").is_visible()
    assert visitor.violations() == []
    shot(page, "authorize")
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
        shot(page, path.strip("/").replace("/", "-"))


def test_who_leaves_takes_a_secret_with_them_and_another_takes_over_with_a_new_one(
    visit: Visit, platform: Platform
) -> None:
    named = ("acme", "leaver@acme.example", "--role", "admin", "--password", platform.password)
    platform.manage("create_member", *named)
    leaver = visit(role="leaver")
    _register(leaver, "/settings/applications", "Nightly", "Register")
    _register(leaver, "/settings/provisioning", "Entra", "Create token")

    owner = visit(role="owner")
    page = owner.page
    for path, name in (("/settings/applications", "Nightly"), ("/settings/provisioning", "Entra")):
        owner.open(path)
        page.locator("tr", has_text=name).get_by_role("link", name=re.compile("^Rotate")).click()
        assert page.get_by_text("was shown the present secret").locator("visible=true").count() == 1
        assert owner.violations() == []
        shot(page, f"rotate-{name}")
        page.keyboard.press("Escape")

    owner.open("/settings/members")
    page.locator("tr", has_text="leaver@acme.example").get_by_role("link").first.click()
    page.get_by_role("link", name="Deactivate").click()
    page.locator("dialog[open]").get_by_role("button", name="Deactivate").click()

    for path, name in (("/settings/applications", "Nightly"), ("/settings/provisioning", "Entra")):
        owner.open(path)
        assert re.search("nobody( is)? responsible", page.content(), re.IGNORECASE)
        shot(page, f"nobody-{name}")
        page.locator("tr", has_text=name).get_by_role("link", name=re.compile("^Take over")).click()
        dialog = page.locator("dialog[open]")
        assert dialog.locator("select").count() == 0  # nobody answers for the secret before: no overlap
        assert owner.violations() == []
        shot(page, f"take-over-{name}")
        dialog.get_by_role("button", name="Take over").click()
        assert page.locator("code.secret").last.inner_text().startswith("ds_")
        assert "owner@acme.example is responsible" in page.locator("tr", has_text=name).inner_text()


def _register(visitor: Visitor, path: str, name: str, button: str) -> None:
    page = visitor.page
    visitor.open(path)
    page.get_by_label("Name", exact=True).fill(name)
    if path.endswith("applications"):
        page.get_by_label("members.read", exact=False).first.check()
    page.get_by_role("button", name=button).click()
    assert page.locator("code.secret").last.is_visible()
