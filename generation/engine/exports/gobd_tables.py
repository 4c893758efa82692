"""The tables of a GoBD medium: German names, what they hold, their keys, and the SQL that gives their columns."""

from typing import Final, Literal, NamedTuple

Kind = Literal["text", "day", "money", "number", "rate", "exchange"]
TABLES: Final = frozenset(
    {
        "accounts", "customers", "vendors", "cost_centers", "assets", "journal_entries", "journal_lines",
        "trial_balances", "ar_open_items", "ap_open_items", "tax_lines",
    }
)  # fmt: skip


class Field(NamedTuple):
    name: str
    kind: Kind
    sql: str
    description: str


class Sheet(NamedTuple):
    """One file. `origin` is filled with year, first and last day; a reference is a column and the table it points to.

    Rows are in the order of `day`, where the sheet has one because it grows with the books, then of `order`.
    """

    file: str
    name: str
    description: str
    origin: str
    order: str
    keys: tuple[Field, ...]
    fields: tuple[Field, ...]
    references: tuple[tuple[str, str], ...] = ()
    day: str | None = None


def _partners(file: str, name: str, description: str, table: str, key: str) -> Sheet:
    return Sheet(
        file,
        name,
        description,
        table,
        key,
        (Field("Nummer", "text", key, "Kontonummer des Geschäftspartners"),),
        (
            Field("Name", "text", "name", "Name"),
            Field("Strasse", "text", "street", "Straße und Hausnummer"),
            Field("PLZ", "text", "postal_code", "Postleitzahl"),
            Field("Ort", "text", "city", "Ort"),
            Field("Land", "text", "country", "Land nach ISO 3166-1"),
            Field("Steuernummer", "text", "tax_id", "Umsatzsteuer-Identifikationsnummer oder Steuernummer"),
            Field("Zahlungsziel", "number", "payment_terms_days", "Zahlungsziel in Tagen"),
        ),
    )


def _open_items(file: str, name: str, description: str, table: str, partners: str) -> Sheet:
    return Sheet(
        file,
        name,
        description,
        f"{table} WHERE period_end BETWEEN DATE '{{first}}' AND DATE '{{last}}'",
        "document_id",
        (
            Field("Stichtag", "day", "period_end", "Monatsende"),
            Field("Rechnung", "text", "document_id", "Nummer der Rechnung oder Gutschrift"),
        ),
        (
            Field("Partner", "text", "partner_id", "Kontonummer des Geschäftspartners"),
            Field("Faelligkeit", "day", "due_date", "Fälligkeit"),
            Field("Betrag", "money", "original_amount", "Bruttobetrag der Rechnung"),
            Field("Offen", "money", "open_amount", "Offener Betrag am Stichtag"),
        ),
        (("Partner", partners),),
        day="period_end",
    )


