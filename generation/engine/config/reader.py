"""Reads the text of a config into plain data with the place of every key and value.

YAML 1.2 (JSON is part of it) is taken event by event from the parser: depth, aliases and tags are judged before
anything is built. Scalars follow the core schema of YAML 1.2; dates stay text for the model to read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from generation.engine.errors import ConfigError, Problem

Path = tuple[str | int, ...]
Place = tuple[int, int]

LARGEST_BYTES: Final = 1 << 20
DEEPEST: Final = 50
MOST_WORDS: Final = 100_000
MOST_LINES: Final = 50_000  # an empty one is no word and no entry, and is scanned all the same
MOST_EVENTS: Final = 32_000  # below one second of parsing; the largest chart of one's own needs 30,000
LONGEST_NUMBER: Final = 40
LONGEST_KEY: Final = 200  # the path of a problem repeats it
MOST_NOTED: Final = 1_000  # problems on the way; more are told of than anybody reads
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_WORDS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}?")
_VARIABLE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class Document:
    """Plain data, where its keys and values stand (line and column from 1), and what was wrong on the way."""

    data: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path) -> Place | None:
        """Where the value stands, else the innermost section around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path)

    def problem(
        self, path: Path, code: str, message: str, suggestion: str | None = None, *, at_key: bool = False
    ) -> Problem:
        place = (self.keys.get(path) if at_key else None) or self.place(path)
        line, column = place if place else (None, None)
        return Problem(path_text(path), line, column, code, message, suggestion)


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    container: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None  # of a mapping: the key whose value comes next
    skipped: bool = False  # the value that comes next belongs to a key that was refused


def path_text(path: Path) -> str:
    """('companies', 0, 'code') -> 'companies[0].code'."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def resolve_scalar(text: str) -> Any:
    """The value of an unquoted scalar in the core schema of YAML 1.2 (dates and everything else: text)."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if _FLOAT.fullmatch(text):
        return float(re.sub(r"\.(?=[iInN])", "", text))
    return text


def read(text: str | bytes, environment: Mapping[str, str] | None = None) -> Document:
    """Plain data of a YAML or JSON text.

    Raises: ConfigError: the text cannot be read at all (too large, too deep, not UTF-8, broken syntax).
    What does not stop the reading (repeated keys, aliases, tags, `${NAME}`) goes to `Document.problems`.
    """
    reader = _Reader(environment)
    try:
        for number, event in enumerate(_events(decode(text))):
            if number > MOST_EVENTS:
                raise _stop("too_many_entries", "The config has too many entries to be one.", event)
            reader.take(event)
    except YAMLError as error:
        raise _syntax(error) from error
    except RecursionError as error:
        raise ConfigError(
            [Problem("", None, None, "too_deep", f"The config is nested deeper than {DEEPEST} levels.")]
        ) from error
    return reader.document


def decode(text: str | bytes) -> str:
    """Text of at most 1 MiB, without a byte order mark.

    Raises: ConfigError: larger, not UTF-8, or with characters that a text file cannot have.
    """
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > LARGEST_BYTES:
        raise ConfigError(
            [
                Problem(
                    "", None, None, "too_large", f"A config has at most 1 MiB; this one has {size:,} bytes."
                )
            ]
        )
    try:
        clear = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        message = "The text is not UTF-8 here. Save the file as UTF-8 and try again."
        raise ConfigError([Problem("", line, None, "not_utf8", message)]) from error
    clear = clear.removeprefix("\ufeff")
    if (words := len(clear.split())) > MOST_WORDS:
        message = f"A config has at most {MOST_WORDS:,} words; this one has {words:,}."
        raise ConfigError([Problem("", None, None, "too_large", message)])
    if (lines := len(clear.splitlines())) > MOST_LINES:
        message = f"A config has at most {MOST_LINES:,} lines; this one has {lines:,}."
        raise ConfigError([Problem("", None, None, "too_large", message)])
    for character in YAML_FORBIDDEN.finditer(clear):
        line = clear.count("\n", 0, character.start()) + 1
        column = character.start() - clear.rfind("\n", 0, character.start())
        message = f"The character U+{ord(character.group()):04X} cannot stand in a config. Remove it."
        raise ConfigError([Problem("", line, column, "bad_character", message)])
    return clear


YAML_FORBIDDEN: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
)


# Refused in every value: control characters, and characters that turn the direction of text around them.
_INVISIBLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def _events(text: str) -> Iterator[Event]:
    events: Iterator[Event] = YAML(typ="safe", pure=True).parse(text)
    return events


def _mark(event: Event) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _stop(code: str, message: str, event: Event) -> ConfigError:
    return ConfigError([Problem("", *_mark(event), code, message)])


def _syntax(error: YAMLError) -> ConfigError:
    mark = (error.problem_mark or error.context_mark) if isinstance(error, MarkedYAMLError) else None
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    reason = str(getattr(error, "problem", None) or "it cannot be read")
    message = f"This is not valid YAML: {reason}. Check indentation, colons, brackets, quotes here and above."
    return ConfigError([Problem("", line, column, "yaml_syntax", message)])


