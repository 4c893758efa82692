"""`datasynth reproduce`: makes a dataset again from its manifest and compares every byte of data."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli.config_file import config_of
from cli.console import facts
from cli.problems import ALTERED, DONE, Refused
from cli.production import make_files
from compliance.evidence.marks import PublicMark
from generation.engine.config.model import Config
from generation.engine.dataset import ENGINE_VERSION

_DATA_FOLDERS = ("tables", "labels", "exports")
_SCHEMA = "schema.json"


def run(options: Namespace) -> int:
    """Compare the folder with a second making; 0 when all bytes are equal, else 4 and every file named."""
    manifest = read_manifest(options.dataset)
    version = str(manifest.get("engine_version"))
    if version != ENGINE_VERSION:
        print(
            f"datasynth: this dataset was made by engine {version}, this is engine {ENGINE_VERSION}: "
            "only the same version promises the same bytes",
            file=sys.stderr,
        )
    config = config_of(manifest.get("config"), str(options.dataset / "manifest.json"))
    with tempfile.TemporaryDirectory(prefix="datasynth-") as folder:
        again = Path(folder)
        make_files(
            config,
            again,
            closings=closings_of(manifest, config),
            workers=options.workers,
            mark=PublicMark(),
            quiet=options.quiet,
        )
        expected, found = _digests(again), _digests(options.dataset)
    for path in sorted(expected.keys() | found.keys()):
        if reason := _difference(expected.get(path), found.get(path)):
            print(f"{path}: {reason}", file=sys.stderr)
    if not options.quiet:
        equal = sum(found.get(path) == digest for path, digest in expected.items())
        facts([("equal", f"{equal:,} of {len(expected):,} files"), ("engine", ENGINE_VERSION)])
    return DONE if expected == found else ALTERED


def closings_of(manifest: Mapping[str, Any], config: Config) -> list[int]:
    """How many months the books of a manifest had each time that they were closed. Raises: Refused: it cannot be."""
    found = manifest.get("closings", [config.period.months])
    closings = (
        [months for months in found if type(months) is int and months > 0] if isinstance(found, list) else []
    )
    if closings != found or closings != sorted(set(closings)) or closings[-1:] != [config.period.months]:
        raise Refused("the manifest's closings are not ascending months that end with those of the config")
    return closings


def read_manifest(dataset: Path) -> Mapping[str, Any]:
    path = dataset / "manifest.json"
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Refused(f"{dataset} is not a dataset: it has no manifest.json") from error
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path} is not JSON") from error
    if not isinstance(content, dict):
        raise Refused(f"{path} is not a manifest")
    return content


def _digests(root: Path) -> dict[str, str]:
    """SHA-256 of every data file and of the data dictionary, by path inside the dataset."""
    paths = [path for folder in _DATA_FOLDERS for path in (root / folder).rglob("*") if path.is_file()]
    if (root / _SCHEMA).is_file():
        paths.append(root / _SCHEMA)
    digests = {}
    for path in paths:
        with path.open("rb") as file:
            digests[path.relative_to(root).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def _difference(expected: str | None, found: str | None) -> str | None:
    if expected == found:
        return None
    if found is None:
        return "it is missing"
    return "it is not made by this config" if expected is None else "its bytes differ"
