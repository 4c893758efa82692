"""GoBD: a medium for the German tax audit (Datenträgerüberlassung, Z3): text files, and index.xml that describes them.

Source: BMF, “Ergänzende Informationen zur Datenträgerüberlassung” with the Beschreibungsstandard (gdpdu-01-09-2004.dtd).
"""

from collections.abc import Iterator
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from generation.engine.exports import gobd_tables
from generation.engine.exports.gobd_tables import SHEETS, Field, Sheet
from generation.engine.exports.parties import NOTICE, party_of
from generation.engine.exports.source import Source, within
from generation.engine.exports.task import Task
from generation.engine.schema.catalogue import TABLES as SCHEMA

TABLES: Final = gobd_tables.TABLES
DTD: Final = "gdpdu-01-09-2004.dtd"
_EXCHANGE_DECIMALS: Final = next(
    column.arrow_type(0).scale
    for column in SCHEMA["journal_entries"].columns
    if column.name == "exchange_rate"
)
_DAY: Final = "DD.MM.YYYY"
ROWS_AT_ONCE: Final = 250_000  # so many are put in order in memory, whatever the length of the books


def write(task: Task, *, rows_at_once: int = ROWS_AT_ONCE) -> None:
    """<company>/<fiscal year>/ with a file for each table, index.xml and its grammar."""
    year = task.fiscal_year
    place = f"{task.company.code}/{year.number}"
    values = {"year": str(year.number), "first": year.first.isoformat(), "last": year.last.isoformat()}
    for sheet in SHEETS:
        with task.folder.file(f"{place}/{sheet.file}", "txt") as file:
            for origin in _origins(task.source, sheet, values, rows_at_once):
                file.write_lines(task.source.lines(_records(sheet, origin)))
    with task.folder.file(f"{place}/index.xml", "xml") as file:
        file.write(_index(task))
    with task.folder.file(f"{place}/{DTD}", "dtd") as file:
        file.write(GRAMMAR)


def _origins(source: Source, sheet: Sheet, values: dict[str, str], at_once: int) -> Iterator[str]:
    """What the rows of a sheet are read from: all in one, or the days of a long sheet, some at a time."""
    origin = sheet.origin.format(**values)
    if sheet.day is None:
        yield origin
        return
    counts = f"SELECT {sheet.day} AS day, count(*) AS lines FROM {origin} GROUP BY day"
    for first, last in source.spans(counts, at_once):
        yield f"(FROM {origin}) WHERE {within(first, last, sheet.day)}"


def _records(sheet: Sheet, origin: str) -> str:
    record = " || ';' || ".join(_written(field) for field in (*sheet.keys, *sheet.fields))
    order = f"{sheet.day}, {sheet.order}" if sheet.day else sheet.order
    return f"SELECT {record} || chr(13) || chr(10) FROM {origin} ORDER BY {order}"


def _written(field: Field) -> str:
    match field.kind:
        case "day":
            text = f"strftime({field.sql}, '%d.%m.%Y')"
        case "money" | "number" | "rate" | "exchange":
            text = f"replace(({field.sql})::VARCHAR, '.', ',')"
        case "text":
            clean = f"regexp_replace(({field.sql})::VARCHAR, '[\\r\\n]+', ' ', 'g')"
            text = f"""'"' || replace({clean}, '"', '""') || '"'"""
    return f"coalesce({text}, '')"


def _index(task: Task) -> str:
    party, year, company = party_of(task.company), task.fiscal_year, task.company.company
    tables = "".join(_table(sheet, task) for sheet in SHEETS)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<!DOCTYPE DataSet SYSTEM "{DTD}">\n'
        f"<!-- {NOTICE} -->\n"
        "<DataSet>\n<Version>1.0</Version>\n<DataSupplier>"
        f"<Name>{escape(company.name)}</Name><Location>{escape(f'{party.postal_code} {party.city}')}</Location>"
        f"<Comment>{NOTICE}</Comment></DataSupplier>\n"
        f"<Media>\n<Name>{escape(f'{company.code} {year.number}')}</Name>\n{tables}</Media>\n</DataSet>\n"
    )


