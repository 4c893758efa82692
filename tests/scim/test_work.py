"""What a directory may ask for costs time that grows with what it sends, and no more than a bound."""

import uuid
from contextlib import suppress
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pydantic import ValidationError
from scim2_models import SCIMException

from core.tenancy import tenant_context
from tenants.models import Tenant
from tenants.scim import models
from tenants.scim.patching import (
    LONGEST_PATH,
    MOST_CHOICES,
    MOST_CONDITIONS,
    MOST_OPERATIONS,
    MOST_PARTS,
    MOST_SEARCHES,
    patch_group,
    patch_user,
)
from tenants.scim.queries import MOST_LISTED
from tenants.scim.resources import LENIENT, MOST_KEPT, MOST_MEMBERS, Email, Group, Member, User
from tests.scim.conftest import Directory, user
from tests.work import work_of_at_most

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
CORE = "urn:ietf:params:scim:schemas:core:2.0"


def ids_of(count: int) -> list[str]:
    return [str(uuid.UUID(int=one + 1)) for one in range(count)]


def patched(members: list[str], *operations: dict[str, Any]) -> list[str]:
    """Who is in a group of these members after a patch."""
    group = Group(display_name="Staff", members=[Member(value=one) for one in members])
    with LENIENT:
        patch_group(group, {"schemas": [PATCH], "Operations": list(operations)})
    return [str(one.value) for one in group.members or []]


def test_members_of_a_large_group_come_and_go_in_time_that_grows_with_their_number() -> None:
    """Half of 4,000 members once took more than a minute to remove, as one comparison after the other."""
    old, new = ids_of(6000)[:4000], ids_of(6000)[4000:]
    gone = old[::2]
    with work_of_at_most(2):
        at_once = patched(
            old,
            {"op": "remove", "path": "members", "value": [{"value": one} for one in gone]},
            {"op": "add", "path": "members", "value": [{"value": one} for one in new]},
        )
        one_by_one = patched(
            old,
            *({"op": "Remove", "path": f'members[value eq "{one}"]'} for one in gone[:500]),
            *({"op": "Add", "path": "members", "value": [{"value": one}]} for one in new[:500]),
        )

    assert set(at_once) == (set(old) - set(gone)) | set(new)
    assert set(one_by_one) == (set(old) - set(gone[:500])) | set(new[:500])


def test_operations_count_in_their_order_whoever_applies_them() -> None:
    one, two, three, four = ids_of(4)

    def add(*ids: str) -> dict[str, Any]:
        return {"op": "add", "path": "members", "value": [{"value": each} for each in ids]}

    removed = {"op": "remove", "path": "members", "value": [{"value": two}]}
    replaced = {"op": "replace", "path": "members", "value": [{"value": three}]}
    emptied = {"op": "remove", "path": "members"}

    assert patched([one], add(two, one, two)) == [one, two]
    assert patched([one], add(two), removed) == [one]
    assert patched([one], removed, add(two)) == [one, two]
    assert patched([one], add(two), replaced, add(four)) == [three, four]
    assert patched([one], add(two), emptied) == []
    assert patched([one], emptied, add(four)) == [four]
    assert patched([one, two], {"op": "add", "value": {"members": [{"value": three}]}}, removed) == [
        one,
        three,
    ]


