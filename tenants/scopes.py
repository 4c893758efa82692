"""Scopes: the permissions that an API key or an application is narrowed to."""

from collections.abc import Iterable

from core.errors import Forbidden, InvalidInput
from core.permissions import CATALOGUE, NOT_GIVEN, Permission


def narrowed(permissions: frozenset[Permission], scopes: Iterable[str]) -> frozenset[Permission]:
    """Those permissions that are among the scopes; all of them when there is no scope."""
    wanted = frozenset(scopes)
    return (
        frozenset(one for one in permissions if one in wanted or one in NOT_GIVEN) if wanted else permissions
    )


def checked(scopes: Iterable[str], *, field: str = "permissions") -> list[str]:
    """The scopes once each, in the order of the catalogue. Raises InvalidInput for one that does not exist."""
    wanted = list(scopes)
    unknown = [one for one in wanted if one not in CATALOGUE]
    if unknown:
        detail = f"there is no permission “{unknown[0]}”"
        raise InvalidInput(
            "A scope is the name of a permission.",
            errors=[{"pointer": f"/{field}", "code": "invalid_choice", "detail": detail}],
        )
    return [one.value for one in CATALOGUE if one in wanted]


def beyond(wanted: frozenset[Permission], own: frozenset[Permission]) -> frozenset[Permission]:
    """What of `wanted` somebody with these permissions cannot hand on."""
    return wanted - NOT_GIVEN - own


def refuse_more(wanted: frozenset[Permission], own: frozenset[Permission], what: str) -> None:
    """Raises Forbidden when `wanted` holds anything that its maker may not."""
    if excess := sorted(beyond(wanted, own)):
        raise Forbidden(f"{what} cannot do more than its maker, who may not: {', '.join(excess[:10])}.")


def choices_for(permissions: frozenset[Permission]) -> list[tuple[str, str]]:
    """What a form offers to somebody with these permissions."""
    return [(one.value, f"{one.value} – {one.description}") for one in CATALOGUE if one in permissions]


def named(scopes: Iterable[str]) -> frozenset[Permission]:
    """The permissions of these names; a name that is gone from the catalogue gives nothing."""
    wanted = frozenset(scopes)
    return frozenset(one for one in CATALOGUE if one in wanted)
