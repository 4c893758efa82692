"""An estimate is made while somebody waits for a page, also of the largest group that a config may have."""

from generation.engine.config.load import load_config
from generation.engine.estimate import estimate
from generation.engine.group.trade import flows_of
from tests.work import work_of_at_most

HEAD = """\
version: 1
name: large-group
period: {start: 2025-01-01, months: 120}
group: {name: Talwerk, currency: EUR}
volume: {journal_lines_per_year: 5000000}
companies:
"""
COMPANY = (
    '  - {{code: "{code}", name: Talwerk {code} GmbH, country: DE, currency: EUR, industry: retail, '
    "annual_revenue: 5000000000, employees: 1000, framework: hgb{parent}}}\n"
)


def test_a_hundred_companies_that_all_trade_with_each_other_are_estimated_while_one_waits() -> None:
    """9,900 flows; each company once looked through all of them for each of its sisters."""
    companies = [
        COMPANY.format(code=1000 + one, parent=', parent: "1000"' if one else "") for one in range(100)
    ]
    config = load_config(HEAD + "".join(companies))

    with work_of_at_most(5):
        assert estimate(config).journal_lines > 10_000_000

    flows = flows_of(config)
    assert len(flows) == 100 * 99
    for seller in (0, 57, 99):
        sold = [flow for flow in flows if flow.seller == seller]
        assert [flow.place for flow in sold] == list(range(99))
        assert [flow.first for flow in sold] == [
            sum(flow.invoices for flow in sold[:place]) for place in range(99)
        ]
