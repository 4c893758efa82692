"""Rules between keys. They read plain data, so that they speak up even when other keys are wrong."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Final, get_args

from pydantic import ValidationError

from generation.engine.charts.kinds import CURRENCY_ROLES, GROUP_ROLES, POOL_ROLES
from generation.engine.charts.own import findings
from generation.engine.config.company import ChartConfig
from generation.engine.config.explain import nearest
from generation.engine.config.exports import REACH, Export, reached
from generation.engine.config.loans import Loan
from generation.engine.config.model import Period, Volume
from generation.engine.config.processes import Intercompany
from generation.engine.config.rates import METHOD_SHARES
from generation.engine.config.reader import Document, Path
from generation.engine.errors import Problem
from generation.engine.loans import due_after

Finding = tuple[Path, str, str, str | None]
FEWEST_LINES_PER_COMPANY: Final = 5_000
LEAST_PAY: Final = 120  # whole units a year for each person
MOST_FOR_PEOPLE_PERCENT: Final = 45  # of annual revenue
MAKER: Final = "manufacturing"  # the industry whose companies may have production orders
TRADE: Final = ("order_to_cash", "procure_to_pay", "inventory")


def contradictions(document: Document) -> Iterator[Problem]:
    """Problems that only several keys together show."""
    if not isinstance(document.data, dict):
        return
    rules: tuple[Callable[[dict[str, Any]], Iterator[Finding]], ...] = (
        _repeated_codes,
        _parents,
        _processes_that_need_each_other,
        _volume_per_company,
        _people_per_revenue,
        _group,
        _methods_of_depreciation,
        _charts,
        _exports,
        _year_ends,
        _makers,
        _costs,
        _loans,
        _cash_pools,
    )
    for rule in rules:
        for path, code, message, suggestion in rule(document.data):
            yield document.problem(path, code, message, suggestion)


def _companies(data: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    companies = data.get("companies")
    items = enumerate(companies) if isinstance(companies, list) else ()
    return [(number, company) for number, company in items if isinstance(company, dict)]


def _owners(data: dict[str, Any]) -> dict[str, str]:
    """The code of the parent by that of the company, for those that have one; what is no text is somebody else's finding."""
    return {
        one["code"]: one["parent"]
        for _, one in _companies(data)
        if isinstance(one.get("code"), str) and isinstance(one.get("parent"), str)
    }


def _codes(data: dict[str, Any]) -> list[tuple[int, str]]:
    return [(number, one["code"]) for number, one in _companies(data) if isinstance(one.get("code"), str)]


def _repeated_codes(data: dict[str, Any]) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for number, code in _codes(data):
        if first.setdefault(code, number) != number:
            message = f"Company {first[code] + 1} has the code “{code}”, too. Give each company its own."
            yield ("companies", number, "code"), "duplicate_company", message, None


def _parents(data: dict[str, Any]) -> Iterator[Finding]:
    codes = [code for _, code in _codes(data)]
    owner = _owners(data)
    for number, company in _companies(data):
        parent, code = company.get("parent"), company.get("code")
        path: Path = ("companies", number, "parent")
        if not isinstance(parent, str):
            continue
        if parent not in codes:
            meant = nearest(parent, codes)
            hint = f" Did you mean “{meant}”?" if meant else f" There are: {', '.join(codes[:10])}."
            yield path, "unknown_parent", f"No company has the code “{parent[:20]}”.{hint}", meant
        elif isinstance(code, str) and _owns_itself(code, owner):
            yield path, "parent_cycle", f"Company “{code}” would own itself through its parents.", None


def _owns_itself(code: str, owner: dict[str, str]) -> bool:
    seen: set[str] = set()
    above = owner.get(code)
    while above is not None and above not in seen:
        if above == code:
            return True
        seen.add(above)
        above = owner.get(above)
    return False


def _processes_that_need_each_other(data: dict[str, Any]) -> Iterator[Finding]:
    processes = data.get("processes")
    if not isinstance(processes, dict):
        return
    for name in TRADE:
        section = processes.get(name)
        if isinstance(section, dict) and section.get("enabled") is False:
            message = (
                f"Goods are bought, stocked and sold in one flow, so {name} cannot be switched off; "
                f"{', '.join(TRADE)} always run together in this release. Remove “enabled: false”."
            )
            yield ("processes", name, "enabled"), "process_needed", message, "true"


