"""Stored secrets by service and API: who may, what is refused, one event each, and no value in any answer."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings
from rest_framework.test import APIClient

from core import kms
from core.errors import Conflict, InvalidInput, QuotaExceeded
from core.models import AuditEvent, IdempotencyRecord
from core.secrets import Unsealable, give_up_lost_keys, make_data_key
from core.tenancy import tenant_context
from tenants.models import Tenant
from tenants.vault import services
from tenants.vault.models import NamedSecret
from tenants.vault.values import value_of
from tests.builders import make_principal

ApiClientFor = Callable[..., APIClient]

VALUE, NEXT = "first-value-7c1e", "second-value-7c1e"
ADDRESS = "/api/v1/secrets"


def make(name: str = "idp", value: str = VALUE, organisation: str = "acme", **more: str) -> NamedSecret:
    return services.make_secret(
        principal=make_principal("admin", organisation), name=name, value=value, **more
    )


def events() -> list[tuple[str, dict[str, Any]]]:
    rows = AuditEvent.objects.filter(action__startswith="vault.").order_by("seq")
    return [(row.action, row.data) for row in rows]


# -- the way through the API ---------------------------------------------------------------------------------


def test_a_secret_is_made_replaced_and_deleted_and_never_shown(
    acme: Tenant, api_client: ApiClientFor
) -> None:
    api: Any = api_client("admin")

    made = api.post(ADDRESS, {"name": "idp", "value": VALUE, "description": "From the provider."})
    address = f"{ADDRESS}/{made.json()['id']}"
    read = api.get(address)
    replaced = api.patch(address, {"value": NEXT}, headers={"If-Match": read["ETag"]})
    described = api.patch(address, {"description": "Of 2027."}, headers={"If-Match": replaced["ETag"]})
    same = api.patch(address, {"description": "Of 2027."}, headers={"If-Match": described["ETag"]})
    listed = api.get(ADDRESS)
    opened = value_of(NamedSecret.objects.get().pk)
    deleted = api.delete(address, headers={"If-Match": same["ETag"]})

    answers = [made, read, replaced, described, same, listed, deleted]
    assert [one.status_code for one in answers] == [201, 200, 200, 200, 200, 200, 204]
    assert VALUE.encode() not in b"".join(one.content for one in answers)
    assert NEXT.encode() not in b"".join(one.content for one in answers)
    assert opened == NEXT
    first, last = made.json(), listed.json()["items"][0]
    assert (first["version"], first["replaced_at"], first["replaced_by"]) == (1, None, "")
    assert (first["reference"], first["used_in"]) == ("${secret:idp}", [])
    assert first["created_by"].startswith("api-key:")  # who it was, as the audit trail calls them
    assert (last["version"], last["description"]) == (2, "Of 2027.")
    assert last["replaced_by"] == first["created_by"]
    assert [action for action, _ in events()] == [
        "vault.secret.make",
        "vault.secret.replace",
        "vault.secret.describe",
        "vault.secret.delete",
    ]
    assert not [data for _, data in events() if VALUE in str(data) or NEXT in str(data)]
    assert NamedSecret.objects.count() == 0


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [
        ("viewer", 403, 403),
        ("operator", 403, 403),
        ("approver", 403, 403),
        ("auditor", 200, 403),
        ("admin", 200, 201),
        ("owner", 200, 201),
    ],
)
def test_who_reads_names_and_who_stores(
    role: str, reads: int, writes: int, acme: Tenant, api_client: ApiClientFor
) -> None:
    api: Any = api_client(role)

    assert api.get(ADDRESS).status_code == reads
    assert api.post(ADDRESS, {"name": "idp", "value": VALUE}).status_code == writes


def test_names_come_page_by_page_in_their_order(acme: Tenant, api_client: ApiClientFor) -> None:
    for name in ("c", "a", "b"):
        make(name)
    api: Any = api_client("auditor")

    first = api.get(f"{ADDRESS}?limit=2").json()
    rest = api.get(f"{ADDRESS}?limit=2&cursor={first['next_cursor']}").json()

    assert [one["name"] for one in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next_cursor"] is None


def test_a_change_says_which_version_it_means(acme: Tenant, api_client: ApiClientFor) -> None:
    api: Any = api_client("admin")
    address = f"{ADDRESS}/{make().pk}"
    old = api.get(address)["ETag"]
    assert api.patch(address, {"value": NEXT}, headers={"If-Match": old}).status_code == 200

    answers = [
        api.patch(address, {"value": "third"}),
        api.delete(address),
        api.patch(address, {"value": "third"}, headers={"If-Match": old}),
        api.delete(address, headers={"If-Match": old}),
    ]

    assert [one.status_code for one in answers] == [428, 428, 412, 412]
    assert value_of(NamedSecret.objects.get().pk) == NEXT


def test_the_same_post_twice_stores_once_and_keeps_no_hash_that_could_be_guessed(
    acme: Tenant, api_client: ApiClientFor
) -> None:
    api: Any = api_client("admin")
    body = {"name": "idp", "value": "1234"}

    first, again, other = (
        api.post(ADDRESS, sent, headers={"Idempotency-Key": "one"})
        for sent in (body, body, body | {"value": "4321"})
    )

    assert [one.status_code for one in (first, again, other)] == [201, 201, 422]
    assert first.content == again.content
    assert again["Idempotent-Replayed"] == "true"
    [kept] = IdempotencyRecord.objects.all()
    text = f"POST {ADDRESS}\n{json.dumps(body, sort_keys=True)}"  # what a bare digest would be of
    assert kept.fingerprint != hashlib.sha256(text.encode()).hexdigest()
    assert "1234" not in str(kept.body)


# -- what is refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        " value",
        "value ",
        "two\nlines",
        "tab\tbed",
        "nul\0",
        "\ud800",
        "line\u2028",
        "x" * 4097,
        "é" * 2049,
        "${secret:b}",
    ],
)
def test_what_cannot_be_a_secret_is_refused_without_repeating_it(acme: Tenant, value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make(value=value)

    assert caught.value.errors[0]["pointer"] == "/value"
    assert not value.strip() or value not in str(caught.value)
    assert NamedSecret.objects.count() == 0


@pytest.mark.parametrize("value", ["x", "x" * 4096, "é" * 2048, "two words", "ÄÖ/+${HOME}"])
def test_any_line_of_text_can_be_one(acme: Tenant, value: str) -> None:
    assert value_of(make(value=value).pk) == value


@pytest.mark.parametrize(
    "name", ["", "A", "idp.x", "1dp", "-idp", "_idp", "ïdp", "a b", "a" * 64, "idp\n", VALUE * 9]
)
def test_a_name_that_is_none_is_refused_without_repeating_it(acme: Tenant, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        make(name=name)

    assert caught.value.errors[0]["pointer"] == "/name"
    assert len(name) < 3 or name not in str(caught.value)


def test_errors_of_the_api_name_the_place_and_not_the_value(acme: Tenant, api_client: ApiClientFor) -> None:
    api: Any = api_client("admin")
    make("taken")
    bodies = [
        {"name": "Idp", "value": VALUE},
        {"name": "idp", "value": f"{VALUE}\n"},
        {"name": "idp", "value": f"\t{VALUE}"},
        {"name": "idp", "value": VALUE * 999},
        {"name": "idp", "value": {"nested": VALUE}},
        {"name": "idp", "value": VALUE, "description": "x" * 201},
        {"name": "idp", "value": VALUE, "description": "\u202e"},
        {"name": "idp"},
        {"value": VALUE},
        {"name": "taken", "value": VALUE},
    ]

    answers = [api.post(ADDRESS, body) for body in bodies]

    assert [one.status_code for one in answers] == [422] * 9 + [409]
    places = [one.json()["errors"][0]["pointer"] for one in answers]
    assert places == ["/name", *["/value"] * 4, "/description", "/description", "/value", "/name", "/name"]
    assert VALUE.encode() not in b"".join(one.content for one in answers)


def test_there_is_an_end_to_them(acme: Tenant) -> None:
    template = make("first")
    NamedSecret.objects.bulk_create(
        NamedSecret(name=f"more-{number}", sealed=template.sealed, created_by="test")
        for number in range(services.MOST_SECRETS - 1)
    )

    with pytest.raises(QuotaExceeded, match="At most 100"):
        make("one-more")
    with pytest.raises(Conflict):  # a name in use is told before the limit
        make("first")


# -- the other organisation ----------------------------------------------------------------------------------


def test_a_secret_of_the_other_organisation_neither_resolves_nor_opens_nor_is_found(
    acme: Tenant, api_client: ApiClientFor
) -> None:
    with tenant_context("globex"):
        theirs = make(value="their-value", organisation="globex")
    ours = make()
    api: Any = api_client("admin")

    with pytest.raises(Unsealable) as unknown:
        value_of(theirs.pk)
    assert "no such secret" in unknown.value.reason
    NamedSecret.objects.filter(pk=ours.pk).update(sealed=bytes(theirs.sealed))  # moved over by hand
    with pytest.raises(Unsealable):
        value_of(ours.pk)
    same = {"x-request-id": "the-same"}
    other, nobodys = (api.get(f"{ADDRESS}/{one}", headers=same) for one in (theirs.pk, uuid4()))
    assert (other.status_code, other.content) == (404, nobodys.content)
    assert [one["id"] for one in api.get(ADDRESS).json()["items"]] == [str(ours.pk)]


def test_without_its_master_key_everything_says_so_and_a_new_value_counts_afterwards(
    acme: Tenant, api_client: ApiClientFor, client_for: Any, settings: Settings, tmp_path: Path
) -> None:
    settings.SECRETS_KMS_URL = f"file://{tmp_path}/master.key"
    kept = make()
    (tmp_path / "master.key").unlink()
    kms._remembered.clear()
    api: Any = api_client("admin")
    place = f"{ADDRESS}/{kept.pk}"
    version = api.get(place)["ETag"]

    refused = api.patch(place, {"value": NEXT}, format="json", headers={"if-match": version})
    page = client_for("admin").get("/me/security/app")

    assert (refused.status_code, refused.json()["code"]) == (503, "secret_unreadable")
    assert (page.status_code, b"master key" in page.content) == (503, True)
    assert give_up_lost_keys("acme", actor="test") == 1
    assert api.patch(place, {"value": NEXT}, format="json", headers={"if-match": version}).status_code == 200
    assert value_of(kept.pk) == NEXT


def test_a_value_that_is_moved_to_another_name_does_not_open(acme: Tenant) -> None:
    one, other = make("one"), make("other")
    NamedSecret.objects.filter(pk=other.pk).update(sealed=bytes(one.sealed))

    with pytest.raises(Unsealable):
        value_of(other.pk)


# -- how it lies there ---------------------------------------------------------------------------------------


@pytest.mark.django_db(databases=["default", "owner"])
def test_new_data_keys_and_a_new_master_key_leave_every_value_readable(
    acme: Tenant, settings: Settings, tmp_path: Path
) -> None:
    settings.SECRETS_KMS_URL = f"file://{tmp_path}/master.key"
    old = make("old")
    make_data_key("acme", actor="test")
    new = make("new", NEXT)
    call_command("rewrap_data_keys", rotate=True)
    kms._remembered.clear()

    assert (value_of(old.pk), value_of(new.pk)) == (VALUE, NEXT)


def test_a_list_of_secrets_does_not_even_read_the_sealed_values(
    acme: Tenant, api_client: ApiClientFor, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        make(f"idp-{number}")
    api: Any = api_client("auditor")
    api.get(ADDRESS)

    with django_assert_max_num_queries(20) as seen:
        api.get(ADDRESS)

    asked = [query["sql"] for query in seen.captured_queries if "vault_namedsecret" in query["sql"]]
    assert asked
    assert not [one for one in asked if '"sealed"' in one]


def test_the_database_keeps_one_secret_to_a_name(acme: Tenant) -> None:
    make()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = 'vault_namedsecret' AND schemaname = 'acme'"
        )
        assert any("UNIQUE" in row and "(name)" in row for (row,) in cursor.fetchall())


@pytest.mark.parametrize("value", [1234, 7.5, True, None, ["x"], {"x": 1}])
def test_a_value_is_a_text(acme: Tenant, api_client: Callable[..., Any], value: Any) -> None:
    answer = api_client("admin").post("/api/v1/secrets", {"name": "idp", "value": value}, format="json")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/value"
    assert NamedSecret.objects.count() == 0
