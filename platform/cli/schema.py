"""`datasynth schema`: what a config may say, or every table and column that a dataset has."""

from __future__ import annotations

import json
from argparse import Namespace

from cli.problems import DONE
from generation.engine.config.load import load_config
from generation.engine.config.schema import json_schema
from generation.engine.dataset import data_dictionary
from generation.engine.templates.catalogue import templates


def run(options: Namespace) -> int:
    """Print one JSON document. The tables are those of the first template; others differ in decimals only."""
    if options.tables:
        dictionary = data_dictionary(load_config(templates()[0].yaml))
        content = {key: value for key, value in dictionary.items() if key != "dataset"}
    else:
        content = json_schema()
    print(json.dumps(content, ensure_ascii=False, indent=2))
    return DONE
