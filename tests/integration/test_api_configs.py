"""Templates and configs over the API: shapes, entity tags, paging and problems."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from generation.models import Config
from tests.dataset_builders import make_config, small_text
from tests.work import work_of_at_most

ApiClient = Callable[..., APIClient]
PROBLEM = "application/problem+json"


def test_templates_are_listed_and_each_shows_its_config(api_client: ApiClient, acme: Any) -> None:
    client = api_client("viewer")

    names = [item["name"] for item in client.get("/api/v1/templates").json()["items"]]

    assert len(names) >= 3
    for name in names:
        yaml = client.get(f"/api/v1/templates/{name}").json()["yaml"]
        assert client.post("/api/v1/configs:validate", {"text": yaml}).status_code == 200


def test_a_config_is_created_read_renamed_archived_and_restored(api_client: ApiClient, acme: Any) -> None:
    client = api_client()
    created = client.post("/api/v1/configs", {"text": small_text()})
    assert created.status_code == 201
    address = created["Location"]
    assert client.get(address).json() == created.json()
    assert (
        created.json() | {"name": "small-books", "version": 1, "runs": 0, "is_archived": False}
        == created.json()
    )

    renamed = client.patch(address, {"name": "books"}, headers={"If-Match": created["ETag"]})
    assert (renamed.status_code, renamed.json()["name"]) == (200, "books")
    stale = client.delete(address, headers={"If-Match": created["ETag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")

    assert client.delete(address, headers={"If-Match": renamed["ETag"]}).status_code == 204
    assert client.get("/api/v1/configs").json()["items"] == []
    assert client.post(f"{address}:restore").json()["is_archived"] is False
    assert [item["name"] for item in client.get("/api/v1/configs").json()["items"]] == ["books"]


def test_a_change_without_if_match_is_refused(api_client: ApiClient, acme: Any) -> None:
    address = f"/api/v1/configs/{make_config().config_id}"

    for answer in (api_client().patch(address, {"name": "x"}), api_client().delete(address)):
        assert (answer.status_code, answer["Content-Type"]) == (428, PROBLEM)


def test_versions_are_added_and_read(api_client: ApiClient, acme: Any) -> None:
    client = api_client()
    address = f"/api/v1/configs/{make_config().config_id}/versions"
    changed = small_text().replace("seed: 7", "seed: 8")

    added = client.post(address, {"text": changed})

    assert (added.status_code, added.json()["number"]) == (201, 2)
    assert [item["number"] for item in client.get(address).json()["items"]] == [2, 1]
    assert client.get(f"{address}/2").json()["text"] == changed
    assert client.get(f"{address}/3").status_code == 404
    assert client.get(f"{address}/{10**30}").status_code == 404


def test_a_version_based_on_an_older_state_is_refused_when_the_caller_asks_for_it(
    api_client: ApiClient, acme: Any
) -> None:
    client = api_client()
    address = f"/api/v1/configs/{make_config().config_id}"
    read = client.get(address)["ETag"]
    changed = {"text": small_text() + "# changed\n"}

    first = client.post(f"{address}/versions", changed, headers={"If-Match": read})
    second = client.post(f"{address}/versions", {"text": small_text()}, headers={"If-Match": read})

    assert (first.status_code, second.status_code) == (201, 412)
    assert client.post(f"{address}/versions", {"text": small_text()}).status_code == 201


def test_a_bad_config_is_a_422_that_names_line_key_and_nearest_key(api_client: ApiClient, acme: Any) -> None:
    text = small_text().replace("employees: 12", "empoyees: 12")

    for path in ("/api/v1/configs:validate", "/api/v1/configs"):
        answer = api_client().post(path, {"text": text})

        assert (answer.status_code, answer["Content-Type"]) == (422, PROBLEM)
        problem = answer.json()
        assert problem["code"] == "invalid_input"
        error = next(error for error in problem["errors"] if error["path"] == "companies[0].empoyees")
        assert (error["line"], error["code"]) == (8, "unknown_key")
        assert "employees" in (error["suggestion"] or error["detail"])
    assert not Config.objects.exists()


@pytest.mark.parametrize(
    "body",
    [[], "text", 7, None, {}, {"text": 5}, {"text": None}, {"text": ["a"]}, {"text": ""}, {"text": "x", "more": 1},
     {"text": "[" * 5000}, {"text": "a: &a [*a]"}, {"text": "!!python/object:os.system ls"}, {"text": "\ufffe"},
     {"text": "a: 1\na: 2"}, {"text": "- 1"}, {"text": "version: 1e999"}],
)  # fmt: skip
def test_garbage_is_a_problem_and_never_a_server_error(api_client: ApiClient, acme: Any, body: Any) -> None:
    for path in ("/api/v1/configs:validate", "/api/v1/configs"):
        answer = api_client().post(path, body)

        assert answer.status_code in (400, 422), answer.content
        assert answer["Content-Type"] == PROBLEM


def test_a_wrong_query_parameter_is_named(api_client: ApiClient, acme: Any) -> None:
    answer = api_client().get("/api/v1/configs", {"search": "x" * 300})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "search"


def test_a_body_of_five_megabytes_is_too_large(api_client: ApiClient, acme: Any) -> None:
    answer = api_client().post("/api/v1/configs:validate", {"text": "#" * 5_000_000})

    assert (answer.status_code, answer["Content-Type"]) == (413, PROBLEM)


def test_a_viewer_reads_and_checks_but_does_not_write(api_client: ApiClient, acme: Any) -> None:
    client = api_client("viewer")

    assert client.get("/api/v1/configs").status_code == 200
    assert client.post("/api/v1/configs:validate", {"text": small_text()}).status_code == 200
    assert client.post("/api/v1/configs", {"text": small_text()}).status_code == 403


def test_pages_of_configs_follow_a_cursor(api_client: ApiClient, acme: Any) -> None:
    for name in ("a", "b", "c"):
        make_config(name)
    client = api_client()

    first = client.get("/api/v1/configs", {"limit": 2}).json()
    second = client.get("/api/v1/configs", {"limit": 2, "cursor": first["next_cursor"]}).json()

    assert [item["name"] for item in first["items"] + second["items"]] == ["c", "b", "a"]
    assert second["next_cursor"] is None
    assert client.get("/api/v1/configs", {"cursor": "forged"}).status_code == 422


def test_an_estimate_of_a_stored_config_tells_lines_bytes_and_time(api_client: ApiClient, acme: Any) -> None:
    estimate = api_client().get(f"/api/v1/configs/{make_config().config_id}/estimate").json()

    assert estimate["journal_lines"] == 2_000
    assert estimate["bytes"] > 0
    assert estimate["cpu_seconds"] > 0


BAD_NAMES = (
    "a/",
    "a//b",
    "a/../b",
    "a\nb",
    "a\n",
    "a‮b",
    "a‍b",
    "a\x07",
    "/tmp/x",
    "..",
    "",
    "A",
    "-a",
    "a" * 64,
)


@pytest.mark.parametrize(
    "name", BAD_NAMES, ids=[name.encode("unicode_escape").decode() for name in BAD_NAMES]
)
def test_a_name_follows_the_one_rule(api_client: ApiClient, acme: Any, name: str) -> None:
    client = api_client()
    created = client.post("/api/v1/configs", {"text": small_text(), "name": name})
    assert (created.status_code, created["Content-Type"]) == (422, PROBLEM)
    assert not Config.objects.exists()

    stored = client.post("/api/v1/configs", {"text": small_text()})
    renamed = client.patch(stored["Location"], {"name": name}, headers={"If-Match": stored["ETag"]})
    assert (renamed.status_code, renamed["Content-Type"]) == (422, PROBLEM)
    assert Config.objects.get().name == "small-books"


LONG = 900_000
LONG_TEXTS = {
    "value": small_text().replace("EUR", "x" * LONG, 1),
    "words": small_text().replace("EUR", '"' + "X " * 40_000 + '"', 1),
    "key": small_text() + "? " + "k" * LONG + "\n: 1\n",
    "spaced key": small_text() + '? "' + "k " * 40_000 + '"\n: 1\n',
    "tag": "name: !" + "x" * LONG + " 1",
    "tag with commas": "name: !" + "x," * (LONG // 2) + " 1",
    "tag handle": "name: !x" + "x" * LONG + "!b 1",
    "anchor": "name: &" + "x" * LONG + " 1",
    "alias": "name: *" + "x" * LONG,
    "directive": "%YAML " + "9" * 5000,
}


@pytest.mark.parametrize("text", LONG_TEXTS.values(), ids=LONG_TEXTS)
def test_a_problem_quotes_little_of_what_came(api_client: ApiClient, acme: Any, text: str) -> None:
    with work_of_at_most(2):
        answer = api_client("viewer").post("/api/v1/configs:validate", {"text": text})

    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert len(answer.content) < 8000


def test_an_unknown_key_is_refused_with_the_nearest_known_one(api_client: ApiClient, acme: Any) -> None:
    answer = api_client().post("/api/v1/configs", {"txt": "", "k" * LONG: 1, "text": small_text()})

    assert answer.status_code == 422
    assert len(answer.content) < 2000
    details = [error["detail"] for error in answer.json()["errors"]]
    assert details == ["There is no such key; did you mean “text”?", "There is no such key."]
