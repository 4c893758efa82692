"""Where files live: a local folder or an S3 bucket behind one small interface, chosen by STORAGE_URL.

A key is a path of plain words ("acme/runs/7/report.json"). A key that exists holds complete content: no
reader ever sees half a file.
"""

import contextlib
import functools
import io
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol, cast
from urllib.parse import unquote, urlsplit

import pyarrow.fs
from django.conf import settings

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=+-]*")
_KEY_LIMIT_CHARACTERS = 900  # S3 allows 1024 bytes, and the prefix needs some
_CHUNK_BYTES = 4 << 20
_DRAFT = re.compile(r"\..+\.[0-9]+\.[0-9a-f]{8}")  # as `LocalStore._put` calls what it has not finished
# Nobody writes to one file for longer; hosts that share a folder do not know each other's processes.
_DRAFT_SECONDS = 24 * 3600


class InvalidKey(ValueError):
    """The key is not a relative path of plain words."""


class Store(Protocol):
    """Files by key. Reading a key that does not exist raises FileNotFoundError; deleting one does nothing."""

    def put_file(self, key: str, path: Path) -> None: ...
    def put_bytes(self, key: str, data: bytes) -> None: ...
    def open(self, key: str) -> BinaryIO: ...
    def read_range(self, key: str, start: int, end: int) -> bytes:
        """Bytes `start` up to but without `end`; shorter at the end of the file."""
        ...

    def size(self, key: str) -> int: ...
    def exists(self, key: str) -> bool: ...
    def delete(self, key: str) -> None: ...
    def list(self, prefix: str) -> Iterator[str]:
        """Keys below the folder `prefix` ("" for all), in order."""
        ...

    def drop(self, prefix: str) -> None:
        """Remove the folder `prefix` with everything in it, also what a writer that was killed has left there."""
        ...

    def count(self, prefix: str) -> int:
        """How many files lie below the folder `prefix`, with those that no key names."""
        ...

    def fetch(self, key: str, path: Path) -> None:
        """Copy to a local file, whose folder must exist."""
        ...


def store() -> Store:
    """The store of this installation."""
    return _store(settings.STORAGE_URL, os.getpid())


def sweep() -> None:
    """Remove what killed writers have left in a folder; a bucket's own rules end uploads that were cut off.

    Opens no S3 client, which would not survive the fork of the workers that follow.
    """
    if settings.STORAGE_URL.startswith("file:"):
        cast(LocalStore, open_store(settings.STORAGE_URL)).sweep()


def open_store(url: str) -> Store:
    """file:///folder, or s3://bucket/prefix with options such as ?region=…&endpoint_override=host:port."""
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
        return LocalStore(Path(unquote(parts.path)))
    if parts.scheme == "s3" and parts.netloc:
        file_system, prefix = pyarrow.fs.FileSystem.from_uri(url)
        return ObjectStore(file_system, prefix)
    raise ValueError("STORAGE_URL must be file:///folder or s3://bucket/prefix")


@functools.lru_cache(maxsize=8)
def _store(url: str, _process: int) -> Store:
    """One client a process: an S3 client does not survive a fork."""
    return open_store(url)


def checked_key(key: str) -> str:
    """`key` itself if it cannot leave the store on any system, else InvalidKey."""
    if len(key) > _KEY_LIMIT_CHARACTERS or not all(_SEGMENT.fullmatch(part) for part in key.split("/")):
        raise InvalidKey(f"not a storage key: {key[:100]!r}")
    return key


def _checked_range(start: int, end: int) -> int:
    if not 0 <= start <= end:
        raise ValueError(f"range must satisfy 0 <= start <= end, got {start} to {end}")
    return end - start