def test_names_and_members_changed_in_turn_keep_their_order_and_cost_little() -> None:
    members = ids_of(9_000)
    new = [str(uuid.UUID(int=10_000 + one)) for one in range(100)]
    group = Group(display_name="Staff", members=[Member(value=one) for one in members])
    in_turn = [
        operation
        for number, one in enumerate(new)
        for operation in (
            {"op": "replace", "path": "displayName", "value": f"Staff {number}"},
            {"op": "add", "path": "members", "value": [{"value": one}]},
        )
    ]
    with work_of_at_most(1), LENIENT:
        patch_group(group, {"schemas": [PATCH], "Operations": in_turn})
    assert group.display_name == "Staff 99"
    assert [str(one.value) for one in group.members or []] == members + new

    both = {"op": "replace", "value": {"displayName": "First", "Members": [{"value": new[0]}]}}
    last = {"op": "replace", "path": "displayName", "value": "Last"}
    with LENIENT:
        patch_group(group, {"schemas": [PATCH], "Operations": [both, last, in_turn[3]]})
    assert group.display_name == "Last"
    assert [str(one.value) for one in group.members or []] == new[:2]


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "replace", "path": "displayName", "value": "Staff"}] * (MOST_OPERATIONS + 1),
        [{"op": "remove", "path": 'members[type eq "User"]'}] * (MOST_SEARCHES + 1),
        [{"op": "remove", "path": 'members[type eq "a" or type eq "b" or type eq "c"]'}] * 2,
        [{"op": "add", "value": {f"name{one}": 1 for one in range(MOST_PARTS + 1)}}],
        [{"op": "add", "path": "schemas", "value": ["x"] * (MOST_PARTS + 1)}],
        [{"op": "remove", "path": "members", "value": [{"display": "Ada"}] * 21}],
        [{"op": "remove", "path": "members", "value": [{"type": "User"}] * 11}] * 2,
        [{"op": "Remove", "path": 'members[type eq "User"]'}, {"op": "remove", "path": "members"}]
        * MOST_SEARCHES,
    ],
)
def test_more_operations_than_a_patch_may_have_are_refused(
    directory: Directory, acme: Tenant, operations: list[dict[str, Any]]
) -> None:
    made = directory.send("POST", "/Groups", {"schemas": [f"{CORE}:Group"], "displayName": "Staff"}).json()

    answer = directory.patch(f"/Groups/{made['id']}", *operations)

    assert answer.status_code == 413
    assert "send the rest in another request" in answer.json()["detail"]


def test_more_members_than_a_group_may_have_are_refused_before_the_next_operation(
    directory: Directory, acme: Tenant
) -> None:
    made = directory.send("POST", "/Groups", {"schemas": [f"{CORE}:Group"], "displayName": "Staff"}).json()
    many = {"op": "add", "path": "members", "value": [{"value": str(one)} for one in range(MOST_MEMBERS + 1)]}

    answer = directory.patch(f"/Groups/{made['id']}", many, {"op": "remove", "path": "members"})

    assert (answer.status_code, answer.json()["detail"]) == (413, "A group has at most 10,000 members.")


def test_many_changes_of_a_groups_name_are_no_searches(directory: Directory, acme: Tenant) -> None:
    made = directory.send("POST", "/Groups", {"schemas": [f"{CORE}:Group"], "displayName": "Staff"}).json()
    names = [{"op": "replace", "value": {"displayName": f"Staff {one}"}} for one in range(MOST_SEARCHES + 5)]

    assert directory.patch(f"/Groups/{made['id']}", *names).json()["displayName"] == "Staff 9"


def test_the_bounds_hold_for_people_too(directory: Directory, acme: Tenant) -> None:
    ada = directory.create("ada@acme.example")
    rename = {"op": "replace", "path": "displayName", "value": "Ada"}
    long = " or ".join(['value eq "a"'] * LONGEST_PATH)

    assert directory.patch(f"/Users/{ada}", *[rename] * MOST_OPERATIONS).status_code == 200
    assert directory.patch(f"/Users/{ada}", *[rename] * (MOST_OPERATIONS + 1)).status_code == 413
    addresses = [{"value": f"ada{one}@acme.example", "type": "other"} for one in range(101)]
    adds, removes = [{"op": one, "path": "emails", "value": addresses} for one in ("add", "remove")]
    assert directory.patch(f"/Users/{ada}", adds, removes).status_code == 413
    assert (
        directory.patch(f"/Users/{ada}", {"op": "add", "value": {"emails": addresses * 2}}).status_code == 413
    )
    nested = {"op": "add", "value": {f"{CORE}:User": {"emails": addresses}}}
    assert directory.patch(f"/Users/{ada}", nested).status_code == 413
    chosen = {"op": "remove", "path": 'emails[type eq "other"]'}
    assert directory.patch(f"/Users/{ada}", *[chosen] * (MOST_CHOICES + 1)).status_code == 413
    names = {"op": "add", "value": {f"name{one}": 1 for one in range(MOST_PARTS + 1)}}
    assert directory.patch(f"/Users/{ada}", names).status_code == 413
    many = " or ".join(['type eq "a"'] * (MOST_CONDITIONS + 1))
    answer = directory.patch(f"/Users/{ada}", {"op": "remove", "path": f"emails[{many}]"})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidPath")
    answer = directory.patch(f"/Users/{ada}", {"op": "add", "value": {"x" * (LONGEST_PATH + 1): 1}})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidPath")
    answer = directory.patch(f"/Users/{ada}", {"op": "remove", "path": f"emails[{long}]"})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidPath")


