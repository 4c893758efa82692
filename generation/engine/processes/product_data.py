"""Master data of manufacturing: bills of material, work centres and routings."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from generation.engine.columns import category, line_numbers
from generation.engine.production import OPERATIONS, operation_numbers
from generation.engine.shard import Shard


def write(shard: Shard, validity: Mapping[str, pa.Array]) -> None:
    """Write the three tables; validity: columns of the work centres."""
    _bills(shard)
    _centers(shard, validity)
    _routings(shard)


def _bills(shard: Shard) -> None:
    bill, materials = shard.plan.materials.structure.bill, shard.names.materials
    n = len(bill.parent)
    shard.table(
        "bills_of_material",
        {
            "material_id": category(bill.parent, materials),
            "line_number": pa.array(line_numbers(bill.parent)),
            "company_code": shard.company(n),
            "component_id": category(bill.component, materials),
            "quantity": pa.array(bill.pieces.astype(np.int32)),
        },
    )


def _centers(shard: Shard, validity: Mapping[str, pa.Array]) -> None:
    centers, names = shard.plan.materials.structure.centers, shard.names
    n = len(centers)
    called = [
        f"{OPERATIONS[kind]} {number}" for number, kind in enumerate(centers.operation.tolist(), start=1)
    ]
    shard.table(
        "work_centers",
        {
            "work_center_id": names.work_centers,
            "company_code": shard.company(n),
            "name": pa.array(called),
            "cost_center_id": category(centers.cost_center, names.cost_centers),
            "labour_rate": shard.money(centers.labour_rate),
            "overhead_rate": shard.money(centers.overhead_rate),
            **validity,
        },
    )


def _routings(shard: Shard) -> None:
    structure, names = shard.plan.materials.structure, shard.names
    routings = structure.routings
    good, operation = np.nonzero(routings.minutes)
    n, number = len(good), operation_numbers(routings.minutes)[good, operation]
    shard.table(
        "routings",
        {
            "material_id": category(structure.made[good], names.materials),
            "operation_number": pa.array(number.astype(np.int16)),
            "company_code": shard.company(n),
            "work_center_id": category(routings.center[good, operation], names.work_centers),
            "minutes": pa.array(routings.minutes[good, operation].astype(np.int32)),
            "labour_cost": shard.money(routings.labour[good, operation]),
            "overhead_cost": shard.money(routings.overhead[good, operation]),
        },
    )
