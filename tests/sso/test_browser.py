"""Both protocols in a real browser, at real identity providers, for two organisations at once: set up, join, map, enforce, leave."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.conftest import ARGUMENTS, CHROMIUM, Platform, running_platform
from tests.sso.loopback import txt_server
from tests.sso.saml_idp import key_pair

pytestmark = pytest.mark.sso

FOLDER = Path(os.environ.get("IDP_FOLDER", ""))
_CODE_SECONDS = 30
SOURCE = Path(__file__).parent / "idp" / "index.mjs"


@dataclass(slots=True)
class World:
    """The platform, the providers, the name server, and a browser."""

    platform: Platform
    oidc: str
    saml: str
    records: dict[str, list[str]]
    browser: Browser

    def visit(self) -> tuple[BrowserContext, Page]:
        context = self.browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.set_default_navigation_timeout(45_000)  # the first page of a process takes seconds
        return context, page

    def put_people(self, **people: list[str]) -> None:
        body = json.dumps({email.replace("__", "@"): groups for email, groups in people.items()}).encode()
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(f"{self.saml}/people", body, headers)).close()


def needed_chromium(found: str | None) -> str:
    """Whoever runs these tests asked for a browser: without one they fail, so that `make sso` is never green for nothing."""
    if found is None:
        pytest.fail("make sso signs in with a browser: install Chromium, so that `chromium` is on the PATH.")
    return found


@pytest.fixture
def world() -> Iterator[World]:
    chromium = needed_chromium(CHROMIUM)
    ports = _free_ports(2)
    oidc, saml = (f"http://127.0.0.1:{port}" for port in ports)
    records: dict[str, list[str]] = {}
    with (
        txt_server(records) as names,
        running_platform(
            EGRESS_ALLOW=",".join(f"127.0.0.1:{port}" for port in ports), DNS_RESOLVERS=names
        ) as platform,
    ):
        people = {"anna@acme.example": ["staff"], "bert@globex.example": ["staff"]}
        with _providers(ports, platform, people), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            yield World(platform, oidc, saml, records, browser)
            browser.close()


def test_two_organisations_sign_in_by_their_own_providers(world: World) -> None:
    acme_context, acme = world.visit()
    globex_context, globex = world.visit()
    _sign_in_with_password(world, acme, "owner", "acme")
    _sign_in_with_password(world, globex, "owner", "globex")

    # set-up by OpenID Connect here, by SAML there
    _store_oidc(world, acme)
    _open(world, globex, "globex", "/settings/sso?protocol=saml")
    globex.get_by_label("Name on the sign-in button").fill("Globex ID")
    globex.get_by_label("Address of the metadata").fill(f"{world.saml}/metadata")
    globex.get_by_role("button", name="Check and store").click()
    expect(globex.get_by_text("The provider is stored")).to_be_visible()
    _map_groups(acme)
    _map_groups(globex)
    _verify_domain(world, acme, "acme.example")
    _verify_domain(world, globex, "globex.example")

    # a test shows what would happen and changes nothing
    _test_oidc(acme)
    _open(world, acme, "acme", "/settings/members")
    expect(acme.get_by_text("anna@acme.example")).to_have_count(0)

    for page, organisation in ((acme, "acme"), (globex, "globex")):
        _switch_on(world, page, organisation)

    # both at once: join, and get the role of the group
    anna_context, anna = world.visit()
    bert_context, bert = world.visit()
    _open(world, anna, "acme", "/runs")
    _open(world, bert, "globex", "/runs")
    anna.get_by_role("link", name="Sign in with Acme ID").click()
    bert.get_by_role("link", name="Sign in with Globex ID").click()
    _at_saml(bert, "bert@globex.example")
    _at_oidc(anna, "anna@acme.example")
    for page, organisation in ((anna, "acme"), (bert, "globex")):
        expect(page).to_have_url(world.platform.address(organisation) + "/runs")
        expect(page.get_by_role("link", name=re.compile("Profile"))).to_contain_text("Operator")

    # signing out here signs out there, too, and comes back
    anna.get_by_role("button", name="Sign out").click()
    anna.get_by_role("button", name="Yes, sign me out").click()
    expect(anna).to_have_url(re.compile(r"/login"))
    bert.get_by_role("button", name="Sign out").click()
    expect(bert).to_have_url(re.compile(r"/login"))
    expect(bert.get_by_text("You are signed out, also at Globex ID")).to_be_visible()
    bert.get_by_role("link", name="Sign in with Globex ID").click()
    expect(bert.get_by_label("Login")).to_be_visible()  # that session is gone

    # the role follows the groups
    world.put_people(**{"anna@acme.example": ["admins"], "bert@globex.example": ["admins"]})
    _at_saml(bert, "bert@globex.example")
    _open(world, anna, "acme", "/login")
    anna.get_by_role("link", name="Sign in with Acme ID").click()
    _at_oidc(anna, "anna@acme.example")
    for page in (anna, bert):
        expect(page.get_by_role("link", name=re.compile("Profile"))).to_contain_text("Admin")

    # the provider ends its session: ours ends with it
    bert.goto(f"{world.saml}/slo")
    _open(world, bert, "globex", "/runs")
    expect(bert).to_have_url(re.compile(r"/login"))

    for context in (acme_context, globex_context, anna_context, bert_context):
        context.close()


def test_enforced_sign_on_refuses_passwords_and_an_owner_breaks_the_glass(world: World) -> None:
    owner_context, owner = world.visit()
    _sign_in_with_password(world, owner, "owner", "acme")
    _store_oidc(world, owner)
    _map_groups(owner)
    _verify_domain(world, owner, "acme.example")
    _test_oidc(owner)
    _switch_on(world, owner, "acme")
    expect(owner.get_by_text("Nobody has signed in")).to_be_visible()
    anna_context, anna = world.visit()
    _open(world, anna, "acme", "/runs")
    anna.get_by_role("link", name="Sign in with Acme ID").click()
    _at_oidc(anna, "anna@acme.example")
    expect(anna).to_have_url(world.platform.address("acme") + "/runs")
    _open(world, owner, "acme", "/settings/sso")
    expect(owner.get_by_text("No owner has both a password and a second factor")).to_be_visible()
    secret = _add_authenticator(world, owner)
    _open(world, owner, "acme", "/settings/sso")
    owner.get_by_role("link", name="Refuse passwords").click()
    owner.get_by_role("dialog").get_by_role("button", name="Refuse passwords").click()
    expect(owner.get_by_text("Passwords of people in verified domains are refused").first).to_be_visible()

    viewer_context, viewer = world.visit()
    _password(world, viewer, "viewer", "acme")
    expect(viewer.get_by_role("alert")).to_contain_text("sign in with its identity provider")

    breaker_context, breaker = world.visit()
    _password(world, breaker, "owner", "acme")
    _wait_for_another_code()
    breaker.get_by_role("textbox", name="Code").fill(_code(secret))
    breaker.get_by_role("button", name="Continue").click()
    expect(breaker).to_have_url(world.platform.address("acme") + "/")
    _open(world, breaker, "acme", "/audit")
    expect(breaker.get_by_text("sso.break_glass.sign_in").first).to_be_visible()

    for context in (owner_context, anna_context, viewer_context, breaker_context):
        context.close()


# -- steps ---------------------------------------------------------------------------------------------------


def _open(world: World, page: Page, organisation: str, path: str) -> None:
    page.goto(world.platform.address(organisation) + path)


def _password(world: World, page: Page, role: str, organisation: str) -> None:
    _open(world, page, organisation, "/login")
    page.get_by_label("E-mail").fill(f"{role}@{organisation}.example")
    page.get_by_label("Password").fill(world.platform.password)
    page.get_by_role("button", name="Continue").click()


def _sign_in_with_password(world: World, page: Page, role: str, organisation: str) -> None:
    _password(world, page, role, organisation)
    page.wait_for_url(world.platform.address(organisation) + "/")


def _store_oidc(world: World, page: Page) -> None:
    _open(world, page, "acme", "/settings/sso?protocol=oidc")
    page.get_by_label("Name on the sign-in button").fill("Acme ID")
    page.get_by_label("Issuer").fill(world.oidc)
    page.get_by_label("Client ID").fill("acme")
    page.get_by_label("Client secret").fill("secret-of-acme")
    page.get_by_role("button", name="Check and store").click()
    expect(page.get_by_text("The provider is stored")).to_be_visible()


def _map_groups(page: Page) -> None:
    page.get_by_label("Group 1", exact=True).fill("staff")
    page.get_by_label("Role of group 1").select_option("operator")
    page.get_by_label("Group 2", exact=True).fill("admins")
    page.get_by_label("Role of group 2").select_option("admin")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Roles follow the groups")).to_be_visible()


def _test_oidc(page: Page) -> None:
    page.get_by_role("link", name="Test sign-in").click()
    _at_oidc(page, "anna@acme.example")
    expect(page.get_by_text("It would make anna@acme.example a member")).to_be_visible()


def _switch_on(world: World, page: Page, organisation: str) -> None:
    _open(world, page, organisation, "/settings/sso")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("is on the sign-in page")).to_be_visible()


def _at_oidc(page: Page, email: str) -> None:
    """Sign in at the OpenID Connect provider, and agree where it asks."""
    page.get_by_placeholder("Enter any login").fill(email)
    page.get_by_placeholder("and password").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").or_(page.get_by_text("DataSynth").first).first.wait_for()
    if page.get_by_role("button", name="Continue").count() and "127.0.0.1" in page.url:
        page.get_by_role("button", name="Continue").click()


def _at_saml(page: Page, email: str) -> None:
    page.get_by_label("Login").fill(email)
    page.get_by_role("button", name="Sign-in").click()


def _verify_domain(world: World, page: Page, domain: str) -> None:
    page.get_by_label("Mail domain", exact=True).fill(domain)
    page.get_by_role("button", name="Add domain").click()
    value = page.get_by_text("datasynth-verification=").first.inner_text()
    page.get_by_role("button", name=f"Check now {domain}").click()
    expect(page.get_by_text(f"{domain} is not verified. There is no such record (yet).")).to_be_visible()
    world.records[f"_datasynth.{domain}"] = ["v=spf1 -all", value]
    page.get_by_role("button", name=f"Check now {domain}").click()
    expect(page.get_by_text(f"{domain} is verified. The record was found.")).to_be_visible()


def _add_authenticator(world: World, page: Page) -> str:
    """The secret of a new authenticator app."""
    _open(world, page, "acme", "/me/security/app")
    secret = page.locator("#secret").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill(_code(secret))
    with page.expect_navigation():
        page.get_by_role("button", name="Set up").click()
    return secret


def _code(secret: str) -> str:
    """What an authenticator app shows now."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // _CODE_SECONDS)))


def _wait_for_another_code() -> None:
    """A code works once."""
    time.sleep(_CODE_SECONDS - time.time() % _CODE_SECONDS + 1)


def _free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class _providers:  # a context manager that reads as a word
    """Both identity providers in one Node process."""

    def __init__(self, ports: list[int], platform: Platform, people: dict[str, list[str]]) -> None:
        certificate, key = key_pair("npm")
        origin = platform.address("acme")
        client = {
            "client_id": "acme",
            "client_secret": "secret-of-acme",
            "redirect_uris": [f"{origin}/sso/oidc/callback"],
            "post_logout_redirect_uris": [f"{origin}/login"],
        }
        self._settings: dict[str, Any] = {
            "oidcPort": ports[0],
            "samlPort": ports[1],
            "key": key.decode(),
            "certificate": certificate,
            "clients": [client],
            "people": people,
        }

    def __enter__(self) -> None:
        shutil.copy(SOURCE, FOLDER / SOURCE.name)
        self._process = subprocess.Popen(
            ["node", SOURCE.name],
            cwd=FOLDER,
            env={"PATH": os.environ["PATH"], "IDP_SETTINGS": json.dumps(self._settings)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        assert any(line.strip() == "ready" for line in self._process.stdout)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()
