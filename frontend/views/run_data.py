"""What a run made: its tables row by row, its files, and everything as one archive."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.safestring import SafeString

from core.errors import Conflict
from core.permissions import Permission, principal_of, requires
from frontend.charts.columns import column_histogram
from frontend.format import percent
from frontend.fragments import render_fragment, render_page, wants_fragment
from frontend.paging import Filter, address, plain_text, positive, search_text
from frontend.views.run import head
from generation.handing_out import hand_out_archive, hand_out_file
from generation.queries.files import ColumnFacts, require_open, run_files, run_tables
from generation.queries.preview import Cell, PreviewPage, preview_page
from generation.queries.runs import numbered_run, run_detail

FILES_ON_PAGE = 50
_NUMBERS = ("int", "uint", "decimal", "double", "float")


@dataclass(frozen=True, slots=True)
class TableLink:
    name: str
    rows: int
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class ColumnHead:
    name: str
    type: str
    unit: str
    description: str
    nulls: str
    is_number: bool
    figure: SafeString | None


@dataclass(frozen=True, slots=True)
class CellView:
    text: str | None
    is_number: bool


@dataclass(frozen=True, slots=True)
class RowView:
    number: int
    cells: tuple[CellView, ...]


@requires(GET=Permission.PREVIEW_READ)
def run_preview(request: HttpRequest, number: int) -> HttpResponse:
    """One hundred rows of one table; paging swaps only the table."""
    run = numbered_run(number)
    detail = run_detail(run)
    context = head(request, detail, "run-preview")
    tables = run_tables(run)
    try:
        require_open(run)
    except Conflict as error:
        return render(request, "frontend/run_preview.html", context | {"reason": str(error)})
    name = plain_text(request, "table") or (tables[0].name if tables else "")
    page = preview_page(run, name, page=positive(request.GET, "page", 1) or 1)
    context |= _preview_context(page)
    if wants_fragment(request):
        return render_fragment(request, "frontend/run_preview.html", "table", context)
    links = [TableLink(one.name, one.rows, address(table=one.name), one.name == name) for one in tables]
    return render_page(request, "frontend/run_preview.html", context | {"tables": links})


@requires(GET=Permission.RUNS_READ)
def run_file_list(request: HttpRequest, number: int) -> HttpResponse:
    run = numbered_run(number)
    detail = run_detail(run)
    chosen, search, after = plain_text(request, "format"), search_text(request), plain_text(request, "after")
    files = run_files(run)
    formats = sorted(files.order_by().values_list("format", flat=True).distinct())
    chosen = chosen if chosen in formats else ""
    found = run_files(run, file_format=chosen).filter(path__icontains=search, path__gt=after)
    page = list(found[: FILES_ON_PAGE + 1])
    context = head(request, detail, "run-files") | {
        "files": page[:FILES_ON_PAGE],
        "total": files.count(),
        "downloadable": detail.row.is_open and principal_of(request).can(Permission.FILES_READ),
        "search": search,
        "chosen": chosen,
        "filters": [
            Filter(one or "All", address(format=one, q=search), None, one == chosen) for one in ("", *formats)
        ],
        "first": address(format=chosen, q=search) if after else None,
        "more": address(format=chosen, q=search, after=page[FILES_ON_PAGE - 1].path)
        if len(page) > FILES_ON_PAGE
        else None,
    }
    if wants_fragment(request):
        return render_fragment(request, "frontend/run_files.html", "table", context)
    return render_page(request, "frontend/run_files.html", context)


@requires(GET=Permission.FILES_READ)
def run_file(request: HttpRequest, number: int, path: str) -> HttpResponseBase:
    return hand_out_file(request, numbered_run(number), path)


@requires(GET=Permission.FILES_READ)
def run_archive(request: HttpRequest, number: int) -> HttpResponseBase:
    """Everything that the run released, as one ZIP."""
    return hand_out_archive(request, numbered_run(number))


def _preview_context(page: PreviewPage) -> dict[str, object]:
    columns = [_column(index, facts) for index, facts in enumerate(page.columns)]
    rows = [
        RowView(page.first + offset, tuple(_cell(cell, columns[at]) for at, cell in enumerate(row)))
        for offset, row in enumerate(page.rows)
    ]
    last = page.first + len(rows) - 1
    return {
        "preview": page,
        "columns": columns,
        "rows": rows,
        "last": last,
        "previous": address(table=page.table, page=page.page - 1) if page.page > 1 else None,
        "next": address(table=page.table, page=page.page + 1) if page.page < page.pages else None,
    }


def _column(index: int, facts: ColumnFacts) -> ColumnHead:
    return ColumnHead(
        name=facts.name,
        type=facts.type,
        unit=facts.unit,
        description=facts.description,
        nulls=percent(facts.null_share) if facts.null_share else "",
        is_number=facts.type.startswith(_NUMBERS),
        figure=column_histogram(facts.histogram, uid=f"column-{index}", name=facts.name),
    )


def _cell(value: Cell, column: ColumnHead) -> CellView:
    if value is None:
        return CellView(None, column.is_number)
    if isinstance(value, bool):
        return CellView("yes" if value else "no", False)
    return CellView(str(value), column.is_number)
