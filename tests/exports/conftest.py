"""Books of three companies over two fiscal years, made once, and the exports made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from generation.engine.config.model import Config
from generation.engine.exports.make import export_units, files_for, make_export
from generation.engine.run import file_companies
from generation.engine.writers import FileEntry
from tests.engine_builders import COMPANY, make_books, small_config

FRENCH = {
    **COMPANY,
    "code": "FR01",
    "name": "Atelier Exemple SARL",
    "country": "FR",
    "framework": "pcg",
    "parent": "1000",
}
AMERICAN = {
    **COMPANY, "code": "US01", "name": "Example & Sons <Stores> Inc", "country": "US", "currency": "USD",
    "framework": "us_gaap", "industry": "retail",
}  # fmt: skip


@dataclass(frozen=True)
class Books:
    config: Config
    root: Path
    files: tuple[FileEntry, ...]

    def table(self, name: str) -> str:
        """The Parquet files of a table, for SQL."""
        return f"read_parquet('{self.root}/tables/{name}/*.parquet')"

    def rows(self, name: str) -> list[dict[str, Any]]:
        """All rows of a table."""
        found: list[dict[str, Any]] = pq.read_table(
            self.root / "tables" / name, partitioning=None
        ).to_pylist()
        return found


Exported = Callable[[str], Path]


@pytest.fixture(scope="session")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    """Eighteen months from July 2024: one fiscal year that is half in the books, one that is whole."""
    config = small_config(
        period={"start": "2024-07-01", "months": 18},
        companies=[COMPANY, FRENCH, AMERICAN],
        volume={"journal_lines_per_year": 18_000},
        processes={
            "order_to_cash": {"foreign_currency_share": 0.6, "advance_share": 0.3},
            "procure_to_pay": {"foreign_currency_share": 0.6},
            "tax": {"foreign_share": 0.3},
            "treasury": {"cash_pool": "daily"},
        },
        outputs={"exports": []},
    )
    root = tmp_path_factory.mktemp("books")
    return Books(config, root, make_books(config, root))


@pytest.fixture(scope="session")
def exported(books: Books, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The folder of an export of these books; made once for each format."""
    made: dict[str, Path] = {}

    def make(export: str) -> Path:
        if export not in made:
            made[export] = export_into(books, export, tmp_path_factory.mktemp(export))
        return made[export]

    return make


def export_into(books: Books, export: str, root: Path) -> Path:
    """Write an export below `root`; its folder."""
    outputs = books.config.outputs.model_copy(update={"exports": (export,)})
    config = books.config.model_copy(update={"outputs": outputs})
    owners = file_companies(config, [config.period.months])
    for unit in export_units(config):
        make_export(config, unit, files_for(unit, books.files, owners), books.root, root)
    return root / "exports" / export
