"""Exact rules of a group's own statements: translated at the rates, added up with the entries, balanced, explained."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from evaluation.metrics.books import Books
from evaluation.metrics.report import MAX_SAMPLES, Sample
from evaluation.metrics.rule import Figure, Measured, Metric, Rule
from evaluation.metrics.wording import grouped

_GROUP = "select company_code as parent_company_code, * from financial_statements where basis = "
_CONSOLIDATED = f"{_GROUP} 'consolidated'"
_OF_LINES = "statement in ('BS', 'IS', 'CF') and line not in ('IS.net_income', 'CF.net_change')"
_REVENUE = "line in ('IS.revenue', 'IS.other_income')"

RULES = (
    Rule(
        id="group.translation",
        title="Every company is translated at the rates, line by line",
        tables=("consolidation_lines",),
        offenders="""
            with own as (
                select company_code, fiscal_year, period, statement, line, amount from own_statements
                where statement in ('BS', 'IS', 'CF') and not starts_with(line, 'BS.E.') and amount <> 0
                  and line not in ('IS.net_income', 'CF.net_income', 'CF.net_change')
                  and company_code in (select company_code from consolidation_lines)),
            ends as (select company_code, fiscal_year, period, period_end as date from companies, periods),
            translated as (
                select l.*, g.half, if(c.currency = g.currency, 1, r.rate) as quoted
                from consolidation_lines l join companies c using (company_code)
                left join ends e using (company_code, fiscal_year, period), reporting g
                left join fx_rates r on r.currency_from = c.currency and r.currency_to = g.currency
                  and r.date = e.date and r.kind = l.rate_kind)
            select company_code, fiscal_year, period, statement, line, o.amount as stated, t.amount, t.rate,
                   t.translated_amount
            from own o full join translated t using (company_code, fiscal_year, period, statement, line)
            where not coalesce(o.amount = t.amount and t.rate = t.quoted
                and t.rate_kind = if(statement = 'BS', 'closing', 'average')
                and abs(t.amount::decimal(20, 4) * t.rate::decimal(18, 10) - t.translated_amount) <= t.half, false)""",
        holds="All {n} lines of the companies are translated at the closing or average rate of their month.",
        breaks="{value} lines of the companies are missing or not translated at the rate of their month.",
    ),
    Rule(
        id="group.adds_up",
        title="Companies + entries = group",
        tables=("consolidation_entries",),
        offenders=f"""
            with parts as (
                select parent_company_code, fiscal_year, period, statement, line, translated_amount as amount,
                       0 as entered from consolidation_lines
                union all
                select parent_company_code, fiscal_year, period, statement, line, amount, amount
                from consolidation_entries),
            added as (
                select parent_company_code, fiscal_year, period, statement, line, sum(amount) as amount,
                       sum(entered) as entered from parts group by all),
            entered as ({_GROUP} 'elimination')
            select parent_company_code, fiscal_year, period, statement, line, f.amount as stated, a.amount as expected,
                   e.amount as elimination, a.entered
            from (select * from ({_CONSOLIDATED}) where {_OF_LINES}) f
            full join added a using (parent_company_code, fiscal_year, period, statement, line)
            full join entered e using (parent_company_code, fiscal_year, period, statement, line)
            where coalesce(f.amount, 0) <> coalesce(a.amount, 0) or coalesce(e.amount, 0) <> coalesce(a.entered, 0)""",
        holds="All lines of the group are the sums of its companies and of {n} entries.",
        breaks="{value} lines of the group are not the sums of companies and entries.",
    ),
    Rule(
        id="group.statements",
        title="The statements of the group hold together",
        tables=("consolidation_entries",),
        offenders=f"""
            with sums as (
                select parent_company_code, fiscal_year, period,
                       sum(amount) filter (where starts_with(line, 'BS.A.')) as assets,
                       sum(amount) filter (where starts_with(line, 'BS.L.') or starts_with(line, 'BS.E.')) as funds,
                       sum(amount) filter (where starts_with(line, 'BS.E.')) as equity,
                       sum(if({_REVENUE}, amount, -amount)) filter (where statement = 'IS' and line <> 'IS.net_income')
                           as income,
                       sum(amount) filter (where line = 'IS.net_income') as net_income,
                       sum(amount) filter (where line = 'CF.net_income') as flow_income,
                       sum(amount) filter (where statement = 'CF' and line <> 'CF.net_change') as flows,
                       sum(amount) filter (where line = 'CF.net_change') as change,
                       coalesce(sum(amount) filter (where line = 'BS.A.cash'), 0) as cash,
                       sum(amount) filter (where line = 'SE.opening') as opening,
                       sum(amount) filter (where line = 'SE.net_income') as earned,
                       sum(amount) filter (where line in ('SE.contributions', 'SE.dividends', 'SE.translation')) as other,
                       sum(amount) filter (where line = 'SE.closing') as closing
                from ({_CONSOLIDATED}) group by all),
            chained as (
                select *, lag(closing) over w as closed, cash - lag(cash) over w as moved
                from sums window w as (partition by parent_company_code order by fiscal_year, period))
            select parent_company_code, fiscal_year, period, assets, funds, income, net_income, flows, change
            from chained
            where not coalesce(assets = funds and income = net_income and flow_income = net_income
                and earned = net_income and flows = change and coalesce(moved, change) = change
                and opening + earned + other = closing and closing = equity
                and coalesce(closed, opening) = opening, false)""",
        holds="Balance sheet, income, cash flow and changes in equity of the group tie to each other ({n} entries).",
        breaks="In {value} months the statements of the group do not tie to each other.",
    ),
    Rule(
        id="group.nothing_between_companies",
        title="The group shows nothing between its companies",
        tables=("consolidation_entries",),
        offenders=f"""
            select parent_company_code, fiscal_year, period, line, amount from ({_CONSOLIDATED})
            where line in ('BS.A.intercompany', 'BS.L.intercompany', 'BS.A.investments', 'BS.A.cash_pool', 'BS.L.cash_pool',
                           'CF.pool_lending', 'CF.pool_borrowing', 'CF.interest_received',
                           'CF.dividend_income', 'CF.dividends_received') and amount <> 0""",
        holds="No balance between companies, no flow of a cash pool and no share in one is left after {n} entries.",
        breaks="{value} balances between companies are left in the statements of the group.",
    ),
    Rule(
        id="group.eliminations",
        title="Every pair is eliminated at the average rate",
        tables=("eliminations",),
        offenders="""
            with expected as (
                select p.pair_id, p.amount, if(p.currency = g.currency, 1, r.rate) as rate, g.half,
                       if(p.kind = 'goods', 'IS.cost_of_sales', 'IS.operating_expense') as line
                from intercompany_pairs p join intercompany_documents d on d.document_id = p.seller_document_id
                join days w on w.day = d.posting_date, reporting g
                left join fx_rates r on r.currency_from = p.currency and r.currency_to = g.currency
                  and r.kind = 'average' and r.date = w.period_end),
            entered as (
                select fiscal_year, period, line, -sum(amount) as amount from consolidation_entries
                where entry = 'sales' group by all),
            taken as (
                select fiscal_year, period, unnest([debit_line, credit_line]) as line, amount from eliminations),
            sums as (select fiscal_year, period, line, sum(amount) as amount from taken group by all)
            select pair_id, e.amount, x.amount::decimal(20, 4) * x.rate::decimal(18, 10) as expected
            from eliminations e full join expected x using (pair_id)
            where not coalesce(abs(x.amount::decimal(20, 4) * x.rate::decimal(18, 10) - e.amount) <= x.half and e.debit_line = 'IS.revenue'
                               and e.credit_line = x.line, false)
            union all
            select fiscal_year || '/' || period || ' ' || line, s.amount, n.amount
            from sums s full join entered n using (fiscal_year, period, line) where s.amount is distinct from n.amount""",
        holds="All {n} eliminations are their pair at the month's average rate, and the entries are their sums.",
        breaks="{value} eliminations differ from their pair at the average rate, or from the entries.",
    ),
    Rule(
        id="group.unrealised_profit",
        title="Profit in stock is taken out until the goods are used",
        tables=("intercompany_document_lines",),
        offenders="""
            with sellers as (
                select l.material_id, d.company_code, min(d.partner_company_code) as seller, min(p.markup) as markup
                from intercompany_document_lines l join intercompany_documents d using (document_id)
                join intercompany_pairs p using (pair_id)
                where l.material_id is not null and d.side = 'purchase' group by all),
            stocks as (
                select b.period_end, s.seller, b.company_code, b.value * s.markup / (1 + s.markup) as profit,
                       if(c.currency = g.currency, 1, r.rate) as rate, h.half
                from inventory_balances b join sellers s using (company_code, material_id)
                join companies c using (company_code) join halves h using (company_code), reporting g
                left join fx_rates r on r.currency_from = c.currency and r.currency_to = g.currency
                  and r.kind = 'closing' and r.date = b.period_end),
            expected as (  -- each good is rounded in the buyer's currency, each buyer's sum in that of the group
                select seller, period_end, sum(profit::double * rate::double) as profit,
                       sum(half::double * rate::double) as of_goods, count(distinct company_code) as buyers
                from stocks group by all),
            ends as (select company_code as seller, fiscal_year, period, period_end from companies, periods),
            entered as (
                select company_code as seller, fiscal_year, period, -sum(amount) as profit from consolidation_entries
                where entry = 'unrealised_profit' and statement = 'BS' group by all)
            select seller, period_end, n.profit as stated, x.profit as expected
            from expected x join ends using (seller, period_end)
            full join entered n using (seller, fiscal_year, period), reporting g
            where not coalesce(abs(coalesce(n.profit, 0) - coalesce(x.profit, 0))
                <= (coalesce(x.of_goods, 0) + coalesce(x.buyers, 0) * g.half) * 1.000001, false)""",
        holds="The profit in the stock of goods from sister companies is what the entries take out ({n} lines).",
        breaks="At {value} month ends the entries take out another profit than the stock holds.",
    ),
    Rule(
        id="group.segments",
        title="Segments reconcile to the group",
        tables=("segments",),
        offenders=f"""
            with added as (
                select parent_company_code, fiscal_year, period, sum(revenue) as revenue, sum(result) as result,
                       sum(assets) as assets, sum(liabilities) as liabilities from segments group by all),
            stated as (
                select parent_company_code, fiscal_year, period,
                       coalesce(sum(amount) filter (where line = 'IS.revenue'), 0) as revenue,
                       coalesce(sum(amount) filter (where line = 'IS.net_income'), 0) as result,
                       coalesce(sum(amount) filter (where starts_with(line, 'BS.A.')), 0) as assets,
                       coalesce(sum(amount) filter (where starts_with(line, 'BS.L.')), 0) as liabilities
                from ({_CONSOLIDATED}) group by all)
            select parent_company_code, fiscal_year, period, a.revenue, s.revenue as of_group
            from added a full join stated s using (parent_company_code, fiscal_year, period)
            where not coalesce(a.revenue = s.revenue and a.result = s.result and a.assets = s.assets
                               and a.liabilities = s.liabilities, false)
            union all
            select g.parent_company_code, g.fiscal_year, g.period, g.revenue, x.revenue
            from segments g join (
                select l.parent_company_code, l.fiscal_year, l.period, c.industry as segment,
                       sum(if(l.line = 'IS.revenue', l.translated_amount, 0)) as revenue
                from consolidation_lines l join companies c using (company_code) group by all) x
              using (parent_company_code, fiscal_year, period, segment)
            where g.revenue <> x.revenue""",
        holds="All {n} segments are their companies, and with the reconciliation they are the group.",
        breaks="{value} segments are not their companies, or do not reconcile to the group.",
    ),
)


def _minority(books: Books) -> Measured:
    """Others' share in every subsidiary, worked out again from the bottom: net assets × what the parent does not own."""
    owned = {
        code: (parent, Decimal(share))
        for code, parent, share in books.rows(
            "select company_code, parent_company_code, ownership from companies where parent_company_code is not null"
        )
    }
    if not books.count("consolidation_entries"):
        return Measured(None, 0, "Not applicable: the dataset consolidates no group.", 0, applicable=False)
    half = Decimal(books.rows("select half from reporting")[0][0])
    net = _keyed(
        books,
        "select fiscal_year, period, company_code, sum(if(starts_with(line, 'BS.A.'), 1, -1) * translated_amount) "
        "from consolidation_lines where statement = 'BS' and line <> 'BS.A.investments' group by all",
    )
    entries = {
        kind: _keyed(
            books,
            "select fiscal_year, period, company_code, sum(amount) from consolidation_entries "
            f"where entry = '{kind}' and statement = 'BS' group by all",
        )
        for kind in ("unrealised_profit", "goodwill", "minority")
    }
    wrong: list[Sample] = []
    checked = 0
    periods = sorted({(year, period) for year, period, _ in net})
    for year, period in periods:

        def whole(code: str, year: int = year, period: int = period) -> Decimal:
            place = (year, period, code)
            below = [child for child, (parent, _) in owned.items() if parent == code]
            return (
                net[place]
                + entries["unrealised_profit"][place]
                + sum(
                    (whole(child) - entries["minority"][year, period, child])
                    + entries["goodwill"][year, period, child]
                    for child in below
                )
            )

        for code, (_, share) in sorted(owned.items()):
            expected = (whole(code) * (1 - share)).quantize(half * 2, ROUND_HALF_UP)
            stated = entries["minority"][year, period, code]
            checked += 1
            if abs(stated - expected) > 2 * half:
                wrong.append(
                    {
                        "company_code": code,
                        "fiscal_year": year,
                        "period": period,
                        "stated": str(stated),
                        "expected": str(expected),
                    }
                )
    if not wrong:
        return Measured(
            0, checked, f"All {grouped(checked)} shares of others are their part of net assets.", 0
        )
    text = f"{len(wrong)} of {grouped(checked)} shares of others are not their part of net assets."
    return Measured(len(wrong), checked, text, 0, tuple(wrong[:MAX_SAMPLES]))


