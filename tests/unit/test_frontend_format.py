"""Numbers, sizes, durations and ages read as the style says."""

from datetime import UTC, datetime, timedelta

import pytest

from frontend import format as texts

NOW = datetime(2026, 11, 23, 12, 13, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "—"), (0, "0"), (1284906, "1\u202f284\u202f906"), (-1200, "\u22121\u202f200")],
)
def test_numbers_have_thin_groups_and_a_true_minus(value: float | None, text: str) -> None:
    assert texts.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (950, "950"),
        (9_999, "9\u202f999"),
        (400_000, "400 k"),
        (5_012_000, "5.0 M"),
        (3.2e9, "3.2 G"),
    ],
)
def test_compact_numbers_keep_two_or_three_digits(value: float | None, text: str) -> None:
    assert texts.compact(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "—"),
        (0, "0 B"),
        (640, "640 B"),
        (9_120, "9.1 kB"),
        (418_000_000, "418 MB"),
        (2.5e15, "2500 TB"),
    ],
)
def test_sizes_use_decimal_units(value: float | None, text: str) -> None:
    assert texts.size(value) == text


@pytest.mark.parametrize(
    ("seconds", "clock", "words"),
    [
        (4.25, "0:04", "4.2 s"),
        (59.6, "1:00", "1 min 0 s"),
        (252, "4:12", "4 min 12 s"),
        (3700, "1:01:40", "1 h 1 min"),
    ],
)
def test_durations_as_clock_and_in_words(seconds: float, clock: str, words: str) -> None:
    assert texts.clock(seconds) == clock
    assert texts.duration(seconds) == words


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=18), "18 min ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(days=1), "22 Nov 2026, 12:13"),
    ],
)
def test_ages_become_dates_after_a_day(ago: timedelta, text: str) -> None:
    assert texts.age(NOW - ago, NOW) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0112, "0.0112"), (98.1234, "98.1"), (100.0, "100"), (-0.5, "\u22120.5"), (12345.6, "12\u202f346")],
)
def test_measured_values_have_three_significant_digits(value: float, text: str) -> None:
    assert texts.significant(value) == text


@pytest.mark.parametrize(
    ("name", "letters"),
    [("admin@acme.example", "AD"), ("jo.van-dyk@acme.example", "JD"), ("api-key:x1", "AK"), ("", "?")],
)
def test_initials_come_from_names_and_addresses(name: str, letters: str) -> None:
    assert texts.initials(name) == letters
