"""The whole platform as `make up` starts it, and a Chromium that notes everything a page complains about."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = (Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js").read_text()
_OUT_OF_REACH = """
() => [...document.querySelectorAll(".tbl tbody tr:first-child .acts :is(a, button)")].filter(action => {
  action.scrollIntoView({block: "center", inline: "nearest"});
  action.closest(".tbl").scrollLeft = 0;
  const {left, right, top, bottom} = action.getBoundingClientRect();
  return [left + 1, right - 1].some(x => !action.contains(document.elementFromPoint(x, (top + bottom) / 2)));
}).map(action => action.innerText)
"""
_OUT_OF_SIGHT = """
() => [...document.querySelectorAll(".tbl:not(.data, .tall) tbody tr:first-child > *")].filter(cell => {
  const room = cell.closest(".tbl").getBoundingClientRect();
  const range = document.createRange();
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  const boxes = [cell.getBoundingClientRect()];
  while (texts.nextNode()) {
    if (texts.currentNode.parentElement.closest(".vh, select")) continue;
    range.selectNodeContents(texts.currentNode);
    boxes.push(range.getBoundingClientRect());
  }
  return room.right > innerWidth
    || boxes.some(({left, right, width}) => width && (left < room.left - 1 || right > room.right + 1));
}).map(cell => cell.innerText)
"""
_CUT_CHOICES = """
() => [...document.querySelectorAll(".seg > *")].filter(choice => {
  const {left, right} = choice.getBoundingClientRect();
  const room = choice.parentElement.getBoundingClientRect();
  return left < Math.max(0, room.left) || right > Math.min(innerWidth, room.right);
}).map(choice => choice.innerText)
"""
_KEPT = ("PATH", "HOME", "LANG", "TZ")


@dataclass(frozen=True, slots=True)
class Platform:
    """A running platform with its two demo organisations."""

    port: int
    password: str
    home: Path

    @property
    def base(self) -> str:
        """Where no organisation is."""
        return f"http://localhost:{self.port}"

    def manage(self, *arguments: str) -> str:
        """What `manage.py` prints on the platform's machine."""
        return subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            env={**os.environ, "DATASYNTH_HOME": str(self.home), "DJANGO_SETTINGS_MODULE": "config.settings"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def address(self, organisation: str = "acme") -> str:
        return f"http://{organisation}.localhost:{self.port}"


@dataclass(slots=True)
class Visitor:
    """A browser tab that remembers what went wrong in it."""

    page: Page
    platform: Platform
    organisation: str
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def open(self, path: str) -> None:
        self.page.goto(self.platform.address(self.organisation) + path)

    def sign_in(self, role: str) -> None:
        self.open("/login")
        self.page.get_by_label("E-mail").fill(f"{role}@{self.organisation}.example")
        self.page.get_by_label("Password").fill(self.platform.password)
        self.page.get_by_role("button", name="Continue").click()
        self.page.wait_for_url(self.platform.address(self.organisation) + "/")

    def violations(self) -> list[str]:
        """What axe finds in the page as it is now; axe comes in by the protocol, so the page's policy stays on."""
        self.page.evaluate(AXE)
        found: dict[str, Any] = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]

    def hidden_width(self) -> int:
        """By how many pixels the page itself scrolls sideways."""
        root = "document.documentElement"
        return int(self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))

    def out_of_reach(self) -> list[str]:
        """Actions in the first row of a table that one would have to scroll sideways for, or that are covered."""
        found: list[str] = self.page.evaluate(_OUT_OF_REACH)
        return found

    def out_of_sight(self) -> list[str]:
        """Cells in the first row of a table of which something is cut off or lies beside the screen."""
        found: list[str] = self.page.evaluate(_OUT_OF_SIGHT)
        return found

    def cut_choices(self) -> list[str]:
        """Choices of a filter that are cut off or lie beside the screen."""
        found: list[str] = self.page.evaluate(_CUT_CHOICES)
        return found


def shot(page: Page, name: str) -> None:
    """A picture of the whole page, where SCREENSHOTS names a folder for them."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@contextmanager
def running_platform(**settings: str) -> Iterator[Platform]:
    """`python -m config.stack up` in a data folder of its own."""
    home = Path(tempfile.mkdtemp(prefix="ds-", dir="/tmp"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        wanted = probe.getsockname()[1]
    own = {"DATASYNTH_HOME": str(home), "PORT": str(wanted), **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "config.stack", "up"],
        env={**{name: os.environ[name] for name in _KEPT if name in os.environ}, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    place = re.search(r"http://acme\.localhost:(\d+)", said)
    password = re.search(r"password (\S+)", said)
    try:
        assert place is not None, said
        assert password is not None, said
        yield Platform(int(place.group(1)), password.group(1), home)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        process.stdout.close()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    with running_platform() as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, platform: Platform) -> Iterator[Callable[..., Visitor]]:
    """`visit("operator", "acme", width=390)`: a tab signed in with that role; None: not signed in."""
    opened: list[BrowserContext] = []

    def make(
        role: str | None = "operator", organisation: str = "acme", *, width: int = 1440, **options: Any
    ) -> Visitor:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        opened.append(context)
        visitor = Visitor(context.new_page(), platform, organisation)
        _note_complaints(visitor)
        if role is not None:
            visitor.sign_in(role)
        return visitor

    yield make
    for context in opened:
        context.close()


@pytest.fixture(scope="session")
def released(browser: Browser, platform: Platform) -> int:
    """Number of a released run of the first template in acme, made once through the pages."""
    context = browser.new_context()
    visitor = Visitor(context.new_page(), platform, "acme")
    visitor.sign_in("operator")
    visitor.open("/datasets/new?template=uk-services")
    visitor.page.get_by_role("button", name="Generate").click()
    visitor.page.locator("#checks").wait_for(timeout=110_000)
    number = int(visitor.page.url.rpartition("/")[2])
    assert visitor.page.locator(".badge").first.inner_text() == "Released"
    context.close()
    return number


def _note_complaints(visitor: Visitor) -> None:
    page, origin = visitor.page, visitor.platform.address(visitor.organisation)
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation',"
        " event => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))"
    )
    page.on(
        "console",
        lambda message: (
            visitor.complaints.append(f"{page.url} {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    page.on("pageerror", lambda error: visitor.complaints.append(f"{page.url} {error}"))

    def note_foreign(request: Request) -> None:
        if not request.url.startswith((origin, "data:", "blob:")):
            visitor.foreign.append(request.url)

    page.on("request", note_foreign)
