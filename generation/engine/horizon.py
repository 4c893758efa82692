"""The days of the books as integers: day 0 is the first day of the period. Calendars, months and fiscal periods by day.

A month of the books is an accounting period: a calendar month, or four or five whole weeks (fiscal.py). What the world outside
dates by calendar months, as wages, tax and bank interest are, goes by the civil months.

The calendar reaches behind the end of the books: documents are worked out to their last payment and cut off when they are
written, so that nothing before the end depends on where the end lies.
"""

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from generation.engine.fiscal import FiscalCalendar

ROOM = 18  # months of the calendar behind the last slice: for due dates, lags and payments
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Slice:
    """A stretch of whole months that is always drawn in full, from streams of its own."""

    index: int
    first_month: int
    end_month: int
    first: int  # day
    end: int  # day behind the last one

    @property
    def months(self) -> int:
        return self.end_month - self.first_month

    @property
    def days(self) -> int:
        return self.end - self.first

    def holds(self, day: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these days lie in the slice, shape of `day`."""
        return (day >= self.first) & (day < self.end)


@dataclass(frozen=True)
class Horizon:
    """Books of whole months and the working days of one company.

    opening: the month of the first period; months: periods, 1 to 120; holidays: days off besides weekends, over the calendar.
    Arrays cover the calendar, which is longer than the books.
    """

    opening: date  # the first of a month
    months: int
    fiscal: FiscalCalendar
    holidays: tuple[date, ...] = ()

    @property
    def start(self) -> date:
        """The first day of the books."""
        return self.month_starts[0]

    @cached_property
    def calendar_months(self) -> int:
        """Months of the calendar: whole years of slices, the one after them, and room for their payments."""
        return (-(-self.months // 12) + 1) * 12 + ROOM

    @cached_property
    def month_starts(self) -> list[date]:
        """First days of the months of the calendar, one more than there are months."""
        return [self.fiscal.first_day(month) for month in self.named_after]

    @cached_property
    def named_after(self) -> list[date]:
        """First days of the calendar months that the months of the books belong to, one more than there are months."""
        return [month_after(self.opening, month) for month in range(self.calendar_months + 1)]

    @property
    def end(self) -> date:
        """The day after the last one of the books."""
        return self.month_starts[self.months]

    @cached_property
    def days(self) -> int:
        """Days of the books."""
        return (self.end - self.start).days

    @cached_property
    def reach(self) -> int:
        """Days of the calendar."""
        return (self.month_starts[-1] - self.start).days

    @cached_property
    def epoch(self) -> int:
        """Days from 1970-01-01 to day 0."""
        return self.start.toordinal() - _EPOCH

    @cached_property
    def month_first(self) -> NDArray[np.int64]:
        """First day of each month, shape (calendar months,)."""
        return np.array([(first - self.start).days for first in self.month_starts[:-1]], np.int64)

    @cached_property
    def month_end(self) -> NDArray[np.int64]:
        """Last day of each month, shape (calendar months,)."""
        return np.array([(first - self.start).days - 1 for first in self.month_starts[1:]], np.int64)

    @cached_property
    def month(self) -> NDArray[np.int16]:
        """Month index of each day, shape (reach,)."""
        return np.repeat(
            np.arange(self.calendar_months, dtype=np.int16), np.diff(self.month_first, append=self.reach)
        )

    @cached_property
    def fiscal_year(self) -> NDArray[np.int16]:
        """Fiscal year of each month: the calendar year in which that fiscal year ends; shape (calendar months,)."""
        return np.array([self.fiscal.year(month) for month in self.named_after[:-1]], np.int16)

    @cached_property
    def fiscal_period(self) -> NDArray[np.int8]:
        """Fiscal period 1 to 12 of each month, shape (calendar months,)."""
        return np.array([self.fiscal.period(month) for month in self.named_after[:-1]], np.int8)

    @cached_property
    def civil_month_end(self) -> NDArray[np.int64]:
        """Last day of each calendar month that ends within the calendar, shape (civil months,)."""
        months = (month_after(self.start, month) for month in range(self.calendar_months + 2))
        ends = [
            (first.replace(day=monthrange(first.year, first.month)[1]) - self.start).days for first in months
        ]
        return np.array([end for end in ends if end < self.reach], np.int64)

    @cached_property
    def civil_month_first(self) -> NDArray[np.int64]:
        """First day of each of these months, the first of which may have begun before the books; shape (civil months,)."""
        return np.append(1 - self.start.day, self.civil_month_end[:-1] + 1)

    @cached_property
    def settling_day(self) -> NDArray[np.int64]:
        """The last working day of each of these months: bank and tax office settle on it; shape (civil months,)."""
        return self.last_workday[self.civil_month_end]

    @cached_property
    def weekday(self) -> NDArray[np.int8]:
        """Monday 0 to Sunday 6, shape (reach,)."""
        return ((np.arange(self.reach) + self.start.weekday()) % 7).astype(np.int8)

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
        """For each day the first working day on or after it, shape (reach,)."""
        count = len(self.is_workday)
        upcoming = np.where(self.is_workday, np.arange(count), count)
        return np.minimum(np.minimum.accumulate(upcoming[::-1])[::-1], count - 1)

    @cached_property
    def last_workday(self) -> NDArray[np.int64]:
        """For each day the last working day on or before it; before the first one, day 0. Shape (reach,)."""
        passed = np.where(self.is_workday, np.arange(len(self.is_workday)), 0)
        return np.maximum.accumulate(passed)

    def date_of(self, day: int) -> date:
        return date.fromordinal(self.start.toordinal() + day)

    def slice(self, index: int, months: int) -> Slice:
        """The slice of `months` months with that number."""
        first, end = index * months, (index + 1) * months
        return Slice(index, first, end, int(self.month_first[first]), int(self.month_first[end]))

    def slices_until(self, day: int, months: int) -> int:
        """How many slices of `months` months begin before a day."""
        return int(np.searchsorted(self.month_first[::months], day))


def month_after(start: date, months: int) -> date:
    """The first day of the month that many months after the month of `start`."""
    serial = start.year * 12 + start.month - 1 + months
    return date(serial // 12, serial % 12 + 1, 1)


def holidays_between(pack_holidays: Iterable[Iterable[date]]) -> tuple[date, ...]:
    """Flatten the holidays of several years into one sorted tuple."""
    return tuple(sorted({day for year in pack_holidays for day in year}))
