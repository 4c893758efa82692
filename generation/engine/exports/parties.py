"""What exports say of a company that no table holds: an invented tax id and address, the same in every export."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from generation.engine.plan.company import CompanyPlan

# Stands in every export that has a place for it.
NOTICE: Final = "Synthetic data made by DataSynth. No company, person, account or document in it is real."


@dataclass(frozen=True, slots=True)
class Party:
    """tax_id has valid check digits and belongs to nobody that the books know."""

    tax_id: str
    street: str
    postal_code: str
    city: str
    region: str


def party_of(plan: CompanyPlan) -> Party:
    words = plan.rng("company", "identity").integers(0, 2**64, 1, dtype=np.uint64)
    address = plan.pack.addresses(words)
    return Party(
        plan.pack.tax_ids("company", words)[0].decode(),
        str(address.street[0]),
        str(address.postal_code[0]),
        str(address.city[0]),
        str(address.region[0]),
    )
