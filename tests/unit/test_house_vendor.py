"""The vendored front-end files are the recorded versions, each with its licence and digest."""

import base64
import hashlib
import tomllib
from pathlib import Path

import pytest

VENDOR = Path(__file__).parents[2] / "frontend" / "vendor"
FOLDERS = sorted(path for path in VENDOR.iterdir() if path.is_dir())


def sha384(path: Path) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()


def test_there_is_something_to_check() -> None:
    assert FOLDERS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_every_vendored_file_is_recorded_with_the_digest_it_has(folder: Path) -> None:
    record = tomllib.loads((folder / "vendor.toml").read_text(encoding="utf-8"))

    recorded = {entry["path"]: entry["sha384"] for entry in record["files"]}
    on_disk = {
        path.relative_to(folder).as_posix(): sha384(path)
        for path in folder.rglob("*")
        if path.is_file() and path.name not in ("vendor.toml", "LICENSE")
    }
    assert recorded == on_disk


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_every_vendored_package_names_its_version_origin_and_licence(folder: Path) -> None:
    record = tomllib.loads((folder / "vendor.toml").read_text(encoding="utf-8"))

    assert folder.name.endswith(f"-{record['version']}")
    assert record["name"]
    assert record["tarball_sha512"].startswith("sha512-")
    assert all(entry["made_from"] for entry in record["files"])
    assert record["licence"]
    assert len((folder / "LICENSE").read_text(encoding="utf-8")) > 200
