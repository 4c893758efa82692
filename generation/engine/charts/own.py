"""A user's own chart: every role finds its account by name or by subtype; what is missing is said in plain words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from generation.engine.charts.growth import Entry
from generation.engine.charts.kinds import (
    LINE_OF_ROLE,
    NAMED_ROLES,
    OPTIONAL_ROLES,
    PERSONNEL,
    PERSONNEL_ROLES,
    ROLES,
    SHARED_ROLES,
    SPREAD_ROLES,
)
from generation.engine.errors import EngineError


class OwnAccount(Protocol):
    """What the config says about an account."""

    @property
    def number(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def subtype(self) -> str: ...
    @property
    def role(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of a chart; `account` is the position of the account, None for the chart as a whole."""

    account: int | None
    code: str
    message: str


def findings(accounts: Sequence[OwnAccount], needed: frozenset[str]) -> Iterator[Finding]:
    """Everything that keeps these accounts from being a chart. needed: roles that this company needs and others do not."""
    numbers: dict[str, int] = {}
    taken: dict[str, str] = {}
    for place, account in enumerate(accounts):
        if numbers.setdefault(account.number, place) != place:
            yield Finding(
                place, "duplicate_account", f"The account {account.number} stands here a second time."
            )
        if account.role is None:
            continue
        fitting = ROLES.get(account.role)
        if fitting is None:
            message = f"“{account.role}” is no role. Roles are: {', '.join(ROLES)}."
            yield Finding(place, "unknown_role", message)
        elif account.subtype not in fitting:
            message = f"The role {account.role} needs an account of subtype {' or '.join(fitting)}."
            yield Finding(place, "role_mismatch", message)
        elif (
            taken.setdefault(account.role, account.number) != account.number
            and account.role not in SPREAD_ROLES
        ):
            message = f"The role {account.role} already belongs to account {taken[account.role]}."
            yield Finding(place, "duplicate_role", message)
    for role in ROLES:
        if _account_for(role, accounts) is None and (role in needed or role not in OPTIONAL_ROLES):
            named = f" that names it: “role: {role}”" if role in NAMED_ROLES else ""
            message = (
                f"No account can take the role {role}. Add one of subtype {' or '.join(ROLES[role])}{named}."
            )
            yield Finding(None, "missing_role", message)


def own_entries(accounts: Sequence[OwnAccount]) -> tuple[list[Entry], dict[str, int]]:
    """The accounts in order of number as chart entries, and the account of each role. Roles may share an account.

    Raises: EngineError: a role that every company needs has no account.
    """
    ordered = sorted(accounts, key=lambda account: account.number)
    roles: dict[str, int] = {}
    for role in ROLES:
        account = _account_for(role, ordered)
        if account is None and role in OPTIONAL_ROLES:
            continue
        if account is None:
            raise EngineError(f"the chart has no account for {role}")
        roles[role] = ordered.index(account)
    return [_entry(account, place not in roles.values()) for place, account in enumerate(ordered)], roles


def _account_for(role: str, accounts: Sequence[OwnAccount]) -> OwnAccount | None:
    named = [account for account in accounts if account.role == role]
    if role in NAMED_ROLES:
        return next(iter(named), None)
    if role in SHARED_ROLES and not named:
        return _account_for(SHARED_ROLES[role], accounts)
    fitting = [account for subtype in ROLES[role] for account in accounts if account.subtype == subtype]
    free = [account for account in fitting if account.role is None]
    return next(iter(named + free + fitting), None)


def _entry(account: OwnAccount, is_further: bool) -> Entry:
    """`is_further`: another account already has the role; this one shares its postings."""
    line = PERSONNEL if account.role in PERSONNEL_ROLES else LINE_OF_ROLE.get(account.role or "")
    spread = account.role if is_further else None
    return Entry(number=account.number, name=account.name, subtype=account.subtype, spread=spread, line=line)