def _keyed(books: Books, query: str) -> defaultdict[tuple[int, int, str], Decimal]:
    found: defaultdict[tuple[int, int, str], Decimal] = defaultdict(Decimal)
    for year, period, code, amount in books.rows(query):
        found[year, period, code] = Decimal(amount)
    return found


def _translation_difference(books: Books) -> Measured:
    """The translation difference of a month, worked out from rates: net assets × change of rate + result × (closing − average).

    Source: IAS 21.41. Investments, goodwill and the profit in stock are valued apart. Rounding: a minor unit for each line.
    """
    if not books.count("consolidation_entries"):
        return Measured(None, 0, "Not applicable: the dataset consolidates no group.", 0, applicable=False)
    rows = books.rows(_DIFFERENCES)
    wrong: list[Sample] = [
        {
            "parent_company_code": parent,
            "fiscal_year": year,
            "period": period,
            "stated": str(stated),
            "expected": f"{expected:.2f}",
        }
        for parent, year, period, stated, expected, room in rows
        if stated is None or expected is None or abs(float(stated) - float(expected)) > float(room)
    ]
    if not wrong:
        text = f"The translation difference of all {grouped(len(rows))} months follows from the rates."
        return Measured(0, len(rows), text, 0)
    text = f"The translation difference of {len(wrong)} of {grouped(len(rows))} months does not follow from the rates."
    return Measured(len(wrong), len(rows), text, 0, tuple(wrong[:MAX_SAMPLES]))


