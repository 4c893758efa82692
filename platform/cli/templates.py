"""`datasynth templates`: lists the shipped configs, or prints one to start from."""

from __future__ import annotations

from argparse import Namespace

from cli.console import facts
from cli.problems import DONE, Refused
from generation.engine.templates.catalogue import templates


def run(options: Namespace) -> int:
    """Print the list, or the YAML of the named one."""
    shipped = templates()
    if options.name is None:
        facts([(template.name, f"{template.title}: {template.description}") for template in shipped])
        return DONE
    for template in shipped:
        if template.name == options.name:
            print(template.yaml, end="" if template.yaml.endswith("\n") else "\n")
            return DONE
    known = ", ".join(template.name for template in shipped)
    raise Refused(f"there is no template {options.name!r}; there are {known}")
