"""Credit notes are netted with payments. Expected by hand."""

import numpy as np

from generation.engine.settlement import Items, Payments, group, net_credits

DAYS = 400


def items(*rows: tuple[int, int, int, int]) -> Items:
    """Of (invoice, partner, day, amount)."""
    invoice, partner, day, amount = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    none = np.zeros(len(rows), np.int64)
    return Items(invoice, partner, day, amount, none, none)


def netted(payments: Payments) -> dict[int, int]:
    """The day on which each invoice or credit note is settled."""
    return dict(zip(payments.items.invoice.tolist(), payments.items.day.tolist(), strict=True))


def test_a_credit_note_waits_for_a_payment_that_is_larger() -> None:
    paid = group(items((0, 7, 10, 50), (1, 7, 20, 80), (2, 7, 30, 500), (3, 8, 12, 900)), DAYS)

    after = net_credits(paid, items((4, 7, 5, -100), (5, 7, 6, -60)), DAYS)

    # note 4 exceeds the payments of days 10 and 20, and note 5 stands in line behind it
    assert netted(after) == {0: 10, 1: 20, 2: 30, 3: 12, 4: 30, 5: 30}
    assert dict(zip(after.day.tolist(), after.amount.tolist(), strict=True)) == {
        10: 50,
        20: 80,
        30: 340,
        12: 900,
    }


def test_no_payment_becomes_nothing_and_what_fits_none_stays_open() -> None:
    paid = group(items((0, 7, 10, 100), (1, 7, 20, 30)), DAYS)

    after = net_credits(paid, items((2, 7, 5, -100), (3, 7, 15, -29), (4, 7, 25, -1), (5, 9, 1, -1)), DAYS)

    assert netted(after) == {0: 10, 1: 20, 3: 20}
    assert after.amount.tolist() == [100, 1]


def test_notes_of_one_day_share_a_payment_while_it_stays_positive() -> None:
    paid = group(items((0, 7, 10, 100), (1, 7, 20, 100)), DAYS)

    after = net_credits(paid, items((2, 7, 10, -60), (3, 7, 10, -30), (4, 7, 10, -20)), DAYS)

    assert netted(after) == {0: 10, 1: 20, 2: 10, 3: 10, 4: 20}
