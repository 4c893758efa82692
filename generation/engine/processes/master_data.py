"""The master data tables of a company."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as compute
from numpy.typing import NDArray

from generation.engine.assets import CLASSES, DESCRIPTIONS
from generation.engine.columns import category, constant, numbered, text
from generation.engine.depreciation import METHODS
from generation.engine.journal import constant_rate, exchange_rates
from generation.engine.packs.pack import pack_for
from generation.engine.people import DEPARTMENTS, POSITIONS
from generation.engine.plan.homes import homes, partner_words
from generation.engine.plan.partner_columns import PartnerColumns
from generation.engine.processes import product_data
from generation.engine.production import MADE
from generation.engine.shard import Ints, Shard
from generation.engine.streams import Words

_UNITS = ("piece", "box", "kg")
_KINDS = ("trading_good", "finished_good", "component", "group_good")  # in the order of production.py
_GOODS = (
    "Bearing",
    "Bracket",
    "Cable",
    "Casing",
    "Coupling",
    "Filter",
    "Fitting",
    "Gasket",
    "Hinge",
    "Lamp",
    "Module",
    "Motor",
    "Panel",
    "Pump",
    "Sensor",
    "Shaft",
    "Spring",
    "Switch",
    "Valve",
    "Wheel",
)


def produce(shard: Shard) -> None:
    """Write the master data of the company; once, but for the register of assets."""
    _assets(shard)
    if shard.plan.index == 0:
        _exchange_rates(shard)
    if shard.window.first:
        return
    _company(shard)
    _accounts(shard)
    _cost_centers(shard)
    _bank_account(shard)
    _employees(shard)
    _materials(shard)
    plan = shard.plan
    if plan.makes:
        product_data.write(shard, _validity(shard, len(plan.materials.structure.centers)))
    partners = plan.partners
    vendors = (partners.goods_vendors, partners.service_vendors)
    _partners(shard, "vendors", shard.names.vendors, vendors)
    _partners(shard, "customers", shard.names.customers, (partners.customers,))


def _words(shard: Shard, purpose: str, count: int) -> Words:
    return shard.rng(purpose).integers(0, 2**64, count, dtype=np.uint64)


def _validity(
    shard: Shard, count: int, first: Ints | None = None, last: Ints | None = None
) -> dict[str, pa.Array]:
    """valid_from and valid_to; master data is older than the books unless told otherwise."""
    start = np.full(count, -365) if first is None else first
    end = pa.nulls(count, pa.date32())
    if last is not None:
        ended = last < shard.plan.horizon.days
        days = pa.array(
            np.where(ended, last, 0).astype(np.int32) + np.int32(shard.plan.horizon.epoch), mask=~ended
        )
        end = days.view(pa.date32())
    return {"valid_from": shard.dates(start), "valid_to": end}


def _company(shard: Shard) -> None:
    company = shard.plan.company
    shard.table(
        "companies",
        {
            "company_code": shard.company(1),
            "name": pa.array([company.name]),
            "country": constant(company.country, 1),
            "currency": shard.currency(1),
            "industry": constant(company.industry, 1),
            "framework": constant(company.framework, 1),
            "parent_company_code": constant(company.parent, 1),
            "ownership": constant_rate(round(company.ownership * 1_000_000), 1),
        },
    )


def _exchange_rates(shard: Shard) -> None:
    """fx_rates between the currencies of the companies and the group, one pair after the other."""
    trade, horizon = shard.plan.trade, shard.plan.horizon
    quoted = horizon.weekday[: horizon.days] < 5
    quoted[0] = True  # opening balances are translated at the rate of the first day, whatever day it is
    weekdays = np.flatnonzero(quoted)
    ends = horizon.month_end[: horizon.months]
    for source, target in trade.pairs:
        spot = trade.exchange.spot(source, target)
        day = np.concatenate([weekdays, ends, ends])
        rate = np.concatenate(
            [spot[weekdays], trade.exchange.average(source, target), trade.exchange.closing(source, target)]
        )
        n = len(day)
        shard.table(
            "fx_rates",
            {
                "currency_from": constant(source, n),
                "currency_to": constant(target, n),
                "date": shard.dates(day),
                "kind": category(
                    np.repeat([0, 1, 2], [len(weekdays), len(ends), len(ends)]),
                    ("spot", "average", "closing"),
                ),
                "rate": exchange_rates(rate),
            },
            day,
        )


def _accounts(shard: Shard) -> None:
    accounts = shard.plan.chart.accounts
    column = {
        "class": [a.class_ for a in accounts],
        "subtype": [a.subtype for a in accounts],
        "normal_side": [a.normal_side for a in accounts],
        "statement_line": [a.statement_line for a in accounts],
    }
    coded = {name: pa.array(values).dictionary_encode() for name, values in column.items()}
    shard.table(
        "accounts",
        {
            "company_code": shard.company(len(accounts)),
            "account": category(np.arange(len(accounts)), shard.names.accounts),
            "name": pa.array([account.name for account in accounts]),
            "class": coded["class"],
            "subtype": coded["subtype"],
            "normal_side": coded["normal_side"],
            "is_control": pa.array([account.is_control for account in accounts]),
            "statement_line": coded["statement_line"],
        },
    )


def _cost_centers(shard: Shard) -> None:
    count = shard.plan.cost_center_count
    department = np.arange(count) % len(DEPARTMENTS)
    names = [f"{DEPARTMENTS[d]} {number // len(DEPARTMENTS) + 1}" for number, d in enumerate(department)]
    shard.table(
        "cost_centers",
        {
            "cost_center_id": shard.names.cost_centers,
            "company_code": shard.company(count),
            "name": pa.array(names),
            "department": category(department, DEPARTMENTS),
            **_validity(shard, count),
        },
    )


def _bank_account(shard: Shard) -> None:
    plan = shard.plan
    shard.table(
        "bank_accounts",
        {
            "bank_account_id": pa.array([shard.names.bank_account]),
            "company_code": shard.company(1),
            "name": pa.array(["Operating account"]),
            "iban": text(plan.pack.ibans(_words(shard, "own iban", 1))),
            "currency": shard.currency(1),
            "country": constant(plan.company.country, 1),
            "account": constant(plan.chart.accounts[plan.chart.roles["bank"]].number, 1),
            **_validity(shard, 1),
        },
    )


def _employees(shard: Shard) -> None:
    plan, people, names = shard.plan, shard.plan.people, shard.names
    count = len(people)
    hired = -shard.rng("hired").integers(30, 365 * 12, count)
    shard.table(
        "employees",
        {
            "employee_id": names.employees,
            "company_code": shard.company(count),
            "name": pa.array(plan.pack.person_names(_words(shard, "people", count)), pa.string()),
            "country": constant(plan.company.country, count),
            "department": category(people.department, DEPARTMENTS),
            "position": category(people.position, POSITIONS),
            "manager_id": category(people.manager, names.employees),
            "cost_center_id": category(people.cost_center, names.cost_centers),
            "approval_limit": shard.money(people.limit),
            "monthly_salary": shard.money(people.salary),
            **_validity(shard, count, hired),
        },
    )


def _assets(shard: Shard) -> None:
    """The register as of the end of the books, issued anew each time that they are closed."""
    assets, names = shard.plan.assets, shard.names
    count = len(assets)
    described = [
        f"{DESCRIPTIONS[kind]} {number:05d}" for number, kind in enumerate(assets.kind.tolist(), start=1)
    ]
    known = np.maximum(assets.bought, shard.window.first)  # all that were bought before the end
    shard.table(
        "assets",
        {
            "asset_id": names.assets,
            "company_code": shard.company(count),
            "description": pa.array(described, pa.string()),
            "class": category(assets.kind, CLASSES),
            "acquisition_date": shard.dates(assets.bought),
            "acquisition_cost": shard.money(assets.cost),
            "salvage_value": shard.money(assets.salvage),
            "useful_life_months": pa.array(assets.life.astype(np.int16)),
            "depreciation_method": category(assets.method, METHODS),
            "cost_center_id": category(assets.cost_center, names.cost_centers),
            **_validity(shard, count, assets.bought, assets.sold),
        },
        known,
    )


def _materials(shard: Shard) -> None:
    plan, materials, names = shard.plan, shard.plan.materials, shard.names
    count, own = len(plan.valuation.stock_cost), len(materials.cost)
    goods = shard.rng("goods").integers(0, len(_GOODS), count)
    described = compute.binary_join_element_wise(pa.array(_GOODS).take(goods), numbered(" ", count), "")
    vendor = np.where(materials.kind == MADE, -1, materials.vendor)
    shard.table(
        "materials",
        {
            "material_id": names.materials,
            "company_code": shard.company(count),
            "description": described,
            "type": category(np.append(materials.kind, np.full(count - own, len(_KINDS) - 1)), _KINDS),
            "unit": category(shard.rng("unit").choice(3, count, p=[0.8, 0.15, 0.05]), _UNITS),
            "standard_cost": shard.money(plan.valuation.stock_cost),
            "list_price": shard.money(np.concatenate([materials.price, plan.trade.goods_cost])),
            "vendor_id": category(np.append(vendor, np.full(count - own, -1)), names.vendors),
            **_validity(shard, count),
        },
    )


def _partners(shard: Shard, table: str, ids: pa.Array, groups: tuple[PartnerColumns, ...]) -> None:
    """Customers, or goods vendors followed by service vendors. Partners abroad come from another country pack."""
    plan, count = shard.plan, sum(len(group) for group in groups)
    is_foreign = np.concatenate([group.is_foreign for group in groups])
    words = partner_words(plan, table, count)
    countries, home = homes(plan, table, is_foreign)
    rows = [np.flatnonzero(home == place) for place in range(len(countries))]
    drawn = [(pack_for(country), words[at]) for country, at in zip(countries, rows, strict=True)]
    addresses = [pack.addresses(mine) for pack, mine in drawn]
    currency = plan.partners.customer_currency if table == "customers" else plan.partners.vendor_currency

    def joined(parts: Iterable[NDArray[Any]]) -> pa.Array:
        values = np.empty(count, object)
        for at, part in zip(rows, parts, strict=True):
            values[at] = part.astype("U") if part.dtype.kind == "S" else part
        return pa.array(values, pa.string())

    singular = table[:-1]
    columns: dict[str, pa.Array] = {f"{singular}_id": ids, "company_code": shard.company(count)}
    if table == "vendors":
        columns["kind"] = category(np.repeat([0, 1], [len(group) for group in groups]), ("goods", "services"))
    columns |= {
        "name": joined(pack.partner_names(mine) for pack, mine in drawn),
        "country": category(home, countries),
        "street": joined(address.street for address in addresses),
        "postal_code": joined(address.postal_code for address in addresses),
        "city": joined(address.city for address in addresses),
        "region": joined(address.region for address in addresses).dictionary_encode(),
        "tax_id": joined(pack.tax_ids("partner", mine) for pack, mine in drawn),
        "iban": joined(pack.ibans(mine) for pack, mine in drawn),
        "currency": shard.currency(count) if currency is None else category(currency, plan.currencies.codes),
        "payment_terms_days": pa.array(np.concatenate([group.terms for group in groups]).astype(np.int16)),
        "tax_code": category(np.concatenate([group.tax_code for group in groups]), shard.names.tax_codes),
        **_validity(shard, count),
    }
    shard.table(table, columns)
