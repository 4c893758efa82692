"""Makes exports from the finished tables: lists the units of a config and makes one. Any order, any number of workers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

from generation.engine.config.exports import reached
from generation.engine.config.model import Config
from generation.engine.exports import camt053, fec, gobd, jsonl, saf_t, sap, sql, xbrl_gl, xlsx
from generation.engine.exports.files import ExportFolder
from generation.engine.exports.fiscal_years import FiscalYear, fiscal_years
from generation.engine.exports.source import Source
from generation.engine.exports.task import Task
from generation.engine.plan.build import build_plan
from generation.engine.plan.company import CompanyPlan
from generation.engine.schema.catalogue import TABLES
from generation.engine.writers import FileEntry


class Format(NamedTuple):
    """How one export is made: company by company or all in one, year by year or not. tables: those that it reads; None: all."""

    write: Callable[[Task], None]
    by_company: bool
    by_year: bool
    tables: frozenset[str] | None


FORMATS: Final[Mapping[str, Format]] = {
    "fec": Format(fec.write, by_company=True, by_year=True, tables=fec.TABLES),
    "gobd": Format(gobd.write, by_company=True, by_year=True, tables=gobd.TABLES),
    "saf_t": Format(saf_t.write, by_company=True, by_year=True, tables=saf_t.TABLES),
    "camt053": Format(camt053.write, by_company=True, by_year=False, tables=camt053.TABLES),
    "sap": Format(sap.write, by_company=True, by_year=False, tables=sap.TABLES),
    "xbrl_gl": Format(xbrl_gl.write, by_company=True, by_year=True, tables=xbrl_gl.TABLES),
    "sql": Format(sql.write, by_company=False, by_year=False, tables=None),
    "jsonl": Format(jsonl.write, by_company=False, by_year=False, tables=None),
    "xlsx": Format(xlsx.write, by_company=True, by_year=False, tables=None),
}


@dataclass(frozen=True, slots=True)
class ExportUnit:
    """One piece of work: a format for a company and a fiscal year, where the format wants them apart."""

    export: str
    company: CompanyPlan | None
    year: FiscalYear | None

    @property
    def label(self) -> str:
        company = f" {self.company.code}" if self.company else ""
        return f"{self.export}{company}" + (f" {self.year.number}" if self.year else "")


def export_units(config: Config) -> tuple[ExportUnit, ...]:
    """Everything that the config's exports come to, in the order of the config."""
    companies = build_plan(config).companies
    frames = [(plan.company.country, plan.company.framework) for plan in companies]
    units: list[ExportUnit] = []
    for export in config.outputs.exports:
        form = FORMATS[export]
        for plan in [companies[place] for place in reached(export, frames)] if form.by_company else [None]:
            years = fiscal_years(plan.horizon) if plan and form.by_year else (None,)
            units += [ExportUnit(export, plan, year) for year in years]
    return tuple(units)


def files_for(unit: ExportUnit, files: Iterable[FileEntry], companies: Sequence[str]) -> list[FileEntry]:
    """The table files that a unit reads. companies: the company of each numbered file, as `file_companies` gives them."""
    tables = FORMATS[unit.export].tables
    return [
        file
        for file in files
        if file.format == "parquet"
        and (tables is None or file.table in tables)
        and (unit.company is None or _is_of(unit.company.code, file, companies))
    ]


def _is_of(code: str, file: FileEntry, companies: Sequence[str]) -> bool:
    """Whether a file may hold rows of a company. Tables without a company, such as rates, are everybody's."""
    number = int(PurePosixPath(file.path).stem.removeprefix("part-"))
    has_company = any(column.name == "company_code" for column in TABLES[file.table].columns)
    return not has_company or companies[number] == code


def make_export(
    config: Config, unit: ExportUnit, files: Iterable[FileEntry], origin: Path, root: Path
) -> tuple[FileEntry, ...]:
    """Write exports/<name>/… below `root` from the unit's files, which lie below `origin`.

    The same tables give the same bytes.
    """
    by_table: dict[str, list[str]] = {}
    for file in sorted(files, key=lambda file: file.path):
        by_table.setdefault(file.table, []).append(file.path)
    folder = ExportFolder(root, unit.export)
    code = unit.company.code if unit.company else None
    with Source(origin, by_table, company=code, scale=build_plan(config).scale) as source:
        FORMATS[unit.export].write(Task(config, unit.company, unit.year, source, folder))
    return tuple(folder.entries)