@pytest.mark.parametrize("kind", ["Users", "Groups"])
@pytest.mark.parametrize(
    ("filter_", "why"),
    [
        (" and ".join([f'id eq "{uuid.UUID(int=1)}"'] * 11), "at most 10 conditions"),
        (f'id eq "{"x" * 2000}"', "at most 2,000 characters"),
        (" and ".join(['members.value eq "x"'] * 30_000), "at most 2,000 characters"),
    ],
)
def test_a_filter_has_a_bound(directory: Directory, acme: Tenant, kind: str, filter_: str, why: str) -> None:
    schemas = ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]
    with work_of_at_most(1):
        answer = directory.send("POST", f"/{kind}/.search", {"schemas": schemas, "filter": filter_})

    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidFilter")
    assert why in answer.json()["detail"]


ACCENTS = "x" + "\u0301" * 20_000 + "\u0327" * 20_000
LONG = "x" * 45_000  # twenty fill a body


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "remove", "path": "members", "value": [{"type": ACCENTS}]}],
        [{"op": "add", "path": "members", "value": [{"type": ACCENTS}]}],
        [{"op": "add", "path": "members", "value": [{"$ref": ACCENTS}]}],
        [{"op": "add", "path": "members", "value": [{"ref": ACCENTS}]}],
        [{"op": "replace", "value": {"members": [{"value": ACCENTS}]}}],
        [{"op": "remove", "path": f'members[type eq "{ACCENTS[:200]}"]'}],
        [{"op": "remove", "path": "members", "value": [{"type": LONG}] * 20}],
        [{"op": "remove", "path": "members", "value": [{"display": LONG}]}],
        [{"op": "remove", "path": "members", "value": [{f"x{one}": "x" for one in range(1_000)}]}],
        [{"op": "add", "path": 'members[value eq "x"].type', "value": ACCENTS}],
        [{"op": "add", "value": {"urn:ietf:params:scim:schemas:core:2.0:Group:members.type": ACCENTS}}],
        [
            {"op": "add", "value": {"members.ref": ("e" + "\u0301\u0327" * 10) * 8_000}},
            {"op": "remove", "path": "members", "value": [{"$ref": "x"}]},
        ],
    ],
    ids=[
        "remove",
        "add a type",
        "add an address",
        "add an address by its other name",
        "replace",
        "in a path",
        "long",
        "of a name that is not kept",
        "names by the thousand",
        "by a path",
        "by the name of the schema",
        "for each member, then looked for",
    ],
)
def test_accents_by_the_thousand_are_compared_fast_with_members(operations: list[dict[str, Any]]) -> None:
    """Composing both sides, as the library does by default, takes the square of the accents, for each member anew."""
    group = Group(display_name="Staff", members=[Member(value=one, type="User") for one in ids_of(2000)])

    with work_of_at_most(1), LENIENT, suppress(SCIMException, ValidationError):
        patch_group(group, {"schemas": [PATCH], "Operations": operations})


@pytest.mark.parametrize(
    "letters", ["\u0301\u0327", "\u0f73", "x"], ids=["accents", "hidden accents", "plain"]
)
@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "replace", "path": 'emails[type ne "x" and type ne "y"].primary', "value": False}]
        * MOST_CHOICES,
        [{"op": "add", "path": "emails", "value": {"value": "a@acme.example"}}] * MOST_OPERATIONS,
        [{"op": "remove", "path": f'emails[type eq "{ACCENTS[:200]}"]'}] * MOST_CHOICES,
        [{"op": "replace", "value": {"emails.type": ACCENTS}}] * MOST_CHOICES,
    ],
    ids=["choose", "add", "remove", "write"],
)
def test_accents_by_the_thousand_are_compared_fast_with_addresses(
    operations: list[dict[str, Any]], letters: str
) -> None:
    kept = ("a" + letters * MOST_KEPT)[:MOST_KEPT]
    ada = User(user_name="ada", active=True, emails=[Email(value="ada@acme.example", type=kept)])

    with work_of_at_most(1), LENIENT, suppress(SCIMException, ValidationError):
        patch_user(ada, {"schemas": [PATCH], "Operations": operations})


