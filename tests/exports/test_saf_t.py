"""SAF-T by the OECD's schema 2.00: names, order and number of elements, lengths, and what the ledger adds up to.

The schema file is in no package that can be had here, so its rules stand below, written from the published guidance
(OECD, “Guidance for the Standard Audit File - Tax, version 2.0”, appendix B). What an element may hold and this export does
not use is left out: an element that is not listed is an error.
"""

from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from lxml import etree

from tests.exports.conftest import Books, Exported

NAMESPACE = "urn:OECD:StandardAuditFile-Taxation/2.00"
# Children of each element in the order of the schema; ? none or one, * any number, + one or more, | one of the two.
RULES = {
    "AuditFile": "Header MasterFiles? GeneralLedgerEntries? SourceDocuments?",
    "Header": "AuditFileVersion AuditFileCountry AuditFileRegion? AuditFileDateCreated SoftwareCompanyName SoftwareID "
    "SoftwareVersion Company DefaultCurrencyCode SelectionCriteria? HeaderComment? TaxAccountingBasis TaxEntity?",
    "Company": "RegistrationNumber Name Address+ Contact+ TaxRegistration* BankAccount*",
    "Address": "StreetName? Number? AdditionalAddressDetail? Building? City PostalCode Region? Country? AddressType?",
    "Contact": "ContactPerson Telephone? Fax? Email? Website?",
    "ContactPerson": "Title? FirstName Initials? LastNamePrefix? LastName BirthName? Salutation? OtherTitles*",
    "TaxRegistration": "TaxRegistrationNumber TaxType? TaxNumber? TaxAuthority? TaxVerificationDate?",
    "SelectionCriteria": "TaxReportingJurisdiction? CompanyEntity? SelectionStartDate SelectionEndDate",
    "MasterFiles": "GeneralLedgerAccounts? Taxonomies? Customers? Suppliers? TaxTable? UOMTable? AnalysisTypeTable? "
    "MovementTypeTable? Products? PhysicalStock? Owners? Assets?",
    "GeneralLedgerAccounts": "Account+",
    "Account": "AccountID AccountDescription StandardAccountID? GroupingCategory? GroupingCode? AccountType AccountCreationDate? "
    "OpeningDebitBalance|OpeningCreditBalance ClosingDebitBalance|ClosingCreditBalance",
    "Customers": "Customer+",
    "Suppliers": "Supplier+",
    "Customer": "RegistrationNumber? Name Address+ Contact* TaxRegistration* BankAccount* CustomerID SelfBillingIndicator? "
    "AccountID? OpeningDebitBalance|OpeningCreditBalance ClosingDebitBalance|ClosingCreditBalance",
    "Supplier": "RegistrationNumber? Name Address+ Contact* TaxRegistration* BankAccount* SupplierID SelfBillingIndicator? "
    "AccountID? OpeningDebitBalance|OpeningCreditBalance ClosingDebitBalance|ClosingCreditBalance",
    "TaxTable": "TaxTableEntry+",
    "TaxTableEntry": "TaxType Description TaxCodeDetails+",
    "TaxCodeDetails": "TaxCode EffectiveDate? ExpirationDate? Description? TaxPercentage? FlatTaxRate? Country Region?",
    "AnalysisTypeTable": "AnalysisTypeTableEntry+",
    "AnalysisTypeTableEntry": "AnalysisType AnalysisTypeDescription AnalysisID AnalysisIDDescription",
    "GeneralLedgerEntries": "NumberOfEntries TotalDebit TotalCredit Journal*",
    "Journal": "JournalID Description Type Transaction*",
    "Transaction": "TransactionID Period PeriodYear TransactionDate SourceID? TransactionType? Description BatchID? "
    "SystemEntryDate GLPostingDate CustomerID? SupplierID? SystemID? Line+",
    "Line": "RecordID AccountID Analysis* ValueDate? SourceDocumentID? CustomerID? SupplierID? Description "
    "DebitAmount|CreditAmount TaxInformation*",
    "Analysis": "AnalysisType AnalysisID AnalysisAmount?",
    "DebitAmount": "Amount CurrencyCode? CurrencyAmount? ExchangeRate?",
    "CreditAmount": "Amount CurrencyCode? CurrencyAmount? ExchangeRate?",
    "TaxInformation": "TaxType? TaxCode? TaxPercentage? Country? TaxBase? TaxBaseDescription? TaxAmount TaxExemptionReason?",
    "TaxAmount": "Amount CurrencyCode? CurrencyAmount? ExchangeRate?",
}
LENGTHS = {
    "AccountID": 70, "AccountDescription": 256, "AccountType": 18, "CustomerID": 35, "SupplierID": 35, "TransactionID": 70,
    "SourceID": 35, "TransactionType": 18, "JournalID": 18, "Type": 9, "RecordID": 18, "SourceDocumentID": 35, "TaxCode": 9,
    "TaxType": 9, "AnalysisType": 9, "AnalysisID": 35, "Name": 256, "StreetName": 70, "City": 35, "PostalCode": 18,
    "RegistrationNumber": 35, "TaxRegistrationNumber": 35, "TaxAccountingBasis": 18, "HeaderComment": 256,
}  # fmt: skip
YEARS = [(company, year) for company in ("1000", "FR01", "US01") for year in (2024, 2025)]


