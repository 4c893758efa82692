"""Templates keep the strict content policy, the htmx 4 spelling, and use only icons and classes that exist."""

import re
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parents[2] / "frontend"
TEMPLATES = sorted((FRONTEND / "templates").rglob("*.html"))
SOURCES = [*TEMPLATES, *sorted(FRONTEND.rglob("*.py"))]
SPRITE = (FRONTEND / "vendor" / "lucide-1.62.0" / "icons.svg").read_text()
SCRIPT = (FRONTEND / "static" / "frontend" / "app.js").read_text()
GENERATED = {"s1", "s2", "lbl1", "lbl2"}  # frontend/charts/lines.py numbers its series
STYLES = [FRONTEND / "static" / "frontend" / name for name in ("tokens.css", "components.css")]

FORBIDDEN = (
    r"\sstyle=",
    r"\son[a-z]+=",
    r"hx-on",
    r"\bjs:",
    r"javascript:",
    r"<style",
    r"<script(?![^>]*\bsrc=)",
    r"hx-ext=",
    r"\ssse-",
    r"hx-disabled-elt",
    r"htmx:afterSwap",
    r"hx-vars",
    r"hx-trigger=\"[^\"]*\[",
    r"https?://",
)


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_no_template_breaks_the_content_policy_or_uses_an_old_spelling(pattern: str) -> None:
    hits = [path.name for path in TEMPLATES if re.search(pattern, path.read_text())]

    assert not hits


def test_the_script_evaluates_nothing_and_loads_nothing_from_elsewhere() -> None:
    assert not re.search(r"\beval\(|new Function|innerHTML|https?://(?!www\.w3\.org/2000/svg)", SCRIPT)


def test_styles_load_nothing_from_elsewhere() -> None:
    for path in STYLES:
        assert not re.search(r"https?:|@import", path.read_text())


def test_every_icon_in_use_is_in_the_sprite_and_every_one_in_the_sprite_is_used() -> None:
    words = set(
        re.findall(r"[\"']([a-z0-9]+(?:-[a-z0-9]+)*)[\"']", "\n".join(p.read_text() for p in SOURCES))
    )
    drawn = set(re.findall(r"\{% ic ['\"]([a-z0-9-]+)", "\n".join(p.read_text() for p in TEMPLATES)))
    sprite = set(re.findall(r'id="i-([a-z0-9-]+)"', SPRITE))

    assert drawn <= sprite
    assert sprite <= words


def test_every_class_of_the_style_sheet_is_used_somewhere() -> None:
    sheet = re.sub(r"url\([^)]*\)|/\*.*?\*/", "", (STYLES[1]).read_text(), flags=re.S)
    declared = set(re.findall(r"\.([a-z][a-z0-9-]*)", sheet))
    used = "\n".join([*(path.read_text() for path in SOURCES), SCRIPT])

    unused = {name for name in declared if not re.search(rf"[\s\"'>.]{re.escape(name)}[\s\"'{{]", used)}

    assert not unused - GENERATED


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(FRONTEND / "templates")))
def test_every_cell_of_a_table_says_its_column_where_narrow_screens_hide_the_head(path: Path) -> None:
    for kind, text in re.findall(
        r'<div class="tbl ?([^"]*)".*?<table[^>]*>(.*?)</table>', path.read_text(), re.S
    ):
        if kind in ("data", "tall", "matrix"):  # these stay tables at every width
            continue
        assert kind == "rows"
        head, _, body = text.partition("</thead>")
        columns = re.findall(r"<th\b[^>]*>(.*?)</th>", head)
        cells = re.findall(r"<td\b([^>]*)>", body)[: len(columns)]
        labelled = [re.findall(r'data-label="([^"]*)"', cell) or "acts" in cell for cell in cells]
        expected = [[column] if "<" not in column else True for column in columns]
        assert len(cells) == len(columns)
        assert labelled[1:] == expected[1:]
        assert labelled[0] in (False, expected[0])  # without a label it is the heading of its row
