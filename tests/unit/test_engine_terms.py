"""Payment terms follow from the days for which invoices are to stay open."""

import numpy as np
import pytest

from generation.engine.streams import stream
from generation.engine.terms import TERMS, Habits, spread_terms


def test_partners_who_pay_on_the_due_day_need_terms_as_long_as_the_target() -> None:
    punctual = Habits(lead=0, delay=0, early=0, rest=0, late_share=0, early_share=0, never_share=0)

    assert punctual.mean_terms(45) == 45


def test_terms_make_up_for_how_partners_pay() -> None:
    # Half pay 4 days before the due date, 30 % 20 days after it, 20 % after 5 days: with terms T they take
    # 0.5 (T - 4) + 0.3 (T + 20) + 0.2 x 5 = 0.8 T + 5 days, which is 45 for T = 50.
    habits = Habits(lead=4, delay=20, early=5, rest=0, late_share=0.3, early_share=0.2, never_share=0)

    assert habits.mean_terms(45) == pytest.approx(50)


@pytest.mark.parametrize("mean", [20, 35, 50, 70])
@pytest.mark.parametrize("partners", [30, 3_000])
def test_terms_meet_their_mean_with_few_partners_and_with_many(mean: int, partners: int) -> None:
    weight = np.power(np.arange(partners, dtype=np.float64) + 8, -0.8)
    share = weight / weight.sum()

    terms = spread_terms(mean, share, stream(1, "terms"))

    assert set(terms.tolist()) <= set(TERMS.tolist())
    assert float(terms @ share) == pytest.approx(mean, abs=2.5 if partners == 30 else 0.1)
