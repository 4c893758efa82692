"""Rough values of currencies, to weigh companies of a group by size and to convert salary levels. Never used in books."""

from typing import Final

# US dollars for one unit, rounded; source: docs/books.md, section "Volumes".
_DOLLARS: Final = {
    "USD": 1.0, "EUR": 1.10, "GBP": 1.27, "CHF": 1.13, "JPY": 0.0067, "CAD": 0.74, "AUD": 0.65, "CNY": 0.14, "INR": 0.012,
    "BRL": 0.20, "MXN": 0.058, "SGD": 0.75, "SEK": 0.095, "NOK": 0.095, "DKK": 0.147, "PLN": 0.25, "CZK": 0.043, "KRW": 0.00073,
    "KWD": 3.25, "BHD": 2.65, "OMR": 2.60, "JOD": 1.41, "TND": 0.32,
}  # fmt: skip


def reference_rate(currency: str) -> float:
    """US dollars for one unit of the currency; 1.0 for a currency without an entry."""
    return _DOLLARS.get(currency, 1.0)