def test_capitals_of_a_type_do_not_count_and_those_of_an_id_do() -> None:
    ada = User(user_name="ada", active=True, emails=[Email(value="ada@acme.example", type="work")])
    staff = Group(display_name="Staff", members=[Member(value="x1"), Member(value="x2")])

    with LENIENT:
        patch_user(
            ada,
            {
                "schemas": [PATCH],
                "Operations": [
                    {"op": "replace", "path": 'emails[type eq "WORK"].value', "value": "b@acme.example"}
                ],
            },
        )
        patch_group(
            staff,
            {
                "schemas": [PATCH],
                "Operations": [{"op": "remove", "path": 'members[value eq "X1" or value eq "x2"]'}],
            },
        )

    assert [one.value for one in ada.emails or []] == ["b@acme.example"]
    assert [one.value for one in staff.members or []] == ["x1"]


def test_what_is_not_kept_may_be_long() -> None:
    """A certificate or a signed link, beside the word that a person has left."""
    ada = User(user_name="ada", active=True, emails=[Email(value="ada@acme.example", type="work")])
    photos = [{"value": "https://cdn.example/" + "x" * 400, "type": "photo"}]

    with LENIENT:
        patch_user(
            ada,
            {
                "schemas": [PATCH],
                "Operations": [
                    {"op": "replace", "value": {"active": False, "photos": photos}},
                    {"op": "add", "path": "x509Certificates", "value": [{"value": "MII" + "A" * 1_500}]},
                ],
            },
        )

    assert ada.active is False


@pytest.mark.parametrize(
    "value",
    [
        {"members": [{"value": "x"}]},
        {f"{CORE}:Group": {"members": [{"value": "x", "display": "Ada", "$ref": "../Users/x"}]}},
        {f"{CORE}:Group:members": {"value": "x"}},
    ],
)
@pytest.mark.parametrize("path", [None, "", f"{CORE}:Group", f" {CORE}:Group "])
def test_members_are_named_in_many_ways(value: dict[str, Any], path: str | None) -> None:
    named = {"value": value} if path is None else {"path": path, "value": value}

    assert patched(["y"], {"op": "add", **named}) == ["y", "x"]
    assert patched(["y"], {"op": "replace", **named}) == ["x"]


@pytest.mark.parametrize("value", [[], None])
def test_a_group_is_emptied_by_setting_no_members(value: list[Any] | None) -> None:
    assert patched(["y"], {"op": "replace", "path": "members", "value": value}) == []
    assert patched(["y"], {"op": "replace", "value": {"displayName": "Staff", "members": value}}) == []


@pytest.mark.parametrize("odd", [[], {}, "x", 1, None, {"value": None}, {"value": ["x"]}, {"display": "Ada"}])
@pytest.mark.parametrize("op", ["add", "replace"])
def test_whoever_is_no_object_with_an_id_is_refused_before_anybody_is_compared(odd: Any, op: str) -> None:
    """What has no hash was compared with each member: 2,000 against 2,000 took 12 seconds."""
    entries = [{"value": one} for one in ids_of(20_000)[10_000:]]
    group = Group(display_name="Staff", members=[Member(value=one) for one in ids_of(10_000)])
    operation = {"op": op, "path": "members", "value": [*entries, odd]}

    with work_of_at_most(1), LENIENT, pytest.raises(SCIMException):
        patch_group(group, {"schemas": [PATCH], "Operations": [operation]})

    assert len(group.members or []) == 10_000


