"""Every control that opens a dialog opens one, on every page that has the control."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.e2e.test_frontend_walk import pages

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[..., Visitor]
TABS = ("", "/preview", "/files", "/config", "/log")
_WITHOUT_DIALOG = """() => [...document.querySelectorAll("[data-open]")].map((one) => one.dataset.open)
  .filter((id) => !(document.getElementById(id) instanceof HTMLDialogElement))"""


@pytest.mark.parametrize("tab", TABS)
def test_continue_opens_its_dialog_on_every_tab_of_a_run(visit: Visit, released: int, tab: str) -> None:
    visitor = visit()
    visitor.open(f"/runs/{released}{tab}")
    dialog, opener = visitor.page.locator("#continue"), visitor.page.locator("[data-open=continue]")

    opener.click()
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Not now").click()
    expect(dialog).to_be_hidden()

    opener.focus()
    visitor.page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    visitor.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()
    assert visitor.complaints == []


def test_a_link_whose_dialog_is_elsewhere_leads_there(visit: Visit, released: int) -> None:
    visitor = visit()
    visitor.open(f"/runs/{released}/files")
    visitor.page.evaluate("document.getElementById('continue').remove()")

    visitor.page.locator("[data-open=continue]").click()

    visitor.page.wait_for_url(f"**/runs/{released}?confirm=continue")
    expect(visitor.page.locator("#continue")).to_be_visible()


@pytest.mark.parametrize("role", ["operator", "owner"])
def test_every_page_has_the_dialogs_that_it_opens(visit: Visit, released: int, role: str) -> None:
    visitor, missing = visit(role), {}
    for path in pages(visitor, released):
        visitor.open(path)
        if found := visitor.page.evaluate(_WITHOUT_DIALOG):
            missing[path] = found

    assert missing == {}
