"""Where a dataset grows until it is whole: a folder inside the target; a run that ends early leaves nothing.

The target must be empty or absent. Everything is written to `.incomplete` in it and moved up at the end, the
manifest last: whatever has a manifest is whole. An error or a signal removes what was made; after a power cut
only `.incomplete` is left, and the folder has no manifest. Inside the target rather than beside it, because
that works for a mounted folder too, claims the target against a second run, and hides no gigabytes elsewhere.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cli.problems import STOPPING, Refused

_STAGING = ".incomplete"
_FORMER = ".replaced"
_LAST = "manifest.json"


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """An empty folder whose content takes the place of the dataset in `target` when the block ends well.

    Until then the dataset stays as it is; an error leaves it so. While both change places, for an instant, the folder has
    no manifest and the former dataset lies in `.replaced`.
    Raises: Refused: another run is writing there.
    """
    staging, former = target / _STAGING, target / _FORMER
    if former.exists():
        raise Refused(
            f"{target} holds {_FORMER}, a dataset that was being replaced: move it back or remove it"
        )
    try:
        staging.mkdir()
    except FileExistsError as error:
        raise Refused(
            f"{target} holds an interrupted run, or one that is under way ({_STAGING}): remove it or wait"
        ) from error
    try:
        yield staging
        former.mkdir()
        old = [path for path in target.iterdir() if path not in (staging, former)]
        new = list(staging.iterdir())
        moves = [(path, former / path.name) for path in sorted(old, key=lambda path: path.name != _LAST)]
        moves += [(path, target / path.name) for path in sorted(new, key=lambda path: path.name == _LAST)]
        done: list[tuple[Path, Path]] = []
        try:
            for origin, place in moves:
                origin.rename(place)
                done.append((origin, place))
        except BaseException:
            for origin, place in reversed(done):
                place.rename(origin)
            former.rmdir()
            raise
        _remove([staging, former])
    except BaseException:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        _remove([staging])
        raise


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """An empty folder that becomes the content of `target` when the block ends well, and goes away otherwise.

    Raises: Refused: the target is not an empty or absent folder, or cannot be made; nothing was touched.
    """
    staging = target / _STAGING
    try:
        is_new = not target.exists()
        if not is_new:
            _require_empty(target)
        target.mkdir(parents=True, exist_ok=True)
        staging.mkdir()
    except FileExistsError as error:
        raise Refused(f"{target} is being written by another run") from error
    except OSError as error:
        raise Refused(f"{target} cannot be written: {error.strerror}") from error
    moved: list[Path] = []
    try:
        yield staging
        for path in sorted(staging.iterdir(), key=lambda path: path.name == _LAST):
            moved.append(path.rename(target / path.name))
        staging.rmdir()
    except BaseException:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not stop the clearing up
        _remove([*reversed(moved), staging])
        if is_new:
            with suppress(OSError):  # somebody put a file of theirs into it
                target.rmdir()
        raise


def _require_empty(target: Path) -> None:
    if not target.is_dir():
        raise Refused(f"{target} is not a folder")
    names = sorted(path.name for path in target.iterdir())
    if names == [_STAGING]:
        raise Refused(
            f"{target} holds an interrupted run, or one that is under way ({_STAGING}): "
            "remove it or choose another folder"
        )
    if names:
        raise Refused(f"{target} is not empty (it holds {names[0]}): choose an empty or new folder")


def _remove(paths: list[Path]) -> None:
    """The manifest goes first, because it was moved last."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
