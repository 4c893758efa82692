"""docs/security/asvs.yaml: every requirement of levels 1 and 2 is there, and nothing is claimed without a place."""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
MAP = ROOT / "docs" / "security" / "asvs.yaml"

# ASVS 5.0.0: the level of each requirement of a section, in order ("1.5:123" is V1.5.1 of level 1 to V1.5.3 of level 3).
LEVELS = """
1.1:22 1.2:1111122223 1.3:112222222223 1.4:222 1.5:123 2.1:122 2.2:112 2.3:12223 2.4:23 3.1:3 3.2:113 3.3:12223
3.4:11222233 3.5:11122333 3.6:3 3.7:22333 4.1:12233 4.2:23333 4.3:22 4.4:1222 5.1:2 5.2:112333 5.3:113 5.4:222 6.1:122
6.2:111111112222 6.3:11223333 6.4:112233 6.5:22222333 6.6:2223 6.7:33 6.8:2222 7.1:222 7.2:1111 7.3:22 7.4:11222 7.5:223
7.6:22 8.1:1233 8.2:1123 8.3:133 8.4:23 9.1:111 9.2:1222 10.1:22 10.2:223 10.3:22223 10.4:1111122222233333 10.5:22222
10.6:22 10.7:222 11.1:2233 11.2:22233 11.3:11233 11.4:1222 11.5:23 11.6:23 11.7:33 12.1:12233 12.2:11 12.3:22223
13.1:2333 13.2:222223 13.3:2233 13.4:1222233 14.1:22 14.2:12223333 14.3:122 15.1:12233 15.2:12233 15.3:1222222 15.4:3333
16.1:2 16.2:22222 16.3:2222 16.4:222 16.5:2223 17.1:23 17.2:22223333 17.3:22
"""


def levels() -> dict[str, int]:
    found: dict[str, int] = {}
    for section in LEVELS.split():
        number, digits = section.split(":")
        found |= {f"V{number}.{place}": int(digit) for place, digit in enumerate(digits, 1)}
    return found


@cache
def rows() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = YAML(typ="safe").load(MAP)
    return loaded


@cache
def functions(path: Path) -> frozenset[str]:
    return frozenset(re.findall(r"^\s*(?:async )?def (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))


def test_the_list_of_levels_is_that_of_the_standard() -> None:
    """345 requirements: 70 of level 1, 183 of level 2, 92 of level 3."""
    assert Counter(levels().values()) == {1: 70, 2: 183, 3: 92}


def test_every_requirement_of_levels_1_and_2_is_there_once_with_its_level() -> None:
    wanted = {name: level for name, level in levels().items() if level < 3}

    assert [row["id"] for row in rows()] == list(wanted)
    assert {row["id"]: row["level"] for row in rows()} == wanted


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["id"])
def test_a_row_says_what_how_and_where(row: dict[str, Any]) -> None:
    assert set(row) <= {"id", "level", "title", "status", "how", "where"}
    assert row["status"] in ("met", "not-met", "not-applicable")
    assert row["title"]
    assert row["how"]
    assert row["status"] != "met" or row.get("where"), "nothing is met without a place that shows it"
    for place in row.get("where", ()):
        path, _, function = place.partition("::")
        assert (ROOT / path).is_file(), f"{path} is gone"
        assert not function or function in functions(ROOT / path), f"{function} is gone from {path}"
