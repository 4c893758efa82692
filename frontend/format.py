"""How numbers, sizes, durations and times read on pages: thin space groups, a point, plain units."""

from datetime import datetime, timedelta
from decimal import Decimal

MISSING = "—"
MINUS = "\u2212"
GROUP = "\u202f"  # narrow no-break space
_DAY_SECONDS = 24 * 3600


def number(value: float | Decimal | None, decimals: int = 0) -> str:
    """`1284906` → `1 284 906`; None → an em dash."""
    if value is None:
        return MISSING
    return f"{value:,.{decimals}f}".replace(",", GROUP).replace("-", MINUS)


def significant(value: float, digits: int = 3) -> str:
    """A measured value with `digits` significant digits; whole numbers stay whole."""
    if value == int(value) and abs(value) < 1e15:
        return number(value)
    if abs(value) >= 10 ** (digits - 1):
        return number(value)
    text = f"{value:.{digits}g}"
    return text.replace("-", MINUS)


def compact(value: float | None) -> str:
    """`5_012_000` → `5.0 M`, `400_000` → `400 k`; below ten thousand the exact number."""
    if value is None:
        return MISSING
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scaled = value / (1e3 if unit == "k" else size)
            return f"{scaled:.0f} {unit}" if unit == "k" else f"{scaled:.1f} {unit}"
    return number(value)


def size(size_bytes: float | None) -> str:
    """Bytes in decimal units: `418_000_000` → `418 MB`."""
    if size_bytes is None:
        return MISSING
    value = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.1f} {unit}" if value < 10 and unit != "B" else f"{value:.0f} {unit}"


def clock(seconds: float | None) -> str:
    """`252` → `4:12`, `3_700` → `1:01:40`."""
    if seconds is None:
        return MISSING
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def duration(seconds: float | None) -> str:
    """`252` → `4 min 12 s`; under ten seconds one decimal."""
    if seconds is None:
        return MISSING
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def percent(share: float | None, decimals: int = 1) -> str:
    """A share in [0, 1] as a percentage: `0.976` → `97.6 %`."""
    return MISSING if share is None else f"{number(share * 100, decimals)} %"


def moment(value: datetime) -> str:
    """`23 Nov 2026, 12:13` in the zone the value carries."""
    return f"{value.day} {value:%b %Y, %H:%M}"


def age(value: datetime, now: datetime) -> str:
    """`18 min ago` up to a day, then the date."""
    seconds = (now - value) / timedelta(seconds=1)
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min ago"
    if seconds < _DAY_SECONDS:
        return f"{int(seconds // 3600)} h ago"
    return moment(value)


def initials(name: str) -> str:
    """Two letters for an avatar: of the first and last word, or of an e-mail's name."""
    words = [word for word in name.split("@")[0].replace(".", " ").replace("-", " ").split() if word]
    if not words:
        return "?"
    letters = words[0][:1] + words[-1][:1] if len(words) > 1 else words[0][:2]
    return letters.upper()
