"""The folder store: whole or absent, and no key leads out of it."""

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from core import storage
from core.storage import InvalidKey, LocalStore, ObjectStore, open_store


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> LocalStore:
    return LocalStore(root)


def test_bytes_come_back_whole_in_ranges_and_as_a_file(store: LocalStore, tmp_path: Path) -> None:
    store.put_bytes("acme/runs/7/report.json", b"0123456789")

    with store.open("acme/runs/7/report.json") as file:
        assert file.read() == b"0123456789"
    assert store.read_range("acme/runs/7/report.json", 2, 5) == b"234"
    assert store.read_range("acme/runs/7/report.json", 8, 99) == b"89"
    assert store.read_range("acme/runs/7/report.json", 20, 30) == b""
    assert store.size("acme/runs/7/report.json") == 10
    store.fetch("acme/runs/7/report.json", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"0123456789"


def test_a_file_is_stored_and_replaced(store: LocalStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"first")
    store.put_file("a/b", source)
    source.write_bytes(b"second, longer")
    store.put_file("a/b", source)

    assert store.read_range("a/b", 0, 100) == b"second, longer"
    assert source.exists()


def test_a_missing_key_is_an_error_to_read_and_nothing_to_delete(store: LocalStore, tmp_path: Path) -> None:
    assert not store.exists("a/b")
    store.delete("a/b")

    with pytest.raises(FileNotFoundError):
        store.open("a/b")
    with pytest.raises(FileNotFoundError):
        store.size("a/b")
    with pytest.raises(FileNotFoundError):
        store.fetch("a/b", tmp_path / "copy")


def test_keys_are_listed_in_order_below_a_folder(store: LocalStore) -> None:
    for key in ("runs/2/b", "runs/10/a", "runs/2/a/c", "runs2/x"):
        store.put_bytes(key, b"")

    assert list(store.list("runs")) == ["runs/10/a", "runs/2/a/c", "runs/2/b"]
    assert list(store.list("")) == ["runs/10/a", "runs/2/a/c", "runs/2/b", "runs2/x"]
    assert list(store.list("absent")) == []


def test_a_deleted_key_is_gone(store: LocalStore) -> None:
    store.put_bytes("a", b"x")
    store.delete("a")

    assert not store.exists("a")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        "a/../b",
        "a//b",
        "a/",
        "./a",
        ".hidden",
        "a/.b",
        "a\\b",
        "a b",
        "a\x00b",
        "ä",
        "a/\n",
        "-a",
        "x" * 901,
    ],
)
def test_keys_that_are_not_plain_paths_are_refused(store: LocalStore, root: Path, key: str) -> None:
    with pytest.raises(InvalidKey):
        store.put_bytes(key, b"x")
    with pytest.raises(InvalidKey):
        store.exists(key)
    assert not root.exists()


def test_a_write_that_fails_half_way_leaves_the_old_content_and_no_remains(
    store: LocalStore, root: Path
) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() >= 4:
                raise OSError("disk error")
            return super().read(4)

    store.put_bytes("a", b"old")
    with pytest.raises(OSError, match="disk error"):
        store._put("a", Broken(b"newer content"))

    assert store.read_range("a", 0, 99) == b"old"
    assert [path.name for path in root.iterdir()] == ["a"]


@pytest.fixture
def killed(root: Path, tmp_path: Path) -> Path:
    """What a writer has left that was killed in the middle of acme/exports/1/all.zip."""
    os.mkfifo(pipe := tmp_path / "pipe")
    code = (
        "import sys; from pathlib import Path; from core.storage import LocalStore; "
        "LocalStore(Path(sys.argv[1])).put_file('acme/exports/1/all.zip', Path(sys.argv[2]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writer = subprocess.Popen([sys.executable, "-c", code, str(root), str(pipe)], env=environment)
    with pipe.open("wb") as source:
        source.write(b"alice@acme.example\n" * 300_000)  # more than one piece; the end never comes
        source.flush()
        while not (drafts := [path for path in root.rglob(".*") if path.stat().st_size]):
            assert writer.poll() is None
            time.sleep(0.01)
        writer.kill()
        writer.wait()
    return drafts[0]


def test_a_folder_that_is_dropped_holds_nothing_more_of_a_writer_that_was_killed(
    store: LocalStore, root: Path, killed: Path
) -> None:
    store.put_bytes("acme/runs/1/file", b"x")
    store.put_bytes("acme2/file", b"x")
    assert killed.read_bytes().startswith(b"alice@")
    assert list(store.list("acme")) == ["acme/runs/1/file"]  # nobody reads half a file
    assert store.count("acme") == 2

    store.drop("acme")

    assert store.count("acme") == 0
    assert [path.name for path in root.iterdir()] == ["acme2"]
    store.drop("acme")  # it may be gone already


def test_what_a_killed_writer_left_is_swept_when_nobody_can_be_writing_it_any_more(
    store: LocalStore, root: Path, killed: Path, settings: Settings
) -> None:
    settings.STORAGE_URL = root.as_uri()
    store.put_bytes("acme/file", b"x")
    storage.sweep()
    assert killed.exists()  # it may be another host's, at work

    for path in (killed, root / "acme" / "file"):
        os.utime(path, (0, time.time() - 25 * 3600))
    storage.sweep()

    assert not killed.exists()
    assert store.exists("acme/file")


def test_files_of_the_store_are_private_to_the_account(store: LocalStore, root: Path) -> None:
    store.put_bytes("a/b", b"x")

    assert (root / "a" / "b").stat().st_mode & 0o077 == 0
    assert (root / "a").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2)])
def test_a_range_that_runs_backwards_is_refused(store: LocalStore, start: int, end: int) -> None:
    store.put_bytes("a", b"x")

    with pytest.raises(ValueError, match="0 <= start <= end"):
        store.read_range("a", start, end)


def test_the_url_chooses_the_kind_of_store(tmp_path: Path) -> None:
    assert isinstance(open_store(f"file://{tmp_path}/with%20blank"), LocalStore)
    s3 = open_store("s3://bucket/prefix?endpoint_override=localhost:1&scheme=http&region=eu-central-1")
    assert isinstance(s3, ObjectStore)
    for wrong in ("http://host/x", "/just/a/path", "file://otherhost/x", "s3:///prefix"):
        with pytest.raises(ValueError, match="STORAGE_URL"):
            open_store(wrong)
