"""XLSX: a workbook for each company, a sheet for each table. Text is written as text, so that no cell is a formula.

Excel has 1,048,576 rows in a sheet: a longer table goes on in further sheets. Numbers have its 15 digits.
"""

from datetime import datetime, time
from decimal import Decimal
from itertools import chain
from typing import Any, Final

import xlsxwriter

from generation.engine.exports.parties import NOTICE
from generation.engine.exports.task import Task
from generation.engine.schema.catalogue import TABLES
from generation.engine.schema.declaration import Table

MOST_ROWS: Final = 1_048_576


def write(task: Task, most_rows: int = MOST_ROWS) -> None:
    """<company>.xlsx. most_rows: rows of a sheet, with its heading."""
    name = f"{task.company.code}.xlsx"
    options = {"constant_memory": True, "strings_to_numbers": False, "strings_to_formulas": False}
    options["use_zip64"] = True  # a full sheet may be longer than the 2 GiB of a plain archive
    book = xlsxwriter.Workbook(str(task.folder.path(name)), {**options, "default_date_format": "yyyy-mm-dd"})
    made = datetime.combine(task.company.horizon.end, time())
    book.set_properties({"title": task.company.company.name, "comments": NOTICE, "created": made})
    book.set_custom_property("synthetic", True, "bool")
    formats = {
        "heading": book.add_format({"bold": True}),
        "timestamp": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
    }
    about = book.add_worksheet("about")
    for row, line in enumerate((NOTICE, task.company.company.name, "Columns: schema.json of the dataset")):
        about.write_string(row, 0, line)
    rows = sum(_write_table(task, book, table, formats, most_rows) for table in TABLES.values())
    book.close()
    task.folder.adopt(name, "xlsx", rows)


def _write_table(task: Task, book: Any, table: Table, formats: dict[str, Any], most_rows: int) -> int:
    """The rows of a table in one sheet or more; how many there were."""
    names = [column.name for column in table.columns]
    kinds = [column.kind for column in table.columns]
    query = f"""SELECT {", ".join(f'"{name}"' for name in names)} FROM "{table.name}" """
    rows = chain.from_iterable(
        zip(*(column.to_pylist() for column in batch.columns), strict=True)
        for batch in task.source.batches(query)
    )
    sheet, place, total = _sheet(book, table.name, 1, names, formats), 0, 0
    for total, row in enumerate(rows, start=1):
        if place == most_rows - 1:
            sheet, place = _sheet(book, table.name, (total - 1) // place + 1, names, formats), 0
        place += 1
        for column, (kind, value) in enumerate(zip(kinds, row, strict=True)):
            if isinstance(value, str):
                sheet.write_string(place, column, value)
            elif isinstance(value, bool):
                sheet.write_boolean(place, column, value)
            elif isinstance(value, int | Decimal):
                sheet.write_number(place, column, value)
            elif value is not None:
                sheet.write_datetime(place, column, value, formats.get(kind))
    return total


def sheet_name(table: str, number: int = 1) -> str:
    """Name of the sheet of a table, or of a further one: Excel has 31 characters for it."""
    suffix = "" if number == 1 else f" {number}"
    return table[: 31 - len(suffix)] + suffix


def _sheet(book: Any, table: str, number: int, names: list[str], formats: dict[str, Any]) -> Any:
    sheet = book.add_worksheet(sheet_name(table, number))
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(names):
        sheet.write_string(0, column, name, formats["heading"])
    return sheet
