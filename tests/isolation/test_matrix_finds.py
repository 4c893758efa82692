"""The matrix can fail: views that leak, or let in whom they must not, are faults; and what lists show tells whose it is."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker, Settings

from core.permissions import NOT_GIVEN, Permission
from tests.builders import drop_organisation
from tests.contract.routes import Route
from tests.contract.world import World, make_world
from tests.isolation import leaking_urls as faulty
from tests.isolation.asking import OWN, Answer, ask, kind_of, names_object, traces_of
from tests.isolation.principals import DIRECTORY, KEY, NOBODY, PRINCIPALS, STRANGER, Principal, prepare
from tests.isolation.test_matrix import ROUTES, Tally, check_answer, check_cell

_OWNER = next(one for one in PRINCIPALS if one.name == "owner")
_READS, _PUBLIC, _MEMBER = Permission.RUNS_READ, Permission.PUBLIC, Permission.MEMBER
# What is the same for every organisation, or is there only after something that these two have not done.
NAMELESS = {
    "api_permissions",
    "api_security_settings",
    "api-templates",
    "api-template",
    "templates",
    "template",
    "dataset-new",
    "organisation-certificate",
    "sso-test",
    "scim-config",
    "scim-resource-types",
    "scim-resource-type",
    "scim-schemas",
    "scim-schema",
    "scim-search",
    "scim-user-search",
    "scim-group-search",
    "scim-nothing",
}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock():
        made = make_world()
        prepare(made)
        yield made
        for schema in ("ours", "theirs"):
            drop_organisation(schema)


@pytest.mark.parametrize(
    ("path", "view", "declared", "principal", "fault"),
    [
        ("faulty/list", faulty.a_list, _READS, _OWNER, "shows another organisation: [b'@theirs.example']"),
        ("faulty/stream", faulty.a_stream, _READS, _OWNER, "shows another organisation: [b'theirs-secret']"),
        ("faulty/way", faulty.a_way, _READS, _OWNER, "shows another organisation: [b'theirs-secret']"),
        ("faulty/open", faulty.open_to_all, _MEMBER, NOBODY, "let in: False, but 200"),
        ("faulty/open", faulty.open_to_all, _MEMBER, STRANGER, "let in: False, but 200"),
        ("faulty/open", faulty.open_to_all, _MEMBER, KEY, "let in: False, but 200"),
        ("faulty/open", faulty.open_to_all, _MEMBER, DIRECTORY, "let in: False, but 200"),
        ("faulty/closed", faulty.closed, _PUBLIC, NOBODY, "let in: True, but 403"),
        ("faulty/closed", faulty.closed, _MEMBER, _OWNER, "let in: True, but 403"),
        ("faulty/closed", faulty.closed, _MEMBER, NOBODY, "refused with 403, not 302"),
    ],
)
def test_a_view_that_breaks_a_rule_is_a_fault(
    path: str,
    view: object,
    declared: Permission,
    principal: Principal,
    fault: str,
    world: World,
    db: None,
    settings: Settings,
) -> None:
    settings.ROOT_URLCONF = "tests.isolation.leaking_urls"
    cookies = {one.name: one.cookie(world) for one in (_OWNER, STRANGER) if one.cookie}
    tally = Tally()

    check_cell(world, principal, Route(path, path, view, {"GET": declared}), "GET", cookies, tally)

    assert [one.partition(": ")[2] for one in tally.faults] == [fault]


@pytest.mark.parametrize(
    ("content", "sent", "is_fault"),
    [
        (b"new@ours.example", b"", True),
        (b"new@ours.example", b'{"email": "new@ours.example"}', False),  # it may hear what it said
        (b"new@theirs.example", b"", False),  # its own
    ],
)
def test_a_key_of_theirs_is_shown_nothing_of_ours(
    content: bytes, sent: bytes, is_fault: bool, world: World
) -> None:
    route = next(one for one in ROUTES if one.name == "api_invitations")
    tally = Tally()

    check_answer(world, STRANGER, route, Answer(200, "", content, sent), tally, "here")

    assert bool(tally.faults) == is_fault


def test_every_list_shows_whose_it_is(world: World, db: None, settings: Settings) -> None:
    """Both organisations are made alike: what is seen of ours here would be seen of theirs if it leaked."""
    cookies = {_OWNER.name: world.sessions[_OWNER.name]}
    traces, without = traces_of("ours", world.ours), set()
    for route in ROUTES:
        if names_object(route) or route.permissions.get("GET", _PUBLIC) in NOT_GIVEN:
            continue
        asker = {"api": KEY, "scim": DIRECTORY}.get(kind_of(route), _OWNER)
        answer = ask(world, asker, route, "GET", OWN, cookies)
        _, frame, main = answer.content.partition(b"<main")  # a page says around it who reads it
        if not Answer(answer.status, answer.location, main if frame else answer.content).shown_of(traces):
            without.add(route.name)

    assert sorted(without ^ NAMELESS) == []


def test_what_is_for_members_is_a_page() -> None:
    """No API route: a key holds what is for every member, and none is a person with a session."""
    assert [
        str(one) for one in ROUTES if _MEMBER in one.permissions.values() and kind_of(one) != "page"
    ] == []
