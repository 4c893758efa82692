"""The demo's client against a small HTTP server that answers like the platform, or wrongly."""

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from config.demo import Client, DemoFailed, _download, _follow

Answers = dict[str, tuple[int, bytes]]


@pytest.fixture
def serve() -> Iterator[Callable[[Answers], Client]]:
    """`serve({"/path": (200, b"…")})`: a client of a server with these answers."""
    servers = []

    def start(answers: Answers) -> Client:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = answers.get(self.path, (404, b'{"code": "not_found"}'))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return Client(f"http://127.0.0.1:{server.server_port}", "acme.localhost", "ds_live_x")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def page(items: list[Any], next_cursor: str | None = None) -> tuple[int, bytes]:
    return 200, json.dumps({"items": items, "next_cursor": next_cursor}).encode()


def file(path: str, content: bytes) -> dict[str, str]:
    return {"path": path, "sha256": hashlib.sha256(content).hexdigest()}


def test_lists_are_read_to_their_last_page(serve: Callable[[Answers], Client]) -> None:
    client = serve({"/things?limit=200": page([1, 2], "a/b"), "/things?limit=200&cursor=a/b": page([3])})

    assert list(client.pages("/things")) == [1, 2, 3]


def test_an_error_of_the_api_is_shown_with_request_status_and_answer(
    serve: Callable[[Answers], Client],
) -> None:
    client = serve({})

    with pytest.raises(DemoFailed, match=r"GET /absent answered 404: .*not_found"):
        client.json("GET", "/absent")


RUN = {"id": "7", "name": "books", "number": 3}


def run_with(files: list[dict[str, str]], archive: dict[str, bytes]) -> Answers:
    """What the API answers about the files of RUN."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as writer:
        for name, content in archive.items():
            writer.writestr(f"books-3/{name}", content)
    return {
        "/api/v1/runs/7/files?limit=200": page(files),
        "/api/v1/runs/7/archive": (200, packed.getvalue()),
    }


def test_files_are_unpacked_under_their_paths(serve: Callable[[Answers], Client], tmp_path: Path) -> None:
    contents = {"manifest.json": b"{}", "tables/a/part-0.csv": b"1,2"}
    files = [file(path, content) for path, content in contents.items()]
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "of last time").touch()

    assert _download(serve(run_with(files, contents)), RUN, tmp_path / "demo") == files

    assert (tmp_path / "demo" / "tables" / "a" / "part-0.csv").read_bytes() == b"1,2"
    assert not (tmp_path / "demo" / "of last time").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_a_file_with_another_digest_than_listed_fails_the_demo(
    serve: Callable[[Answers], Client], tmp_path: Path
) -> None:
    client = serve(run_with([file("a", b"as listed")], {"a": b"altered on its way"}))

    with pytest.raises(DemoFailed, match="a arrived with another digest"):
        _download(client, RUN, tmp_path / "demo")


@pytest.mark.parametrize("archive", [{}, {"a": b"x", "b": b"y"}])
def test_an_archive_with_other_files_than_listed_fails_the_demo(
    serve: Callable[[Answers], Client], tmp_path: Path, archive: dict[str, bytes]
) -> None:
    client = serve(run_with([file("a", b"x")], archive))

    with pytest.raises(DemoFailed, match="other files than the API lists"):
        _download(client, RUN, tmp_path / "demo")


def test_a_file_that_would_leave_the_folder_fails_the_demo(
    serve: Callable[[Answers], Client], tmp_path: Path
) -> None:
    client = serve(run_with([file("../outside", b"x")], {"../outside": b"x"}))

    with pytest.raises(DemoFailed, match="leave the folder"):
        _download(client, RUN, tmp_path / "demo")

    assert not (tmp_path / "outside").exists()


def test_a_released_run_without_files_fails_the_demo(
    serve: Callable[[Answers], Client], tmp_path: Path
) -> None:
    with pytest.raises(DemoFailed, match="no files"):
        _download(serve(run_with([], {})), RUN, tmp_path / "demo")


def test_following_a_run_says_each_stage_once_and_ends_with_it(serve: Callable[[Answers], Client]) -> None:
    run = {"state": "released", "stage": None, "progress": {"percent": 100.0, "eta_seconds": None}}
    client = serve(
        {
            "/api/v1/runs/7": (200, json.dumps(run).encode()),
            "/api/v1/runs/7/events": (200, b'id: 1\nevent: progress\ndata: {"done": 1}\n\n'),
        }
    )
    said: list[str] = []

    assert _follow(client, "7", said.append) == run

    assert said == ["  100.0 %  released"]


def test_an_api_that_is_being_started_again_is_waited_for(serve: Callable[[Answers], Client]) -> None:
    answers: Answers = {"/thing": (503, b"{}")}
    client = serve(answers)
    back = threading.Timer(0.2, answers.update, [{"/thing": (200, b"7")}])
    back.start()

    assert client.json("GET", "/thing") == 7

    back.join()
