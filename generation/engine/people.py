"""The people of a company as arrays: salaries, ranks, managers, and who may enter and approve documents."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generation.engine.portable import exp

Ints = NDArray[np.int64]
POSITIONS = ("executive", "director", "manager", "senior", "staff")
DEPARTMENTS = (
    "Finance",
    "Sales",
    "Procurement",
    "Operations",
    "Logistics",
    "Human Resources",
    "IT",
    "Marketing",
)
_POSITION_SHARES = np.array([0.02, 0.03, 0.10, 0.25, 0.60])
_PAY = np.array([3.6, 2.2, 1.6, 1.2, 0.85])  # relative pay by position
_DEPARTMENT_SHARES = np.array([0.10, 0.18, 0.08, 0.34, 0.14, 0.04, 0.07, 0.05])
NO_LIMIT = 10**12  # major units: the top rank's approval limit
_CLERKS = 60  # people who enter documents, at most


@dataclass(frozen=True)
class People:
    """Employees in order of rank; arrays of shape (employees,). Money in minor units."""

    position: Ints  # index into POSITIONS
    department: Ints  # index into DEPARTMENTS
    manager: Ints  # index of the manager, -1 at the top
    salary: Ints  # gross, a month
    cost_center: Ints
    limit: Ints  # approval limit
    thresholds: Ints  # ascending, shape (levels,)

    def __len__(self) -> int:
        return len(self.position)

    @cached_property
    def _is_office(self) -> NDArray[np.bool_]:
        """Who works in finance or procurement."""
        return np.isin(self.department, (DEPARTMENTS.index("Finance"), DEPARTMENTS.index("Procurement")))

    @cached_property
    def clerks(self) -> Ints:
        """Employees who enter documents: the lowest ranks of finance and procurement, or simply the lowest ranks."""
        low = np.flatnonzero(self._is_office & (self.position >= POSITIONS.index("senior")))
        return low[-_CLERKS:] if len(low) else np.array([len(self) - 1])

    @cached_property
    def approvers(self) -> tuple[Ints, ...]:
        """For each approval level the people of finance and procurement, and executives, whose limit covers it.

        Nobody approves who enters documents.
        """
        tops = np.append(self.thresholds[1:], self.limit.max())
        others = np.setdiff1d(np.arange(len(self)), self.clerks)
        entitled = self._is_office[others] | (self.position[others] == POSITIONS.index("executive"))
        return tuple(others[(self.limit[others] >= top) & entitled] for top in tops)


def hire(
    rng: np.random.Generator,
    count: int,
    payroll: int,
    cost_centers: int,
    thresholds: tuple[int, ...],
    factor: int,
) -> People:
    """Return `count` people whose salaries add up to `payroll` a year (minor units), as far as rounding allows."""
    ends = np.maximum(np.rint(np.cumsum(_POSITION_SHARES) * count), [1, 1, 1, 1, count])
    position = np.searchsorted(ends, np.arange(count), side="right").astype(np.int64)
    department = np.searchsorted(np.cumsum(_DEPARTMENT_SHARES), rng.random(count)).clip(
        0, len(DEPARTMENTS) - 1
    )
    raw = _PAY[position] * exp(rng.normal(0.0, 0.15, count))
    salary = np.rint(raw / raw.sum() * (payroll / 12)).astype(np.int64)
    limits = np.array([*thresholds, NO_LIMIT * factor], np.int64)
    level = np.array([len(thresholds), min(3, len(thresholds)), min(2, len(thresholds)), 1, 0])
    limit = np.where(position == POSITIONS.index("staff"), 0, limits[level[position]])
    above = np.where(position > 0, ends[np.maximum(position - 1, 0)], np.minimum(np.arange(count), 1)).astype(
        np.int64
    )
    room = (cost_centers - 1 - department) // len(
        DEPARTMENTS
    ) + 1  # cost centres of a department: every eighth
    return People(
        position=position,
        department=department.astype(np.int64),
        manager=_managers(rng.random(count), department, above),
        salary=salary,
        cost_center=department + len(DEPARTMENTS) * (rng.random(count) * room).astype(np.int64),
        limit=limit,
        thresholds=np.array(thresholds, np.int64),
    )


def _managers(pick: NDArray[np.float64], department: Ints, above: Ints) -> Ints:
    """Manager of each employee: somebody of higher rank in the same department, else an executive; -1 for the first.

    pick: uniforms; above: how many employees rank higher, so that those are the first ones; all of shape (employees,).
    """
    executives = max(int((above <= 1).sum()), 1)
    manager = (pick * np.minimum(above, executives)).astype(np.int64)
    for number in range(len(DEPARTMENTS)):
        members = np.flatnonzero(department == number)
        candidates = np.searchsorted(members, above[members])
        chosen = members[(pick[members] * candidates).astype(np.intp)] if len(members) else members
        manager[members] = np.where(candidates > 0, chosen, manager[members])
    manager[0] = -1
    return manager
