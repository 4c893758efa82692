"""The committed OpenAPI document is the one that the code makes, and keeps every promise of the released one."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command

from core.openapi_changes import breaking_changes, promise_of

API = Path(__file__).parents[2] / "docs" / "api"
Document = dict[str, Any]
KEYS = "/api/v1/api-keys"


@pytest.fixture(scope="module")
def released() -> Document:
    return dict(yaml.safe_load((API / "released" / "v1.yaml").read_text(encoding="utf-8")))


def test_the_committed_document_is_current(tmp_path: Path) -> None:
    made = tmp_path / "openapi.yaml"
    call_command("spectacular", "--file", str(made))

    assert made.read_text(encoding="utf-8") == (API / "openapi.yaml").read_text(encoding="utf-8"), (
        "make openapi"
    )


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_nothing_that_was_released_is_broken(version: str) -> None:
    promised = yaml.safe_load((API / "released" / f"{version}.yaml").read_text(encoding="utf-8"))
    current = yaml.safe_load((API / "openapi.yaml").read_text(encoding="utf-8"))

    assert all(path.startswith(f"/api/{version}/") for path in promised["paths"])
    assert breaking_changes(promised, current) == []


def test_everything_that_is_served_is_promised() -> None:
    """An operation that no document promises could go without a break."""
    current = yaml.safe_load((API / "openapi.yaml").read_text(encoding="utf-8"))
    promised = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in (API / "released").iterdir()]

    assert _operations(current) == set().union(*map(_operations, promised)), "make openapi-release"


def _operations(document: Document) -> set[tuple[str, str]]:
    return {(path, method) for path, found in document["paths"].items() for method in found}


def test_a_promise_holds_what_its_operations_use_and_no_more() -> None:
    def reference(name: str) -> Document:
        return {"$ref": f"#/components/schemas/{name}"}

    document = {
        "openapi": "3.1.1",
        "paths": {"/api/v1/a": {"get": {"responses": {"200": reference("A")}}}, "/api/v2/a": {"get": {}}},
        "components": {"schemas": {"A": {"items": [reference("B")]}, "B": reference("A"), "C": {}}},
    }

    promise = promise_of(document, "v1")

    assert list(promise["paths"]) == ["/api/v1/a"]
    assert list(promise["components"]["schemas"]) == ["A", "B"]


def _operation(document: Document, method: str = "post") -> Document:
    found: Document = document["paths"][KEYS][method]
    return found


def _schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def _limit(document: Document) -> Document:
    found = next(one for one in _operation(document, "get")["parameters"] if one["name"] == "limit")
    schema: Document = found["schema"]
    return schema


BREAKS: dict[str, tuple[Callable[[Document], Any], str]] = {
    "a path goes": (lambda d: d["paths"].pop(KEYS), "POST /api/v1/api-keys is gone"),
    "a method goes": (lambda d: d["paths"][KEYS].pop("post"), "POST /api/v1/api-keys is gone"),
    "an answer goes": (lambda d: _operation(d)["responses"].pop("201"), "the answer 201 is gone"),
    "a field of an answer goes": (
        lambda d: _schema(d, "ApiKeyOut")["properties"].pop("key_id"),
        "/key_id is gone",
    ),
    "a field may be left out": (
        lambda d: _schema(d, "ApiKeyOut")["required"].remove("key_id"),
        "/key_id may be left out now",
    ),
    "a field has another type": (
        lambda d: _schema(d, "ApiKeyOut")["properties"]["key_id"].update(type="integer"),
        "/key_id may be integer now",
    ),
    "a field may be null": (
        lambda d: _schema(d, "ApiKeyOut")["properties"]["key_id"].update(type=["string", "null"]),
        "/key_id may be null now",
    ),
    "a field of a body goes": (
        lambda d: _schema(d, "IssueApiKeyRequest")["properties"].pop("expires_at"),
        "/expires_at is gone",
    ),
    "a field of a body is required": (
        lambda d: _schema(d, "IssueApiKeyRequest")["required"].append("expires_at"),
        "/expires_at is required now",
    ),
    "a text may be shorter only": (
        lambda d: _schema(d, "IssueApiKeyRequest")["properties"]["name"].update(maxLength=10),
        "/name has a tighter maxLength: 10",
    ),
    "a number may be smaller only": (lambda d: _limit(d).update(maximum=10), "tighter maximum: 10"),
    "a parameter goes": (lambda d: _operation(d, "get")["parameters"].clear(), "parameter limit is gone"),
    "a parameter is required": (
        lambda d: _operation(d, "get")["parameters"][0].update(required=True),
        "is required now",
    ),
    "a new parameter is required": (
        lambda d: _operation(d, "get")["parameters"].append(
            {"in": "query", "name": "new", "required": True, "schema": {"type": "string"}}
        ),
        "the new query parameter new is required",
    ),
    "a text has another format": (
        lambda d: _schema(d, "ApiKeyOut")["properties"]["id"].pop("format"),
        "/id no longer has the format uuid",
    ),
    "a text of a body has a format": (
        lambda d: _schema(d, "IssueApiKeyRequest")["properties"]["name"].update(format="email"),
        "/name has another format: email",
    ),
    "other fields of a body are refused": (
        lambda d: _schema(d, "IssueApiKeyRequest").update(additionalProperties=False),
        "no longer takes other fields",
    ),
    "a way to prove who asks goes": (
        lambda d: _operation(d)["security"].remove({"apiKey": []}),
        "POST /api/v1/api-keys: no longer takes apiKey",
    ),
    "a way to prove who asks takes a scope": (
        lambda d: d["paths"]["/api/v1/api-keys"]["get"].update(security=[{"apiKey": ["admin"]}]),
        "GET /api/v1/api-keys: no longer takes session",
    ),
    "a body is taken in another form": (
        lambda d: _operation(d)["requestBody"].update(content={"text/plain": {}}),
        "no longer takes application/json",
    ),
}


@pytest.mark.parametrize(("change", "words"), BREAKS.values(), ids=BREAKS)
def test_a_planted_break_is_found(released: Document, change: Callable[[Document], Any], words: str) -> None:
    after = copy.deepcopy(released)
    change(after)

    assert any(words in one for one in breaking_changes(released, after))


def test_a_header_of_an_answer_that_goes_is_found(released: Document) -> None:
    promised = copy.deepcopy(released)
    _operation(promised)["responses"]["201"]["headers"] = {"Location": {"schema": {"type": "string"}}}

    assert breaking_changes(promised, released) == [
        "POST /api/v1/api-keys: the header Location of the answer 201 is gone"
    ]


def test_an_answer_for_everybody_that_is_closed_is_found(released: Document) -> None:
    after = copy.deepcopy(released)
    after["paths"]["/api/v1/problems/{code}"]["get"]["security"] = [{"apiKey": []}]
    promised = copy.deepcopy(released)
    promised["paths"]["/api/v1/problems/{code}"]["get"].pop("security", None)

    assert breaking_changes(promised, after) == [
        "GET /api/v1/problems/{code}: no longer takes callers without a sign-in"
    ]


GAINS: dict[str, Callable[[Document], Any]] = {
    "a path comes": lambda d: d["paths"].update({"/api/v1/new": {"get": {"responses": {}}}}),
    "a field of an answer comes": lambda d: _schema(d, "ApiKeyOut")["properties"].update(
        new={"type": "string"}
    ),
    "a field of a body comes": lambda d: _schema(d, "IssueApiKeyRequest")["properties"].update(
        new={"type": "string"}
    ),
    "a body may be longer": lambda d: _schema(d, "IssueApiKeyRequest")["properties"]["name"].update(
        maxLength=200
    ),
    "a parameter comes": lambda d: _operation(d, "get")["parameters"].append(
        {"in": "query", "name": "new", "schema": {"type": "string"}}
    ),
    "a way to prove who asks comes": lambda d: _operation(d)["security"].append({"other": []}),
    "nobody has to sign in any more": lambda d: _operation(d).pop("security"),
    "a header of an answer comes": lambda d: _operation(d)["responses"]["201"].update(headers={"New": {}}),
    "words change": lambda d: _operation(d).update(description="other words"),
}


@pytest.mark.parametrize("change", GAINS.values(), ids=GAINS)
def test_what_only_adds_breaks_nobody(released: Document, change: Callable[[Document], Any]) -> None:
    after = copy.deepcopy(released)
    change(after)

    assert breaking_changes(released, after) == []
