"""Text to `Config` with every problem at once, and `Config` back to text and digest."""

import hashlib
import json
from collections.abc import Mapping
from io import StringIO
from typing import Any, Final

import rfc8785
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML

from generation.engine.config.availability import unavailable
from generation.engine.config.checks import contradictions
from generation.engine.config.explain import explain
from generation.engine.config.model import Config
from generation.engine.config.reader import Document, read
from generation.engine.errors import ConfigError, Problem

MOST_PROBLEMS: Final = 200
LARGEST_JSON_INTEGER: Final = 2**53 - 1


def load_config(text: str | bytes, *, environment: Mapping[str, str] | None = None) -> Config:
    """The config that a YAML 1.2 or JSON text describes.

    Args: text: at most 1 MiB of UTF-8. environment: values for `${NAME}`; None refuses every `${NAME}`.
    Raises: ConfigError: all problems in the order of the text (the first 200 if there are more).
    """
    document = read(text, environment)
    if not isinstance(document.data, dict):
        raise ConfigError([*document.problems, _not_a_config(document)])
    config, problems = _validated(document)
    problems = [*document.problems, *problems, *unavailable(document), *contradictions(document)]
    if problems or config is None:
        raise ConfigError(_in_file_order(problems))
    return config


def plain(config: Config) -> dict[str, Any]:
    """The config as JSON values, without empty keys. A seed that JSON readers would round is text."""
    data = config.model_dump(mode="json", exclude_none=True)
    if config.seed > LARGEST_JSON_INTEGER:
        data["seed"] = str(config.seed)
    return data


def dump(config: Config) -> str:
    """The config as canonical YAML: every key in the order of the model, defaults written out."""
    data = plain(config)
    data["seed"] = config.seed
    data["period"]["start"] = config.period.start
    yaml, text = YAML(typ="safe", pure=True), StringIO()
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # declared as None, read as a flag
    yaml.allow_unicode = True
    yaml.width = 4096
    yaml.dump(data, text)
    return text.getvalue()


def digest(config: Config) -> str:
    """SHA-256 of a config as 64 hexadecimal digits. Comments, order and format of its text do not count.

    Source: RFC 8785 (JSON Canonicalization Scheme) gives the bytes that are hashed.
    """
    return hashlib.sha256(rfc8785.dumps(plain(config))).hexdigest()


def _validated(document: Document) -> tuple[Config | None, list[Problem]]:
    try:
        return Config.model_validate_json(json.dumps(document.data)), []
    except ValidationError as error:
        found = [one for one in error.errors(include_url=False) if not _is_echo(one)]
        found.sort(key=lambda one: document.place(tuple(one["loc"])) or (0, 0))
        return None, [explain(one, document) for one in found[: MOST_PROBLEMS + 1]]


def _is_echo(error: ErrorDetails) -> bool:
    """A list counted as too short only because entries of it are wrong, which is said already."""
    return error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]


def _not_a_config(document: Document) -> Problem:
    if document.data is None:
        return document.problem((), "empty", "The config is empty. Start from a template.")
    return document.problem(
        (), "not_a_config", "A config is a section with keys such as “version: 1” and “companies:”."
    )


def _in_file_order(problems: list[Problem]) -> list[Problem]:
    """Sorted by place; one problem per key, since a second one usually repeats the first in other words."""
    ordered = sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))
    seen: set[tuple[str, int | None, int | None]] = set()
    kept: list[Problem] = []
    for problem in ordered:
        identity = (problem.path, problem.line, problem.column)
        if identity not in seen:
            seen.add(identity)
            kept.append(problem)
    if len(kept) > MOST_PROBLEMS:
        message = f"There are more problems; these are the first {MOST_PROBLEMS}. Correct them and try again."
        kept[MOST_PROBLEMS:] = [Problem("", None, None, "more_problems", message)]
    return kept
