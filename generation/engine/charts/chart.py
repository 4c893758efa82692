"""Charts of accounts: national ones from data/<framework>.toml, grown to a size, or one of the user's own.

Schema of a chart file (unknown keys are refused):
  digits          digits of an account number by size; shorter numbers of the file are filled up with zeros
  free_digits     where numbers have a meaning of their own: how many last digits are left to sub-accounts (see growth.py)
  accounts        in order of number: number, name, subtype (see kinds.py); optional role (what the books post here),
                  spread (a role whose postings may come here, too), side (D or C against the subtype's normal side),
                  line (another statement line), fill (what sub-accounts are called: “site” gives “Rent, site 01”),
                  weight (how many sub-accounts, relative to others)
  like, names     instead of accounts: another file, with other names by number
  country_names   other names by country
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Final

from pydantic import BaseModel, ConfigDict

from generation.engine.charts.growth import Entry, grown
from generation.engine.charts.kinds import CONTROLLED, KINDS, SHARED_ROLES, SPREAD_ROLES
from generation.engine.charts.own import own_entries
from generation.engine.config.company import ChartConfig
from generation.engine.errors import EngineError

# How many accounts a chart has. Our recommendation; published charts have a median of 367 and at most 2,536.
ACCOUNTS: Final[Mapping[str, int | None]] = {"small": None, "medium": 400, "large": 2500}
_DATA: Final = files("generation.engine.charts") / "data"


@dataclass(frozen=True)
class Account:
    """One account. `is_control`: only documents of a subledger post here."""

    number: str
    name: str
    class_: str
    subtype: str
    normal_side: str
    is_control: bool
    statement_line: str


@dataclass(frozen=True)
class Chart:
    """Accounts in order of number; `roles` and `spread` hold indices into them.

    `roles` has every role of kinds.ROLES; a chart of one's own may lack those that only groups or foreign currencies need.
    `is_own`: of the user, so that numbers mean nothing here.
    `spread` has further accounts that postings of revenue and cost roles may use.
    """

    accounts: tuple[Account, ...]
    roles: Mapping[str, int]
    spread: Mapping[str, tuple[int, ...]]
    is_own: bool = False


class _ChartFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    digits: Mapping[str, int]
    free_digits: int | None = None
    accounts: tuple[Entry, ...] = ()
    like: str | None = None
    names: Mapping[str, str] = {}
    country_names: Mapping[str, Mapping[str, str]] = {}


@cache
def chart_for(framework: str, size: str | ChartConfig, country: str) -> Chart:
    """The chart that a company keeps its books by.

    Args: framework: us_gaap, ifrs, hgb (SKR04) or pcg. size: small (about 100 accounts), medium (400), large (2,500),
    or the chart section of a company. country: tax accounts are called as in this country.
    Raises: EngineError: an unknown framework or size; accounts of one's own that leave a role open.
    """
    if isinstance(size, ChartConfig):
        if size.accounts is not None:
            return replace(_chart(*own_entries(size.accounts)), is_own=True)
        size = size.size
    if size not in ACCOUNTS:
        raise EngineError(f"a chart is {', '.join(ACCOUNTS)}, not {size!r}")
    file = _file(framework)
    target = ACCOUNTS[size] or len(file.accounts)
    names = {**file.names, **file.country_names.get(country, {})}
    entries = [
        entry.model_copy(update={"name": names.get(entry.number, entry.name)}) for entry in file.accounts
    ]
    accounts = grown(entries, target, file.digits[size], file.free_digits)
    roles = {entry.role: index for index, entry in enumerate(accounts) if entry.role}
    shared = {role: roles[other] for role, other in SHARED_ROLES.items() if role not in roles}
    return _chart(accounts, {**roles, **shared})


def _file(framework: str) -> _ChartFile:
    path = _DATA / f"{framework}.toml"
    if not framework.isidentifier() or not path.is_file():
        raise EngineError(f"no chart of accounts for the framework {framework!r}")
    file = _ChartFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    return file.model_copy(update={"accounts": _file(file.like).accounts}) if file.like else file


def _chart(entries: list[Entry], roles: Mapping[str, int]) -> Chart:
    spread: dict[str, tuple[int, ...]] = {}
    for index, entry in enumerate(entries):
        if entry.spread is not None and entry.spread in SPREAD_ROLES:
            spread[entry.spread] = (*spread.get(entry.spread, ()), index)
    return Chart(tuple(_account(entry) for entry in entries), roles, spread)


def _account(entry: Entry) -> Account:
    kind = KINDS[entry.subtype]
    return Account(
        number=entry.number,
        name=entry.name,
        class_=kind.class_,
        subtype=entry.subtype,
        normal_side=entry.side or kind.normal_side,
        is_control=entry.subtype in CONTROLLED,
        statement_line=entry.line or kind.statement_line,
    )
