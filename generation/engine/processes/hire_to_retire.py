"""Hire to retire: monthly payroll of one block of employees, its payment, and the payment of tax and social security."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from generation.engine.columns import category, sum_by, text
from generation.engine.posting import Documents
from generation.engine.shard import Bytes, Ints, Shard

_PAYDAY_BEFORE_END = 5  # days before the month's end
_OVERTIME_SHARE = 0.10  # of the staff in a month
_HOURS_A_YEAR = 2_080
_STATUTORY_DAY = 9  # days into the next month


def produce(shard: Shard) -> None:
    """Write and post the payroll of a slice."""
    plan, horizon, people = shard.plan, shard.plan.horizon, shard.plan.people
    low, high = (int(cut) for cut in plan.layout.employee_cut[shard.block : shard.block + 2])
    payday, month_end = _paydays(shard)
    staff, months = np.arange(low, high), len(payday)
    month = np.repeat(np.arange(months), len(staff))
    employee = np.tile(staff, months)
    gross = _salaries(shard, people.salary[employee], payday[month])
    gross += _overtime(shard, gross)
    pack = plan.pack
    wage_tax, own, employer = (
        (gross * rate + 5_000) // 10_000
        for rate in (pack.wage_tax_rate_bp, pack.social_rate_bp, pack.employer_social_rate_bp)
    )
    pay = {
        "gross": gross,
        "wage_tax": wage_tax,
        "employee_social": own,
        "employer_social": employer,
        "net": gross - wage_tax - own,
    }
    due = horizon.next_workday[month_end + _STATUTORY_DAY]
    totals = {name: sum_by(month, values, months) for name, values in pay.items()}
    shard.summary.sums["gross_pay"] = _by_month(shard, totals["gross"], payday)
    run, payment, statutory = (shard.ids("payroll_runs", months) for _ in range(3))
    _write_runs(shard, "run", run, payday, totals, len(staff))
    _write_runs(shard, "net_payment", payment, payday, totals, len(staff))
    _write_runs(shard, "statutory_payment", statutory, due, totals, len(staff))
    _write_lines(shard, run, payday, month, employee, pay)
    owed = {"wage_tax": totals["wage_tax"], "social": totals["employee_social"] + totals["employer_social"]}
    _post(shard, run, payday, month, employee, pay, {**owed, "net": totals["net"]})
    shard.post(Documents("net_payment", payment, payday, {"net": totals["net"]}), value_lag=1)
    owed["total"] = owed["wage_tax"] + owed["social"]
    shard.post(Documents("statutory_payment", statutory, due, owed), value_lag=1)
    shard.refer("payroll_runs", run, "payroll_runs", payment, "clears", payday)
    shard.refer("payroll_runs", run, "payroll_runs", statutory, "clears", due)


def _by_month(shard: Shard, amounts: Ints, payday: Ints) -> Ints:
    """Amounts of paydays as amounts of the months of the books, shape (months,)."""
    horizon = shard.plan.horizon
    inside = payday < horizon.days
    return sum_by(horizon.month[payday[inside]], amounts[inside], horizon.months)


def _paydays(shard: Shard) -> tuple[Ints, Ints]:
    """(payday, last day) of the calendar months that are paid in the slice."""
    horizon, ends = shard.plan.horizon, shard.plan.horizon.civil_month_end
    wanted = ends - _PAYDAY_BEFORE_END  # before the books where a month of a year of weeks is almost over
    payday = np.maximum(horizon.last_workday[np.maximum(wanted, 0)], horizon.civil_month_first)
    paid = np.flatnonzero(shard.slice.holds(payday) & (wanted >= 0))
    return payday[paid], ends[paid]


def _salaries(shard: Shard, base: Ints, payday: Ints) -> Ints:
    """Salaries with the yearly raise, compounded each January after the start, in exact integer steps."""
    plan = shard.plan
    epoch = np.datetime64(plan.horizon.start)
    years = (epoch + payday.astype("timedelta64[D]")).astype("datetime64[Y]").astype(np.int64)
    raises = years - (plan.horizon.start.year - 1970)
    step = round(plan.rates.annual_raise_rate * 10_000)
    salary = base.copy()
    for year in range(1, int(raises.max(initial=0)) + 1):
        salary = np.where(raises >= year, (salary * (10_000 + step) + 5_000) // 10_000, salary)
    return np.maximum(salary, 1)


def _overtime(shard: Shard, salary: Ints) -> Ints:
    """Overtime of some people in a month, paid at one and a half of the hourly wage; shape of `salary`."""
    rng = shard.rng("overtime")
    hours = np.where(rng.random(len(salary)) < _OVERTIME_SHARE, rng.integers(1, 21, len(salary)), 0)
    return salary * hours * 3 * 12 // (2 * _HOURS_A_YEAR)


def _post(
    shard: Shard,
    ids: Bytes,
    day: Ints,
    month: Ints,
    employee: Ints,
    pay: Mapping[str, Ints],
    owed: Mapping[str, Ints],
) -> None:
    """One journal line for each cost centre and kind of cost; owed: net pay, wage tax and social security of each run."""
    centers, months = shard.plan.cost_center_count, len(ids)
    cell = month * centers + shard.plan.people.cost_center[employee]
    cost = {name: sum_by(cell, pay[name], months * centers) for name in ("gross", "employer_social")}
    amounts = {**cost, **owed}
    center = np.tile(np.arange(centers), months)
    shard.post(
        Documents(
            "payroll", ids, day, amounts, np.repeat(np.arange(months), centers), lines={"cost_center": center}
        )
    )


def _write_runs(
    shard: Shard,
    kind: str,
    ids: Bytes,
    day: Ints,
    totals: dict[str, Ints],
    people: int,
) -> None:
    n = len(ids)
    shard.table(
        "payroll_runs",
        {
            "document_id": text(ids),
            "company_code": shard.company(n),
            "kind": category(np.zeros(n, np.int32), [kind]),
            "posting_date": shard.dates(day),
            "gross_amount": shard.money(totals["gross"]),
            "wage_tax": shard.money(totals["wage_tax"]),
            "employee_social": shard.money(totals["employee_social"]),
            "employer_social": shard.money(totals["employer_social"]),
            "net_amount": shard.money(totals["net"]),
            "employees": pa.array(np.full(n, people, np.int32)),
        },
        day,
    )


def _write_lines(
    shard: Shard,
    ids: Bytes,
    day: Ints,
    month: Ints,
    employee: Ints,
    pay: Mapping[str, Ints],
) -> None:
    n, people = len(month), len(month) // len(ids)
    shard.table(
        "payroll_lines",
        {
            "document_id": text(ids.take(month)),
            "line_number": pa.array(np.tile(np.arange(1, people + 1, dtype=np.int32), len(ids))),
            "company_code": shard.company(n),
            "employee_id": category(employee, shard.names.employees),
            "cost_center_id": category(shard.plan.people.cost_center[employee], shard.names.cost_centers),
            "gross_amount": shard.money(pay["gross"]),
            "wage_tax": shard.money(pay["wage_tax"]),
            "employee_social": shard.money(pay["employee_social"]),
            "employer_social": shard.money(pay["employer_social"]),
            "net_amount": shard.money(pay["net"]),
        },
        day,
        month,
    )
