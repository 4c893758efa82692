"""Where people land, and that no page leads its reader to a refusal: walked with every permission alone."""

import re
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from django.test import Client
from django.urls import Resolver404, resolve, reverse
from django.urls.resolvers import RoutePattern
from rest_framework.test import APIClient

from core.permissions import CATALOGUE, Permission, required
from core.tenancy import shared_context
from frontend.context import NAVIGATION
from frontend.urls import urlpatterns
from generation.models import ConfigVersion, Run
from tenants import role_services, services
from tenants.models import CustomRole, Tenant
from tenants.roles import PAGE_NEEDS
from tenants.vault import services as vault
from tests.builders import make_principal, sign_in
from tests.conftest import PASSWORD
from tests.dataset_builders import make_run, small_text

Get = Callable[[str], str]

EMAIL = "only@acme.example"
SINGLE = [[one.value] for one in CATALOGUE]
ALL_BUT_READING = [[one.value for one in CATALOGUE if not one.value.endswith(".read")]]


class Reader:
    """Somebody with a role of the organisation's own, whose permissions the test chooses."""

    def __init__(self) -> None:
        self.role = role_services.create_role(
            principal=make_principal("owner"), name="Only", permissions=["runs.read"]
        )
        self.member = services.add_member(
            actor="test", email=EMAIL, role="only", password=PASSWORD
        ).membership
        self.browser = Client(headers={"host": "acme.localhost"})
        sign_in(self.browser, EMAIL, "acme")

    def may(self, *permissions: str) -> None:
        with shared_context():
            CustomRole.objects.filter(pk=self.role.pk).update(permissions=list(permissions))


@pytest.fixture
def reader(acme: Tenant) -> Reader:
    return Reader()


@pytest.fixture
def addresses(acme: Tenant, reader: Reader) -> list[str]:
    """Every page that can be named from what there is: a live run and a failed one, a dataset, a member, a role."""
    live, failed = make_run(), make_run(state="failed")
    known = {
        "config_id": live.config_version.config_id,
        "member_id": reader.member.pk,
        "role_id": reader.role.pk,
        "secret_id": vault.make_secret(principal=make_principal("owner"), name="idp", value="a value").pk,
        "name": "us-retailer",
    }
    return sorted({*_named(known | {"number": live.number}), *_named(known | {"number": failed.number})})


def _named(known: dict[str, object]) -> Iterator[str]:
    for pattern in urlpatterns:
        assert isinstance(pattern.pattern, RoutePattern)
        wanted = pattern.pattern.converters
        if set(wanted) <= set(known) and pattern.name not in ("run-stream", "audit-export", "profile"):
            yield reverse(str(pattern.name), kwargs={name: known[name] for name in wanted})


def _may_open(permissions: frozenset[str], address: str, method: str = "GET") -> bool:
    try:
        wanted = required(resolve(address).func, method)
    except Resolver404:
        return False
    return wanted in (Permission.PUBLIC, Permission.MEMBER) or (wanted or "") in permissions


def _led_to(page: str) -> Iterator[tuple[str, str]]:
    for address in re.findall(r'href="(/[^"#?]*)', page):
        if not address.startswith("/static/"):
            yield address, "GET"
    for address, inside in re.findall(
        r'<form[^>]*method="post"[^>]*action="(/[^"?]*)[^>]*>(.*?)</form>', page, re.DOTALL
    ):
        if not re.search(r"<fieldset[^>]* disabled", inside):  # a form to read only
            yield address, "POST"


@pytest.mark.parametrize("is_new", [True, False])
def test_who_only_writes_configs_starts_no_run_from_the_editor(reader: Reader, is_new: bool) -> None:
    config = make_run().config_version.config
    address = "/datasets/new" if is_new else f"/datasets/{config.pk}/edit"
    reader.may("configs.read", "configs.write")
    before = (Run.objects.count(), ConfigVersion.objects.count())

    answer = reader.browser.post(address, {"text": small_text("mine"), "action": "generate"})

    assert answer.status_code == 403
    assert "name: mine" in answer.content.decode()  # what was written is not lost
    assert (Run.objects.count(), ConfigVersion.objects.count()) == before
    reader.may("configs.read", "configs.write", "runs.write")
    assert reader.browser.post(address, {"text": small_text("mine"), "action": "generate"}).status_code == 302


def test_who_sees_no_runs_sees_none_by_what_else_they_may_do(reader: Reader) -> None:
    live, failed = make_run(), make_run(state="failed")
    reader.may(*(one.value for one in CATALOGUE if one != Permission.RUNS_READ))

    for run in (live, failed):
        for answer in (
            reader.browser.get(f"/runs/{run.number}/preview"),
            reader.browser.get(f"/runs/{run.number}/config"),
            reader.browser.post(f"/runs/{run.number}/exception"),
        ):
            assert answer.status_code in (403, 409)
            assert run.config_version.config.name not in answer.content.decode()