class _Reader:
    """Builds a document from parser events; one instance reads one text."""

    def __init__(self, environment: Mapping[str, str] | None) -> None:
        self.document = Document()
        self._environment = environment
        self._open: list[_Open] = []
        self._documents = 0

    def take(self, event: Event) -> None:
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise _stop(
                    "several_documents", "A file holds one config; remove “---” and what follows it.", event
                )
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._open.pop()
        elif isinstance(event, NodeEvent):
            self._node(event)

    def _node(self, event: NodeEvent) -> None:
        self._refuse_extras(event)
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.container, dict) and top.key is None:
            self._key(top, event)
            return
        path = self._path(top)
        self.document.values.setdefault(path, _mark(event))
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            container: dict[str, Any] | list[Any] = {} if isinstance(event, MappingStartEvent) else []
            self._attach(top, container)
            self._push(_Open(container, path), event)
        else:
            self._attach(top, self._scalar(event, path) if isinstance(event, ScalarEvent) else None)

    def _key(self, top: _Open, event: NodeEvent) -> None:
        assert isinstance(top.container, dict)
        if not isinstance(event, ScalarEvent):
            raise _stop("bad_key", "A key is a plain word, not a list or a section.", event)
        if len(event.value) > LONGEST_KEY:
            raise _stop("too_long", f"A key has at most {LONGEST_KEY} characters.", event)
        name = self._joined_surrogates(event.value, event, top.path)
        path = (*top.path, name)
        top.key, top.skipped = name, name in top.container
        if top.skipped:
            line = self.document.keys[path][0]
            message = f"The key “{_short(name)}” stands here again, after line {line}. Remove one of the two."
            self._note(path, event, "duplicate_key", message)
        else:
            self.document.keys.setdefault(path, _mark(event))

    def _path(self, top: _Open | None) -> Path:
        if top is None:
            return ()
        return (*top.path, len(top.container) if isinstance(top.container, list) else str(top.key))

    def _attach(self, top: _Open | None, value: Any) -> None:
        if top is None:
            self.document.data = value
        elif isinstance(top.container, list):
            top.container.append(value)
        else:
            if not top.skipped:
                top.container[str(top.key)] = value
            top.key = None

    def _push(self, opened: _Open, event: Event) -> None:
        self._open.append(opened)
        if len(self._open) > DEEPEST:
            raise _stop("too_deep", f"The config is nested deeper than {DEEPEST} levels.", event)

    def _refuse_extras(self, event: NodeEvent) -> None:
        path = self._path(self._open[-1]) if self._open else ()
        if isinstance(event, AliasEvent):
            message = (
                f"“*{_short(event.anchor)}” repeats another part; that is not allowed. Write the value out."
            )
            self._note(path, event, "alias", message)
        elif event.anchor is not None:
            message = (
                f"“&{_short(event.anchor)}” names a part of the file. Anchors are not allowed; remove it."
            )
            self._note(path, event, "anchor", message)
        tag = getattr(event, "tag", None)
        if tag is not None:
            message = f"The tag “{_short(str(tag))}” is not allowed; values are text, numbers, true or false."
            self._note(path, event, "tag", message)

    def _note(self, path: Path, event: Event, code: str, message: str) -> None:
        if len(self.document.problems) < MOST_NOTED:
            self.document.problems.append(Problem(path_text(path), *_mark(event), code, message))

    def _scalar(self, event: ScalarEvent, path: Path) -> Any:
        text, plain = event.value, event.style in (None, "")
        text = self._joined_surrogates(text, event, path)
        if "${" in text:
            text = self._substituted(text, event, path)
        if found := _INVISIBLE.search(text):
            message = f"The control character U+{ord(found.group()):04X} cannot stand in a value. Remove it."
            self._note(path, event, "control_character", message)
        return resolve_scalar(text) if plain else text

    def _joined_surrogates(self, text: str, event: ScalarEvent, path: Path) -> str:
        """JSON escapes characters beyond U+FFFF as two halves; put them together."""
        if text.isascii() or not YAML_FORBIDDEN.search(text):
            return text
        try:
            return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            message = "An escape sequence here makes half a character. Write the character itself."
            self._note(path, event, "bad_character", message)
            return "".join(character for character in text if not "\ud800" <= character <= "\udfff")

    def _substituted(self, text: str, event: ScalarEvent, path: Path) -> str:
        def value(found: re.Match[str]) -> str:
            name = found.group(1)
            problem = _variable_problem(name, self._environment)
            if problem is None:
                return (self._environment or {})[name]
            self._note(path, event, *problem)
            return ""

        return _VARIABLE.sub(value, text)


def _variable_problem(name: str, environment: Mapping[str, str] | None) -> tuple[str, str] | None:
    if name.partition(":")[0].strip().casefold() == "secret":
        return (
            "secret_not_taken",
            f"“${{{_short(name)}}}”: no field of a config takes a secret. Stored secrets are named in settings of "
            "the platform alone (client secret of the OpenID Connect provider). Write the value itself.",
        )
    if environment is None:
        return (
            "environment_variable",
            f"“${{{_short(name)}}}” is filled in only by the command line, on the user's own machine; "
            "the platform never reads its environment for a config. Write the value itself.",
        )
    if not _VARIABLE_NAME.fullmatch(name):
        return "environment_variable", f"“{_short(name)}” is no name of an environment variable."
    if name not in environment:
        return (
            "environment_variable",
            f"The variable {_short(name)} is not set. Set it, or write the value itself.",
        )
    if "${" in environment[name]:
        return (
            "environment_variable",
            f"The variable {_short(name)} holds “${{” itself; values are put in once.",
        )
    return None


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
