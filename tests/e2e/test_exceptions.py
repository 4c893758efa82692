"""A held run is asked for, decided by somebody else, downloaded, and closed again, in a real browser."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]
Visit = Callable[..., Visitor]
NAME = "needs-an-exception"
# one limit for everybody and many who approve their own: a strict gate counts what is above the approver's limit
TEXT = f"""\
version: 1
name: {NAME}
seed: 3
period: {{start: 2025-01-01, months: 2}}
group: {{name: Klein, currency: EUR}}
companies:
  - {{code: "1000", name: Klein GmbH, country: DE, currency: EUR, industry: retail, annual_revenue: 2000000,
     employees: 12, framework: hgb, chart: {{size: small}}}}
volume: {{journal_lines_per_year: 10000}}
outputs: {{formats: [parquet]}}
quality: {{gate: strict}}
controls: {{sod_violation_rate: 0.2, approval_thresholds: [1]}}
"""


def _look(visitor: Visitor, name: str) -> None:
    """Nothing is inaccessible or too wide; with SCREENSHOTS set, a picture in each theme."""
    page = visitor.page
    assert visitor.violations() == [], name
    assert visitor.hidden_width() == 0, name
    for theme in ("light", "dark") if os.environ.get("SCREENSHOTS") else ():
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        page.screenshot(path=str(Path(os.environ["SCREENSHOTS"]) / f"{name}-{theme}.png"), full_page=True)


def _held_run(visitor: Visitor) -> int:
    page = visitor.page
    visitor.open("/datasets/new?view=yaml")
    page.locator("textarea[name=text]").fill(TEXT)
    page.get_by_role("button", name="Generate").click()
    page.locator("#exception").wait_for(timeout=110_000)
    return int(page.url.rpartition("/")[2])


def _ask(page: Page) -> None:
    page.get_by_label("Why it may be used all the same").fill("For the course on controls in March.")
    page.get_by_role("button", name="Ask for an exception").click()


def test_a_held_run_is_let_out_by_somebody_else_and_closed_again(visit: Visit) -> None:
    operator, approver = visit("operator"), visit("approver")
    asking, deciding = operator.page, approver.page
    approver.open("/approvals")
    _look(approver, "approvals-empty")

    number = _held_run(operator)
    expect(asking.locator("#exception")).to_contain_text("the one check that failed")
    _look(operator, "run-ask")
    asking.get_by_role("button", name="Ask for an exception").click()
    expect(asking.locator("#exception")).to_contain_text("This field is required.")
    _look(operator, "run-ask-wrong")
    _ask(asking)
    expect(asking.locator("#exception")).to_contain_text("Waits for a decision")
    _look(operator, "run-open")
    asking.get_by_role("link", name="Withdraw").click()
    _look(operator, "run-withdraw")
    asking.locator("#withdraw").get_by_role("button", name="Withdraw").click()
    expect(asking.locator("#exception")).to_contain_text("Withdrawn")
    _look(operator, "run-withdrawn")
    _ask(asking)

    approver.open("/approvals")
    expect(deciding.get_by_role("navigation", name="Main")).to_contain_text("1 open")
    _look(approver, "approvals-open")
    approver.open(f"/runs/{number}")
    _look(approver, "run-decide")
    deciding.get_by_role("link", name="Decide").click()
    _look(approver, "approval-open")
    deciding.get_by_label("Comment").fill("For this course only.")
    deciding.get_by_label("End, if granted").select_option("30")
    deciding.get_by_role("button", name="Grant").click()
    expect(deciding.locator("main")).to_contain_text(f"Granted: run #{number} can be downloaded.")
    _look(approver, "approval-granted")

    operator.open(f"/runs/{number}")
    _look(operator, "run-granted")
    operator.open(f"/runs/{number}/files")
    expect(asking.locator("#files")).to_contain_text("exception.dsse.json")
    operator.open(f"/runs/{number}")
    with asking.expect_download() as download:
        asking.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == f"{NAME}-{number}.zip"

    deciding.get_by_role("link", name="Revoke").click()
    _look(approver, "approval-revoke")
    deciding.locator("#revoke").get_by_label("Why").fill("The course is over.")
    deciding.locator("#revoke").get_by_role("button", name="Revoke").click()
    expect(deciding.locator("main")).to_contain_text("are closed again")
    _look(approver, "approval-revoked")
    approver.open("/approvals?state=decided")
    _look(approver, "approvals-decided")
    operator.open(f"/runs/{number}")
    expect(asking.locator("#exception")).to_contain_text("The course is over.")
    assert asking.locator(f'a[href="/runs/{number}/download"]').count() == 0
    _look(operator, "run-revoked")

    viewer = visit("viewer", width=390)
    viewer.open(f"/runs/{number}")
    _look(viewer, "run-viewer-narrow")
    assert all("422" in one for one in operator.complaints)  # the browser notes the form that was refused
    assert approver.complaints == viewer.complaints == []