def test_no_page_leads_to_a_refusal(reader: Reader, addresses: list[str]) -> None:
    """Other than pages of one's own account, which are the same for everybody."""
    refused = {}
    for permissions in (*SINGLE, *ALL_BUT_READING):
        reader.may(*permissions)
        for address in addresses:
            wanted = "runs.read" if address == "/" else required(resolve(address).func, "GET")
            if wanted not in permissions:
                continue
            answer = reader.browser.get(address)
            if answer.status_code != 200:  # a file of a run that has none
                assert answer.status_code in (403, 404, 409), address
                continue
            may_open = partial(_may_open, frozenset(permissions))
            dead = {way for way in _led_to(answer.content.decode()) if not may_open(*way)}
            if dead:
                refused[permissions[0], address] = sorted(dead)

    assert refused == {}, "\n".join(map(str, refused.items()))


def test_pages_of_ones_own_account_lead_nowhere_either(reader: Reader, addresses: list[str]) -> None:
    reader.may("keys.write")

    for address in ("/me", "/me/security", "/me/sessions", "/me/applications", "/me/leave", "/no-such-page"):
        page = reader.browser.get(address).content.decode()
        assert [way for way in _led_to(page) if not _may_open(frozenset({"keys.write"}), *way)] == []


# -- where people land ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("permissions", "place"),
    [
        (["runs.read", "audit.read"], "/"),
        (["members.read", "configs.read"], "/datasets"),
        (["audit.read"], "/audit"),
        (["keys.write"], "/me"),
    ],
)
def test_people_land_on_the_first_page_that_they_may_open(
    reader: Reader, permissions: list[str], place: str
) -> None:
    reader.may(*permissions)
    stranger = Client(headers={"host": "acme.localhost"})

    landed = stranger.post("/login", {"login": EMAIL, "password": PASSWORD}, follow=True)

    assert landed.status_code == 200
    assert landed.request["PATH_INFO"] == place
    assert reader.browser.get("/", follow=True).request["PATH_INFO"] == place


def test_every_page_of_the_navigation_can_be_a_landing(reader: Reader) -> None:
    for item in (one for group in NAVIGATION for one in group.items):
        reader.may(item.permission)
        assert reader.browser.get("/", follow=True).status_code == 200


@pytest.mark.parametrize(
    ("permissions", "words", "place"),
    [
        (["runs.read"], "To the overview", "/"),
        (["audit.read"], "To “Audit log”", "/audit"),
        (["keys.write"], "To your profile", "/me"),
    ],
)
def test_a_refusal_offers_what_its_reader_may_open(
    reader: Reader, permissions: list[str], words: str, place: str
) -> None:
    reader.may(*permissions)

    refused = reader.browser.get("/settings/sso")

    assert refused.status_code == 403
    assert f'<a class="btn primary" href="{place}">{words}</a>' in refused.content.decode()


# -- permissions that need a page ----------------------------------------------------------------------------


def test_every_permission_to_write_names_the_one_that_opens_its_page() -> None:
    reading = {one.value for one in CATALOGUE if one.value.endswith(".read")}
    writing = [one for one in CATALOGUE if one.value.endswith(".write")]

    assert {one for one in writing if one.value.replace(".write", ".read") in reading} <= set(PAGE_NEEDS)
    assert set(PAGE_NEEDS.values()) <= reading


def test_the_editor_and_the_api_say_what_a_role_gives_without_its_page(
    client_for: Callable[..., Client], api_client: Callable[..., APIClient], acme: Tenant
) -> None:
    """Allowed, since programs need no page; told, since people do."""
    owner = client_for("owner")
    assert "Its page needs “runs.read”." in owner.get("/settings/roles/new").content.decode()

    saved = owner.post("/settings/roles/new", {"name": "Starter", "permissions": ["runs.write"]}, follow=True)
    whole = owner.post(
        "/settings/roles/new", {"name": "Whole", "permissions": ["runs.read", "runs.write"]}, follow=True
    )

    assert "“runs.write” without “runs.read”" in saved.content.decode()
    assert "without “runs.read”" not in whole.content.decode()
    roles = {one["name"]: one for one in api_client("owner").get("/api/v1/roles").json()["items"]}
    assert (roles["Starter"]["without_page"], roles["Whole"]["without_page"]) == (["runs.write"], [])
    told = {
        one["name"]: one["page_needs"]
        for one in api_client("owner").get("/api/v1/permissions").json()["permissions"]
    }
    assert (told["runs.write"], told["runs.read"]) == ("runs.read", None)


def test_who_may_not_open_the_list_comes_back_to_where_they_start(reader: Reader) -> None:
    reader.may("roles.write", "audit.read")

    saved = reader.browser.post(
        "/settings/roles/new", {"name": "Another", "permissions": ["audit.read"]}, follow=True
    )

    assert (saved.status_code, saved.request["PATH_INFO"]) == (200, "/audit")
