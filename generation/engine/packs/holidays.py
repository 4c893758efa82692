"""Holidays of a year from rules: fixed dates, days from Easter, and n-th weekdays of a month."""

from calendar import isleap
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

_SATURDAY, _SUNDAY = 6, 7


class HolidayRule(BaseModel):
    """One rule: `month` + `day`, or `easter` (days from Easter Sunday), or `month` + `weekday` + `nth`, or `dates`.

    weekday: 1 Monday to 7 Sunday; nth: 1 to 4, or -1 for the last; with `day`: the last such weekday before or on it.
    feast: name of a list of dates in the pack, moved by `offset` days. observed: what happens on a weekend.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    month: int | None = None
    day: int | None = None
    easter: int | None = None
    weekday: int | None = None
    nth: int = 1
    feast: str | None = None
    offset: int = 0
    dates: tuple[date, ...] = ()
    observed: Literal["same_day", "nearest_weekday", "next_weekday", "after_sunday"] = "same_day"
    from_year: int = 1
    until_year: int = 9999
    only_years: tuple[int, ...] = ()
    except_years: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if (self.month is not None) + (self.easter is not None) + (self.feast is not None) + bool(
            self.dates
        ) != 1:
            raise ValueError("give one of month, easter, feast or dates")
        if self.month is not None:
            if self.day is None and self.weekday is None:
                raise ValueError("month: stands with a day or a weekday")
            try:
                date(2024, self.month, self.day or 1)
            except ValueError as error:
                raise ValueError(f"day: there is no day {self.day} of month {self.month}") from error
            if self.weekday is not None and not 1 <= self.weekday <= 7:
                raise ValueError(f"weekday: must be 1 (Monday) to 7, got {self.weekday}")
        if self.nth not in (-1, 1, 2, 3, 4):
            raise ValueError(f"nth: must be 1 to 4, or -1 for the last, got {self.nth}")
        return self

    def applies_to(self, year: int) -> bool:
        if not self.from_year <= year <= self.until_year or year in self.except_years:
            return False
        return not self.only_years or year in self.only_years

    def days_in(self, year: int) -> list[date]:
        """The days themselves, before they move away from a weekend; a feast may fall twice in a year, or never."""
        if self.easter is not None:
            return [easter_sunday(year) + timedelta(days=self.easter)]
        if self.month is None:
            return [day for day in self.dates if day.year == year]
        if self.weekday is None:
            day_of_month = self.day or 1
            is_leap_day = (self.month, day_of_month) == (2, 29)
            return [] if is_leap_day and not isleap(year) else [date(year, self.month, day_of_month)]
        if self.day is not None:
            last = date(year, self.month, self.day)
            return [last - timedelta(days=(last.isoweekday() - self.weekday) % 7)]
        return [_nth_weekday(year, self.month, self.weekday, self.nth)]


def holidays(rules: Sequence[HolidayRule], year: int) -> list[date]:
    """Days off of a year in order; a day moved in from a neighbouring year counts here."""
    days = {day for near in (year - 1, year, year + 1) for day in _observed(rules, near)}
    return sorted(day for day in days if day.year == year)


def easter_sunday(year: int) -> date:
    """Easter Sunday of the Gregorian calendar.

    Source: the “anonymous Gregorian” computus (Meeus/Jones/Butcher).
    """
    golden, century, rest = year % 19, year // 100, year % 100
    leap_centuries, odd_centuries = divmod(century, 4)
    moon = (19 * golden + century - leap_centuries - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * odd_centuries + 2 * (rest // 4) - moon - rest % 4) % 7
    correction = (golden + 11 * moon + 22 * weekday) // 451
    month, day = divmod(moon + weekday - 7 * correction + 114, 31)
    return date(year, month, day + 1)


def _observed(rules: Iterable[HolidayRule], year: int) -> set[date]:
    chosen = [(day, rule.observed) for rule in rules if rule.applies_to(year) for day in rule.days_in(year)]
    taken = {day for day, _ in chosen}
    result: set[date] = set()
    for day, observed in sorted(chosen):
        if observed == "nearest_weekday" and day.isoweekday() in (_SATURDAY, _SUNDAY):
            day += timedelta(days=-1 if day.isoweekday() == _SATURDAY else 1)
        elif observed == "next_weekday" and day.isoweekday() in (_SATURDAY, _SUNDAY):
            while day.isoweekday() in (_SATURDAY, _SUNDAY) or day in taken or day in result:
                day += timedelta(days=1)
        elif observed == "after_sunday" and day.isoweekday() == _SUNDAY:
            while day in taken or day in result or day.isoweekday() == _SUNDAY:
                day += timedelta(days=1)
        result.add(day)
    return result


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    if nth < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.isoweekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (nth - 1))
