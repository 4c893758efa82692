"""Every page in both themes and four widths: no policy report, no console error, no axe violation, no sideways scroll."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import Platform, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[..., Visitor]
PAGES = (
    "/",
    "/templates",
    "/templates/uk-services",
    "/datasets",
    "/datasets?q=nothing",
    "/datasets/new",
    "/datasets/new?template=us-retailer&view=yaml",
    "{dataset}",
    "{dataset}/edit?view=yaml",
    "/runs",
    "/runs?q=nothing",
    "/runs/{run}",
    "/runs/{run}?group=ledger",
    "/runs/{run}/preview?table=journal_lines",
    "/runs/{run}/files",
    "/runs/{run}/config",
    "/runs/{run}/log",
    "/settings/members",
    "/settings/keys",
    "/approvals",
    "/audit",
    "/audit?event=1",
    "/me",
    "/me/confirm",
    "/me/leave",
    "/me/organisations",
    "/me/organisations?address=globex",
    "/me/password",
    "/me/security",
    "/me/security/app",
    "/me/security/key",
    "/me/sessions",
    "/settings/members/invitations",
    "/settings/roles",
    "/settings/roles/new",
    "/settings/secrets",
    "/settings/secrets/new",
    "/settings/security",
    "/settings/provisioning",
    "/settings/organisation",
    "/logout",
)
WIDTHS = (1024, 390, 320)


def pages(visitor: Visitor, released: int) -> list[str]:
    visitor.open(f"/runs/{released}")
    link = visitor.page.get_by_role("link", name="Config v").get_attribute("href") or ""
    return [page.format(run=released, dataset=link.partition("?")[0]) for page in PAGES]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible_and_quiet(visit: Visit, released: int, theme: str) -> None:
    visitor = visit("admin")
    cookie = {"name": "theme", "value": theme, "url": visitor.platform.address()}
    visitor.context.add_cookies([cookie])  # type: ignore[list-item]  # a plain dict is what it takes

    for path in pages(visitor, released):
        visitor.open(path)
        assert visitor.page.locator("html").get_attribute("data-theme") == theme
        assert not visitor.violations(), path
        assert visitor.page.locator("h1").count() == 1, path

    assert not visitor.complaints
    assert not visitor.foreign


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(visit: Visit, released: int, width: int) -> None:
    visitor = visit("admin", width=width)

    wide = []
    for path in pages(visitor, released):
        visitor.open(path)
        if visitor.hidden_width() > 0:
            wide.append(path)
    assert not wide
    assert not visitor.violations()


ACTIONS = {  # of the first row, for an owner who made the key and nothing else
    "/settings/keys": ["Rotate", "Revoke"],
    "/settings/applications": ["Rotate", "Delete"],
    "/settings/members": ["Change role", "Remove"],
    "/settings/members/invitations": ["New link", "Revoke"],
    "/settings/provisioning": ["Rotate", "Revoke"],
    "/settings/roles": ["Change", "Delete"],
    "/settings/secrets": ["Replace", "Delete"],
}


@pytest.fixture(scope="module")
def furnished(browser: Browser, platform: Platform) -> None:
    """Something with a long name in every table of acme's settings."""
    visitors = []
    for role in ("admin", "owner"):
        visitors.append(Visitor(browser.new_context().new_page(), platform, "acme"))
        visitors[-1].sign_in(role)
    _furnish(*visitors)
    for visitor in visitors:
        visitor.context.close()


@pytest.mark.usefixtures("furnished")
def test_every_action_of_a_row_is_in_reach(visit: Visit) -> None:
    owner = visit("owner")

    for width in (1280, 1440):
        owner.page.set_viewport_size({"width": width, "height": 900})
        for path, names in ACTIONS.items():
            owner.open(path)
            first = owner.page.locator(".tbl tbody tr:first-child .acts").first.locator("a, button")
            said = [one.split("\n")[0].strip() for one in first.all_inner_texts()]
            assert said == names, path  # what only a screen reader says follows in a line of its own
            assert owner.out_of_reach() == [], (path, width)
            assert owner.violations() == [], path


TABLES = (
    *ACTIONS,
    "/audit",
    "/me/sessions",
    "/datasets",
    "/runs",
    "/runs/{run}?group=ledger",
    "/runs/{run}/files",
)


@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("width", [390, 320])
def test_every_cell_of_a_row_is_in_sight_on_a_narrow_screen(visit: Visit, released: int, width: int) -> None:
    owner = visit("owner", width=width)

    for path in TABLES:
        owner.open(path.format(run=released))
        assert owner.page.locator(".tbl tbody tr").count() > 0, path
        assert owner.out_of_sight() == [], path
        assert owner.out_of_reach() == [], path
        assert owner.cut_choices() == [], path
        assert owner.hidden_width() == 0, path
        assert owner.violations() == [], path


