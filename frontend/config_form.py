"""Two views of one config text: what the form shows of it, and the text after the form changed some keys.

The text is the truth. A form post carries it along, and only keys whose field changed are rewritten, so the
comments, order and spelling of everything else stay.
"""

import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from io import StringIO
from itertools import pairwise
from typing import Any, Protocol

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.resolver import VersionedResolver

from frontend.config_fields import FOLDED, Leaf, Path, SectionShape, section_shapes
from generation.config_text import overlong
from generation.engine.config.reader import path_text, read
from generation.engine.errors import ConfigError, Problem

_PREFIX = "key:"
_MISSING = object()
_MOST_ENTRIES = 2_500  # of any kind; what reads a text for changing it takes a millisecond for a few of them
_LONGEST_CODE = 9  # digits of a company code that is counted on from
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class Values(Protocol):
    """The part of a QueryDict that is needed here."""

    def getlist(self, key: str) -> list[str]: ...
    def __contains__(self, key: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One control, ready to draw."""

    name: str
    id: str
    label: str
    hint: str
    kind: str
    value: str
    placeholder: str
    options: tuple[Option, ...]
    is_on: bool
    is_required: bool
    problem: str


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str
    description: str
    fields: tuple[Field, ...]
    is_folded: bool
    has_problem: bool
    index: int = 0
    removable: bool = False
    addable: bool = False


@lru_cache(maxsize=8)  # an act asks several times for the same text
def is_readable(text: str) -> bool:
    """True when the text is a mapping without anything that a form could not carry along, and no longer than one."""
    if overlong(text):
        return False
    try:
        document = read(text)
    except ConfigError:
        return False
    data = document.data
    if len(document.values) > _MOST_ENTRIES:
        return False
    lists = [(shape, _at(data, shape.path)) for shape in section_shapes() if shape.is_list]
    if any(isinstance(entries, list) and len(entries) > shape.most for shape, entries in lists):
        return False
    return isinstance(data, dict) and not document.problems and _load(text) is not None


def form_sections(text: str, problems: Sequence[Problem]) -> tuple[Section, ...]:
    """The form of a readable text. Each problem stands at the field with its path."""
    data = read(text).data
    by_path = {problem.path: problem.message for problem in problems}
    sections: list[Section] = []
    for shape in section_shapes():
        if shape.is_list:
            entries = _at(data, shape.path)
            count = len(entries) if isinstance(entries, list) else 0
            sections += [_section(shape, data, by_path, index, count) for index in range(count)]
        else:
            sections.append(_section(shape, data, by_path))
    return tuple(sections)


def apply_form(text: str, values: Values) -> str:
    """The readable text with the keys that the posted form changed. Fields that did not change touch nothing."""
    data = read(text).data
    document = _load(text)
    changed = False
    for shape in section_shapes():
        entries = _at(data, shape.path) if shape.is_list else None
        count = len(entries) if isinstance(entries, list) else 0
        roots = [(*shape.path, index) for index in range(count)] if shape.is_list else [shape.path]
        for root in roots:
            for leaf in shape.leaves:
                changed |= _apply(document, data, (*root, *leaf.path), leaf, values)
    return _dump(document) if changed else text


def with_company_added(text: str) -> str:
    """The text with one more company, a copy of the last one under the next free code and name.

    A text that cannot be read or has no company comes back as it is, and so does one with as many as there may be.
    """
    document = _load(text) if is_readable(text) else None
    companies = document.get("companies") if document is not None else None
    if not isinstance(companies, list) or not companies or not isinstance(companies[-1], dict):
        return text
    if len(companies) >= _most("companies"):
        return text
    company = copy.deepcopy(companies[-1])
    codes = {str(one.get("code")) for one in companies if isinstance(one, dict)}
    company["code"] = _next_code(str(company.get("code", "1000")), codes)
    company["name"] = f"{company.get('name', 'Company')} {len(companies) + 1}"
    companies.append(company)
    return _dump(document)


def with_company_removed(text: str, index: int) -> str:
    """The text without the company at `index`; the last one stays, and so does a text that cannot be read."""
    document = _load(text) if is_readable(text) else None
    companies = document.get("companies") if document is not None else None
    if not isinstance(companies, list) or len(companies) < 2 or not 0 <= index < len(companies):
        return text
    del companies[index]
    return _dump(document)


def _most(name: str) -> int:
    return next(shape.most for shape in section_shapes() if shape.path == (name,))


def _section(
    shape: SectionShape, data: Any, problems: Mapping[str, str], index: int = 0, count: int = 0
) -> Section:
    root: Path = (*shape.path, index) if shape.is_list else shape.path
    fields = tuple(_field((*root, *leaf.path), leaf, data, problems) for leaf in shape.leaves)
    title, identity = shape.title, "-".join(map(str, root)) or "dataset"
    if shape.is_list:
        code = _at(data, (*root, "code"))
        title = f"Company {code}" if isinstance(code, str | int) else f"Company {index + 1}"
    return Section(
        id=f"section-{identity}",
        title=title,
        description="" if index else shape.description,
        fields=fields,
        is_folded=bool(shape.path) and shape.path[0] in FOLDED,
        has_problem=any(field.problem for field in fields),
        index=index,
        removable=count > 1,
        addable=shape.is_list and index == count - 1 and count < shape.most,
    )


def _field(path: Path, leaf: Leaf, data: Any, problems: Mapping[str, str]) -> Field:
    name = path_text(path)
    value = _at(data, path)
    given = value is not _MISSING and value is not None
    shown = value if given else leaf.default
    chosen = {_written(one) for one in shown} if isinstance(shown, list) else {_written(shown)}
    options = tuple(Option(option, option.replace("_", " "), option in chosen) for option in leaf.options)
    if leaf.kind == "select" and (not given or _written(shown) not in leaf.options) and leaf.default is None:
        options = (Option(_written(shown) if given else "", "choose one", True), *options)
    placeholder = _written(leaf.default) or leaf.placeholder
    return Field(
        name=_PREFIX + name,
        id="key-" + re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-"),
        label=leaf.label,
        hint=leaf.hint,
        kind="text" if leaf.kind == "date" and given and not _is_date(value) else leaf.kind,
        value=_written(value) if given else "",
        placeholder=placeholder,
        options=options,
        is_on=shown is True,
        is_required=leaf.is_required,
        problem=problems.get(name, ""),
    )


def _apply(document: Any, data: Any, path: Path, leaf: Leaf, values: Values) -> bool:
    name = _PREFIX + path_text(path)
    if name not in values:
        return False
    given = _at(data, path)
    value = _converted(leaf, [one.strip() for one in values.getlist(name)])
    effective = leaf.default if given is _MISSING else given
    if _is_same(value, effective) or (value is _MISSING and given is _MISSING):
        return False
    if value is _MISSING and leaf.is_required:
        value = ""
    _put(document, path, value)
    return True


def _is_same(value: Any, effective: Any) -> bool:
    if isinstance(value, list) and isinstance(effective, list):
        return sorted(map(str, value)) == sorted(map(str, effective))
    return bool(value == effective)


def _converted(leaf: Leaf, posted: list[str]) -> Any:
    """What the text should say; a value of the wrong kind stays as typed, and the check names it."""
    last = posted[-1]
    if leaf.kind == "check":
        return last == "true"
    if leaf.kind == "choices":
        return [one for one in posted if one]
    if leaf.kind == "numbers":
        return [_number(one.strip(), leaf.is_whole) for one in last.split(",") if one.strip()] or _MISSING
    if not last:
        return _MISSING
    return _number(last, leaf.is_whole) if leaf.kind == "number" else last


def _number(text: str, is_whole: bool) -> Any:
    plain = text.replace(" ", "").replace("\u202f", "").replace("_", "")
    try:
        return int(plain) if is_whole else float(plain)
    except ValueError:
        return text


def _put(document: Any, path: Path, value: Any) -> None:
    at = document
    for step, following in pairwise(path):
        child = at.get(step) if isinstance(at, dict) else at[step]
        if not isinstance(child, list if isinstance(following, int) else dict):
            if value is _MISSING:
                return
            child = at[step] = {}
        at = child
    if value is _MISSING:
        at.pop(path[-1], None)
    else:
        at[path[-1]] = value


def _at(data: Any, path: Path) -> Any:
    """The value at a path of plain data; _MISSING when nothing stands there."""
    for step in path:
        if not isinstance(data, dict | list):
            return _MISSING
        try:
            data = data[step]  # type: ignore[index]  # a list may be asked for a key: TypeError, like any miss
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return data


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(_written(one) for one in value)
    if isinstance(value, dict):
        return ""
    return "" if value is None else str(value)


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _next_code(code: str, taken: set[str]) -> str:
    number = int(code) if code.isascii() and code.isdigit() and len(code) <= _LONGEST_CODE else 1000
    while code in taken:
        number += 1000
        code = str(number)
    return code


class _Resolver(VersionedResolver):
    """Dates stay the text that stands there, as `read` sees them: there may be no such day."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        tag = super().resolve(kind, value, implicit)
        return self.DEFAULT_SCALAR_TAG if str(tag) == _TIMESTAMP else tag


def _yaml() -> YAML:
    yaml = YAML()  # round trip: comments, order and quotes stay
    yaml.Resolver = _Resolver
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _load(text: str) -> Any:
    """The mapping of the text with its comments; None when it has none or the loader cannot take it."""
    try:
        document = _yaml().load(text)
    except (YAMLError, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # tags, numbers and directives are built by code that fails in many ways
    return document if isinstance(document, dict) else None


def _dump(document: Any) -> str:
    out = StringIO()
    _yaml().dump(document, out)
    return out.getvalue()
