"""Figures as people read them: thin spaces between groups of three digits, a true minus sign."""

THIN_SPACE = "\u2009"
MINUS = "\u2212"


def grouped(value: int) -> str:
    """1284906 -> '1 284 906' with thin spaces."""
    return f"{value:,}".replace(",", THIN_SPACE).replace("-", MINUS)


def decimal(value: float, digits: int) -> str:
    """A fraction with a fixed number of digits after the point."""
    return f"{value:.{digits}f}".replace("-", MINUS)


def percent(share: float) -> str:
    """A share in [0, 1] as a percentage with one decimal."""
    return f"{decimal(share * 100, 1)}{THIN_SPACE}%"
