"""The shipped templates: configs to start from, with what people read before they choose one."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from generation.engine.config.load import load_config

_FOLDER: Final = files("generation.engine.templates")


@dataclass(frozen=True, slots=True)
class Template:
    """One template. `industry` is that of its first company; `yaml` is the whole config with its comments."""

    name: str
    title: str
    description: str
    industry: str
    yaml: str


@cache
def templates() -> list[Template]:
    """All templates, in the order in which they are offered."""
    catalogue = tomllib.loads((_FOLDER / "catalogue.toml").read_text(encoding="utf-8"))
    return [_template(name, entry["title"], entry["description"]) for name, entry in catalogue.items()]


def _template(name: str, title: str, description: str) -> Template:
    yaml = (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    return Template(name, title, description, load_config(yaml).companies[0].industry, yaml)
