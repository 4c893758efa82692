"""Reads a config file for the command line, where `${NAME}` means the user's own environment."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cli.problems import Refused
from generation.engine.config.load import load_config, plain
from generation.engine.config.model import Config
from generation.engine.errors import ConfigError, Problem

_MOST_BYTES = 2 << 20  # the loader refuses texts far smaller than this, but a device has no end


def read_config(path: Path) -> Config:
    """The config in a file. Raises: ConfigError: its problems; Refused: it cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from error
    return load_config(text, environment=os.environ)


def overridden(config: Config, *, seed: int | None, formats: Sequence[str] | None) -> Config:
    """The config with the values of the command line. Raises: Refused: one of them is not possible."""
    values: dict[str, Any] = plain(config)
    if seed is not None:
        values["seed"] = seed
    if formats is not None:
        values["outputs"] = {**values["outputs"], "formats": list(formats)}
    return config_of(values, "the command line")


def config_of(values: object, source: str) -> Config:
    """A config from JSON values. Raises: Refused: they are none, with the problems of `source`."""
    try:
        return load_config(json.dumps(values))
    except ConfigError as error:
        problems = "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems)
        raise Refused(f"{source}: {problems}") from error


def problem_line(file: Path, problem: Problem) -> str:
    """`file:line:column path: message (suggestion)`, the form that editors jump to."""
    place = "" if problem.line is None else f":{problem.line}:{problem.column or 1}"
    name = f" {problem.path}:" if problem.path else ""
    suggestion = f" (try: {problem.suggestion})" if problem.suggestion else ""
    return f"{file}{place}{name} {problem.message}{suggestion}"
