"""Moving averages of a block of materials: an example by hand, and any events against a ledger kept one movement at a time."""

from collections.abc import Sequence

import numpy as np
import pytest

from generation.engine.averages import BILLED, FINE, MOVED, RECEIVED, Events, Ledger, in_stock

DAYS, SCALE = 60, FINE // 100  # two months of thirty days, two decimals
MONTHS = np.repeat([0, 1], 30)
Event = tuple[int, int, int, int, int]  # row, day, kind, pieces, amount


def events(rows: Sequence[Event]) -> Events:
    return Events(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))


def test_an_average_is_renewed_by_receipts_and_differences_and_nothing_is_left_of_an_empty_stock() -> None:
    ledger = Ledger(0, DAYS, SCALE, MONTHS, np.array([100]))
    ledger.open(np.array([10]))  # 10 pieces at 1.00
    ledger.pass_days(
        events(
            [
                (0, 3, RECEIVED, 5, 655),  # 16.55 / 15 = 1.103333
                (0, 3, MOVED, -4, 0),  # 4.413332 are 4.41: 11 pieces for 12.14
                (0, 5, BILLED, 5, 10),  # all five are there: 12.24 / 11 = 1.112727
                (0, 6, MOVED, -6, 0),  # 6.676362 are 6.67
                (0, 6, MOVED, -5, 0),  # 5.563635 are 5.56, and 0.01 is left
            ]
        )
    )
    known = ledger.averages()

    assert known.key.tolist() == [0, 3, 5]
    assert known.pieces.tolist() == [10, 15, 11]
    assert known.value.tolist() == [1000, 1655, 1224]
    assert known.cost.tolist() == [1_000_000, 1_103_333, 1_112_727]
    assert (known.left_row.tolist(), known.left_day.tolist(), known.left.tolist()) == ([0], [6], [1])
    assert known.levels.tolist() == [[0, 0]]


def test_a_difference_goes_into_stock_for_the_pieces_that_are_still_there() -> None:
    part = in_stock(np.array([100, -100, 7]), np.array([8, 8, 3]), np.array([2, 9, 2]))

    assert part.tolist() == [25, -100, 4]  # two of eight pieces; all of them; 7 × 2 / 3, towards zero


def test_a_difference_that_would_leave_pieces_for_nothing_stays_out_of_stock() -> None:
    ledger = Ledger(0, DAYS, SCALE, MONTHS, np.array([2]))
    ledger.open(np.array([10]))  # 0.20
    ledger.pass_days(events([(0, 4, BILLED, 10, -11), (0, 9, BILLED, 10, -10)]))
    known = ledger.averages()

    assert known.takes.tolist() == [False, False, True]
    assert known.value.tolist() == [20, 20, 10]  # one hundredth a piece is the least


@pytest.mark.parametrize("seed", range(8))
def test_any_events_give_what_a_ledger_of_single_movements_gives(seed: int) -> None:
    rng, rows = np.random.default_rng(seed), 7
    opening, cost = rng.integers(0, 30, rows), rng.integers(1, 400, rows)
    planned = [
        event for row in range(rows) for event in _days_of(rng, row, int(opening[row]), int(cost[row]))
    ]
    rng.shuffle(planned)
    ledger = Ledger(3, DAYS, SCALE, MONTHS, cost)
    ledger.open(opening)
    for first, end in ((0, 17), (17, 18), (18, 44), (44, DAYS)):  # however time is cut
        if due := [event for event in planned if first <= event[1] < end]:
            ledger.pass_days(events(due))
    known = ledger.averages()

    found = zip(
        *(column.tolist() for column in (known.key, known.pieces, known.value, known.cost)), strict=True
    )
    averages, left, levels = _one_by_one(planned, opening, cost)
    assert list(found) == averages
    assert (
        sorted(zip(known.left_row.tolist(), known.left_day.tolist(), known.left.tolist(), strict=True))
        == left
    )
    assert known.levels.tolist() == levels


def _days_of(rng: np.random.Generator, row: int, pieces: int, cost: int) -> list[Event]:
    """Random events of a material that never take more than there was at the day's beginning."""
    made: list[Event] = []
    for day in range(1, DAYS):
        there = pieces
        if rng.random() < 0.15:
            n = int(rng.integers(1, 40))
            made.append((row, day, RECEIVED, n, n * int(rng.integers(max(1, cost // 2), cost * 2 + 1))))
            pieces += n
        if rng.random() < 0.1:
            made.append((row, day, BILLED, int(rng.integers(1, 40)), int(rng.integers(-500, 501)) or 1))
        for _ in range(int(rng.integers(0, 3))):
            n = there if rng.random() < 0.3 else int(rng.integers(0, there + 1))
            if n:
                made.append((row, day, MOVED, -n, 0))
                there, pieces = there - n, pieces - n
        if rng.random() < 0.1:
            n = int(rng.integers(1, 9))
            made.append((row, day, MOVED, n, 0))
            pieces += n
    return made


Rows = list[tuple[int, ...]]


def _one_by_one(
    planned: list[Event], opening: np.ndarray, cost: np.ndarray
) -> tuple[Rows, Rows, list[list[int]]]:
    """Averages, rests and month-end values, by the words of docs/books.md."""
    averages: Rows = []
    left: Rows = []
    levels: list[list[int]] = []
    for row in range(len(opening)):
        pieces, price = int(opening[row]), int(cost[row]) * SCALE
        value, ends = pieces * int(cost[row]), []
        averages.append(((row + 3) * DAYS, pieces, value, price))
        for day in range(DAYS):
            of_day = [event for event in planned if event[0] == row and event[1] == day]
            received = [event for event in of_day if event[2] == RECEIVED]
            billed = [event for event in of_day if event[2] == BILLED]
            moves = [event for event in of_day if event[2] == MOVED]
            pieces, value = pieces + sum(e[3] for e in received), value + sum(e[4] for e in received)
            sign = [1 if e[4] > 0 else -1 for e in billed]
            taken = sum(
                s * (abs(e[4]) * min(e[3], pieces) // e[3]) for s, e in zip(sign, billed, strict=True)
            )
            value += taken if value + taken >= pieces else 0
            if received or billed:
                price = value * SCALE // pieces if pieces else price
                averages.append(((row + 3) * DAYS + day, pieces, value, price))
            for event in moves:
                pieces, value = pieces + event[3], value - (-event[3] * price // SCALE)
            if value and not pieces:
                left.append((row, day, value))
                value = 0
            if day in (29, 59):
                ends.append(value)
        levels.append(ends)
    return averages, sorted(left), levels
