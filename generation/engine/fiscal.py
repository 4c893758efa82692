"""Fiscal calendars: which days each accounting period has. A period is a calendar month, or four or five whole weeks.

Years of whole weeks end on the same weekday each year: the last one of a month, or the one nearest to the month's end.
Source: 26 CFR 1.441-2(a)(1), the 52-53-week taxable year. The National Retail Federation's 4-5-4 calendar is the Saturday nearest
to 31 January. A year has 53 weeks when 52 would end too early; its last period takes the extra one.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

Pattern = Literal["months", "4-4-5", "4-5-4", "5-4-4"]
YearEnd = Literal["nearest", "last"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS: Final = "months"


@dataclass(frozen=True)
class FiscalCalendar:
    """Twelve periods a year, each of which belongs to a month: the first one to `start_month`."""

    start_month: int = 1
    pattern: Pattern = "months"
    year_end: YearEnd = "nearest"
    weekday: Weekday = "saturday"

    @property
    def has_weeks(self) -> bool:
        return self.pattern != MONTHS

    @property
    def weeks(self) -> tuple[int, ...]:
        """Weeks of the periods of a year of 52; none for calendar months."""
        return tuple(int(weeks) for weeks in self.pattern.split("-")) * 4 if self.has_weeks else ()

    def year(self, month: date) -> int:
        """Fiscal year of the period of a month: the calendar year whose month ends it."""
        return month.year + (1 if self.start_month > 1 and month.month >= self.start_month else 0)

    def period(self, month: date) -> int:
        """Number of the period of a month, 1 to 12."""
        return (month.month - self.start_month) % 12 + 1

    def first_day(self, month: date) -> date:
        """First day of the period of a month; `month` is its first day."""
        if not self.has_weeks:
            return month
        before = sum(self.weeks[: self.period(month) - 1])
        return self._last_day(self.year(month) - 1) + timedelta(days=1 + 7 * before)

    def _last_day(self, year: int) -> date:
        """Last day of a fiscal year of whole weeks."""
        month = (self.start_month + 10) % 12 + 1
        month_end = date(year, month, monthrange(year, month)[1])
        latest = month_end + timedelta(days=3 if self.year_end == "nearest" else 0)
        return latest - timedelta(days=(latest.weekday() - WEEKDAYS.index(self.weekday)) % 7)
