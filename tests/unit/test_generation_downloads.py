"""Byte ranges, entity tags and the streamed ZIP, against hand-made requests."""

import io
import re
import zipfile
from collections.abc import Iterator

import pytest
from django.test import RequestFactory

from core.storage import store
from core.tenancy import tenant_context
from generation.downloads import (
    ByteRange,
    RangeNotSatisfiable,
    archive_name,
    download_name,
    file_response,
    parse_range,
    zip_pieces,
)
from generation.models import Run, RunFile

CONTENT = b"0123456789"


@pytest.fixture
def file(settings: object, tmp_path: object) -> Iterator[RunFile]:
    settings.STORAGE_URL = f"file://{tmp_path}"  # type: ignore[attr-defined]  # the fixture of pytest-django
    store().put_bytes("acme/runs/1/abc", CONTENT)
    with tenant_context("acme"):
        yield RunFile(
            path="tables/accounts/part-00000.parquet",
            table="accounts",
            format="parquet",
            size_bytes=len(CONTENT),
            sha256="abc",
            key="acme/runs/1/abc",
        )


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("bytes=0-3", ByteRange(0, 4)),
        ("bytes=4-", ByteRange(4, 10)),
        ("bytes=-3", ByteRange(7, 10)),
        ("bytes=-99", ByteRange(0, 10)),
        ("bytes=2-99", ByteRange(2, 10)),
        ("bytes=0-1,4-5", None),
        ("bytes=5-2", None),
        ("bytes=-", None),
        ("lines=0-3", None),
    ],
)
def test_a_range_header_names_the_bytes_to_send(header: str, expected: ByteRange | None) -> None:
    assert parse_range(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_behind_the_end_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, 10)


def test_a_whole_file_comes_with_its_digest_as_entity_tag(file: RunFile) -> None:
    response = file_response(RequestFactory().get("/"), file)

    assert response.status_code == 200
    assert b"".join(response) == CONTENT
    assert response["ETag"] == '"abc"'
    assert response["Content-Length"] == "10"
    assert response["Content-Disposition"] == 'attachment; filename="accounts-part-00000.parquet"'


def test_a_part_of_a_file_says_where_it_lies(file: RunFile) -> None:
    response = file_response(RequestFactory().get("/", headers={"Range": "bytes=2-4"}), file)

    assert response.status_code == 206
    assert b"".join(response) == b"234"
    assert response["Content-Range"] == "bytes 2-4/10"
    assert response["Content-Length"] == "3"


def test_a_range_of_another_version_of_the_file_is_answered_with_the_whole(file: RunFile) -> None:
    headers = {"Range": "bytes=2-4", "If-Range": '"older"'}

    response = file_response(RequestFactory().get("/", headers=headers), file)

    assert response.status_code == 200
    assert b"".join(response) == CONTENT


def test_an_impossible_range_is_a_problem_that_tells_the_size(file: RunFile) -> None:
    response = file_response(RequestFactory().get("/", headers={"Range": "bytes=10-"}), file)

    assert response.status_code == 416
    assert response["Content-Range"] == "bytes */10"
    assert response["Content-Type"] == "application/problem+json"


def test_a_file_that_the_caller_has_is_not_sent_again(file: RunFile) -> None:
    response = file_response(RequestFactory().get("/", headers={"If-None-Match": 'W/"x", "abc"'}), file)

    assert response.status_code == 304
    assert b"".join(response) == b""


def test_a_head_request_gets_the_headers_only(file: RunFile) -> None:
    response = file_response(RequestFactory().head("/"), file)

    assert response["Content-Length"] == "10"
    assert b"".join(response) == b""


def test_a_file_without_a_table_keeps_its_own_name() -> None:
    assert download_name(RunFile(path="provenance/prov.json", table="")) == "prov.json"


def test_a_zip_made_while_it_is_sent_opens_and_repeats(file: RunFile) -> None:
    first = b"".join(zip_pieces([("set/a.parquet", file), ("set/b.parquet", file)]))
    second = b"".join(zip_pieces([("set/a.parquet", file), ("set/b.parquet", file)]))

    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["set/a.parquet", "set/b.parquet"]
        assert archive.read("set/b.parquet") == CONTENT


@pytest.mark.parametrize("name", ["/tmp/x", "..\\..\\evil", "../up", "a\nb", "a‮b", "…"])
def test_an_archive_has_one_folder_whatever_the_run_is_called(name: str) -> None:
    folder = archive_name(Run(name=name, number=7))

    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]*-7", folder)
