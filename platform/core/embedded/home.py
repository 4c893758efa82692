"""The one data folder (DATASYNTH_HOME) that the embedded parts write to, and how we know that it is ours."""

from pathlib import Path

_MARKER = "datasynth-home"
_NOTE = "This folder holds the data of a DataSynth platform. See docs/operations/data-folder.md.\n"


def claim_home(home: Path) -> Path:
    """The resolved folder, made (mode 0700) if missing; a new or empty one is marked as ours."""
    home = home.expanduser().resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_ours(home) and not any(home.iterdir()):
        (home / _MARKER).write_text(_NOTE, encoding="ascii")
    return home


def is_ours(home: Path) -> bool:
    """Whether it was made for the platform, or given to it empty: then its own mode is ours to set."""
    return (home / _MARKER).exists()