@pytest.fixture(scope="module", params=YEARS, ids=str)
def case(request: pytest.FixtureRequest, exported: Exported) -> tuple[str, int, Path]:
    company, year = request.param
    return company, year, exported("saf_t") / f"{company}-{year}.xml"


def tag(node: etree._Element) -> str:
    return str(etree.QName(node).localname)


def amount(node: Any, name: str) -> Decimal:
    return Decimal(node.findtext(f"{{*}}{name}") or "0")


def test_elements_are_those_of_the_schema_in_its_order(case: tuple[str, int, Path]) -> None:
    for node in etree.parse(case[2]).getroot().iter(etree.Element):
        assert etree.QName(node).namespace == NAMESPACE
        children = [tag(child) for child in node]
        if not children:
            assert tag(node) not in RULES
            assert node.text
            assert len(node.text) <= LENGTHS.get(tag(node), 256), (tag(node), node.text)
            continue
        for rule in RULES[tag(node)].split():
            names, count = rule.rstrip("?*+").split("|"), 0
            while children and children[0] in names:
                children.pop(0)
                count += 1
            assert count <= 1 or rule[-1] in "*+", (tag(node), rule)
            assert count >= 1 or rule[-1] in "?*", (tag(node), rule)
        assert not children, (tag(node), children)


def test_every_transaction_balances_and_the_totals_are_theirs(case: tuple[str, int, Path]) -> None:
    ledger = etree.parse(case[2]).getroot().find("{*}GeneralLedgerEntries")
    transactions = list(ledger.iter("{*}Transaction"))
    debit = credit = Decimal(0)
    for one in transactions:
        debits = sum(amount(node, "Amount") for node in one.iter("{*}DebitAmount"))
        credits_ = sum(amount(node, "Amount") for node in one.iter("{*}CreditAmount"))
        assert debits == credits_
        debit, credit = debit + debits, credit + credits_

    assert int(ledger.findtext("{*}NumberOfEntries")) == len(transactions)
    assert (amount(ledger, "TotalDebit"), amount(ledger, "TotalCredit")) == (debit, credit)


def test_lines_lead_from_opening_to_closing_balances_which_are_those_of_the_books(
    case: tuple[str, int, Path], books: Books
) -> None:
    company, year, file = case
    root = etree.parse(file).getroot()
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for line in root.iter("{*}Line"):
        for side, sign in (("DebitAmount", 1), ("CreditAmount", -1)):
            for node in line.iterfind(f"{{*}}{side}"):
                moved[line.findtext("{*}AccountID")] += sign * amount(node, "Amount")

    closing = {}
    for account in root.iter("{*}Account"):
        number = account.findtext("{*}AccountID")
        begin, end = (
            amount(account, f"{w}DebitBalance") - amount(account, f"{w}CreditBalance")
            for w in ("Opening", "Closing")
        )
        assert begin + moved[number] == end, number
        closing[number] = end
    last = duckdb.execute(
        f"SELECT account, arg_max(closing_balance, period) FROM {books.table('trial_balances')} "
        f"WHERE company_code = '{company}' AND fiscal_year = {year} GROUP BY account"
    ).fetchall()
    assert {key: value for key, value in closing.items() if value} == {
        key: value for key, value in last if value
    }


def test_accounts_partners_tax_codes_and_cost_centres_of_lines_are_in_the_master_files(
    case: tuple[str, int, Path],
) -> None:
    root = etree.parse(case[2]).getroot()
    for name, place in (
        ("AccountID", "Account"), ("CustomerID", "Customer"), ("SupplierID", "Supplier"), ("AnalysisID", "AnalysisTypeTableEntry"),
        ("TaxCode", "TaxCodeDetails"),
    ):  # fmt: skip
        known = {node.findtext(f"{{*}}{name}") for node in root.find("{*}MasterFiles").iter(f"{{*}}{place}")}
        used = {node.text for node in root.find("{*}GeneralLedgerEntries").iter(f"{{*}}{name}")}
        assert used <= known, name
        assert used, name


def test_tax_of_a_line_is_its_base_at_the_rate_of_its_code(case: tuple[str, int, Path]) -> None:
    for tax in etree.parse(case[2]).getroot().iter("{*}TaxInformation"):
        exact = amount(tax, "TaxBase") * amount(tax, "TaxPercentage") / 100
        assert abs(amount(tax.find("{*}TaxAmount"), "Amount") - exact) <= Decimal("0.005")


def test_the_header_names_the_period_and_says_synthetic(case: tuple[str, int, Path]) -> None:
    header = etree.parse(case[2]).getroot().find("{*}Header")

    first = {2024: "2024-07-01", 2025: "2025-01-01"}[case[1]]
    assert header.findtext(".//{*}SelectionStartDate") == first
    assert header.findtext(".//{*}SelectionEndDate") == f"{case[1]}-12-31"
    assert "Synthetic data" in header.findtext("{*}HeaderComment")
