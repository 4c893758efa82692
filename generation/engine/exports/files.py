"""The files of an export: written piece by piece, with their digest on the way."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from generation.engine.writers import EXPORTS, FileEntry


class ExportFile:
    """One file that is being written. `rows` counts the records in it, for the manifest."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("wb")
        self._digest = hashlib.sha256()
        self.rows = self.bytes = 0

    def write(self, content: bytes | memoryview | str) -> None:
        data = content.encode() if isinstance(content, str) else content
        self._stream.write(data)
        self._digest.update(data)
        self.bytes += len(data)

    def write_lines(self, lines: Iterable[tuple[memoryview, int]]) -> None:
        """Write records as `Source.lines` gives them."""
        for content, rows in lines:
            self.write(content)
            self.rows += rows

    def close(self) -> str:
        """Close the file; its SHA-256."""
        self._stream.close()
        return self._digest.hexdigest()


class ExportFolder:
    """exports/<name>/ of a dataset; remembers what was written into it."""

    def __init__(self, root: Path, export: str) -> None:
        self._root, self._table = root, f"{EXPORTS}{export}"
        self.entries: list[FileEntry] = []

    def path(self, name: str) -> Path:
        """Where a file of the export lies; its folder exists."""
        place = self._root / self._table / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    @contextmanager
    def file(self, name: str, form: str) -> Iterator[ExportFile]:
        """A new file; it is listed when the block ends well."""
        file = ExportFile(self.path(name))
        try:
            yield file
        finally:
            digest = file.close()
        self._list(name, form, file.rows, file.bytes, digest)

    def adopt(self, name: str, form: str, rows: int) -> None:
        """List a file that a library wrote."""
        path = self.path(name)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        self._list(name, form, rows, path.stat().st_size, digest)

    def _list(self, name: str, form: str, rows: int, size: int, digest: str) -> None:
        self.entries.append(FileEntry(f"{self._table}/{name}", self._table, form, rows, 0, size, digest))
