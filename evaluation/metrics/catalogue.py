"""Every metric, in the order of the report."""

from evaluation.metrics import (
    approvals,
    balances,
    calendar_shares,
    cash,
    chains,
    digits,
    documents,
    ledger,
    postings,
    quantities,
    references,
    shape,
    statements,
    structure,
    subledgers,
    tax,
    working_capital,
)
from evaluation.metrics.rule import Metric

METRICS: tuple[Metric, ...] = (
    *structure.METRICS,
    *ledger.RULES,
    *postings.METRICS,
    *balances.RULES,
    *statements.RULES,
    *subledgers.RULES,
    *cash.RULES,
    *documents.RULES,
    *tax.RULES,
    *references.METRICS,
    *chains.METRICS,
    *quantities.RULES,
    *approvals.METRICS,
    *digits.METRICS,
    *shape.METRICS,
    *calendar_shares.METRICS,
    *working_capital.METRICS,
)
