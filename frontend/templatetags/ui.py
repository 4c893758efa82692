"""Template tags of the design system: icons, times, numbers. Anything bigger is a template."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.templatetags.static import static
from django.urls import resolve, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.permissions import principal_of, required
from frontend import format as texts
from frontend import states
from generation.queries.runs import RunRow
from tenants.people.sessions import device_name

register = template.Library()

_SPRITE = "vendor/lucide-1.62.0/icons.svg"


@register.simple_tag
def ic(name: str, extra: str = "") -> SafeString:
    """One icon of the sprite. It is decoration: the word beside it, or an aria-label, says the same."""
    return format_html(
        '<svg class="ic {}" aria-hidden="true"><use href="{}#i-{}"></use></svg>', extra, static(_SPRITE), name
    )


@register.simple_tag(takes_context=True)
def may_go(context: template.Context, address: str) -> bool:
    """Whether the reader may open the page at an address: by what its view declares, so that no link leads to a 403."""
    wanted = required(resolve(address).func, "GET")
    return wanted is not None and principal_of(context.get("request")).can(wanted)


@register.simple_tag(takes_context=True)
def may(context: template.Context, route: str, *arguments: object) -> bool:
    """The same, of the page of this name."""
    return may_go(context, reverse(route, args=arguments))


@register.simple_tag(takes_context=True)
def way(
    context: template.Context, route: str, label: object, *arguments: object, kind: str = ""
) -> SafeString:
    """A link to a page, or its words alone for a reader who may not open it."""
    named = format_html(' class="{}"', kind) if kind else ""
    if not may(context, route, *arguments):
        return format_html("<span{}>{}</span>", "" if kind in ("link", "inline") else named, label)
    return format_html('<a{} href="{}">{}</a>', named, reverse(route, args=arguments), label)


@register.simple_tag
def ago(value: datetime | None) -> SafeString | str:
    """A <time> that shows an age and carries the exact moment with its zone in the title."""
    if value is None:
        return texts.MISSING
    local = timezone.localtime(value)
    title = f"{texts.moment(local)} {local:%Z}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), title, texts.age(local, timezone.now())
    )


@register.simple_tag
def moment(value: datetime | None) -> SafeString | str:
    """A <time> that shows date and time, with the zone in the title."""
    if value is None:
        return texts.MISSING
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), f"{local:%Z}", texts.moment(local)
    )


@register.filter
def number(value: float | Decimal | None) -> str:
    return texts.number(value)


@register.simple_tag
def compact(value: float | None) -> SafeString:
    """A short number whose title is the exact one."""
    return format_html('<span title="{}">{}</span>', texts.number(value), texts.compact(value))


@register.filter
def size(value: float | None) -> str:
    return texts.size(value)


@register.filter
def clock(value: float | None) -> str:
    return texts.clock(value)


@register.filter
def minutes(value: int) -> str:
    """Whole minutes as people say them: 480 is “8 hours”."""
    if value % 60 == 0:
        return hours(value // 60)
    return f"{value} minutes"


@register.filter
def hours(value: int) -> str:
    """Whole hours as people say them: 168 is “7 days”."""
    amount, unit = (value // 24, "day") if value % 24 == 0 else (value, "hour")
    return f"{amount} {unit}{'' if amount == 1 else 's'}"


@register.filter
def device(words: str) -> str:
    """“Firefox on Linux” from a browser's own words."""
    return device_name(words)


@register.filter
def duration(value: float | None) -> str:
    return texts.duration(value)


@register.filter
def percent(value: float | None) -> str:
    return texts.percent(value)


@register.filter
def initials(value: str) -> str:
    return texts.initials(value)


@register.filter
def short_hash(value: str) -> str:
    """The first six and last four characters; the full value stands in a title or copy button beside it."""
    return f"{value[:6]}…{value[-4:]}" if len(value) > 12 else value


@register.filter
def words(value: str) -> str:
    """`financial_services` → `Financial services`."""
    return value.replace("_", " ").capitalize()


@register.filter
def numbered(number: object) -> str:
    """A run by its number."""
    return f"#{number}"


@register.filter
def called(run: Any) -> str:
    """A run by its name and number."""
    return f"{run.name} #{run.number}"


@register.filter
def joined(beginning: str, end: object) -> str:
    """`revoke-` and a key's id → the name of the dialog of this key."""
    return f"{beginning}{end}"


@register.filter
def at(mapping: Mapping[object, object], key: object) -> object:
    """What a mapping holds under a key; nothing when it holds none."""
    return mapping.get(key)


@register.filter
def status(row: RunRow) -> states.Status:
    return states.run_status(row)


@register.filter
def verdict(value: str) -> states.Status:
    return states.verdict_status(value)


@register.filter
def ticks(row: RunRow) -> list[str]:
    return states.ticks(row)


@register.filter
def short_target(value: str) -> str:
    """`tenants.apikey:8f1c…` → `apikey 8f1c2a`: the kind of object and the beginning of its key."""
    kind, _, key = value.partition(":")
    return f"{kind.rpartition('.')[2]} {key[:8]}".strip()


@register.filter
def standing(value: str) -> states.Status:
    """How the standing of an exception looks."""
    return states.exception_status(value)