_DIFFERENCES: Any = """
    with rates as (
        select company_code, l.parent_company_code, fiscal_year, period,
               max(rate) filter (where rate_kind = 'closing') as closing,
               max(rate) filter (where rate_kind = 'average') as average,
               coalesce(sum(if(starts_with(line, 'BS.A.'), 1, -1) * amount)
                   filter (where statement = 'BS' and line <> 'BS.A.investments'), 0) as net,
               coalesce(sum(if(line in ('IS.revenue', 'IS.other_income'), 1, -1) * amount)
                   filter (where statement = 'IS'), 0) as result,
               count(*) as lines
        from consolidation_lines l group by all),
    moved as (
        select *, lag(closing) over w as before, lag(net) over w as net_before
        from rates window w as (partition by company_code order by fiscal_year, period)),
    explained as (
        select parent_company_code, fiscal_year, period, sum(lines) as lines, bool_and(before is not null) as known,
               sum(net_before::double * (closing::double - before::double)
                   + (net::double - net_before::double) * (closing::double - average::double)) as expected
        from moved group by all),
    goodwill as (
        select parent_company_code, fiscal_year, period,
               coalesce(sum(amount) filter (where statement = 'BS'), 0) as standing,
               coalesce(sum(amount) filter (where statement = 'IS'), 0) as written_off
        from consolidation_entries where entry = 'goodwill' group by all),
    passed_on as ( -- dividends between companies leave one at its average rate and reach the other at its own
        select parent_company_code, fiscal_year, period, sum(amount) as amount from consolidation_entries
        where entry = 'dividends' and line in ('IS.other_income', 'CF.dividends') group by all),
    chained as (
        select e.*, coalesce(g.standing, 0) as standing, coalesce(g.written_off, 0) as written_off,
               coalesce(lag(g.standing) over w, 0) as standing_before
        from explained e left join goodwill g using (parent_company_code, fiscal_year, period)
        window w as (partition by e.parent_company_code order by fiscal_year, period)),
    stated as (
        select company_code as parent_company_code, fiscal_year, period,
               sum(amount) filter (where line = 'SE.translation') as amount
        from financial_statements where basis = 'consolidated' and statement = 'SE' group by all)
    select parent_company_code, fiscal_year, period, s.amount,
           c.expected + (c.standing - c.standing_before + c.written_off - coalesce(p.amount, 0))::double, (3 * c.lines + 20) * r.half * 2
    from chained c join stated s using (parent_company_code, fiscal_year, period)
    left join passed_on p using (parent_company_code, fiscal_year, period), reporting r
    where c.known order by all"""

METRICS: tuple[Metric, ...] = (
    *RULES,
    Figure("group.minority", "Others' shares are their part of net assets", "exact", _minority),
    Figure(
        "group.translation_difference",
        "The translation difference follows from the rates",
        "exact",
        _translation_difference,
    ),
)
