"""What `make demo` does as a customer would: HTTP with the standard library, and the `datasynth` command."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import quote

_LIVE = {"queued", "running"}
_CHUNK_BYTES = 1 << 20
_PATIENCE_SECONDS = 60.0  # with an API that asks to come more slowly or is being started again
_FOLLOW_SECONDS = 30 * 60.0


class DemoFailed(RuntimeError):
    """A step did not give what it must; the message says which."""


@dataclass(frozen=True, slots=True)
class Client:
    """The REST API with a key. `host` is sent because not every resolver knows names below localhost."""

    origin: str
    host: str
    api_key: str

    def json(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        with self.open(method, path, body, **headers) as response:
            content = response.read()
        return json.loads(content) if content else None

    def pages(self, path: str) -> Iterator[Any]:
        """Every item of a list, page by page."""
        address = f"{path}?limit=200"
        while True:
            page = self.json("GET", address)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            address = f"{path}?limit=200&cursor={quote(page['next_cursor'])}"

    def open(self, method: str, path: str, body: Any = None, **headers: str) -> HTTPResponse:
        """The open answer.

        Waits as long as the API says when it has had too many requests, and while it is down: what died is
        started again, and no request here does more when it is sent twice.
        """
        request = urllib.request.Request(
            self.origin + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Host": self.host,
                "Authorization": f"Bearer {self.api_key}",
                **({} if body is None else {"Content-Type": "application/json"}),
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                response: HTTPResponse = urllib.request.urlopen(request, timeout=60)
                return response
            except urllib.error.HTTPError as error:
                if (error.code == 429 or error.code >= 500) and time.monotonic() < deadline:
                    time.sleep(int(error.headers.get("Retry-After", "1")))
                    continue
                detail = error.read(2000).decode(errors="replace")
                raise DemoFailed(f"{method} {path} answered {error.code}: {detail}") from error
            except (urllib.error.URLError, ConnectionError) as error:
                if time.monotonic() > deadline:
                    raise DemoFailed(f"{method} {path} got no answer: {error}") from error
                time.sleep(0.5)


def run_demo(
    *,
    client: Client,
    config: Path,
    folder: Path,
    say: Callable[[str], None],
) -> None:
    """Config → run → release → download → verify. Says what it does; DemoFailed when a step fails."""
    text = config.read_text(encoding="utf-8")
    estimate = client.json("POST", "/api/v1/configs:validate", {"text": text})
    lines, shards = estimate["journal_lines"], estimate["shards"]
    say(f"{config.name} is valid: about {lines:,} journal lines in {shards} shards")
    started = client.json("POST", "/api/v1/runs", {"text": text}, Idempotency_Key=str(uuid.uuid4()))
    say(f"Run {started['number']} of {started['name']}, seed {started['seed']}")
    run = _follow(client, started["id"], say)
    if run["state"] != "released":
        raise DemoFailed(f"run {run['number']} ended {run['state']}: {run['reason']}")
    files = _download(client, run, folder)
    keys = folder.with_name("demo-keys.json")
    keys.write_text(json.dumps(client.json("GET", "/.well-known/jwks.json")), encoding="utf-8")
    verdict = _verify(folder, keys)
    _check_manifest(folder, run)
    say(_summary(run, files, folder, verdict))


def _follow(client: Client, run_id: str, say: Callable[[str], None]) -> Any:
    """Read the run's event stream to its end, taking it up again where it broke off."""
    deadline = time.monotonic() + _FOLLOW_SECONDS
    last_event = "0"
    line = ProgressLine(say)
    while time.monotonic() < deadline:
        try:
            with client.open(
                "GET",
                f"/api/v1/runs/{run_id}/events",
                Accept="text/event-stream",
                Last_Event_ID=last_event,
            ) as stream:
                for raw in stream:
                    if raw.startswith(b"id:"):
                        last_event = raw[3:].decode().strip()
                    elif raw.startswith(b"data:"):
                        line.show(client.json("GET", f"/api/v1/runs/{run_id}"))
        except (TimeoutError, ConnectionError, HTTPException, urllib.error.URLError):
            pass  # what the stream did not tell is read below, and it goes on after the last event
        run = client.json("GET", f"/api/v1/runs/{run_id}")
        line.show(run)
        if run["state"] not in _LIVE:
            line.end()
            return run
        time.sleep(0.5)
    raise DemoFailed(f"run {run_id} did not end within {_FOLLOW_SECONDS / 60:.0f} minutes")