def _volume_per_company(data: dict[str, Any]) -> Iterator[Finding]:
    companies = len(_companies(data))
    volume = data.get("volume")
    lines = (
        volume.get("journal_lines_per_year") if isinstance(volume, dict) else Volume().journal_lines_per_year
    )
    if companies > 1 and isinstance(lines, int) and 10_000 <= lines < companies * FEWEST_LINES_PER_COMPANY:
        needed = companies * FEWEST_LINES_PER_COMPANY
        message = f"{companies} companies need at least {needed:,} journal lines per year."
        yield ("volume", "journal_lines_per_year"), "too_few_lines", message, str(needed)


def _people_per_revenue(data: dict[str, Any]) -> Iterator[Finding]:
    """Pay comes out of revenue: so many people cannot be paid anything near a wage."""
    if not _has_payroll(data):
        return
    for number, company in _companies(data):
        revenue, people = company.get("annual_revenue"), company.get("employees")
        if type(revenue) is not int or type(people) is not int or people < 1 or revenue < 1:
            continue
        if revenue * MOST_FOR_PEOPLE_PERCENT < LEAST_PAY * 100 * people:
            fits = revenue * MOST_FOR_PEOPLE_PERCENT // (100 * LEAST_PAY)
            needed = -(-people * 100 * LEAST_PAY // MOST_FOR_PEOPLE_PERCENT)
            message = (
                f"An annual_revenue of {revenue:,} cannot carry {people:,} employees: of {MOST_FOR_PEOPLE_PERCENT} % of it "
                f"each would get less than {LEAST_PAY} a year. Raise annual_revenue to at least {needed:,}, or lower "
                f"employees to at most {fits:,}."
            )
            yield (
                ("companies", number, "employees"),
                "too_many_employees",
                message,
                str(fits) if fits else None,
            )


def _has_payroll(data: dict[str, Any]) -> bool:
    processes = data.get("processes")
    section = processes.get("hire_to_retire") if isinstance(processes, dict) else None
    return not (isinstance(section, dict) and section.get("enabled") is False)


def _group(data: dict[str, Any]) -> Iterator[Finding]:
    """What only groups have is not asked for where there is none."""
    in_group = _members(data)
    processes = data.get("processes")
    section = processes.get("intercompany") if isinstance(processes, dict) else None
    usual = Intercompany().model_dump()
    if (
        isinstance(section, dict)
        and not in_group
        and any(usual.get(key) != value for key, value in section.items() if key != "enabled")
    ):
        message = (
            "No company has a parent, so there is nobody to trade with inside a group. Give companies a parent, "
            "or remove “intercompany”."
        )
        yield ("processes", "intercompany"), "no_group", message, None
    for number, company in _companies(data):
        if company.get("parent") is None and company.get("ownership", 1) not in (1, 1.0):
            message = (
                "Nobody owns this company, so a share of ownership has no meaning. Name its parent, too."
            )
            yield ("companies", number, "ownership"), "no_parent", message, None


def _cash_pools(data: dict[str, Any]) -> Iterator[Finding]:
    """A pool needs two companies of a group with the same currency; nobody pools across currencies."""
    if not _pools(data) or _pooled(data):
        return
    path: Path = ("processes", "treasury", "cash_pool")
    if not _members(data):
        message = "No company has a parent, so there is nobody to pool cash with. Give companies a parent, or set cash_pool to none."
        yield path, "no_group", message, "none"
    else:
        message = (
            "A pool holds one currency, and no two companies of a group have the same. Give two of them the same currency, "
            "or set cash_pool to none."
        )
        yield path, "no_common_currency", message, "none"


def _pools(data: dict[str, Any]) -> bool:
    processes = data.get("processes")
    section = processes.get("treasury") if isinstance(processes, dict) else None
    return (
        isinstance(section, dict)
        and section.get("enabled", True) is not False
        and section.get("cash_pool", "none") != "none"
    )


def _pooled(data: dict[str, Any]) -> set[str]:
    """Codes of companies that share currency and group with another one."""
    owners = _owners(data)
    currencies = {
        company["code"]: str(company.get("currency"))
        for _, company in _companies(data)
        if isinstance(company.get("code"), str)
    }
    tops: dict[tuple[str, str], list[str]] = {}
    for code, currency in currencies.items():
        top, seen = code, {code}
        while (above := owners.get(top)) is not None and above in currencies and above not in seen:
            top = above
            seen.add(top)
        tops.setdefault((top, currency), []).append(code)
    return {code for codes in tops.values() if len(codes) > 1 for code in codes}


def _members(data: dict[str, Any]) -> set[str]:
    """Codes of companies that have a parent or are one."""
    owned = _owners(data)
    return set(owned) | set(owned.values())


def _methods_of_depreciation(data: dict[str, Any]) -> Iterator[Finding]:
    processes = data.get("processes")
    section = processes.get("acquire_to_retire") if isinstance(processes, dict) else None
    shares = [section.get(name) for name in METHOD_SHARES] if isinstance(section, dict) else []
    total = sum(share for share in shares if isinstance(share, int | float) and share > 0)
    if total > 1 + 1e-9:
        message = (
            f"{', '.join(METHOD_SHARES)} add up to {total:g}; together they are at most 1. Lower one of them."
        )
        path: Path = ("processes", "acquire_to_retire")
        yield path, "too_many_shares", message, None


def _charts(data: dict[str, Any]) -> Iterator[Finding]:
    members, in_currencies = _members(data), _in_currencies(data)
    pooled = _pooled(data) if _pools(data) else set()
    for number, company in _companies(data):
        chart = company.get("chart")
        if isinstance(chart, dict) and chart.get("accounts") is not None and "size" in chart:
            message = "Give either a size or accounts of your own, not both. Remove one of them."
            yield ("companies", number, "chart", "size"), "size_and_accounts", message, None
        if isinstance(chart, dict):
            code = str(company.get("code"))  # what is no text is another rule's finding
            needed = GROUP_ROLES if code in members else frozenset()
            needed |= CURRENCY_ROLES if in_currencies else frozenset()
            needed |= POOL_ROLES if code in pooled else frozenset()
            yield from _own_chart(("companies", number, "chart", "accounts"), chart, needed)


def _in_currencies(data: dict[str, Any]) -> bool:
    """Whether customers or vendors may be invoiced in another currency than the company's."""
    processes = data.get("processes")
    sections = [processes.get(name) for name in TRADE] if isinstance(processes, dict) else []
    return any(isinstance(one, dict) and bool(one.get("foreign_currency_share")) for one in sections)


def _own_chart(path: Path, chart: dict[str, Any], needed: frozenset[str]) -> Iterator[Finding]:
    """What is wrong with accounts of one's own, as soon as each of them is well formed."""
    try:
        accounts = ChartConfig.model_validate_json(json.dumps(chart)).accounts
    except ValidationError:
        return
    for finding in findings(accounts, needed) if accounts else ():
        place = path if finding.account is None else (*path, finding.account)
        yield place, finding.code, finding.message, None


def _exports(data: dict[str, Any]) -> Iterator[Finding]:
    """Exports that this release does not make, and those that no company of the config can have."""
    outputs = data.get("outputs")
    exports = outputs.get("exports") if isinstance(outputs, dict) else None
    companies = [
        (str(company.get("country")), str(company.get("framework"))) for _, company in _companies(data)
    ]
    for number, export in enumerate(exports if isinstance(exports, list) else ()):
        if not isinstance(export, str):
            continue
        path: Path = ("outputs", "exports", number)
        if export in get_args(Export) and export not in REACH:
            message = f"This release does not write the export “{export}”. It has {', '.join(sorted(REACH))}."
            yield path, "not_available", message, None
        elif export in REACH and companies and not reached(export, companies):
            message = (
                f"The export “{export}” is made for {REACH[export].who}, and the config has none. Remove it."
            )
            yield path, "no_company_for_export", message, None
        elif export in REACH:
            for code in (code for _, code in _codes(data) if len(code) > REACH[export].longest_code):
                message = (
                    f"The export “{export}” has {REACH[export].longest_code} characters for a company code; "
                    f"“{code[:20]}” is longer. Give the company a shorter code."
                )
                yield path, "code_too_long_for_export", message, None


def _year_ends(data: dict[str, Any]) -> Iterator[Finding]:
    period = data.get("period")
    if not isinstance(period, dict) or period.get("calendar", "months") != "months":
        return
    for key in ("year_end", "year_end_weekday"):
        if period.get(key, usual := Period.model_fields[key].default) != usual:
            message = f"A year of calendar months has no other end. Set calendar to weeks (4-4-5, 4-5-4, 5-4-4) or leave out {key}."
            yield ("period", key), "without_weeks", message, None


def _makers(data: dict[str, Any]) -> Iterator[Finding]:
    processes = data.get("processes")
    section = processes.get("manufacturing") if isinstance(processes, dict) else None
    companies = [company.get("industry") for _, company in _companies(data)]
    if not isinstance(section, dict) or section.get("enabled", True) is False or not companies:
        return
    if MAKER not in companies:
        message = (
            f"Production orders are made by companies of the industry {MAKER}, and the config has none. Remove the "
            f"section, or make a company one of them."
        )
        yield ("processes", "manufacturing"), "no_manufacturer", message, None


def _costs(data: dict[str, Any]) -> Iterator[Finding]:
    """Costs that change are worked out from purchases and sales; nothing foresees what production or sister companies do to them."""
    processes = data.get("processes")
    sections = processes if isinstance(processes, dict) else {}
    stock, making, trade = (sections.get(name) for name in ("inventory", "manufacturing", "intercompany"))
    if not isinstance(stock, dict):
        return
    is_average, is_renewed = (
        stock.get("valuation") == "moving_average",
        stock.get("new_standard_costs") is True,
    )
    path: Path = ("processes", "inventory", "valuation" if is_average else "new_standard_costs")
    if is_average and is_renewed:
        message = "Stock at moving averages has no standard costs to set anew. Remove new_standard_costs, or set valuation to standard."
        yield ("processes", "inventory", "new_standard_costs"), "without_standard_costs", message, "false"
    if (is_average or is_renewed) and isinstance(making, dict) and making.get("enabled", True) is not False:
        what, instead = ("moving averages", "standard") if is_average else ("new standard costs", "false")
        message = (
            f"This cannot be made yet: {what} with production orders, whose variances are those of one standard cost. "
            f"Set {path[-1]} to {instead}, or remove the section manufacturing."
        )
        yield path, "not_available", message, instead
    trades = not isinstance(trade, dict) or (
        trade.get("enabled", True) is not False and trade.get("share", Intercompany().share) != 0
    )
    if is_average and _members(data) and trades:
        message = (
            "This cannot be made yet: moving averages of goods that companies of a group sell to each other. "
            "Set valuation to standard, or intercompany.enabled to false."
        )
        yield path, "not_available", message, "standard"


def _loans(data: dict[str, Any]) -> Iterator[Finding]:
    """A company borrows no more than it turns over, and a loan that is paid back before the books begin is no part of them."""
    period = data.get("period")
    first = _date(period.get("start")) if isinstance(period, dict) else None
    for number, company in _companies(data):
        given = company.get("loans")
        loans = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        revenue, amounts = company.get("annual_revenue"), [one.get("amount") for one in loans]
        borrowed = sum(amount for amount in amounts if type(amount) is int)
        if type(revenue) is int and 0 < revenue < borrowed:
            message = f"Loans of {borrowed:,} are more than the annual_revenue of {revenue:,}. Lower their amounts, or raise it."
            yield ("companies", number, "loans"), "too_much_debt", message, None
        for place, one in enumerate(loans):
            months, start = one.get("months", Loan.model_fields["months"].default), _date(one.get("start"))
            is_term = type(months) is int and 1 <= months <= 360
            if is_term and first and start and due_after(start, months) < first:
                message = (
                    f"This loan is paid back before the books begin on {first.isoformat()}. Let it start later, "
                    "run longer, or remove it."
                )
                yield ("companies", number, "loans", place, "start"), "loan_over", message, None


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
