"""Everything by keyboard, nothing by script alone: palette, shortcuts, focus, and the pages without JavaScript."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[..., Visitor]


def test_the_palette_goes_where_it_is_told(visit: Visit, released: int) -> None:
    page = visit("operator").page

    page.keyboard.press("Control+k")
    page.keyboard.type("audit")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(r"/audit$"))


def test_letters_go_filter_move_and_open(visit: Visit, released: int) -> None:
    visitor = visit("operator")
    page = visitor.page

    page.keyboard.press("g")
    page.keyboard.press("r")
    expect(page).to_have_url(re.compile(r"/runs$"))
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("uk")
    expect(page).to_have_url(re.compile(r"q=uk"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("searchbox").blur()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/runs/\d+$"))
    page.keyboard.press("n")
    expect(page).to_have_url(re.compile(r"/runs/\d+$"))  # no “new” on this page
    assert not visitor.complaints


def test_the_sheet_of_shortcuts_opens_and_focus_returns(visit: Visit) -> None:
    page = visit("operator").page
    opener = page.get_by_role("button", name="Keyboard shortcuts")

    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")

    expect(opener).to_be_focused()


def test_single_keys_can_be_switched_off(visit: Visit, released: int) -> None:
    visitor = visit("operator")
    page = visitor.page
    visitor.open("/me")
    page.get_by_label("Single-key shortcuts").uncheck()
    page.get_by_role("button", name="Save").click()

    page.keyboard.press("g")
    page.keyboard.press("r")
    page.keyboard.press("?")

    expect(page).to_have_url(re.compile(r"/me$"))
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Command palette")).to_be_visible()


def test_the_first_tab_skips_to_the_content(visit: Visit) -> None:
    page = visit("operator").page

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_the_theme_switch_is_remembered(visit: Visit) -> None:
    visitor = visit("operator", color_scheme="light")
    page = visitor.page

    page.get_by_role("button", name="Switch to dark theme").click()
    visitor.open("/runs")

    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_back_and_forward_restore_the_filtered_list(visit: Visit, released: int) -> None:
    visitor = visit("operator")
    page = visitor.page
    visitor.open("/runs")

    page.get_by_role("searchbox").fill("nothing-like-it")
    expect(page.get_by_text("No run matches")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("No run matches")).to_be_hidden()
    page.go_forward()

    expect(page.get_by_text("No run matches")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("nothing-like-it")


def test_the_editor_marks_the_line_while_one_types(visit: Visit) -> None:
    visitor = visit("operator")
    page = visitor.page
    visitor.open("/datasets/new?view=yaml")
    area = page.get_by_role("textbox", name="Config")
    text = area.input_value()
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "employees:" in one)

    area.fill(text.replace("employees: 110", "employees: many"))

    expect(page.locator(f"[data-gutter] b:text-is('{line}')")).to_be_visible()
    expect(page.locator("#check")).to_contain_text(f"Line {line}")
    page.get_by_role("link", name=f"Line {line}").click()
    assert page.evaluate("getSelection().toString()").strip() == "employees: many"
    area.fill(text)
    expect(page.locator("#check")).to_contain_text("The config is valid.")
    assert not visitor.complaints
    assert not visitor.violations()


def test_one_double_click_makes_one_run(visit: Visit) -> None:
    visitor = visit("operator")
    page = visitor.page
    visitor.open("/runs")
    before = int(page.locator(".seg .n").first.inner_text())
    visitor.open("/datasets/new")

    page.get_by_role("button", name="Generate").dblclick()
    page.locator("#live").wait_for()
    page.get_by_role("link", name="Cancel run").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel run").click()
    expect(page.locator(".badge").first).to_have_text("Cancelled", timeout=30_000)
    visitor.open("/runs")

    assert int(page.locator(".seg .n").first.inner_text()) == before + 1


def test_without_script_one_signs_in_filters_reads_downloads_and_generates(
    visit: Visit, released: int, tmp_path: Path
) -> None:
    visitor = visit("operator", java_script_enabled=False, accept_downloads=True)
    page = visitor.page

    visitor.open("/runs")
    page.get_by_role("searchbox").fill("uk-services")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile(r"q=uk-services"))
    page.get_by_role("link", name="uk-services").first.click()
    expect(page.get_by_role("heading", name="checks hold")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "dataset.zip")
    visitor.open(f"/runs/{released}/preview?table=journal_lines")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text("Rows 101–200")).to_be_visible()
    visitor.open("/datasets/new")
    page.get_by_label("Seed").fill("5")
    page.get_by_role("button", name="YAML").click()
    expect(page.get_by_role("textbox", name="Config")).to_have_value(re.compile("seed: 5"))
    page.get_by_role("button", name="Generate").click()

    expect(page).to_have_url(re.compile(r"/runs/\d+$"))
    # without a stream the page reloads itself until the report is there
    page.locator("#checks").wait_for(timeout=110_000)
    assert (tmp_path / "dataset.zip").stat().st_size > 100_000


def test_two_organisations_are_joined_up_and_switched_between(visit: Visit) -> None:
    admin = visit("admin", "globex")
    admin.open("/settings/members/invitations")
    admin.page.get_by_label("E-mail").fill("viewer@acme.example")
    admin.page.get_by_role("radio", name="Operator").check()
    admin.page.get_by_role("button", name="Invite", exact=True).click()
    guest = visit(None, "globex")
    guest.page.goto(admin.page.locator("#secret").inner_text())
    guest.page.get_by_label("Your name").fill("Somebody in two organisations")
    guest.page.get_by_label("Password", exact=True).fill("quite another battery")
    guest.page.get_by_label("Password again").fill("quite another battery")
    guest.page.get_by_role("button", name="Join").click()
    guest.page.wait_for_url(guest.platform.address("globex") + "/")
    visitor = visit("viewer", "acme")
    page, globex = visitor.page, rf"http://globex\.localhost:{visitor.platform.port}"

    page.get_by_text("Switch organisation, current:").locator("..").click()
    page.get_by_role("link", name="Another organisation").click()
    page.get_by_label("Address of the organisation").fill("globex")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Go to globex.localhost").click()
    page.get_by_label("E-mail").fill("viewer@acme.example")
    page.get_by_label("Password", exact=True).fill("quite another battery")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile(rf"{globex}/me/organisations/join"))
    page.get_by_role("button", name="Add it").click()
    expect(page).to_have_url(visitor.platform.address("acme") + "/me/organisations")
    expect(page.get_by_text("Globex Finance is in your menu here now")).to_be_visible()
    page.get_by_text("Switch organisation, current:").locator("..").click()
    assert not visitor.violations()
    page.get_by_role("link", name="Globex Finance").click()

    expect(page).to_have_url(f"{visitor.platform.address('globex')}/")  # still signed in there
    page.get_by_text("Switch organisation, current:").locator("..").click()
    expect(page.get_by_role("link", name="acme.localhost")).to_be_visible()
