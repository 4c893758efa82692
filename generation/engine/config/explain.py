"""Says in plain words what validation found: what is wrong, where, why, and what to write instead."""

import json
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pydantic.fields import FieldInfo

from generation.engine.config.fields import Section
from generation.engine.config.reader import Document, Path, path_text
from generation.engine.config.shape import extra_of, field_at, limits_of, section_at, section_of, types_of
from generation.engine.errors import Problem

Explanation = tuple[str, str, str | None]  # code, message, suggestion
_EXPECTED: Final = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "model_type": "a section with keys of its own",
    "model_attributes_type": "a section with keys of its own",
    "date_type": "a date such as 2025-01-01",
}
_RANGE: Final = {"greater_than_equal", "greater_than", "less_than_equal", "less_than"}
_LENGTH: Final = {"string_too_short", "string_too_long", "too_short", "too_long"}
_DATES: Final = {"date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"}


def explain(error: Mapping[str, Any], document: Document) -> Problem:
    """One error of pydantic as a problem with its place in the text."""
    path: Path = tuple(error["loc"])
    code, message, suggestion = _explanation(error, path)
    return document.problem(path, code, message, suggestion, at_key=code == "unknown_key")


def _explanation(error: Mapping[str, Any], path: Path) -> Explanation:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    field = field_at(path)
    if "text" in context:  # a rule of our own, see fields.refuse
        return kind, context["text"], context.get("suggestion")
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind == "missing":
        return "missing_key", _missing(path, field), None
    if field is None:
        return kind, str(error["msg"]), None
    explainers: list[tuple[bool, Callable[[FieldInfo, Any], Explanation]]] = [
        (kind in _RANGE or kind == "finite_number", _out_of_range),
        (kind in _LENGTH, _bad_length),
        (kind in _DATES, _bad_date),
        (kind == "string_pattern_mismatch", _bad_text),
        (kind == "literal_error", _not_allowed),
    ]
    for applies, explainer in explainers:
        if applies:
            return explainer(field, value)
    return _wrong_type(_EXPECTED.get(kind, str(error["msg"])), value)


def nearest(word: str, choices: list[str]) -> str | None:
    """The choice that a mistyped word most likely means."""
    close = get_close_matches(word[:60], choices, n=1, cutoff=0.7)
    return close[0] if close else None


def shown(value: Any) -> str:
    """A value as the user may have written it, cut when it is long."""
    if isinstance(value, dict):
        return "a section"
    if isinstance(value, list):
        return "a list"
    text = f"“{value}”" if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _unknown_key(path: Path) -> Explanation:
    name = str(path[-1])
    section = section_at(path[:-1])
    choices = list(section.model_fields) if section else []
    where = f"“{path_text(path[:-1])}”" if path[:-1] else "the config"
    meant = nearest(name, choices)
    if meant:
        return (
            "unknown_key",
            f"There is no key “{shown_key(name)}” in {where}. Did you mean “{meant}”?",
            meant,
        )
    homes = [home for home in _homes(name) if home != path_text(path[:-1])]
    if homes:
        return (
            "unknown_key",
            f"The key “{name}” does not belong in {where} but in “{homes[0]}”. Move it there.",
            None,
        )
    return (
        "unknown_key",
        f"There is no key “{shown_key(name)}” in {where}. It has: {', '.join(choices)}.",
        None,
    )


def shown_key(name: str) -> str:
    return name if len(name) <= 60 else name[:57] + "…"


def _homes(name: str) -> list[str]:
    """Sections that have a key of this name."""

    def walk(section: type[Section], prefix: str) -> list[str]:
        found = [prefix] if name in section.model_fields and prefix else []
        for key, field in section.model_fields.items():
            inner = section_of(field)
            if inner:
                found += walk(inner, f"{prefix}.{key}" if prefix else key)
        return found

    return walk(section_at(()) or Section, "")


def _missing(path: Path, field: FieldInfo | None) -> str:
    place = f" in “{path_text(path[:-1])}”" if path[:-1] else ""
    description = f" {field.description}" if field and field.description else ""
    examples = field.examples or extra_of(field).get("examples") if field else None
    return f"The key “{path[-1]}” is missing{place}.{description}" + (
        f" For example: {examples[0]}." if examples else ""
    )


def _wrong_type(expected: str, value: Any) -> Explanation:
    if expected == "text" and isinstance(value, bool | int | float):
        quoted = json.dumps(
            value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
        )
        return (
            "wrong_type",
            f"This must be text; without quotes {shown(value)} is a number. Write {quoted}.",
            quoted,
        )
    if value is None:
        return (
            "wrong_type",
            f"This must be {expected}, but nothing is given. Give a value, or remove the key.",
            None,
        )
    if expected == "a whole number" and isinstance(value, float) and value.is_integer():
        return "wrong_type", f"This must be a whole number. Write {int(value)}.", str(int(value))
    if isinstance(value, str) and value.replace("_", "").replace(",", "").isdigit() and "number" in expected:
        digits = value.replace("_", "").replace(",", "")
        return (
            "wrong_type",
            f"This must be {expected}, not text. Write {digits}, without quotes and separators.",
            digits,
        )
    return "wrong_type", f"This must be {expected}, not {shown(value)}.", None


def _out_of_range(field: FieldInfo, value: Any) -> Explanation:
    limits, unit = limits_of(field), str(extra_of(field).get("x-unit", ""))
    low, high = limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt"))
    if low == high and low is not None:
        return "out_of_range", f"This must be {low}, not {shown(value)}.", str(low)
    bounds = (
        f"from {_number(low)} to {_number(high)}"
        if low is not None and high is not None
        else "a finite number"
    )
    if "gt" in limits:
        bounds = f"above {_number(low)} and at most {_number(high)}"
    message = f"This must be {bounds} ({unit}), not {shown(value)}."
    if (
        unit.startswith("share")
        and isinstance(value, int | float)
        and 1 < value <= 100
        and value / 100 <= (high or 1)
    ):
        share = format(value / 100, "g")
        return "out_of_range", f"{message} A share of {value:g} % is written {share}.", share
    return "out_of_range", message, None


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and value < 1 << 53 else str(value)


def _bad_length(field: FieldInfo, value: Any) -> Explanation:
    limits = limits_of(field)
    low, high = limits.get("min_length", 0), limits.get("max_length")
    what = "characters" if isinstance(value, str) else "entries"
    bounds = f"{low:,} to {high:,}" if high else f"at least {low}"
    return "bad_length", f"This must have {bounds} {what}; it has {len(value):,}.", None


def _bad_date(field: FieldInfo, value: Any) -> Explanation:
    return (
        "bad_date",
        f"{shown(value)} is no date of the calendar. Write year-month-day, such as 2025-01-01.",
        None,
    )


def _bad_text(field: FieldInfo, value: Any) -> Explanation:
    return "bad_text", f"{shown(value)} does not fit: this must be {extra_of(field).get('x-unit')}.", None


def _not_allowed(field: FieldInfo, value: Any) -> Explanation:
    choices = [str(choice) for choice in types_of(field)]
    meant = nearest(str(value).lower(), choices)
    hint = f" Did you mean “{meant}”?" if meant else ""
    return "not_allowed", f"{shown(value)} is not one of {', '.join(choices)}.{hint}", meant
