"""Ways from a form to another host, in a real browser: it holds every redirect that follows a form to the form's policy."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Platform, Visitor, shot
from tests.oauth.conftest import CHALLENGE
from tests.sso.saml_idp import Idp

pytestmark = pytest.mark.browser
Visit = Callable[..., Visitor]


class _Six(ThreadingHTTPServer):
    address_family = socket.AF_INET6


@contextmanager
def answering(host: str = "127.0.0.1", *, then: str = "") -> Iterator[str]:
    """The origin of a server that says where the browser has arrived, or sends it on to another place."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302 if then else 200)
            self.send_header("Location", then) if then else self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(b"" if then else b"arrived")

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    # in threads: a browser opens connections that it says nothing on
    server = (_Six if ":" in host else ThreadingHTTPServer)((host, 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield (
            f"http://[{host}]:{server.server_port}" if ":" in host else f"http://{host}:{server.server_port}"
        )
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def application(platform: Platform, visit: Visit, back: str) -> str:
    """The client id of an application that an owner registers."""
    owner = visit(role="owner")
    owner.open("/settings/applications")
    page = owner.page
    page.get_by_label("Name", exact=True).fill(f"To {back}")
    page.get_by_label("Kind").select_option("public")
    page.get_by_label("Redirect addresses").fill(back)
    page.get_by_label("runs.read", exact=False).check()
    page.get_by_label("members.write", exact=False).check()
    page.get_by_role("button", name="Register").click()
    return page.locator("code.secret").first.inner_text()


def question(client_id: str, back: str, scope: str = "runs.read") -> str:
    return (
        f"/oauth/authorize?response_type=code&client_id={client_id}&redirect_uri={quote(back)}&state=s&scope={scope}"
        f"&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )


def arrives(page: Page, place: str) -> str:
    """The address at which the browser ends, which has to begin like this."""
    page.wait_for_url(re.compile(re.escape(place)))
    assert page.locator("body").inner_text() == "arrived"
    return page.url


@pytest.mark.parametrize(("button", "said"), [("Allow", "code="), ("Refuse", "error=access_denied")])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_who_answers_an_application_ends_there(
    visit: Visit, platform: Platform, button: str, said: str, host: str
) -> None:
    with answering(host) as origin:
        back = f"{origin}/back"
        visitor = visit(role="operator")
        visitor.open(question(application(platform, visit, back), back))
        visitor.page.get_by_role("button", name=button).click()

        assert said in arrives(visitor.page, back)
    assert visitor.complaints == []


def test_an_application_may_send_the_browser_on(visit: Visit, platform: Platform) -> None:
    with answering() as last, answering(then=f"{last}/done") as first:
        visitor = visit(role="operator")
        visitor.open(question(application(platform, visit, f"{first}/back"), f"{first}/back"))
        visitor.page.get_by_role("button", name="Allow").click()

        arrives(visitor.page, f"{last}/done")
    assert visitor.complaints == []


def test_an_application_hears_what_is_wrong_also_behind_the_sign_in(visit: Visit, platform: Platform) -> None:
    with answering() as origin:
        back = f"{origin}/back"
        asked = question(application(platform, visit, back), back, scope="members.write")  # not an operator's
        visitor = visit(role=None)
        visitor.open(asked)
        page = visitor.page
        page.get_by_label("E-mail").fill("operator@acme.example")
        page.get_by_label("Password").fill(platform.password)
        page.get_by_role("button", name="Continue").click()

        assert "error=invalid_scope" in arrives(page, back)
    assert visitor.complaints == []


def test_who_confirms_first_gets_to_the_identity_provider_to_test_it(
    visit: Visit, platform: Platform
) -> None:
    idp, owner = Idp("globex-idp"), visit(role="owner", organisation="globex")
    page = owner.page
    page.route("https://globex-idp.example/**", lambda route: route.fulfill(body="arrived"))
    owner.open("/settings/sso?protocol=saml")
    page.get_by_label("Name on the sign-in button").fill("Globex ID")
    page.get_by_label("Metadata (XML)").fill(idp.metadata())
    page.get_by_role("button", name="Check and store").click()
    page.get_by_role("link", name="Test sign-in").wait_for()
    owner.open("/me/confirm?next=/settings/sso/test")
    page.get_by_role("textbox", name="Password").fill(platform.password)
    page.get_by_role("button", name="Confirm").first.click()

    assert "SAMLRequest=" in arrives(page, idp.sign_in)

    # the page as it is where a browser does not go on by itself
    owner.open("/settings/sso")
    html = page.evaluate("fetch('/settings/sso/test').then(answer => answer.text())")
    still = html.replace('http-equiv="refresh"', "")
    page.route("**/settings/sso/test", lambda route: route.fulfill(body=still, content_type="text/html"))
    owner.open("/settings/sso/test")
    assert owner.violations() == []
    assert owner.hidden_width() == 0
    shot(page, "onward")
    page.get_by_role("link", name="Go on to Globex ID").click()
    assert "SAMLRequest=" in arrives(page, idp.sign_in)
    assert owner.complaints == []
