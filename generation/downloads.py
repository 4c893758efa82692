"""Sends files of a run: one, whole or a byte range of it, or all as one ZIP. No content is held in memory."""

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import RawIOBase

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.text import slugify

from core.problems import problem
from core.storage import store
from core.tenancy import current_schema, own_key, tenant_context, tenant_key
from generation.engine.writers import EXPORTS
from generation.models import Run, RunFile
from generation.streaming import streamed

CHUNK_BYTES = 2 << 20
CONTENT_TYPES = {
    "parquet": "application/vnd.apache.parquet",
    "csv": "text/csv; charset=utf-8; header=present",
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "xml": "application/xml",
    "dtd": "application/xml-dtd",
    "jsonl": "application/x-ndjson",
    "sql": "application/sql",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_BATCH = 500
_ANYTHING = "application/octet-stream"
MEDIA_TYPES = sorted({_ANYTHING, *(one.partition(";")[0] for one in CONTENT_TYPES.values())})
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the same files give the same archive


class RangeNotSatisfiable(Exception):
    """The range begins behind the end of the file."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start` up to but without `end`."""

    start: int
    end: int


def file_response(request: HttpRequest, file: RunFile) -> HttpResponseBase:
    """The file as an attachment. Source: RFC 9110 §13.2.2 (order of conditions), §14 (ranges)."""
    etag = f'"{file.sha256}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if _names(request.headers.get("If-None-Match", ""), etag):
        return HttpResponse(status=304, headers=headers)
    headers["Content-Disposition"] = content_disposition_header(True, download_name(file)) or "attachment"
    content_type = CONTENT_TYPES.get(file.format, _ANYTHING)
    unchanged = request.headers.get("If-Range", etag) == etag
    try:
        chosen = parse_range(request.headers.get("Range", ""), file.size_bytes) if unchanged else None
    except RangeNotSatisfiable:
        detail = f"The file has {file.size_bytes} bytes."
        title, whole = "Range not satisfiable", {"Content-Range": f"bytes */{file.size_bytes}"}
        return problem(status=416, code="range_not_satisfiable", title=title, detail=detail, headers=whole)
    span = chosen or ByteRange(0, file.size_bytes)
    if chosen:
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{file.size_bytes}"
    headers["Content-Length"] = str(span.end - span.start)
    status = 206 if chosen else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, content_type=content_type, headers=headers)
    return streamed(
        request, _pieces(own_key(file.key), span), status=status, content_type=content_type, headers=headers
    )


def archive_response(request: HttpRequest, run: Run) -> HttpResponseBase:
    """All files of a run as one ZIP, packed while it is sent and not deflated: Parquet is compressed."""
    headers = {
        "Content-Disposition": content_disposition_header(True, f"{archive_name(run)}.zip") or "attachment",
        "Cache-Control": "private, no-cache",
    }
    if request.method == "HEAD":
        return HttpResponse(content_type="application/zip", headers=headers)
    foreign = run.files.exclude(key__startswith=f"{tenant_key()}/").first()
    if foreign is not None:
        own_key(foreign.key)  # raises, before anything is sent
    named = _named(current_schema(), run)
    return streamed(request, zip_pieces(named), content_type="application/zip", headers=headers)


def _named(schema: str, run: Run) -> Iterator[tuple[str, RunFile]]:
    """The files of a run with their names in its archive, by path; of a large group there are hundreds of thousands."""
    folder, after = archive_name(run), ""
    while True:
        with tenant_context(schema):
            batch = list(run.files.filter(path__gt=after).order_by("path")[:_BATCH])
            named = [(f"{folder}/{file.path}", file) for file in batch if own_key(file.key)]
        if not batch:
            return
        after = batch[-1].path
        yield from named


def parse_range(header: str, size: int) -> ByteRange | None:
    """The one range that a Range header asks for; None for no header, several ranges or another unit.

    Raises: RangeNotSatisfiable.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        if length == 0:
            raise RangeNotSatisfiable
        return ByteRange(size - length, size)
    start = int(first)
    if last and int(last) < start:
        return None  # not a valid range, so the whole file is sent
    if start >= size:
        raise RangeNotSatisfiable
    return ByteRange(start, min(int(last) + 1, size) if last else size)


def archive_name(run: Run) -> str:
    """The one folder of an archive: a plain word, since whoever unpacks it follows every path in it."""
    return f"{slugify(run.name) or 'dataset'}-{run.number}"


def download_name(file: RunFile) -> str:
    """A file name that tells the table: journal_lines-part-00000.parquet. Exports have the names that their readers expect."""
    folder, _, name = file.path.rpartition("/")
    is_table = folder and file.table and not file.table.startswith(EXPORTS)
    return f"{file.table}-{name}" if is_table else name


def zip_pieces(files: Iterable[tuple[str, RunFile]]) -> Iterator[bytes]:
    """Bytes of a ZIP with these files under these names, in pieces of a few MiB at most."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, file in files:
            entry = zipfile.ZipInfo(name, _FIXED_DATE)
            entry.external_attr = 0o644 << 16
            entry.file_size = file.size_bytes  # tells zipfile whether it needs 64-bit fields
            with archive.open(entry, "w") as target:
                for piece in _pieces(file.key, ByteRange(0, file.size_bytes)):
                    target.write(piece)
                    yield sink.take()
    yield sink.take()


class _Sink(RawIOBase):
    """A file that can only be written to, and whose content is taken out as it comes."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | bytearray | memoryview) -> int:  # type: ignore[override]  # only bytes come
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken


def _pieces(key: str, span: ByteRange) -> Iterator[bytes]:
    for start in range(span.start, span.end, CHUNK_BYTES):
        yield store().read_range(key, start, min(start + CHUNK_BYTES, span.end))


def _names(header: str, etag: str) -> bool:
    """Whether an If-None-Match header names this entity tag (weak comparison)."""
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return header.strip() == "*" or etag in tags