SHEETS: Final = (
    Sheet(
        "sachkonten.csv",
        "Sachkonten",
        "Kontenplan",
        "accounts",
        "account",
        (Field("Konto", "text", "account", "Kontonummer"),),
        (
            Field("Bezeichnung", "text", "name", "Bezeichnung des Kontos"),
            Field("Kontenart", "text", "class", "asset, liability, equity, revenue oder expense"),
            Field("Gruppe", "text", "subtype", "Feinere Gliederung"),
            Field("Normalseite", "text", "normal_side", "D: Soll, C: Haben"),
            Field(
                "Mitbuchkonto",
                "text",
                "CASE WHEN is_control THEN 'J' ELSE 'N' END",
                "J: nur aus Nebenbüchern bebucht",
            ),
            Field("Bilanzposition", "text", "statement_line", "Zeile des Abschlusses"),
        ),
    ),
    _partners("debitoren.csv", "Debitoren", "Kunden", "customers", "customer_id"),
    _partners("kreditoren.csv", "Kreditoren", "Lieferanten", "vendors", "vendor_id"),
    Sheet(
        "kostenstellen.csv",
        "Kostenstellen",
        "Kostenstellen",
        "cost_centers",
        "cost_center_id",
        (Field("Kostenstelle", "text", "cost_center_id", "Nummer der Kostenstelle"),),
        (
            Field("Bezeichnung", "text", "name", "Bezeichnung"),
            Field("Abteilung", "text", "department", "Abteilung"),
        ),
    ),
    Sheet(
        "anlagen.csv",
        "Anlagen",
        "Anlagenverzeichnis",
        "assets",
        "asset_id",
        (Field("Anlage", "text", "asset_id", "Anlagennummer"),),
        (
            Field("Bezeichnung", "text", "description", "Bezeichnung"),
            Field("Anlagenklasse", "text", "class", "Anlagenklasse"),
            Field("Zugang", "day", "acquisition_date", "Tag der Anschaffung"),
            Field("Anschaffungskosten", "money", "acquisition_cost", "Anschaffungskosten"),
            Field("Nutzungsdauer", "number", "useful_life_months", "Nutzungsdauer in Monaten"),
            Field("Abgang", "day", "valid_to", "Tag des Abgangs"),
        ),
    ),
    Sheet(
        "belege.csv",
        "Belege",
        "Belegköpfe des Buchungsjournals",
        "journal_entries WHERE fiscal_year = {year}",
        "document_id",
        (Field("Beleg", "text", "document_id", "Nummer der Buchung"),),
        (
            Field("Belegart", "text", "document_type", "Belegart"),
            Field("Buchungsdatum", "day", "posting_date", "Tag der Buchung"),
            Field("Belegdatum", "day", "document_date", "Datum des Belegs"),
            Field(
                "Erfasst",
                "text",
                "strftime(created_at, '%Y-%m-%dT%H:%M:%SZ')",
                "Zeitpunkt der Erfassung, UTC",
            ),
            Field("Erfasser", "text", "created_by", "Wer die Buchung erfasst hat"),
            Field("Freigeber", "text", "approved_by", "Wer die Buchung freigegeben hat"),
            Field("Periode", "number", "period", "Buchungsperiode; 13 ist der Jahresabschluss"),
            Field("Waehrung", "text", "currency", "Währung des Belegs nach ISO 4217"),
            Field("Kurs", "exchange", "exchange_rate", "Kurs in Hauswährung"),
            Field("Text", "text", "header_text", "Text der Buchung"),
            Field("Grundlage", "text", "source_document_id", "Nummer des zugrunde liegenden Belegs"),
            Field("Storno", "text", "reverses_document_id", "Nummer der Buchung, die diese aufhebt"),
        ),
        day="posting_date",
    ),
    Sheet(
        "buchungen.csv",
        "Buchungen",
        "Zeilen des Buchungsjournals",
        "journal_lines WHERE fiscal_year = {year}",
        "document_id, line_number",
        (
            Field("Beleg", "text", "document_id", "Nummer der Buchung"),
            Field("Zeile", "number", "line_number", "Zeile der Buchung"),
        ),
        (
            Field("Buchungsdatum", "day", "posting_date", "Tag der Buchung"),
            Field("Konto", "text", "account", "Sachkonto"),
            Field("Soll", "money", "debit", "Betrag im Soll in Hauswährung"),
            Field("Haben", "money", "credit", "Betrag im Haben in Hauswährung"),
            Field("Belegwaehrung", "text", "document_currency", "Währung des Belegs"),
            Field("Belegbetrag", "money", "document_amount", "Betrag in Belegwährung, Soll positiv"),
            Field("Debitor", "text", "CASE WHEN partner_type = 'customer' THEN partner_id END", "Kunde"),
            Field("Kreditor", "text", "CASE WHEN partner_type = 'vendor' THEN partner_id END", "Lieferant"),
            Field("Kostenstelle", "text", "cost_center_id", "Kostenstelle"),
            Field("Steuerschluessel", "text", "tax_code", "Steuerschlüssel"),
            Field("Anlage", "text", "asset_id", "Anlage"),
            Field("Text", "text", "line_text", "Text der Zeile"),
        ),
        (
            ("Beleg", "Belege"),
            ("Konto", "Sachkonten"),
            ("Debitor", "Debitoren"),
            ("Kreditor", "Kreditoren"),
            ("Kostenstelle", "Kostenstellen"),
            ("Anlage", "Anlagen"),
        ),
        day="posting_date",
    ),
    Sheet(
        "steuern.csv",
        "Steuern",
        "Umsatzsteuer und Vorsteuer der Belege",
        "tax_lines WHERE posting_date BETWEEN DATE '{first}' AND DATE '{last}'",
        "document_type, document_id, line_number",
        (
            Field("Grundlage", "text", "document_id", "Nummer der Rechnung, Gutschrift oder Zahlung"),
            Field("Zeile", "number", "line_number", "Zeile des Belegs"),
        ),
        (
            Field("Buchungsdatum", "day", "posting_date", "Tag der Buchung"),
            Field("Steuerschluessel", "text", "tax_code", "Steuerschlüssel"),
            Field("Bemessungsgrundlage", "money", "base", "Besteuerter Betrag"),
            Field("Steuersatz", "rate", "rate", "Steuersatz als Anteil"),
            Field("Steuer", "money", "tax_amount", "Steuerbetrag"),
            Field("Richtung", "text", "direction", "output: Umsatzsteuer, input: Vorsteuer"),
        ),
        day="posting_date",
    ),
    Sheet(
        "summen_salden.csv",
        "SummenSalden",
        "Summen- und Saldenliste der Perioden",
        "trial_balances WHERE fiscal_year = {year}",
        "period, account",
        (
            Field("Periode", "number", "period", "Buchungsperiode; 13 ist der Jahresabschluss"),
            Field("Konto", "text", "account", "Sachkonto"),
        ),
        (
            Field("Anfangssaldo", "money", "opening_balance", "Saldo zu Beginn der Periode, Soll positiv"),
            Field("Soll", "money", "debit", "Summe im Soll"),
            Field("Haben", "money", "credit", "Summe im Haben"),
            Field("Endsaldo", "money", "closing_balance", "Saldo am Ende der Periode, Soll positiv"),
        ),
        (("Konto", "Sachkonten"),),
    ),
    _open_items(
        "op_debitoren.csv",
        "OffenePostenDebitoren",
        "Offene Forderungen zum Monatsende",
        "ar_open_items",
        "Debitoren",
    ),
    _open_items(
        "op_kreditoren.csv",
        "OffenePostenKreditoren",
        "Offene Verbindlichkeiten zum Monatsende",
        "ap_open_items",
        "Kreditoren",
    ),
)
