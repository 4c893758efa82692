"""Files of a run that leave the platform, and who took them: one audit event for each download.

What is not handed out leaves none: a HEAD, a 304, a range behind the end. A client that fetches a file in ranges makes one
download of it, however many there are and in whichever order they come.
"""

from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from core import audit
from core.permissions import principal_of
from generation.downloads import archive_response, file_response
from generation.models import Run, RunFile
from generation.queries.files import released_file, require_open

_ONE_DOWNLOAD = timedelta(hours=1)  # within which ranges of a file belong together
_WHOLE, _RANGE = 200, 206


def hand_out_file(request: HttpRequest, run: Run, path: str) -> HttpResponseBase:
    """One file of an open run, or what is asked of it. Raises NotFound, Conflict."""
    file = released_file(run, path)
    response = file_response(request, file)
    if request.method != "HEAD" and (
        response.status_code == _WHOLE or (response.status_code == _RANGE and _is_first(request, file))
    ):
        _note(request, run, path=path, table=file.table, format=file.format, size_bytes=file.size_bytes)
    return response


def hand_out_archive(request: HttpRequest, run: Run) -> HttpResponseBase:
    """All files of an open run as one ZIP. Raises Conflict."""
    require_open(run)
    response = archive_response(request, run)
    if request.method != "HEAD":
        _note(request, run, format="zip")
    return response


def _is_first(request: HttpRequest, file: RunFile) -> bool:
    """Whether a range is the first of its file that this credential asks for in an hour.

    Not the range that begins the file: whoever leaves out one byte has the rest. A whole file is a download of its own.
    """
    key = f"download/{principal_of(request).credential}/{file.pk}"
    return cache.add(key, True, _ONE_DOWNLOAD.total_seconds())


def _note(request: HttpRequest, run: Run, **what: Any) -> None:
    audit.record(
        actor=principal_of(request).actor,
        action="generation.run.download",
        target=run,
        number=run.number,
        name=run.name,
        **what,
    )
