"""Declarations of the master data tables."""

from generation.engine.schema.declaration import (
    Column,
    Table,
    code,
    company,
    count,
    day,
    key,
    money,
    reference,
    text,
)

_VALIDITY = (
    day("valid_from", "First day of validity."),
    day("valid_to", "Last day of validity; null while valid.", nullable=True),
)
_PARTNER = (
    text("name", "Name of the partner.", pii="quasi"),
    code("country", "Country of residence, ISO 3166-1 alpha-2."),
    text("street", "Street and number.", pii="quasi"),
    text("postal_code", "Postal code.", pii="quasi"),
    text("city", "City.", pii="quasi"),
    code("region", "State or region code.", nullable=True),
    text("tax_id", "Tax number with a valid check digit.", pii="quasi"),
    text("iban", "Bank account, with valid check digits.", pii="direct"),
    code("currency", "Currency of the partner's invoices, ISO 4217."),
    count("payment_terms_days", "Days from invoice date to due date.", "days", "int16"),
    code("tax_code", "Tax code of the partner's invoices."),
    *_VALIDITY,
)

TABLES = (
    Table(
        "companies",
        "Companies",
        "Legal entities of the group; each keeps its own books.",
        ("company_code",),
        (
            key("company_code", "Code of the company.", "code"),
            text("name", "Legal name."),
            code("country", "Country of the registered seat, ISO 3166-1 alpha-2."),
            code("currency", "Currency of the books, ISO 4217."),
            code("industry", "Industry that shapes margins, seasons and documents."),
            code("framework", "Accounting framework: us_gaap, ifrs, hgb or pcg."),
            reference(
                "parent_company_code",
                "companies",
                "company_code",
                "Parent company; null for independent companies.",
                nullable=True,
            ),
            Column("ownership", "rate", "Share that the parent holds.", unit="fraction", role="measure"),
        ),
    ),
    Table(
        "accounts",
        "Chart of accounts",
        "General ledger accounts of each company.",
        ("company_code", "account"),
        (
            company(),
            key("account", "Account number.", "code"),
            text("name", "Name of the account."),
            code("class", "asset, liability, equity, revenue or expense."),
            code("subtype", "Finer class that statements and checks use."),
            code("normal_side", "Side on which the balance normally stands: D or C."),
            Column("is_control", "bool", "True when only subledger documents may post to the account."),
            code("statement_line", "Line of the financial statements that the account belongs to."),
        ),
    ),
    Table(
        "cost_centers",
        "Cost centres",
        "Units that bear costs.",
        ("cost_center_id",),
        (
            key("cost_center_id", "Cost centre."),
            company(),
            text("name", "Name of the cost centre."),
            code("department", "Department it belongs to."),
            *_VALIDITY,
        ),
    ),
    Table(
        "bank_accounts",
        "Bank accounts",
        "Accounts of the companies at their banks.",
        ("bank_account_id",),
        (
            key("bank_account_id", "Bank account."),
            company(),
            text("name", "Name of the account."),
            text("iban", "Account number with valid check digits.", pii="direct"),
            code("currency", "Currency of the account, ISO 4217."),
            code("country", "Country of the bank."),
            code("account", "General ledger account."),
            *_VALIDITY,
        ),
    ),
    Table(
        "employees",
        "Employees",
        "People on the payroll, with their manager and approval limit.",
        ("employee_id",),
        (
            key("employee_id", "Employee."),
            company(),
            text("name", "Invented name.", pii="direct"),
            code("country", "Country of work."),
            code("department", "Department."),
            code("position", "staff, senior, manager, director or executive."),
            reference("manager_id", "employees", "employee_id", "Manager; null at the top.", nullable=True),
            reference(
                "cost_center_id", "cost_centers", "cost_center_id", "Cost centre that bears the salary."
            ),
            money("approval_limit", "Highest amount the employee may approve."),
            money("monthly_salary", "Gross monthly salary at the start of the period."),
            *_VALIDITY,
        ),
    ),
    Table(
        "assets",
        "Fixed assets",
        "Asset register.",
        ("asset_id",),
        (
            key("asset_id", "Asset."),
            company(),
            text("description", "What the asset is."),
            code("class", "Asset class."),
            day("acquisition_date", "Day of acquisition; may lie before the period."),
            money("acquisition_cost", "Cost at acquisition."),
            money("salvage_value", "Residual value that is not depreciated."),
            count(
                "useful_life_months",
                "Useful life, or recovery period under MACRS; 1 for low-value assets.",
                "months",
                "int16",
            ),
            code(
                "depreciation_method",
                "straight_line, double_declining_balance, sum_of_years_digits, macrs (half-year convention) or "
                "immediate (low-value assets, expensed at once).",
            ),
            reference(
                "cost_center_id", "cost_centers", "cost_center_id", "Cost centre that bears the depreciation."
            ),
            *_VALIDITY,
        ),
    ),
    Table(
        "materials",
        "Materials",
        "Goods bought, stocked and sold.",
        ("material_id",),
        (
            key("material_id", "Material."),
            company(),
            text("description", "Description."),
            code(
                "type",
                "trading_good, finished_good for what the company makes, component, or group_good for what sister companies supply.",
            ),
            code("unit", "Unit of measure."),
            money(
                "standard_cost", "Standard cost of one unit; at moving averages the cost of opening stock."
            ),
            money("list_price", "List price of one unit."),
            reference(
                "vendor_id",
                "vendors",
                "vendor_id",
                "Vendor that supplies it; null for goods that are made and goods of the group.",
                nullable=True,
            ),
            *_VALIDITY,
        ),
    ),
    Table(
        "vendors",
        "Vendors",
        "Suppliers of goods and services.",
        ("vendor_id",),
        (
            key("vendor_id", "Vendor."),
            company(),
            code("kind", "goods or services."),
            *_PARTNER,
        ),
    ),
    Table(
        "customers",
        "Customers",
        "Buyers.",
        ("customer_id",),
        (
            key("customer_id", "Customer."),
            company(),
            *_PARTNER,
        ),
    ),
)
