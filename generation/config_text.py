"""The text of a config as it comes from outside: bounded before it is read, and so is what is said about it."""

import re
from dataclasses import replace

from core.problems import shortened
from generation.engine.config.load import load_config
from generation.engine.config.model import Config
from generation.engine.errors import ConfigError, Problem

LONGEST_WORD = 10_000
LONGEST_TAG = 200
_WORD = re.compile(r"""[^\s,:{}\[\]"']+""")
# the parser needs seconds for a long tag and fails at a long version number
_TAG = re.compile(r"""(?<![^\s,\[{])![^\s"{}]+|^%[^\n]+""", re.MULTILINE)


def parse_config(text: str) -> Config:
    """The config of a text. Raises ConfigError with every problem; none quotes more than a line of the text."""
    if too_long := overlong(text):
        raise ConfigError([too_long])
    try:
        return load_config(text)
    except ConfigError as error:
        raise ConfigError([_bounded(problem) for problem in error.problems]) from error


def overlong(text: str) -> Problem | None:
    """What is longer than any word or tag of a config, before a parser takes it."""
    for pattern, most, kind in ((_TAG, LONGEST_TAG, "tag or directive"), (_WORD, LONGEST_WORD, "word")):
        for found in pattern.finditer(text):
            if (length := found.end() - found.start()) > most:
                line = text.count("\n", 0, found.start()) + 1
                column = found.start() - text.rfind("\n", 0, found.start())
                message = f"A {kind} has at most {most:,} characters; this one has {length:,}."
                return Problem("", line, column, "too_long", message, None)
    return None


def _bounded(problem: Problem) -> Problem:
    return replace(
        problem,
        path=shortened(problem.path),
        message=shortened(problem.message),
        suggestion=shortened(problem.suggestion) if problem.suggestion else None,
    )
