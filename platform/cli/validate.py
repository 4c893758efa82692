"""`datasynth validate`: every problem of a config at once, or what its dataset will cost."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import asdict

from cli.config_file import problem_line, read_config
from cli.console import facts, size
from cli.problems import DONE, REFUSED
from generation.engine.config.load import digest
from generation.engine.errors import ConfigError
from generation.engine.estimate import estimate


def run(options: Namespace) -> int:
    """Print problems and return 2, or print the estimate and return 0."""
    try:
        config = read_config(options.config)
    except ConfigError as error:
        if options.json:
            print(
                json.dumps(
                    {"valid": False, "problems": [asdict(one) for one in error.problems]}, ensure_ascii=False
                )
            )
        else:
            for problem in error.problems:
                print(problem_line(options.config, problem))
        return REFUSED
    expected = estimate(config)
    if options.json:
        print(
            json.dumps(
                {"valid": True, "problems": [], "config_sha256": digest(config), "estimate": asdict(expected)}
            )
        )
    else:
        facts(
            [
                ("config", f"{config.name}, valid"),
                ("journal lines", f"{expected.journal_lines:,}"),
                ("rows", f"{expected.rows:,}"),
                ("disk", size(expected.bytes)),
                ("memory", f"{size(expected.memory_bytes)} a worker"),
                ("time", f"{expected.cpu_seconds:,.0f} processor seconds"),
                ("shards", f"{expected.shards:,}"),
            ]
        )
    return DONE
