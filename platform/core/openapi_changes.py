"""Which changes between two OpenAPI documents break callers: what was there is gone, or asks for more than before.

Responses may only gain, requests may only take more. Source of the rules: docs/api/versions.md.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
_DEEPEST = 12  # levels of a schema; ours are flat, and one that contains itself ends here
Document = Mapping[str, Any]


def breaking_changes(before: Document, after: Document) -> list[str]:
    """One sentence for each change that breaks a caller who keeps to `before`; empty when none does."""
    return list(_Comparison(before, after).paths())


def promise_of(document: Document, version: str) -> dict[str, Any]:
    """What a document says of one version: its operations, and the components that they use, one through another."""
    paths = {path: one for path, one in document["paths"].items() if path.startswith(f"/api/{version}/")}
    used: dict[str, None] = {}
    waiting = [*_references(paths)]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used[name] = None
            waiting += _references(document["components"]["schemas"][name])
    schemas = {name: one for name, one in document["components"]["schemas"].items() if name in used}
    return {**document, "paths": paths, "components": {**document["components"], "schemas": schemas}}


def _references(part: Any) -> Iterator[str]:
    """Names of the schemas that a part of a document refers to."""
    if isinstance(part, Mapping):
        if isinstance(reference := part.get("$ref"), str):
            yield reference.rpartition("/")[2]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _references(one)


class _Comparison:
    def __init__(self, before: Document, after: Document) -> None:
        self.before, self.after = before, after

    def paths(self) -> Iterator[str]:
        for path, operations in self.before["paths"].items():
            for method in _METHODS:
                if method not in operations:
                    continue
                where = f"{method.upper()} {path}"
                after = self.after["paths"].get(path, {}).get(method)
                if after is None:
                    yield f"{where} is gone"
                else:
                    yield from self.operation(where, operations[method], after)

    def operation(self, where: str, before: Document, after: Document) -> Iterator[str]:
        yield from self.security(where, before, after)
        yield from self.parameters(where, before, after)
        yield from self.body(where, before.get("requestBody"), after.get("requestBody"))
        for status, response in before.get("responses", {}).items():
            now = after.get("responses", {}).get(status)
            if now is None:
                yield f"{where}: the answer {status} is gone"
                continue
            for name in response.get("headers", {}).keys() - now.get("headers", {}).keys():
                yield f"{where}: the header {name} of the answer {status} is gone"
            for media, content in response.get("content", {}).items():
                if media not in now.get("content", {}):
                    yield f"{where}: the answer {status} no longer comes as {media}"
                    continue
                place = f"{where}: answer {status}"
                yield from self.response(place, content.get("schema"), now["content"][media].get("schema"))

    def security(self, where: str, before: Document, after: Document) -> Iterator[str]:
        """Each way to prove who asks is one of a list, of which a caller knows one; without a list nobody has to."""
        old = before.get("security", self.before.get("security", ()))
        new = after.get("security", self.after.get("security", ()))
        if not new or {} in new:
            return
        for way in old or [{}]:
            if way not in new:
                yield f"{where}: no longer takes {' with '.join(way) or 'callers without a sign-in'}"

    def parameters(self, where: str, before: Document, after: Document) -> Iterator[str]:
        old = {(one["in"], one["name"]): one for one in before.get("parameters", ())}
        new = {(one["in"], one["name"]): one for one in after.get("parameters", ())}
        for key, one in old.items():
            if key not in new:
                yield f"{where}: the {key[0]} parameter {key[1]} is gone"
                continue
            place = f"{where}: {key[0]} parameter {key[1]}"
            if new[key].get("required") and not one.get("required"):
                yield f"{place} is required now"
            yield from self.request(place, one.get("schema"), new[key].get("schema"))
        for key in new.keys() - old.keys():
            if new[key].get("required"):
                yield f"{where}: the new {key[0]} parameter {key[1]} is required"

    def body(self, where: str, before: Document | None, after: Document | None) -> Iterator[str]:
        if after is None:
            if before is not None:
                yield f"{where}: takes no body any more"
            return
        if after.get("required") and not (before or {}).get("required"):
            yield f"{where}: a body is required now"
        for media, content in (before or {}).get("content", {}).items():
            if media not in after.get("content", {}):
                yield f"{where}: no longer takes {media}"
                continue
            place = f"{where}: body"
            yield from self.request(place, content.get("schema"), after["content"][media].get("schema"))

    def request(self, where: str, before: Any, after: Any, depth: int = 0) -> Iterator[str]:
        """What callers send: nothing that was good may be refused."""
        old, new = _resolved(self.before, before), _resolved(self.after, after)
        if depth > _DEEPEST:
            return
        if lost := _types(old) - _types(new):
            yield f"{where} no longer takes {', '.join(sorted(lost))}"
        if "enum" in new and (gone := _gone(old.get("enum"), new["enum"])):
            yield f"{where} no longer takes {gone}"
        for name, is_tighter in _LIMITS.items():
            if name in new and (name not in old or is_tighter(new[name], old[name])):
                yield f"{where} has a tighter {name}: {new[name]}"
        if "pattern" in new and new["pattern"] != old.get("pattern"):
            yield f"{where} has another pattern"
        if "format" in new and new["format"] != old.get("format"):
            yield f"{where} has another format: {new['format']}"
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield f"{where} no longer takes other fields"
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            yield f"{where}/{name} is required now"
        for name, inner in old.get("properties", {}).items():
            if name not in new.get("properties", {}):
                yield f"{where}/{name} is gone"
            else:
                yield from self.request(f"{where}/{name}", inner, new["properties"][name], depth + 1)
        if "items" in old and "items" in new:
            yield from self.request(f"{where}/items", old["items"], new["items"], depth + 1)

    def response(self, where: str, before: Any, after: Any, depth: int = 0) -> Iterator[str]:
        """What callers read: everything that was promised still comes, and as it was."""
        old, new = _resolved(self.before, before), _resolved(self.after, after)
        if depth > _DEEPEST:
            return
        if more := _types(new) - _types(old):
            yield f"{where} may be {', '.join(sorted(more))} now"
        if "enum" in old and (added := _gone(new.get("enum"), old["enum"])):
            yield f"{where} may be {added} now"
        if "format" in old and new.get("format") != old["format"]:
            yield f"{where} no longer has the format {old['format']}"
        for name, inner in old.get("properties", {}).items():
            if name not in new.get("properties", {}):
                yield f"{where}/{name} is gone"
                continue
            if name in old.get("required", ()) and name not in new.get("required", ()):
                yield f"{where}/{name} may be left out now"
            yield from self.response(f"{where}/{name}", inner, new["properties"][name], depth + 1)
        if "items" in old and "items" in new:
            yield from self.response(f"{where}/items", old["items"], new["items"], depth + 1)


_LIMITS: dict[str, Callable[[Any, Any], bool]] = {  # limit -> whether (new, old) is tighter
    **dict.fromkeys(("maxLength", "maximum", "maxItems"), operator.lt),
    **dict.fromkeys(("minLength", "minimum", "minItems"), operator.gt),
}


def _resolved(document: Document, schema: Any) -> dict[str, Any]:
    """The schema with its reference followed and `allOf` put together."""
    found: dict[str, Any] = dict(schema or {})
    while "$ref" in found:
        target: Any = document
        for step in found.pop("$ref").removeprefix("#/").split("/"):
            target = target[step]
        found = {**target, **found}
    for part in found.pop("allOf", ()):
        found = {**_resolved(document, part), **found}
    choices = [_resolved(document, one) for one in found.pop("oneOf", ()) or found.pop("anyOf", ())]
    if choices:
        enums = [value for one in choices for value in one.get("enum", ())]
        found["type"] = sorted({name for one in choices for name in _types(one)})
        if enums and all("enum" in one or one.get("type") == "null" for one in choices):
            found["enum"] = enums
    return found


_ANY = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})


def _types(schema: Mapping[str, Any]) -> frozenset[str]:
    """The types that a value may have; every number may be an integer."""
    named = schema.get("type")
    if named is None:
        return _ANY if "enum" not in schema else frozenset({"string"})
    found = frozenset([named] if isinstance(named, str) else named)
    return found | {"integer"} if "number" in found else found


def _gone(values: Any, from_these: list[Any]) -> str:
    """Those values that are not among the others, as text; any value when there is no list of them."""
    if values is None:
        return "other values"
    return ", ".join(str(value) for value in values if value not in from_these)