class LocalStore:
    """A folder. Content is synced to disk under a temporary name, then renamed: it is whole or absent."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put_file(self, key: str, path: Path) -> None:
        with path.open("rb") as source:
            self._put(key, source)

    def put_bytes(self, key: str, data: bytes) -> None:
        self._put(key, io.BytesIO(data))

    def open(self, key: str) -> BinaryIO:
        return self._path(key).open("rb")

    def read_range(self, key: str, start: int, end: int) -> bytes:
        length = _checked_range(start, end)
        with self._path(key).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def size(self, key: str) -> int:
        return self._path(key).stat().st_size

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[str]:
        folder = self._path(prefix) if prefix else self._root
        files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
        yield from sorted(path.relative_to(self._root).as_posix() for path in files)

    def drop(self, prefix: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._path(prefix))

    def count(self, prefix: str) -> int:
        return sum(len(names) for _, _, names in os.walk(self._path(prefix)))

    def sweep(self) -> None:
        """Remove what writers that were killed have left anywhere."""
        for folder, _, names in os.walk(self._root):  # which passes over folders that go meanwhile
            for name in filter(_DRAFT.fullmatch, names):
                draft = Path(folder, name)
                with contextlib.suppress(FileNotFoundError):  # its writer has just ended
                    if time.time() - draft.stat().st_mtime > _DRAFT_SECONDS:
                        draft.unlink()

    def fetch(self, key: str, path: Path) -> None:
        shutil.copyfile(self._path(key), path)

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _put(self, key: str, source: BinaryIO) -> None:
        target = self._path(key)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                shutil.copyfileobj(source, file, _CHUNK_BYTES)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class ObjectStore:
    """A bucket. S3 shows an object only when its upload has ended."""

    def __init__(self, file_system: pyarrow.fs.FileSystem, prefix: str) -> None:
        self._files = file_system
        self._prefix = prefix.strip("/")

    def put_file(self, key: str, path: Path) -> None:
        with path.open("rb") as source:
            self._put(key, source, path.stat().st_size)

    def put_bytes(self, key: str, data: bytes) -> None:
        self._put(key, io.BytesIO(data), len(data))

    def open(self, key: str) -> BinaryIO:
        return cast(BinaryIO, self._files.open_input_file(self._path(key)))

    def read_range(self, key: str, start: int, end: int) -> bytes:
        length = _checked_range(start, end)
        with self._files.open_input_file(self._path(key)) as file:
            length = max(0, min(length, file.size() - start))
            return bytes(file.read_at(length, start)) if length else b""

    def size(self, key: str) -> int:
        info = self._files.get_file_info(self._path(key))
        if info.type != pyarrow.fs.FileType.File:
            raise FileNotFoundError(key)
        return int(info.size)

    def exists(self, key: str) -> bool:
        return bool(self._files.get_file_info(self._path(key)).type == pyarrow.fs.FileType.File)

    def delete(self, key: str) -> None:
        if self.exists(key):
            self._files.delete_file(self._path(key))

    def list(self, prefix: str) -> Iterator[str]:
        folder = self._path(prefix) if prefix else self._prefix
        selector = pyarrow.fs.FileSelector(folder, recursive=True, allow_not_found=True)
        files = (
            info for info in self._files.get_file_info(selector) if info.type == pyarrow.fs.FileType.File
        )
        yield from sorted(info.path.removeprefix(f"{self._prefix}/") for info in files)

    def drop(self, prefix: str) -> None:
        for key in self.list(prefix):
            self.delete(key)

    def count(self, prefix: str) -> int:
        return sum(1 for _ in self.list(prefix))

    def fetch(self, key: str, path: Path) -> None:
        with self._files.open_input_stream(self._path(key)) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, _CHUNK_BYTES)

    def _path(self, key: str) -> str:
        return f"{self._prefix}/{checked_key(key)}"

    def _put(self, key: str, source: BinaryIO, expected_bytes: int) -> None:
        """Closing the stream completes the upload even after an error, so a part must be deleted."""
        path = self._path(key)
        try:
            with self._files.open_output_stream(path) as target:
                shutil.copyfileobj(source, target, _CHUNK_BYTES)
        except OSError:
            self.delete(key)
            raise
        if self.size(key) != expected_bytes:
            self.delete(key)
            raise OSError(f"upload of {key} was cut short")
