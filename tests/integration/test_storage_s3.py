"""The bucket store against a real HTTP server that speaks S3."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.storage import InvalidKey, Store, open_store


@pytest.fixture(scope="module")
def s3_address() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", address.rpartition(":")[2]]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            request = urllib.request.Request(f"http://{address}/datasets", method="PUT")
            try:
                urllib.request.urlopen(request, timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert server.poll() is None, "the S3 test server did not start"
                assert time.monotonic() < deadline, "the S3 test server did not answer"
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def store(s3_address: str, request: pytest.FixtureRequest) -> Store:
    """A prefix of its own for each test."""
    options = f"endpoint_override={s3_address}&scheme=http&region=us-east-1"
    return open_store(f"s3://key:secret@datasets/{request.node.name}?{options}")


def test_bytes_come_back_whole_in_ranges_and_as_a_file(store: Store, tmp_path: Path) -> None:
    store.put_bytes("acme/runs/7/report.json", b"0123456789")

    with store.open("acme/runs/7/report.json") as file:
        assert file.read() == b"0123456789"
    assert store.read_range("acme/runs/7/report.json", 2, 5) == b"234"
    assert store.read_range("acme/runs/7/report.json", 8, 99) == b"89"
    assert store.read_range("acme/runs/7/report.json", 20, 30) == b""
    assert store.size("acme/runs/7/report.json") == 10
    store.fetch("acme/runs/7/report.json", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"0123456789"


def test_a_file_larger_than_one_part_is_stored_whole(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(bytes(range(256)) * (12 << 12))  # 12 MiB: several parts of an upload

    store.put_file("large", source)

    store.fetch("large", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


def test_missing_keys_listing_and_deletion(store: Store) -> None:
    assert not store.exists("a/b")
    store.delete("a/b")
    with pytest.raises(FileNotFoundError):
        store.size("a/b")
    with pytest.raises(FileNotFoundError):
        store.open("a/b")

    for key in ("runs/2/b", "runs/10/a", "runs2/x"):
        store.put_bytes(key, b"x")
    assert list(store.list("runs")) == ["runs/10/a", "runs/2/b"]
    assert list(store.list("")) == ["runs/10/a", "runs/2/b", "runs2/x"]
    assert list(store.list("absent")) == []

    store.delete("runs/2/b")
    assert not store.exists("runs/2/b")

    store.drop("runs")
    assert (store.count("runs"), store.count("runs2")) == (0, 1)


def test_keys_cannot_leave_the_prefix(store: Store) -> None:
    for key in ("../other", "/absolute", ""):
        with pytest.raises(InvalidKey):
            store.put_bytes(key, b"x")
