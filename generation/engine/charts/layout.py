"""Layouts of the statements by accounting framework: which caption each account belongs to, from layouts/<framework>.toml.

Schema of a layout file (unknown keys are refused): `positions` in the order of the statement, each with
  part      assets, equity_and_liabilities, income or cash_flow
  number    of the caption; “B.II.1” stands under “B.II” of the same part; “T” is the last total of a part
  caption   in the language of the framework
  english   the same in English, where that is another
  lines     statement lines whose accounts belong here (see kinds.py; lines of the cash flow in closing/statements.py)
  numbers   beginnings of account numbers of the national chart that belong here rather; the longest counts
  roles     roles whose accounts belong here rather than where their line does; of several roles that an account has, the first of
            kinds.ROLES counts
  total     the sum of all positions of the part before it that stand under no other; a heading is the sum of those under it
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from generation.engine.charts.chart import Account, Chart
from generation.engine.charts.kinds import ROLES
from generation.engine.errors import EngineError

PARTS: Final = ("assets", "equity_and_liabilities", "income", "cash_flow")
_PART_OF_CLASS: Final = {
    "asset": "assets",
    "liability": "equity_and_liabilities",
    "equity": "equity_and_liabilities",
    "revenue": "income",
    "expense": "income",
}
_IN_DEBIT: Final = ("income_tax_payable", "tax_settlement")  # roles
_DATA: Final = files("generation.engine.charts") / "layouts"


class Position(BaseModel):
    """One caption of a statement."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    part: Literal["assets", "equity_and_liabilities", "income", "cash_flow"]
    number: str
    caption: str
    english: str | None = None
    lines: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    total: bool = False


class _LayoutFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    positions: tuple[Position, ...]


class Layout:
    """The captions of a framework in order. `heading` holds for each the place of the caption above it, or -1; shape (positions,)."""

    def __init__(self, positions: Sequence[Position]) -> None:
        self.positions = tuple(positions)
        places = {(position.part, position.number): place for place, position in enumerate(positions)}
        self.heading: NDArray[np.int64] = np.array(
            [places.get((position.part, _above(position.number)), -1) for position in positions]
        )
        self._of_line = {line: place for place, p in enumerate(positions) for line in p.lines}
        self._of_number: dict[tuple[str, str], int] = {
            (p.part, number): place for place, p in enumerate(positions) for number in p.numbers
        }
        self._of_role: dict[tuple[str, str], int] = {
            (p.part, role): place for place, p in enumerate(positions) for role in p.roles
        }

    def of_line(self, line: str) -> int:
        """Place of the caption of a statement line. Raises: EngineError: no caption takes it."""
        if line not in self._of_line:
            raise EngineError(f"no caption of the layout takes the statement line {line}")
        return self._of_line[line]

    def of_accounts(self, chart: Chart) -> NDArray[np.int64]:
        """Place of the caption of each account, shape (accounts,): by its number, its role or its line, in this order."""
        roles = first_roles(chart)
        return np.array(
            [
                self._place(account, roles.get(index, ""), chart.is_own)
                for index, account in enumerate(chart.accounts)
            ]
        )

    def in_debit(self, chart: Chart) -> NDArray[np.int64]:
        """Place of the caption of each account while its balance is in debit, where that is another, else -1; shape (accounts,).

        Income tax that was paid in advance, and what the tax office owes after a return, are assets, though they stand on accounts of
        what is owed.
        """
        places = np.full(len(chart.accounts), -1, np.int64)
        places[[chart.roles[role] for role in _IN_DEBIT]] = self.of_line("BS.A.tax")
        return places

    def _place(self, account: Account, role: str, is_own: bool) -> int:
        part = _PART_OF_CLASS[account.class_]
        found = [
            number for one, number in self._of_number if one == part and account.number.startswith(number)
        ]
        if found and not is_own:
            return self._of_number[part, max(found, key=len)]
        return self._of_role.get((part, role), self.of_line(account.statement_line))

    def summed(self, amounts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Headings and totals filled in. amounts: of the captions that accounts belong to, (positions, months), others zero."""
        sums = amounts.copy()
        for place in range(len(sums) - 1, -1, -1):  # what stands under a heading comes after it
            if self.heading[place] >= 0:
                sums[self.heading[place]] += sums[place]
        for place, position in enumerate(self.positions):
            if position.total:
                sums[place] = sums[self.summands(place)].sum(axis=0)
        return sums

    def summands(self, total: int) -> list[int]:
        """Places whose sum a total is."""
        part = self.positions[total].part
        return [
            place
            for place, position in enumerate(self.positions[:total])
            if position.part == part and not position.total and self.heading[place] < 0
        ]


def _above(number: str) -> str:
    return number.rpartition(".")[0]


def first_roles(chart: Chart) -> Mapping[int, str]:
    """The first role of each account that has one, in the order of kinds.ROLES."""
    found: dict[int, str] = {}
    for role in ROLES:
        own = (chart.roles[role],) if role in chart.roles else ()
        for index in (*own, *chart.spread.get(role, ())):
            found.setdefault(index, role)
    return found


@cache
def layout_for(framework: str) -> Layout:
    """The layout of a framework. Raises: EngineError: there is none."""
    path = _DATA / f"{framework}.toml"
    if not framework.isidentifier() or not path.is_file():
        raise EngineError(f"no layout of statements for the framework {framework!r}")
    return Layout(_LayoutFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).positions)
