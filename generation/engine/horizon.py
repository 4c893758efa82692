"""The days of the books as integers: day 0 is the first day of the period. Calendars, months and fiscal periods by day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

ROOM = 460  # days behind the last one, for due dates, lags and payments that fall outside the books
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Horizon:
    """A period of whole months and the working days of one company.

    start: first day (the first of a month); months: 1 to 120; fiscal_start: month in which the fiscal year begins;
    holidays: days off besides weekends.
    """

    start: date
    months: int
    fiscal_start: int
    holidays: tuple[date, ...] = ()

    @cached_property
    def month_starts(self) -> list[date]:
        """First days of the months, one more than there are months."""
        serial = self.start.year * 12 + self.start.month - 1
        return [date((serial + m) // 12, (serial + m) % 12 + 1, 1) for m in range(self.months + 1)]

    @cached_property
    def days(self) -> int:
        return (self.month_starts[-1] - self.start).days

    @cached_property
    def epoch(self) -> int:
        """Days from 1970-01-01 to day 0."""
        return self.start.toordinal() - _EPOCH

    @cached_property
    def month_first(self) -> NDArray[np.int64]:
        """First day of each month, shape (months,)."""
        return np.array([(first - self.start).days for first in self.month_starts[:-1]], np.int64)

    @cached_property
    def month_end(self) -> NDArray[np.int64]:
        """Last day of each month, shape (months,)."""
        return np.array([(first - self.start).days - 1 for first in self.month_starts[1:]], np.int64)

    @cached_property
    def month(self) -> NDArray[np.int16]:
        """Month index of each day, shape (days,)."""
        return np.repeat(np.arange(self.months, dtype=np.int16), np.diff(self.month_first, append=self.days))

    @cached_property
    def fiscal_year(self) -> NDArray[np.int16]:
        """Fiscal year of each month: the calendar year in which that fiscal year ends; shape (months,)."""
        years = [
            first.year + (1 if self.fiscal_start > 1 and first.month >= self.fiscal_start else 0)
            for first in self.month_starts[:-1]
        ]
        return np.array(years, np.int16)

    @cached_property
    def fiscal_period(self) -> NDArray[np.int8]:
        """Fiscal period 1 to 12 of each month, shape (months,)."""
        return np.array(
            [(first.month - self.fiscal_start) % 12 + 1 for first in self.month_starts[:-1]], np.int8
        )

    @cached_property
    def weekday(self) -> NDArray[np.int8]:
        """Monday 0 to Sunday 6, for days 0 to days + ROOM."""
        return ((np.arange(self.days + ROOM) + self.start.weekday()) % 7).astype(np.int8)

    @cached_property
    def is_workday(self) -> NDArray[np.bool_]:
        off = self.weekday >= 5
        for holiday in self.holidays:
            offset = (holiday - self.start).days
            if 0 <= offset < len(off):
                off[offset] = True
        return ~off

    @cached_property
    def next_workday(self) -> NDArray[np.int64]:
        """For each day the first working day on or after it, shape (days + ROOM,)."""
        count = len(self.is_workday)
        upcoming = np.where(self.is_workday, np.arange(count), count)
        return np.minimum(np.minimum.accumulate(upcoming[::-1])[::-1], count - 1)

    @cached_property
    def last_workday(self) -> NDArray[np.int64]:
        """For each day the last working day on or before it; before the first one, day 0. Shape (days + ROOM,)."""
        passed = np.where(self.is_workday, np.arange(len(self.is_workday)), 0)
        return np.maximum.accumulate(passed)

    def date_of(self, day: int) -> date:
        return date.fromordinal(self.start.toordinal() + day)


def holidays_between(pack_holidays: Iterable[Iterable[date]]) -> tuple[date, ...]:
    """Flatten the holidays of several years into one sorted tuple."""
    return tuple(sorted({day for year in pack_holidays for day in year}))