class ProgressLine:
    """One line that is written over on a terminal; elsewhere a new line for each stage."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._stage = ""
        self._on_terminal = sys.stdout.isatty()

    def show(self, run: Any) -> None:
        stage = run["stage"] or run["state"]
        percent = run["progress"]["percent"]
        if self._on_terminal:
            eta = run["progress"]["eta_seconds"]
            rest = f", about {eta} s left" if eta else ""
            sys.stdout.write(f"\r\033[K  {percent:5.1f} %  {stage}{rest}")
            sys.stdout.flush()
        elif stage != self._stage:
            self._say(f"  {percent:5.1f} %  {stage}")
        self._stage = stage

    def end(self) -> None:
        if self._on_terminal:
            self._say("")


def _download(client: Client, run: Any, folder: Path) -> list[Any]:
    """The run's archive unpacked into `folder`, every file compared with the digest that the API lists."""
    files = list(client.pages(f"/api/v1/runs/{run['id']}/files"))
    if not files:
        raise DemoFailed("the released run lists no files")
    shutil.rmtree(folder, ignore_errors=True)
    packed = folder.with_name(f"{folder.name}.zip")
    with client.open("GET", f"/api/v1/runs/{run['id']}/archive") as response, packed.open("wb") as output:
        shutil.copyfileobj(response, output, _CHUNK_BYTES)
    top = f"{run['name']}-{run['number']}/"
    with zipfile.ZipFile(packed) as archive:
        if sorted(archive.namelist()) != sorted(top + file["path"] for file in files):
            raise DemoFailed("the archive holds other files than the API lists")
        for file in files:
            _unpack(archive, top + file["path"], folder, file)
    packed.unlink()
    return files


def _unpack(archive: zipfile.ZipFile, name: str, folder: Path, file: Any) -> None:
    target = (folder / file["path"]).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise DemoFailed(f"a file wants to leave the folder: {file['path']}")
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with archive.open(name) as source, target.open("wb") as output:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            output.write(chunk)
    if digest.hexdigest() != file["sha256"]:
        raise DemoFailed(f"{file['path']} arrived with another digest than listed")


def _verify(folder: Path, keys: Path) -> str:
    """What `datasynth verify` says with the platform's public keys."""
    command: list[str | Path] = [
        Path(sys.executable).with_name("datasynth"),
        "verify",
        folder,
        "--keys",
        keys,
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise DemoFailed(f"datasynth verify ended with {result.returncode}: {result.stdout}{result.stderr}")
    words = dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if " " in line)
    return f"{words['status']}, signature {words['signature']}"


def _check_manifest(folder: Path, run: Any) -> None:
    digest = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    if digest != run["manifest_sha256"]:
        raise DemoFailed("manifest.json is not the one that the run records")


def _summary(run: Any, files: list[Any], folder: Path, verdict: str) -> str:
    tables = {file["table"] for file in files if file["table"]}
    size_bytes = sum(file["size_bytes"] for file in files)
    gate = run["gate"]
    speed = run["journal_lines"] / max(run["duration_seconds"], 0.001)
    return f"""
  Run       {run["number"]} {run["state"]} in {run["duration_seconds"]:.1f} s
  Rows      {run["rows"]:,} in {len(tables)} tables
  Journal   {run["journal_lines"]:,} lines ({speed:,.0f} lines/s from request to release)
  Gate      {gate["profile"]}: {gate["verdict"]} ({gate["checks_passed"]} of {gate["checks_total"]} checks)
  Files     {len(files)} ({size_bytes / 1e6:.1f} MB) in {folder}
  Verified  {verdict}
  Digest    sha256:{run["manifest_sha256"]}
"""
