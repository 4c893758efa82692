"""A company of the config: who it is, how large, and by which chart it keeps its books."""

from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SerializerFunctionWrapHandler, model_serializer

from generation.engine.config.fields import Section, key, refuse
from generation.engine.config.loans import MOST_LOANS, Loan
from generation.engine.packs.currency import EXPONENTS
from generation.engine.packs.pack import COUNTRIES

Industry = Literal["manufacturing", "retail", "services", "technology", "financial_services", "healthcare"]
Framework = Literal["ifrs", "us_gaap", "hgb", "pcg"]
FORMULA_STARTS = ("=", "+", "-", "@")  # control characters are refused anyway
ChartSize = Literal["small", "medium", "large"]
Subtype = Literal[
    "cash", "trade_receivable", "intercompany_receivable", "input_tax", "inventory", "prepaid",
    "other_current_asset", "fixed_asset_cost", "accumulated_depreciation", "intangible", "deferred_tax_asset",
    "trade_payable", "intercompany_payable", "gr_ir", "tax_payable", "accrued", "payroll_payable",
    "deferred_revenue", "provision", "debt", "deferred_tax_liability", "other_liability", "share_capital",
    "retained_earnings", "other_equity", "revenue", "cost_of_sales", "operating_expense",
    "depreciation_expense", "interest", "fx_result", "tax_expense", "other_income", "clearing",
]  # fmt: skip


def _currency(code: str) -> str:
    if code not in EXPONENTS:
        meant = next(iter(get_close_matches(code.upper()[:10], EXPONENTS, n=1)), None)
        hint = f"Did you mean “{meant}”?" if meant else "Give three capital letters such as EUR, USD or GBP."
        raise refuse("unknown_currency", f"“{code[:20]}” is no currency of ISO 4217. {hint}", meant)
    return code


def _country(code: str) -> str:
    if code not in COUNTRIES:
        raise refuse(
            "unknown_country",
            f"There is no country pack for “{code[:20]}”. This release has {', '.join(COUNTRIES)}.",
        )
    return code


def _no_formula(name: str) -> str:
    """Spreadsheets take a cell that begins so for a formula; refused rather than escaped, so that CSV reads back as it is."""
    if name[0] in FORMULA_STARTS:
        raise refuse(
            "starts_like_formula", f"A name does not begin with “{name[0]}”: spreadsheets would run it."
        )
    return name


Currency = Annotated[str, AfterValidator(_currency)]
CURRENCIES = sorted(EXPONENTS)


class OwnAccount(Section):
    number: Annotated[
        str,
        key(
            "Account number in journal lines.", unit="text", source="no default", pattern=r"^[0-9A-Z]{1,10}$"
        ),
    ]
    name: Annotated[
        str,
        key(
            "Account name in the table of accounts.",
            unit="text",
            source="no default",
            min_length=1,
            max_length=100,
        ),
        AfterValidator(_no_formula),
    ]
    subtype: Annotated[
        Subtype,
        key("What the account is; decides class, side and statement line.", unit="word", source="no default"),
    ]
    role: Annotated[
        str | None,
        key(
            "What the books post to this account, for example rent or cogs.",
            unit="role",
            source="the first account of the fitting subtype",
            max_length=40,
        ),
    ] = None


class ChartConfig(Section):
    size: Annotated[
        ChartSize,
        key(
            "How many accounts the chart has: about 100, 400 or 2,500.",
            unit="size",
            source="our recommendation",
        ),
    ] = "medium"
    accounts: Annotated[
        tuple[OwnAccount, ...] | None,
        key(
            "A chart of one's own instead of a size.",
            unit="list",
            source="none: the national chart of the framework",
            min_length=1,
            max_length=3000,
        ),
    ] = None

    @model_serializer(mode="wrap")
    def _size_or_accounts(self, written: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Only one of the two may stand in a config."""
        data: dict[str, Any] = written(self)
        return data if self.accounts is None else {"accounts": data["accounts"]}


class Company(Section):
    code: Annotated[
        str,
        key(
            "Code of the company in every table.",
            unit="1–10 capital letters and digits",
            source="no default",
            pattern=r"^[A-Z0-9]{1,10}$",
            example="1000",
        ),
    ]
    name: Annotated[
        str,
        key("Name of the company.", unit="text", source="no default", min_length=1, max_length=100),
        AfterValidator(_no_formula),
    ]
    country: Annotated[
        str,
        key(
            "Picks the country pack: names, addresses, tax ids, bank accounts, holidays, tax rates.",
            unit="ISO 3166-1 alpha-2",
            choices=COUNTRIES,
            source="no default",
            example="DE",
        ),
        AfterValidator(_country),
    ]
    currency: Annotated[
        Currency,
        key(
            "Currency of the company's books and documents.",
            unit="ISO 4217",
            choices=CURRENCIES,
            source="no default",
            example="EUR",
        ),
    ]
    industry: Annotated[
        Industry,
        key(
            "Sets margins, seasons, balance-sheet structure and the default rates of the processes.",
            unit="word",
            source="no default",
        ),
    ]
    annual_revenue: Annotated[
        int,
        key(
            "Net sales per year; amounts of all documents follow from it.",
            unit="whole units of the company's currency",
            source="no default",
            ge=10_000,
            le=1_000_000_000_000,
        ),
    ]
    employees: Annotated[
        int, key("How many people are on the payroll.", unit="people", source="no default", ge=1, le=500_000)
    ]
    framework: Annotated[
        Framework,
        key("Accounting framework; picks the national chart of accounts.", unit="word", source="no default"),
    ]
    chart: Annotated[ChartConfig, Field(description="The chart of accounts.")] = ChartConfig()
    parent: Annotated[
        str | None,
        key(
            "Code of the company that owns this one: its parent holds the shares, and the group is consolidated.",
            unit="company code",
            source="no owner",
        ),
    ] = None
    ownership: Annotated[
        float,
        key(
            "Share that the parent owns; the rest is the share of others in the group's equity and result.",
            unit="share",
            source="fully owned",
            gt=0,
            le=1,
        ),
    ] = 1.0
    loans: Annotated[
        tuple[Loan, ...],
        key(
            "Loans with banks outside the group.",
            unit="list",
            source="none: only the credit line",
            max_length=MOST_LOANS,
        ),
    ] = ()