@pytest.mark.parametrize(
    "value", [{"members.type": "x"}, {f"{CORE}:Group": {'members[type eq "x"].type': "y"}}]
)
def test_a_search_of_members_is_a_path(value: dict[str, Any]) -> None:
    with pytest.raises(SCIMException, match="object with the id"):
        patched(["x"], {"op": "replace", "value": value})


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "value": {"displayName": "New", "membershipRule": "x"}},
        {
            "op": "replace",
            "value": {
                "displayName": "New",
                "urn:acme:2.0:Group": {"members": 1},
            },
        },
    ],
)
def test_an_unknown_name_like_that_of_members_is_none(operation: dict[str, Any]) -> None:
    group = Group(display_name="Staff", members=[Member(value="x")])

    with LENIENT:
        patch_group(
            group,
            {
                "schemas": [PATCH],
                "Operations": [operation, {"op": "add", "path": "membershipType", "value": "x"}],
            },
        )

    assert (group.display_name, [one.value for one in group.members or []]) == ("New", ["x"])


def test_short_ids_by_the_ten_thousand_are_removed_fast() -> None:
    short = [{"value": "a"}] * 29_000

    with work_of_at_most(1):
        assert patched(["a", "b"], {"op": "remove", "path": "members", "value": short}) == ["b"]


def test_spellings_of_members_by_the_hundred_are_not_read_again_for_each() -> None:
    blanks = ["".join(some) for length in range(5) for some in product(" \t\n\r\f", repeat=length)]
    spelled: dict[str, list[Any]] = {
        f"{before}members{behind}": [] for before in blanks for behind in blanks[:30]
    }
    operation = {"op": "add", "value": spelled, **{str(one): 0 for one in range(50_000)}}

    with work_of_at_most(1), LENIENT, suppress(SCIMException, ValidationError):
        patch_group(Group(display_name="Staff"), {"schemas": [PATCH], "Operations": [operation]})


@pytest.mark.parametrize("path", ["/Groups", "/Users"])
def test_a_body_has_so_many_names_and_entries(directory: Directory, path: str) -> None:
    body = {"displayName": "Staff", "userName": "ada", "members": [{}] * 200_000}

    with work_of_at_most(2):
        answer = directory.send("POST", path, body)

    assert answer.status_code == 413
    assert "60,000" in answer.json()["detail"]


@pytest.mark.parametrize("urn", ["", f"{CORE}:Group:"])
@pytest.mark.parametrize("chosen", ['eq "x"', '.value eq "x"', '[value eq "x"]', ' [ value eq "x" ] '])
def test_a_removal_by_path_removes_whom_it_chooses(urn: str, chosen: str) -> None:
    path = f"{urn}members{chosen}" if chosen[0] in ".[ " else f"{urn}members {chosen}"

    assert patched(["x", "y"], {"op": "remove", "path": path}) == ["y"]


@pytest.mark.parametrize("urn", ["", f"{CORE}:Group:"])
def test_a_removal_of_all_who_are_there_empties_the_group(urn: str) -> None:
    assert patched(["x", "y"], {"op": "remove", "path": f"{urn}members pr"}) == []


def test_nothing_is_no_change() -> None:
    assert patched(["x"], {"op": "replace", "value": {}}) == ["x"]


@pytest.mark.parametrize("path", [0, False, [], {}])
def test_a_path_is_text(path: Any) -> None:
    with pytest.raises((SCIMException, ValidationError)):
        patched(["x"], {"op": "replace", "path": path, "value": {"members": [{"value": "y"}]}})


def test_a_removal_needs_a_path() -> None:
    with pytest.raises(SCIMException):
        patched(["x"], {"op": "remove", "value": {"members": [{"value": "x"}]}})


def test_an_address_to_remove_is_described_in_few_words(directory: Directory) -> None:
    """Names are put together in the square of their number: a full body took three minutes."""
    ada = directory.send("POST", "/Users", user("ada@acme.example")).json()
    described = {f"x{one}": 1 for one in range(MOST_PARTS)}

    answer = directory.patch(f"/Users/{ada['id']}", {"op": "remove", "path": "emails", "value": [described]})

    assert answer.status_code == 413


def test_addresses_by_the_ten_thousand_are_not_looked_at(directory: Directory) -> None:
    many = [{"value": "a@é.example"}] * 20_000

    with work_of_at_most(1):
        answer = directory.send("POST", "/Users", {**user("ada@acme.example"), "emails": many})

    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")