def test_a_narrow_navigation_begins_at_the_page_that_is_open(visit: Visit) -> None:
    visitor = visit("admin", width=390)
    navigation = visitor.page.get_by_role("navigation", name="Main")

    for name in ("Overview", "Roles"):
        navigation.get_by_role("link", name=name, exact=True).click()
        expect(navigation.locator("[aria-current]")).to_have_text(name)
        expect(navigation.locator("[aria-current]")).to_be_in_viewport(ratio=1)


def _furnish(admin: Visitor, owner: Visitor) -> None:
    owner.open("/settings/keys")
    owner.page.get_by_label("Name", exact=True).fill("Monthly load of the data warehouse")
    _press(owner, "Create key")
    owner.open("/settings/members/invitations")
    owner.page.get_by_label("E-mail").fill("somebody.with.a.long.name@subsidiary.acme.example")
    owner.page.get_by_label("Viewer").check()
    _press(owner, "Invite")
    owner.open("/settings/roles/new")
    owner.page.get_by_label("Name", exact=True).fill("Reader of runs")
    owner.page.locator("input[name=permissions][value='runs.read']").check()
    _press(owner, "Create role")
    owner.open("/settings/secrets/new")
    owner.page.get_by_label("Name", exact=True).fill(
        "client-of-the-identity-provider-of-the-finance-department"
    )
    owner.page.get_by_label("Value", exact=True).fill("a value of the walk")
    owner.page.get_by_label("Description").fill("Given out by the group’s directory; ends with the year")
    _press(owner, "Store secret")
    admin.open("/settings/applications")
    admin.page.get_by_label("Name", exact=True).fill("Reporting of the finance department")
    admin.page.get_by_label("Kind").select_option("service")
    admin.page.get_by_label("runs.read", exact=False).check()
    _press(admin, "Register")
    admin.open("/settings/provisioning")
    admin.page.get_by_label("Name", exact=True).fill("Directory of the group")
    _press(admin, "Create token")


def _press(visitor: Visitor, name: str) -> None:
    """Press the button, and wait for what it sends to be answered."""
    with visitor.page.expect_navigation():
        visitor.page.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_what_a_role_may_not_do_is_said_accessibly(visit: Visit, released: int, role: str) -> None:
    visitor = visit(role)

    for path in (f"/runs/{released}", f"/runs/{released}/files", "/settings/members", "/me"):
        visitor.open(path)
        assert not visitor.violations(), path
    assert not visitor.complaints


def test_open_dialogs_and_menus_are_accessible(visit: Visit, released: int) -> None:
    visitor = visit("admin")
    page = visitor.page
    visitor.open("/settings/members")

    page.keyboard.press("Control+k")
    assert not visitor.violations()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Remove viewer@acme.example").click()
    assert not visitor.violations()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    assert not visitor.violations()


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [("/runs/999999", 404, "There is no such run."), ("/nothing/here", 404, "Nothing here")],
)
def test_error_pages_keep_the_navigation(visit: Visit, path: str, status: int, words: str) -> None:
    visitor = visit("viewer")

    answer = visitor.page.goto(visitor.platform.address() + path)

    assert answer is not None
    assert answer.status == status
    assert words in visitor.page.locator("main").inner_text()
    assert visitor.page.get_by_role("navigation", name="Main").is_visible()
    assert not visitor.violations()


def test_the_first_paint_has_the_theme_of_the_cookie(visit: Visit) -> None:
    visitor = visit(None, color_scheme="light")
    cookie = {"name": "theme", "value": "dark", "url": visitor.platform.address()}
    visitor.context.add_cookies([cookie])  # type: ignore[list-item]  # a plain dict is what it takes

    visitor.page.route("**/*.js", lambda route: route.abort())
    visitor.open("/login")

    background = visitor.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(13, 16, 20)"  # --bg, dark


def test_with_reduced_motion_nothing_moves(visit: Visit, released: int) -> None:
    visitor = visit("operator", reduced_motion="reduce")
    visitor.open(f"/runs/{released}")

    assert visitor.page.evaluate("document.getAnimations().length") == 0


def test_pages_are_light(visit: Visit, released: int) -> None:
    visitor = visit("operator")
    page = visitor.page
    for path in ("/", "/runs", f"/runs/{released}", "/datasets/new", "/settings/members"):
        visitor.open(path)
        sizes = page.evaluate(
            "performance.getEntriesByType('resource').filter(e => /\\.(js|css)$|icons/.test(e.name))"
            ".reduce((sum, e) => sum + e.encodedBodySize, 0)"
        )
        nodes = page.evaluate("document.querySelectorAll('*').length")
        assert sizes <= 60_000, path
        assert nodes <= 1_600, path  # a run has some five for each check