def _table(sheet: Sheet, task: Task) -> str:
    year, decimals = task.fiscal_year, task.company.scale
    columns = "".join(_column("VariablePrimaryKey", field, decimals) for field in sheet.keys)
    columns += "".join(_column("VariableColumn", field, decimals) for field in sheet.fields)
    keys = "".join(
        f"<ForeignKey><Name>{name}</Name><References>{target}</References></ForeignKey>\n"
        for name, target in sheet.references
    )
    return (
        f"<Table>\n<URL>{sheet.file}</URL><Name>{sheet.name}</Name><Description>{sheet.description}</Description>\n"
        f"<Validity><Range><From>{year.first:%d.%m.%Y}</From><To>{year.last:%d.%m.%Y}</To></Range>"
        f"<Format>{_DAY}</Format></Validity>\n"
        "<UTF8/><DecimalSymbol>,</DecimalSymbol><DigitGroupingSymbol>.</DigitGroupingSymbol>\n"
        "<VariableLength>\n<ColumnDelimiter>;</ColumnDelimiter><RecordDelimiter>&#13;&#10;</RecordDelimiter>"
        f"<TextEncapsulator>&#34;</TextEncapsulator>\n{columns}{keys}</VariableLength>\n</Table>\n"
    )


def _column(tag: str, field: Field, decimals: int) -> str:
    kinds = {
        "text": "<AlphaNumeric/>",
        "day": f"<Date><Format>{_DAY}</Format></Date>",
        "money": f"<Numeric><Accuracy>{decimals}</Accuracy></Numeric>",
        "number": "<Numeric/>",
        "rate": "<Numeric><Accuracy>6</Accuracy></Numeric>",
        "exchange": f"<Numeric><Accuracy>{_EXCHANGE_DECIMALS}</Accuracy></Numeric>",
    }
    return f"<{tag}><Name>{field.name}</Name><Description>{field.description}</Description>{kinds[field.kind]}</{tag}>\n"


class _Rule(NamedTuple):
    name: str
    content: str


_TEXT: Final = "(#PCDATA)"
_TEXTS: Final = (
    "AcceptNotice", "Accuracy", "ColumnDelimiter", "Command", "Comment", "DecimalSymbol", "Description",
    "DigitGroupingSymbol", "Epoch", "Format", "From", "ImpliedAccuracy", "Length", "Location", "MaxLength",
    "Name", "RecordDelimiter", "References", "SkipNumBytes", "TextEncapsulator", "To", "URL", "Version",
)  # fmt: skip
_TYPE: Final = "(Name, Description?, (Numeric | (AlphaNumeric, MaxLength?) | Date), Map*)"
_RULES: Final = (
    _Rule("DataSet", "(Version, DataSupplier?, Command*, Media+, Command*)"),
    _Rule("DataSupplier", "(Name, Location, Comment)"),
    _Rule("Media", "(Name, Command*, Table+, Command*, AcceptNotice?)"),
    _Rule(
        "Table",
        "(URL, Name?, Description?, Validity?, (ANSI | Macintosh | OEM | UTF16 | UTF7 | UTF8)?, "
        "(DecimalSymbol, DigitGroupingSymbol)?, SkipNumBytes?, Range?, Epoch?, (VariableLength | FixedLength))",
    ),
    _Rule("Validity", "(Range, Format?)"),
    _Rule("Range", "(From, (To | Length)?)"),
    _Rule(
        "VariableLength",
        "(ColumnDelimiter?, RecordDelimiter?, TextEncapsulator?, VariablePrimaryKey*, VariableColumn*, ForeignKey*)",
    ),
    _Rule("FixedLength", "((Length | RecordDelimiter)?, FixedPrimaryKey*, FixedColumn*, ForeignKey*)"),
    _Rule("VariablePrimaryKey", _TYPE),
    _Rule("VariableColumn", _TYPE),
    _Rule("FixedPrimaryKey", "(Name, Description?, (Numeric | AlphaNumeric | Date), Map*, FixedRange)"),
    _Rule("FixedColumn", "(Name, Description?, (Numeric | AlphaNumeric | Date), Map*, FixedRange)"),
    _Rule("FixedRange", "(From, (To | Length))"),
    _Rule("ForeignKey", "(Name+, References, Alias*)"),
    _Rule("Alias", "(From, To)"),
    _Rule("Map", "(Description?, From, To)"),
    _Rule("Numeric", "((ImpliedAccuracy | Accuracy)?)"),
    _Rule("Date", "(Format?)"),
    *(_Rule(name, "EMPTY") for name in ("AlphaNumeric", "ANSI", "Macintosh", "OEM", "UTF16", "UTF7", "UTF8")),
    *(_Rule(name, _TEXT) for name in _TEXTS),
)
# The standard's grammar, written anew from its rules: audit software brings its own copy under the same name.
GRAMMAR: Final = (
    "<!-- Grammar of index.xml as the Beschreibungsstandard of 1 September 2004 defines it. -->\n"
    + "".join(f"<!ELEMENT {rule.name} {rule.content}>\n" for rule in _RULES)
)
