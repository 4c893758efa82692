"""Makes the tables of a config in this process and prints the SHA-256 of every file: `python -m tests.integration.made_books FILE`."""

import json
import sys
import tempfile
from pathlib import Path

from cli.production import make_files
from compliance.evidence.marks import PublicMark
from generation.engine.config.load import load_config


def main(path: str) -> None:
    config = load_config(Path(path).read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(
            config,
            Path(folder),
            closings=[config.period.months],
            workers=1,
            mark=PublicMark(),
            quiet=True,
        )
    print(json.dumps({entry.path: entry.sha256 for entry in files}, sort_keys=True))


if __name__ == "__main__":
    main(sys.argv[1])
