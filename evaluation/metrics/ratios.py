"""Ratios of the balance sheet and the income statement beside those that are usual in the industry.

A figure inside its band measures 0; outside, it measures how far the farthest company is from the band.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evaluation.metrics.books import Books
from evaluation.metrics.rule import Figure, Measured
from evaluation.metrics.wording import decimal, grouped

Band = tuple[float, float]
# Revenue less cost of goods, of revenue. Goods that a company makes cost the pay and overhead of production, too.
# Our recommendation; source: docs/books.md, section "Industries".
GROSS_MARGIN: Final[Mapping[str, Band]] = {
    "manufacturing": (0.30, 0.56),
    "retail": (0.20, 0.45),
    "services": (0.35, 0.75),
    "technology": (0.35, 0.75),
    "financial_services": (0.35, 0.75),
    "healthcare": (0.30, 0.65),
}
MAKERS: Final[Band] = (0.25, 0.45)  # of companies that make what they sell; 0.35 is usual
CURRENT_RATIO: Final[Band] = (1.2, 1.5)  # our recommendation for companies that pay dividends
_WARM_UP = 3  # months that books need until receivables and payables have built up


def _gross_margin(books: Books) -> Measured:
    """Farthest gross margin of a company, over all its books, from the band of its industry."""
    if not books.dataset.has("companies", "industry"):
        return Measured(None, 0, "Not applicable: the dataset names no industries.", 0, applicable=False)
    found = books.rows(
        """select company_code, c.industry,
                  company_code in (select company_code from materials where type = 'finished_good') as makes,
                  sum(amount) filter (where line = 'IS.revenue') as revenue,
                  coalesce(sum(amount) filter (where line = 'IS.cost_of_sales'), 0) as cost
           from own_statements join companies c using (company_code) where statement = 'IS'
           group by all having sum(amount) filter (where line = 'IS.revenue') > 0"""
    )
    margins = [
        (code, 1 - float(cost) / float(revenue), MAKERS if makes else GROSS_MARGIN[industry])
        for code, industry, makes, revenue, cost in found
        if industry in GROSS_MARGIN
    ]
    return _farthest(margins, "The gross margin", "earns revenue")


def _current_ratio(books: Books) -> Measured:
    """Farthest middle current ratio, over the month ends from the fourth on, of a company that pays dividends."""
    found = books.rows(
        f"""select company_code, median(value) from key_figures join periods using (fiscal_year, period)
            where key_figure = 'current_ratio' and value is not null and number > {_WARM_UP}
              and company_code in (select company_code from rates where name = 'payout_current_ratio' and value > 0)
            group by 1 order by 1"""
    )
    ratios = [(code, float(value), CURRENT_RATIO) for code, value in found]
    return _farthest(ratios, "The current ratio", "pays dividends in more than three months of books")


def _farthest(found: list[tuple[str, float, Band]], what: str, condition: str) -> Measured:
    if not found:
        return Measured(None, 0, f"Not applicable: no company {condition}.", 0, applicable=False)
    far, code, value, (low, high) = max(
        (max(band[0] - value, value - band[1], 0.0), code, value, band) for code, value, band in found
    )
    where = "within" if far == 0 else "outside"
    text = (
        f"{what} of company {code} is {decimal(value, 2)}, {where} {decimal(low, 2)} to {decimal(high, 2)}. "
        f"No other of {grouped(len(found))} companies is farther away."
    )
    return Measured(round(far, 6), len(found), text, 0)


METRICS = (
    Figure("ratios.gross_margin", "Gross margin as in the industry", "statistical", _gross_margin),
    Figure("ratios.current_ratio", "Current ratio as in sound companies", "statistical", _current_ratio),
)
