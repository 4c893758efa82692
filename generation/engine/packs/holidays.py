"""Holidays of a year from rules: fixed dates, days from Easter, and n-th weekdays of a month."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

_SATURDAY, _SUNDAY = 6, 7


class HolidayRule(BaseModel):
    """One rule: `month` + `day`, or `easter` (days from Easter Sunday), or `month` + `weekday` + `nth`.

    weekday: 1 Monday to 7 Sunday; nth: 1 to 5, or -1 for the last. observed: what happens on a weekend.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    month: int | None = None
    day: int | None = None
    easter: int | None = None
    weekday: int | None = None
    nth: int = 1
    observed: Literal["same_day", "nearest_weekday", "next_weekday"] = "same_day"
    from_year: int = 1
    only_years: tuple[int, ...] = ()
    except_years: tuple[int, ...] = ()

    def applies_to(self, year: int) -> bool:
        if year < self.from_year or year in self.except_years:
            return False
        return not self.only_years or year in self.only_years

    def date_in(self, year: int) -> date:
        """The day itself, before it moves away from a weekend."""
        if self.easter is not None:
            return easter_sunday(year) + timedelta(days=self.easter)
        if self.month is None:
            raise ValueError(f"the holiday rule “{self.name}” has neither a month nor a distance from Easter")
        if self.weekday is not None:
            return _nth_weekday(year, self.month, self.weekday, self.nth)
        return date(year, self.month, self.day or 1)


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
    chosen = [(rule.date_in(year), rule.observed) for rule in rules if rule.applies_to(year)]
    taken = {day for day, _ in chosen}
    result: set[date] = set()
    for day, observed in sorted(chosen):
        if observed == "nearest_weekday" and day.isoweekday() in (_SATURDAY, _SUNDAY):
            day += timedelta(days=-1 if day.isoweekday() == _SATURDAY else 1)
        elif observed == "next_weekday" and day.isoweekday() in (_SATURDAY, _SUNDAY):
            while day.isoweekday() in (_SATURDAY, _SUNDAY) or day in taken or day in result:
                day += timedelta(days=1)
        result.add(day)
    return result


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    if nth < 0:
        last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
        return last - timedelta(days=(last.isoweekday() - weekday) % 7)
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (nth - 1))
