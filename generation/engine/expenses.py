"""The kinds of overhead that are bought as services, allocated and accrued, and the accounts that take them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from generation.engine.charts.chart import Chart

EXPENSES: Final = (
    "rent",
    "utilities",
    "office",
    "travel",
    "professional_fees",
    "insurance",
    "marketing",
    "maintenance",
    "it",
)
_ACCOUNTS_OF_A_KIND = 12


def expense_accounts(chart: Chart) -> NDArray[np.int32]:
    """Accounts by kind, shape (kinds, 12): the main account often, its sub-accounts more and more rarely."""
    table = np.empty((len(EXPENSES), _ACCOUNTS_OF_A_KIND), np.int32)
    for row, role in enumerate(EXPENSES):
        accounts = np.array([chart.roles[role], *chart.spread.get(role, ())], np.int32)
        table[row] = accounts[np.minimum((np.arange(_ACCOUNTS_OF_A_KIND) - 3).clip(0), len(accounts) - 1)]
    return table
