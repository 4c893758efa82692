"""Where partners are at home, and the words that their names and addresses are made of."""

import numpy as np
from numpy.typing import NDArray

from generation.engine.packs.pack import PARTNERS_ABROAD
from generation.engine.plan.facts import Facts
from generation.engine.streams import Words


def partner_words(facts: Facts, who: str, count: int) -> Words:
    """Random words behind the names and addresses of partners, shape (count,): tax follows the address."""
    return facts.rng(who, "words").integers(0, 2**64, count, dtype=np.uint64)


def homes(facts: Facts, who: str, is_foreign: NDArray[np.bool_]) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Countries, and the place of each partner's among them, shape (partners,); the company's own is the first."""
    own = facts.company.country
    countries = (own, *(one for one in PARTNERS_ABROAD if one != own))
    words = partner_words(facts, who, len(is_foreign))
    abroad = 1 + (words % np.uint64(len(countries) - 1)).astype(np.int64)
    return countries, np.where(is_foreign, abroad, 0)
