"""The user's data folder and the signing key in it; the same folder that an embedded platform keeps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cli.problems import Failed
from compliance.evidence.keys import KeyProblem, SigningKey, load_or_create, read_key_set

# An embedded platform takes over a folder only when it was given to it empty or carries this file.
_MARKER = "datasynth-home"
_NOTE = "This folder holds the data of a DataSynth platform. See docs/operations/data-folder.md.\n"


def data_folder(environment: Mapping[str, str]) -> Path:
    """DATASYNTH_HOME, or the customary place of the account."""
    if chosen := environment.get("DATASYNTH_HOME"):
        return Path(chosen).expanduser().resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/datasynth")
    return (Path(environment.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "datasynth").resolve()


def own_key(home: Path) -> tuple[SigningKey, Path | None]:
    """The user's signing key, made on first use, and its path when it was made just now.

    Raises: Failed: the folder cannot be written or holds something else.
    """
    path = home / "keys" / "signing.pem"
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not any(home.iterdir()):
            (home / _MARKER).write_text(_NOTE, encoding="ascii")
        key, is_new = load_or_create(path)
    except KeyProblem as problem:
        raise Failed(str(problem)) from problem
    except OSError as error:
        raise Failed(
            f"the signing key {path} cannot be read or made ({error.strerror}): "
            "set DATASYNTH_HOME to a folder of yours"
        ) from error
    return key, path if is_new else None


def trusted_key_ids(home: Path) -> set[str]:
    """Ids of the user's own keys and of every key set (*.json) that was put beside them.

    A file that cannot be read as such adds no trust, and is no reason not to verify.
    """
    found: set[str] = set()
    for path in sorted((home / "keys").glob("*")):
        with suppress(KeyProblem, OSError):
            if path.suffix == ".pem":
                found.add(SigningKey.load(path).key_id)
            elif path.suffix == ".json":
                found.update(read_key_set(path))
    return found
