"""The table of what a piece of a material is worth from a day on."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from generation.engine.averages import FINE
from generation.engine.columns import category, money
from generation.engine.plan.company import CompanyPlan
from generation.engine.shard import Ints, Shard


def scale_of(plan: CompanyPlan) -> int:
    """Millionths of the currency's unit in a minor unit."""
    return FINE // plan.factor


def write_costs(
    shard: Shard, material: NDArray[np.integer], day: Ints, pieces: Ints, value: Ints, cost: Ints
) -> None:
    """material_costs, arrays of shape (n,); cost: of a piece, in millionths of the currency's unit."""
    n = len(material)
    shard.table(
        "material_costs",
        {
            "material_id": category(material, shard.names.materials),
            "valid_from": shard.dates(day),
            "company_code": shard.company(n),
            "quantity": pa.array(pieces.astype(np.int32)),
            "value": shard.money(value),
            "unit_cost": money(cost, 6),
        },
        day,
    )
