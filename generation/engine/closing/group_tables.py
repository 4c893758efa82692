"""Writes what the close of a group found: translated statements, entries, the statements of the group, and its segments."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from generation.engine.closing.statements import Lines, write_lines
from generation.engine.columns import category, constant, listed
from generation.engine.journal import exchange_rates
from generation.engine.shard import Ints, Shard

Line = tuple[str, str]  # statement, line
_REVENUE: Final = ("IS.revenue", "IS.other_income")
_TITLES: Final = {
    "BS.A.goodwill": "Goodwill",
    "BS.E.minority": "Share of others in subsidiaries",
    "BS.E.translation": "Translation difference",
    "BS.E.current_result": "Result of the fiscal year to date",
    "IS.net_income": "Net income",
    "CF.exchange_effect": "Effect of exchange rates on cash",
    "CF.net_change": "Change in cash",
}
EQUITY_TITLES: Final = {
    "SE.opening": "Equity at the start",
    "SE.contributions": "Contributions",
    "SE.dividends": "Dividends",
    "SE.net_income": "Net income",
    "SE.translation": "Translation difference",
    "SE.closing": "Equity at the end",
}


@dataclass(frozen=True)
class Translated:
    """A company's lines in its own and in the group's currency, (months,) each."""

    company: str
    currency: str
    local: Mapping[Line, Ints]
    group: Mapping[Line, Ints]


@dataclass(frozen=True)
class Entry:
    """One consolidation entry, (months,), in the sign of the statement."""

    kind: str
    company: str
    statement: str
    line: str
    amounts: Ints


@dataclass(frozen=True)
class Segment:
    """Revenue, internal revenue, result, assets, liabilities, (5, months)."""

    name: str
    parts: Ints


def write(
    shard: Shard,
    translated: Sequence[Translated],
    entries: Sequence[Entry],
    changes_in_equity: Lines,
    segments: Sequence[Segment],
) -> None:
    """consolidation_lines, consolidation_entries, financial_statements of the group, segments."""
    for company in translated:
        _write_translated(shard, company)
    _write_entries(shard, entries)
    months = shard.plan.horizon.months
    parts = [amounts for company in translated for amounts in company.group.items()]
    booked = [((entry.statement, entry.line), entry.amounts) for entry in entries]
    added, total = _summed(booked, months), _summed([*parts, *booked], months)
    lines = [*_lines(total), *_totals(total), *changes_in_equity]
    write_lines(shard, _lines(added), "elimination", shard.plan.trade.currency)
    write_lines(shard, lines, "consolidated", shard.plan.trade.currency)
    _write_segments(shard, segments, total)


def _summed(parts: Iterable[tuple[Line, Ints]], months: int) -> dict[Line, Ints]:
    sums: dict[Line, Ints] = {}
    for key, amounts in parts:
        sums[key] = sums.get(key, np.zeros(months, np.int64)) + amounts
    return sums


def _lines(sums: Mapping[Line, Ints]) -> Lines:
    return [(statement, line, _title(line), sums[statement, line]) for statement, line in sorted(sums)]


def _totals(sums: Mapping[Line, Ints]) -> Lines:
    """Net income and the change of cash: what the lines add up to."""
    result = np.sum(
        [v if line in _REVENUE else -v for (where, line), v in sums.items() if where == "IS"], axis=0
    )
    change = np.sum([v for (where, _), v in sums.items() if where == "CF"], axis=0)
    return [
        ("IS", "IS.net_income", _title("IS.net_income"), result),
        ("CF", "CF.net_change", _title("CF.net_change"), change),
    ]


def _title(line: str) -> str:
    return _TITLES.get(line) or line.rpartition(".")[2].replace("_", " ").capitalize()


def _periods(shard: Shard, month: Ints) -> dict[str, pa.Array]:
    horizon = shard.plan.horizon
    return {
        "fiscal_year": pa.array(horizon.fiscal_year[month]),
        "period": pa.array(horizon.fiscal_period[month].astype(np.int16)),
    }


def _shown(shard: Shard, amounts: Ints) -> tuple[Ints, Ints]:
    """(month, row) of what is written: everything but zeros, of the months that are not closed yet; amounts (rows, months)."""
    shown = amounts != 0
    shown[:, shard.plan.horizon.month_end[: amounts.shape[1]] < shard.window.first] = False
    month, row = np.nonzero(shown.T)
    return month, row


def _write_translated(shard: Shard, company: Translated) -> None:
    exchange, currency = shard.plan.trade.exchange, shard.plan.trade.currency
    keys = sorted(company.local)
    local = np.stack([company.local[key] for key in keys])
    month, row = _shown(shard, local)
    closing = exchange.closing(company.currency, currency)
    average = exchange.average(company.currency, currency)
    is_balance = np.array([statement == "BS" for statement, _ in keys])[row]
    n = len(row)
    shard.table(
        "consolidation_lines",
        {
            "company_code": constant(company.company, n),
            "parent_company_code": shard.company(n),
            **_periods(shard, month),
            "statement": listed([statement for statement, _ in keys], row),
            "line": listed([line for _, line in keys], row),
            "amount": shard.amounts(local[row, month], company.currency),
            "rate_kind": category(np.where(is_balance, 0, 1), ("closing", "average")),
            "rate": exchange_rates(np.where(is_balance, closing[month], average[month])),
            "translated_amount": shard.amounts(
                np.stack([company.group[key] for key in keys])[row, month], currency
            ),
        },
    )


def _write_entries(shard: Shard, entries: Sequence[Entry]) -> None:
    keyed: dict[tuple[str, str, str, str], Ints] = {}
    for entry in entries:
        key = (entry.kind, entry.company, entry.statement, entry.line)
        keyed[key] = keyed[key] + entry.amounts if key in keyed else entry.amounts
    keys = sorted(keyed)
    amounts = np.stack([keyed[key] for key in keys])
    month, row = _shown(shard, amounts)
    kind, company, statement, line = (listed(list(values), row) for values in zip(*keys, strict=True))
    shard.table(
        "consolidation_entries",
        {
            "parent_company_code": shard.company(len(row)),
            **_periods(shard, month),
            "entry": kind,
            "company_code": company,
            "statement": statement,
            "line": line,
            "amount": shard.amounts(amounts[row, month], shard.plan.trade.currency),
        },
    )


def _write_segments(shard: Shard, segments: Sequence[Segment], sums: Mapping[Line, Ints]) -> None:
    """Segments, and what leads from their sum to the group."""
    zero = np.zeros(shard.plan.horizon.months, np.int64)
    revenue, result, assets, debts = (
        sums["IS", "IS.revenue"],
        _totals(sums)[0][3],
        sum((v for (_, line), v in sums.items() if line.startswith("BS.A.")), zero),
        sum((v for (_, line), v in sums.items() if line.startswith("BS.L.")), zero),
    )
    group = np.stack([revenue, zero, result, assets, debts])
    parts = np.stack([segment.parts for segment in segments])
    everything = np.concatenate([parts, (group - parts.sum(axis=0))[None]])  # (segments + 1, 5, months)
    names = [*(segment.name for segment in segments), "reconciliation"]
    shown = shard.plan.horizon.month_end[: len(zero)] >= shard.window.first
    month = np.repeat(np.flatnonzero(shown), len(names))
    row = np.tile(np.arange(len(names)), int(shown.sum()))
    columns = ("revenue", "internal_revenue", "result", "assets", "liabilities")
    shard.table(
        "segments",
        {
            "parent_company_code": shard.company(len(row)),
            **_periods(shard, month),
            "segment": category(row, names),
            **{
                name: shard.amounts(everything[row, place, month], shard.plan.trade.currency)
                for place, name in enumerate(columns)
            },
        },
    )
