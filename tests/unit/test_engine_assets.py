"""The register of fixed assets: as many as a company of that size has, at usual prices, bought more in one year than in another."""

from typing import Any

import numpy as np
import pytest

from generation.engine.assets import CLASSES, LOW_VALUE, Assets
from generation.engine.plan.build import build_plan
from generation.engine.plan.company import CompanyPlan
from tests.engine_builders import COMPANY, small_config


def planned(lines: int, months: int = 12, **changes: Any) -> CompanyPlan:
    config = small_config(
        companies=[{**COMPANY, **changes}],
        volume={"journal_lines_per_year": lines},
        period={"months": months},
    )
    return build_plan(config).companies[0]


def bought_by_year(assets: Assets) -> list[int]:
    """What the assets bought in each year of the books cost, but for low-value ones, in minor units."""
    counts = (assets.bought >= 0) & (assets.kind != LOW_VALUE)
    year = assets.bought_month[counts] // 12
    return [int(assets.cost[counts][year == one].sum()) for one in range(int(year.max()) + 1)]


# 48 M at 35 % are 16.8 M, 513 assets of 32,727 (36,000 dollars at 1.10); 260 people have 520; the geometric mean is 517.
@pytest.mark.parametrize(("lines", "count"), [(1_000_000, 517), (250_000, 500), (40_000, 80), (10_000, 20)])
def test_a_company_has_the_assets_of_its_people_as_far_as_journal_lines_reach(lines: int, count: int) -> None:
    plan = planned(lines, annual_revenue=48_000_000, employees=260)

    assert plan.volume.asset_count == count
    owned = plan.assets.bought < 0
    assert owned.sum() == count
    assert plan.assets.cost[owned].sum() == pytest.approx(16_800_000_00, rel=1e-6)


@pytest.mark.parametrize("lines", [10_000, 40_000, 250_000])
def test_no_vehicle_costs_what_a_machine_does(lines: int) -> None:
    assets = planned(lines, 60, annual_revenue=48_000_000, employees=260).assets

    # half of them at most 36,000, 8,000 and 6,000 dollars, the dearest e times as much; a euro is 1.10 dollars
    for name, dollars in (("vehicles", 36_000), ("it_equipment", 8_000), ("furniture", 6_000)):
        cost = assets.cost[assets.kind == CLASSES.index(name)]
        assert cost.max(initial=0) <= dollars * 100 / 1.10 * np.e + 1


def test_years_buy_more_and_less_around_what_is_written_off() -> None:
    """120 months, ten companies: the mean of a hundred years is a tenth of the cost and a fifth more."""
    sums = []
    for number in range(10):
        assets = planned(100_000, 120, code=f"10{number:02}").assets
        sums.append(bought_by_year(assets))
        assert len(set(sums[-1])) == 10
    shares = np.array(sums) / (3_000_000_00 * 0.35 * 0.10 * 1.2)

    assert shares.mean() == pytest.approx(1, abs=3 * 0.025)  # 0.25 over the root of a hundred
    assert np.log(shares).std() == pytest.approx(0.25, abs=0.055)


def test_longer_books_buy_the_same_in_their_first_years() -> None:
    short, longer = (bought_by_year(planned(40_000, months).assets) for months in (24, 60))

    assert longer[:2] == short
