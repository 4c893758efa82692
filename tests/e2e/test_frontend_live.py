"""The live page: one stream to the end, the report without a reload, and polling where streams are blocked."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[..., Visitor]


def generate(visitor: Visitor) -> Page:
    visitor.open("/datasets/new?template=uk-services")
    visitor.page.get_by_role("button", name="Generate").click()
    visitor.page.locator("#live").wait_for()
    return visitor.page


def test_one_stream_carries_the_run_to_its_report(visit: Visit) -> None:
    visitor = visit("operator")
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))

    page = generate(visitor)
    assert not visitor.violations()
    page.locator("#checks").wait_for(timeout=110_000)

    assert sum(url.endswith("/stream") for url in asked) == 1
    assert not [url for url in asked if url.endswith("/progress")]
    assert page.get_by_role("navigation", name="Main").get_by_text("live").count() == 0
    before = len(asked)
    page.wait_for_timeout(5_000)
    assert len(asked) == before
    assert not visitor.complaints
    assert not visitor.violations()


def test_a_blocked_stream_is_replaced_by_polling(visit: Visit) -> None:
    visitor = visit("operator")

    def refuse(route: Route) -> None:
        route.abort()

    visitor.page.route("**/stream", refuse)
    page = generate(visitor)

    with page.expect_request("**/progress", timeout=15_000):
        pass
    page.locator("#checks").wait_for(timeout=110_000)


def test_the_stream_opens_on_every_load(visit: Visit) -> None:
    visitor = visit("operator")
    page = generate(visitor)
    address = page.url

    opened = 0
    for _ in range(8):
        with page.expect_response("**/stream", timeout=5_000) as response:
            page.goto(address)
        opened += response.value.status == 200
    page.get_by_role("link", name="Cancel run").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel run").click()
    expect(page.locator(".badge").first).not_to_have_text("Live", timeout=30_000)

    assert opened == 8


def test_a_neighbour_cannot_listen(visit: Visit, released: int) -> None:
    visitor = visit("operator", "globex")
    visitor.open("/")

    status = visitor.page.evaluate(f"fetch('/runs/{released + 100}/stream').then(answer => answer.status)")

    assert status == 404
