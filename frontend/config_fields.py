"""The keys of a config as form fields, read from its JSON Schema: label, hint, control, choices, default."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from generation.engine.config.schema import json_schema

Kind = Literal["text", "number", "date", "select", "check", "choices", "numbers"]
Path = tuple[str | int, ...]

# Sections that few people change are folded away; keys of own charts and loans stay in the YAML view.
FOLDED = frozenset({"processes", "controls"})
YAML_ONLY = frozenset({"version", "accounts", "loans"})
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
    placeholder: str


@dataclass(frozen=True, slots=True)
class SectionShape:
    """Keys that belong together under one heading; `path` is where they live in the config."""

    path: Path
    title: str
    description: str
    leaves: tuple[Leaf, ...]
    is_list: bool
    most: int = 1  # entries of a list


@cache
def section_shapes() -> tuple[SectionShape, ...]:
    """The sections of the form in the order of the schema.

    Single keys, alone at the top or in a section of their own, come first under one heading; a section made of
    sections (the processes) gives one heading for each.
    """
    root = json_schema()
    required = set(root.get("required", ()))
    general: list[Leaf] = []
    shapes: list[SectionShape] = []
    for name, raw in root["properties"].items():
        node = _resolved(raw, root)
        if not _is_offered(name, node):
            continue
        item = _resolved(node["items"], root) if "items" in node else node
        found = _sections((name,), item, raw.get("description", ""), root, is_list=item is not node)
        if item is not node:
            found = [replace(shape, most=node["maxItems"]) for shape in found]
        if "properties" not in item:
            general.append(_leaf((name,), node, is_required=name in required))
        elif len(found) == 1 and len(found[0].leaves) == 1:
            leaf = found[0].leaves[0]
            general.append(replace(leaf, path=(name, *leaf.path)))
        else:
            shapes += found
    return (SectionShape((), "Dataset", "", tuple(general), False), *shapes)


def _sections(
    path: Path, node: Mapping[str, Any], description: str, root: Mapping[str, Any], *, is_list: bool
) -> list[SectionShape]:
    children = {
        name: _resolved(raw, root)
        for name, raw in node.get("properties", {}).items()
        if _is_offered(name, _resolved(raw, root))
    }
    if children and all("properties" in child for child in children.values()):
        nested = (
            _sections((*path, name), child, child.get("description", ""), root, is_list=False)
            for name, child in children.items()
        )
        return [shape for shapes in nested for shape in shapes]
    leaves = tuple(_leaves(node, (), root))
    return [SectionShape(path, humanised(str(path[-1])), description, leaves, is_list)] if leaves else []


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
    types = _types(node)
    kind: Kind = "text"
    options: tuple[str, ...] = ()
    if "enum" in node:
        kind, options = "select", tuple(map(str, node["enum"]))
    elif "boolean" in types:
        kind = "check"
    elif "array" in types:
        kind = "choices" if "enum" in items else "numbers"
        options = tuple(map(str, items.get("enum", ())))
    elif types & {"integer", "number"}:
        kind = "number"
    elif node.get("format") == "date":
        kind = "date"
    label = humanised(str(path[-1])) if len(path) == 1 else ": ".join(humanised(str(part)) for part in path)
    unit = node.get("x-unit", "")
    # one plain word ("text", "months") says nothing that label and description do not
    hint = node.get("description", "") + (f" ({unit})" if " " in unit or unit[:1].isupper() else "")
    is_whole = "integer" in types or "integer" in _types(items)
    placeholder = "as usual in the industry" if "x-defaults" in node else ""
    return Leaf(path, label, hint, kind, options, node.get("default"), is_required, is_whole, placeholder)


def _types(node: Mapping[str, Any]) -> set[str]:
    given = node.get("type", ())
    return {given} if isinstance(given, str) else set(given)


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
