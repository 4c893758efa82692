"""Every route and method, asked by everybody with every kind of id: `make isolation` prints what came back.

The cases come from the URL table; what is let in comes from the permission table. A foreign id, a random one and one
whose row was deleted must give the same bytes.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker, Settings
from rest_framework.settings import api_settings

from core.permissions import NOT_GIVEN
from tests.builders import drop_organisation, prove_again
from tests.contract.routes import Route, all_routes, scim_routes
from tests.contract.world import World, make_world
from tests.isolation.asking import (
    DELETED,
    ID_KINDS,
    OTHERS,
    OWN,
    RANDOM,
    RANDOM_AFTER,
    Answer,
    ask,
    kind_of,
    names_object,
    traces_of,
)
from tests.isolation.principals import KEY, NOBODY, PRINCIPALS, STRANGER, Principal, prepare

ROUTES = [*all_routes(), *scim_routes()]
PAIRS = [(route, method) for route in ROUTES for method in route.permissions]
# The world's API key is an admin's: who may not manage the keys of others does not find it.
OTHER_PEOPLES = {("operator", "api_key_id"), ("operator", "key_id")}


# Where whoever is let in is led to the sign-in all the same: who is not between password and factor, and who has just left.
LEADS_TO_SIGN_IN = {("mfa_authenticate", "GET"), ("mfa_authenticate", "POST"), ("leave", "POST")}
# The admin of the world has a second factor, which a password does not stand in for.
WANT_ANOTHER_PROOF = {("admin", "confirm", "POST")}


@dataclass
class Tally:
    """What the matrix found."""

    faults: list[str] = field(default_factory=list)
    cells: Counter[str] = field(default_factory=Counter)

    def check(self, place: str, holds: bool, rule: str) -> None:
        if not holds:
            self.faults.append(f"{place}: {rule}")


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock():
        made = make_world()
        prepare(made)
        yield made
        for schema in ("ours", "theirs"):
            drop_organisation(schema)


# -- in the ordinary tests: the matrix forgets nobody and nothing -----------------------------------------------


def test_there_are_nine_principals_or_more_and_no_kind_of_credential_without_one() -> None:
    known = {one.authentication for one in PRINCIPALS} - {None}
    classes: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    built = {one.__name__ for one in classes}

    assert len({one.name for one in PRINCIPALS}) == len(PRINCIPALS) >= 9
    assert {NOBODY, STRANGER, KEY} <= set(PRINCIPALS)
    assert built == known, "a new kind of credential needs a principal in tests/isolation/principals.py"


def test_every_route_declares_a_method_and_so_has_a_row() -> None:
    assert [str(route) for route in ROUTES if not any(asked == route for asked, _ in PAIRS)] == []


# -- the matrix ------------------------------------------------------------------------------------------------


@pytest.mark.isolation
def test_everybody_asks_every_route_with_every_kind_of_id(
    world: World, db: None, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000_000
    cookies = {one.name: one.cookie(world) for one in PRINCIPALS if one.cookie}
    tally = Tally()
    with capsys.disabled():
        print(f"\n{'':66}" + "".join(f"{one.name[:9]:>10}" for one in PRINCIPALS))
        for route, method in PAIRS:
            for one in PRINCIPALS:  # the matrix takes longer than a proof lasts
                if one.cookie and one.home:
                    prove_again(cookies[one.name], one.home)
            cells = [check_cell(world, one, route, method, cookies, tally) for one in PRINCIPALS]
            print(f"{method:7}{str(route)[:58]:59}" + "".join(f"{cell:>10}" for cell in cells))
        _print_counts(tally)

    assert tally.faults == []


def check_cell(
    world: World, principal: Principal, route: Route, method: str, cookies: dict[str, str], tally: Tally
) -> str:
    """What is printed of a route asked by somebody, with every kind of id; what does not hold is in the tally."""
    place = f"{principal.name} {method} /{route}"
    permission = route.permissions[method]
    may = principal.may(permission, route) and (principal.name, route.name, method) not in WANT_ANOTHER_PROOF
    if names_object(route) is None:
        answer = ask(world, principal, route, method, OWN, cookies)
        tally.cells["without an id"] += len(ID_KINDS)
        check_answer(world, principal, route, answer, tally, place)
        _check_let_in(principal, route, method, answer, may, tally, place)
        return str(answer.status)

    answers = {kind: ask(world, principal, route, method, kind, cookies) for kind in ID_KINDS}
    tally.cells["asked"] += len(answers)
    home, foreign = (OTHERS, OWN) if principal is STRANGER and route.is_api else (OWN, OTHERS)
    after = ask(world, principal, route, method, RANDOM_AFTER, cookies)
    tally.check(place, answers[foreign] == answers[RANDOM], f"{foreign} id told from a random one")
    tally.check(place, answers[DELETED] == after, "deleted id told from a random one")
    for kind, answer in answers.items():
        check_answer(world, principal, route, answer, tally, f"{place} ({kind})")
    _check_let_in(principal, route, method, answers[home], may, tally, place)
    if permission not in NOT_GIVEN:
        nothing = answers[RANDOM].status in ((404, 405) if kind_of(route) == "scim" else (404,))
        tally.check(place, not may or nothing, f"random gives {answers[RANDOM].status}, not 404")
        found = answers[home] != answers[RANDOM] or answers[home].status == 405
        found = found or (principal.name, names_object(route)) in OTHER_PEOPLES
        tally.check(place, not may or found, f"own id answered like a random one: {answers[home].status}")
    return f"{answers[home].status}/{answers[RANDOM].status}"


def check_answer(
    world: World, principal: Principal, route: Route, answer: Answer, tally: Tally, place: str
) -> None:
    """What must hold of every answer: no fault of ours, and nothing of the organisation that the principal is not in."""
    tally.check(place, answer.status < 500, "no server error")
    at_theirs = principal is STRANGER and route.is_api  # its key is for theirs, also at our host
    others = traces_of("ours", world.ours) if at_theirs else traces_of("theirs", world.theirs)
    shown = answer.shown_of(others)
    tally.check(place, not shown, f"shows another organisation: {shown}")


def _check_let_in(
    principal: Principal, route: Route, method: str, answer: Answer, may: bool, tally: Tally, place: str
) -> None:
    """Who may is let in; everybody else is refused with the status of who they are."""
    is_led = may and answer.is_to_sign_in and (route.name, method) in LEADS_TO_SIGN_IN
    tally.check(place, is_led or answer.refuses != may, f"let in: {may}, but {answer.status}")
    if answer.refuses and not may:
        expected = principal.refusal(route)
        tally.check(place, answer.status == expected, f"refused with {answer.status}, not {expected}")


def _print_counts(tally: Tally) -> None:
    routes, pairs, people = len(ROUTES), len(PAIRS), len(PRINCIPALS)
    covered = sum(tally.cells.values())
    print(f"\nroutes {routes}, routes x methods {pairs}, principals {people}, id kinds {len(ID_KINDS)}")
    print(f"cells {pairs * people * len(ID_KINDS)}: covered {covered}", end=" ")
    print(f"({tally.cells['asked']} asked, {tally.cells['without an id']} of routes that name no object)")
    print(f"faults {len(tally.faults)}")
    for fault in tally.faults:
        print(f"  {fault}")