@pytest.mark.parametrize("name", ["attributes", "excludedAttributes"])
def test_a_list_names_few_attributes(directory: Directory, acme: Tenant, name: str) -> None:
    names = [f"name{one}" for one in range(20_000)]
    with work_of_at_most(1):
        searched = directory.send("POST", "/Users/.search", {name: names})
        asked = directory.send("GET", f"/Users?{name}={','.join(names[:31])}")
        one = directory.send("GET", f"/Users/{uuid.uuid4()}?{name}={','.join(names[:31])}")
    assert (searched.status_code, asked.status_code, one.status_code) == (400, 400, 404)
    assert "at most 30 attributes" in searched.json()["detail"]
    assert directory.send("GET", f"/Users?{name}={','.join(names[:30])}").status_code == 200


def test_people_are_looked_for_by_address_in_time_that_hardly_grows_with_their_addresses(
    directory: Directory, acme: Tenant
) -> None:
    """Each address was taken apart, for each condition anew: 5 milliseconds a person."""
    told = {"emails": [{"value": f"{one}a@acme.example", "type": "a@acme.example"} for one in range(150)]}
    with tenant_context(acme.schema_name):
        models.Person.objects.bulk_create(
            models.Person(membership_id=uuid.uuid4(), user_name=f"p{one}", attributes=told)
            for one in range(200)
        )
    condition = " and ".join(f'emails.value eq "{name}@acme.example"' for name in ("a", "0a"))

    with work_of_at_most(0.5):
        answer = directory.send("GET", f"/Users?filter={condition}")

    assert (answer.status_code, answer.json()["totalResults"]) == (200, 0)
    third = f'{condition} and emails.value eq "b@acme.example"'
    assert directory.send("GET", f"/Users?filter={third}").status_code == 400


@pytest.mark.parametrize("name", ["attributes", "excludedAttributes"])
def test_names_of_attributes_are_short(directory: Directory, acme: Tenant, name: str) -> None:
    """Each is looked up in each member: 100 names of 10,000 characters and as many members took 14 seconds."""
    long = ["a" * 10_000 + str(one) for one in range(30)]
    with work_of_at_most(1):
        answers = [directory.send("POST", f"/{kind}/.search", {name: long}) for kind in ("Groups", "Users")]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert "at most 200 characters" in answers[0].json()["detail"]


def test_a_list_of_groups_asks_the_database_as_often_for_many_as_for_one(
    directory: Directory, acme: Tenant
) -> None:
    with tenant_context(acme.schema_name):
        make_group("One", 3)
    directory.send("GET", "/Groups")  # notes when the token was used last
    with CaptureQueriesContext(connection) as one:
        assert directory.send("GET", "/Groups").json()["totalResults"] == 1
    with tenant_context(acme.schema_name):
        sizes = {f"Group {number}": number for number in range(20)}
        for name, size in sizes.items():
            make_group(name, size)
    with CaptureQueriesContext(connection) as many:
        listed = directory.send("GET", "/Groups").json()["Resources"]

    assert len(many) == len(one)
    assert {group["displayName"]: len(group.get("members", [])) for group in listed} == {"One": 3, **sizes}


def test_a_page_of_groups_ends_before_its_members_are_too_many_and_none_is_missed(
    directory: Directory, acme: Tenant
) -> None:
    sizes = [MOST_LISTED - 1, 1, 1, MOST_LISTED + 1, 2]
    with tenant_context(acme.schema_name):
        names = [make_group(f"Group {number}", size).display_name for number, size in enumerate(sizes)]

    start, pages = 1, []
    while start <= len(sizes):
        page = directory.send("GET", f"/Groups?startIndex={start}&count=200").json()
        assert (page["totalResults"], page["itemsPerPage"]) == (len(sizes), len(page["Resources"]))
        pages.append([group["displayName"] for group in page["Resources"]])
        start += page["itemsPerPage"]

    assert pages == [names[:2], names[2:3], names[3:4], names[4:]]


def make_group(name: str, size: int) -> models.Group:
    group = models.Group.objects.create(display_name=name)
    models.GroupMember.objects.bulk_create(
        models.GroupMember(group=group, membership_id=uuid.uuid4()) for _ in range(size)
    )
    return group
