"""The keys of a config as form fields, read from its JSON Schema: label, hint, control, choices, default."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from generation.engine.config.schema import json_schema

Kind = Literal["text", "number", "date", "select", "check", "choices", "numbers"]
Path = tuple[str | int, ...]

# Sections that few people change are folded away; keys of own charts stay in the YAML view.
FOLDED = frozenset({"processes", "controls"})
YAML_ONLY = frozenset({"version", "accounts"})
_ABBREVIATIONS = {"sod": "SoD", "id": "ID"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One key that a form can edit. `path` is relative to its section."""

    path: Path
    label: str
    hint: str
    kind: Kind
    options: tuple[str, ...]
    default: Any
    is_required: bool
    is_whole: bool


@dataclass(frozen=True, slots=True)
class SectionShape:
    """Keys that belong together under one heading; `path` is where they live in the config."""

    path: Path
    title: str
    description: str
    leaves: tuple[Leaf, ...]
    is_list: bool


@cache
def section_shapes() -> tuple[SectionShape, ...]:
    """The sections of the form in the order of the schema; single keys of the top level come first."""
    root = json_schema()
    top: list[Leaf] = []
    shapes: list[SectionShape] = []
    required = set(root.get("required", ()))
    for name, raw in root["properties"].items():
        node = _resolved(raw, root)
        if not _is_offered(name, node):
            continue
        item = _resolved(node["items"], root) if "items" in node else node
        if "properties" in item:
            leaves = tuple(_leaves(item, (), root))
            shapes.append(
                SectionShape((name,), humanised(name), raw.get("description", ""), leaves, item is not node)
            )
        else:
            top.append(_leaf((name,), node, is_required=name in required))
    general = SectionShape((), "Dataset", "Its name, and which variant of it is made", tuple(top), False)
    return (general, *shapes)


def humanised(name: str) -> str:
    """`journal_lines_per_year` → `Journal lines per year`."""
    words = [_ABBREVIATIONS.get(word, word) for word in name.split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def _leaves(node: Mapping[str, Any], at: Path, root: Mapping[str, Any]) -> Iterator[Leaf]:
    required = set(node.get("required", ()))
    for name, raw in node.get("properties", {}).items():
        child = _resolved(raw, root)
        if not _is_offered(name, child):
            continue
        if "properties" in child:
            yield from _leaves(child, (*at, name), root)
        else:
            yield _leaf((*at, name), child, is_required=name in required)


def _leaf(path: Path, node: Mapping[str, Any], *, is_required: bool) -> Leaf:
    items = node.get("items", {})
    kind: Kind = "text"
    options: tuple[str, ...] = ()
    if "enum" in node:
        kind, options = "select", tuple(map(str, node["enum"]))
    elif node.get("type") == "boolean":
        kind = "check"
    elif node.get("type") == "array":
        kind = "choices" if "enum" in items else "numbers"
        options = tuple(map(str, items.get("enum", ())))
    elif node.get("type") in ("integer", "number"):
        kind = "number"
    elif node.get("format") == "date":
        kind = "date"
    label = humanised(str(path[-1])) if len(path) == 1 else ": ".join(humanised(str(part)) for part in path)
    unit = node.get("x-unit", "")
    hint = node.get("description", "") + (f" ({unit})" if unit and unit not in ("text", "word") else "")
    whole = node.get("type") == "integer" or items.get("type") == "integer"
    return Leaf(path, label, hint, kind, options, node.get("default"), is_required, whole)


def _resolved(node: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The node behind a `$ref`, and the real branch of “a value or null”, with the node's own words kept."""
    while True:
        if "$ref" in node:
            target: Any = root
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
        elif branches := [one for one in node.get("anyOf", ()) if one.get("type") != "null"]:
            node = {**branches[0], **{key: value for key, value in node.items() if key != "anyOf"}}
        else:
            return node


def _is_offered(name: str, node: Mapping[str, Any]) -> bool:
    return name not in YAML_ONLY and node.get("x-available", True) is not False
