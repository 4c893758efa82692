"""What an export is given: the company and the year it covers, the tables to read, the folder to write into."""

from dataclasses import dataclass

from generation.engine.config.model import Config
from generation.engine.exports.files import ExportFolder
from generation.engine.exports.fiscal_years import FiscalYear
from generation.engine.exports.source import Source
from generation.engine.plan.company import CompanyPlan


@dataclass(frozen=True)
class Task:
    """One unit of the exports, as make.py cuts them.

    `plan` is None for formats that take all companies, `year` for those that take the books as a whole.
    """

    config: Config
    plan: CompanyPlan | None
    year: FiscalYear | None
    source: Source
    folder: ExportFolder

    @property
    def company(self) -> CompanyPlan:
        """The company of a format that is made company by company."""
        assert self.plan is not None
        return self.plan

    @property
    def fiscal_year(self) -> FiscalYear:
        """The year of a format that is made year by year."""
        assert self.year is not None
        return self.year
