"""Small books made by the engine in a folder, for tests."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from compliance.evidence.marks import PublicMark
from generation.engine.config.load import load_config
from generation.engine.config.model import Config
from generation.engine.dataset import data_dictionary
from generation.engine.plan.build import build_plan
from generation.engine.run import WHOLE, Extends, FileEntry, close_books, produce_shard

COMPANY: dict[str, Any] = {
    "code": "1000",
    "name": "Klein GmbH",
    "country": "DE",
    "currency": "EUR",
    "industry": "manufacturing",
    "annual_revenue": 3_000_000,
    "employees": 25,
    "framework": "hgb",
    "chart": {"size": "small"},
}
SMALL: dict[str, Any] = {
    "version": 1,
    "name": "small",
    "seed": 7,
    "period": {"start": "2025-01-01", "months": 3},
    "group": {"name": "Klein", "currency": "EUR"},
    "companies": [COMPANY],
    "volume": {"journal_lines_per_year": 12_000},
}


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of `base` with nested changes."""
    result = dict(base)
    for key, value in changes.items():
        nested = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if nested else value
    return result


def small_config(**changes: Any) -> Config:
    return load_config(json.dumps(merged(SMALL, changes)))


def make_books(config: Config, root: Path, extends: Extends = WHOLE) -> tuple[FileEntry, ...]:
    """Write all tables and schema.json below `root`, or the months that are not closed yet; returns the table files."""
    mark, shards = PublicMark(), build_plan(config).shards
    outputs = [produce_shard(config, spec.ordinal, root, mark=mark, extends=extends) for spec in shards]
    summaries = [output.summary for output in outputs]
    close = close_books(config, root, summaries, mark=mark, extends=extends)
    (root / "schema.json").write_text(json.dumps(data_dictionary(config)))
    return tuple(entry for output in outputs for entry in output.files) + close.files


def checksum(files: tuple[FileEntry, ...]) -> str:
    """One digest for all files: equal digests, equal datasets."""
    lines = sorted(f"{entry.path} {entry.sha256}" for entry in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def tables_of(root: Path) -> duckdb.DuckDBPyConnection:
    """All tables below `root` as views of a fresh connection."""
    connection = duckdb.connect()
    for folder in (root / "tables").iterdir():
        connection.execute(f"create view {folder.name} as select * from read_parquet('{folder}/*.parquet')")
    return connection
