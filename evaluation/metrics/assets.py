"""Exact rules of fixed assets: straight-line charges within the useful life, and one life for each class."""

from evaluation.metrics.rule import Rule

RULES = (
    Rule(
        id="subledgers.depreciation_by_life",
        title="Depreciation keeps to cost and useful life",
        tables=("depreciation_lines",),
        offenders="""
            with charged as (
                select company_code, asset_id, last_day(posting_date) as month_end, sum(amount) as charge
                from depreciation_lines group by all),
            allowed as (
                select c.*, a.acquisition_date, a.acquisition_cost, a.useful_life_months,
                       ceil(a.acquisition_cost::decimal(24, 4) * (10 ** k.digits)::bigint / a.useful_life_months)
                           as most_units,
                       c.charge * (10 ** k.digits)::bigint as units,
                       datediff('month', a.acquisition_date, c.month_end) as age,
                       sum(c.charge) over (partition by c.asset_id) as total
                from charged c left join assets a using (asset_id)
                left join currencies k on k.company_code = c.company_code)
            select asset_id, month_end, charge, acquisition_cost, useful_life_months, age, total from allowed
            where not coalesce(units <= most_units and age between 0 and useful_life_months
                               and total <= acquisition_cost, false)""",
        holds="All {n} charges are at most cost by months of useful life, inside that life and within cost.",
        breaks="{value} monthly charges exceed cost by months of useful life, or lie outside that life.",
    ),
    Rule(
        id="subledgers.asset_classes",
        title="Assets of a class are depreciated alike",
        tables=("assets",),
        offenders="""
            select class, count(distinct useful_life_months) as lives,
                   count(distinct depreciation_method) as methods
            from assets group by class
            having lives <> 1 or methods <> 1 or coalesce(min(useful_life_months), 0) < 1 or class is null""",
        holds="The {n} assets have one useful life and one method for each class.",
        breaks="{value} classes of asset have several useful lives or methods of depreciation.",
    ),
)
