"""What the runtime lock installs may be used in any product: no licence that reaches over to our code or forbids a use."""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import pytest

LOCK = Path(__file__).parents[2] / "requirements" / "runtime.txt"
KNOWN_GOOD = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|Python Software Foundation|PSF|PSFL|MPL|Mozilla Public|Unlicense|Zlib)\b",
    re.IGNORECASE,
)
# The lesser GPL reaches no further than the library itself; listed one by one so that a new one is a decision.
LESSER = {"psycopg", "psycopg-binary", "psycopg-pool"}
FORBIDDEN = re.compile(
    r"\bA?GPL|Affero|General Public|\bSSPL|Server Side Public|\bBUSL|\bBSL-1\.1|Business Source|Commons Clause|"
    r"Elastic License|Non-?Commercial|\bEUPL|\bCC-BY-(NC|SA)",
    re.IGNORECASE,
)
NAMES = re.findall(r"^([a-z0-9][a-z0-9._-]*)==", LOCK.read_text(encoding="utf-8"), re.MULTILINE)


def licence(name: str) -> str | None:
    """What a distribution says of itself; None where this platform does not install it (an environment marker)."""
    try:
        said: Any = metadata(name)
    except PackageNotFoundError:
        return None
    classes = [one for one in said.get_all("Classifier") or [] if one.startswith("License")]
    first_line = next(iter((said.get("License") or "").splitlines()), "")
    return " / ".join([said.get("License-Expression") or "", *classes, first_line])


def test_the_lock_was_read() -> None:
    assert len(NAMES) > 50
    assert sum(licence(name) is not None for name in NAMES) > 0.9 * len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_runtime_dependency_has_a_permissive_licence(name: str) -> None:
    said = licence(name)
    if said is None:
        return

    if name in LESSER:
        assert "LGPL" in said
        return
    assert not FORBIDDEN.search(said), said
    assert KNOWN_GOOD.search(said), said
