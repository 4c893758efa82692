"""The report page stands alone: no script, nothing from elsewhere, every sentence and number in it, text escaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from evaluation.metrics.assess import assess
from evaluation.metrics.gate import apply_gate
from evaluation.metrics.page import render_html
from evaluation.metrics.report import report_document
from tests.unit.metrics_books import write_books
from tests.unit.metrics_dataset import edit


class Elements(HTMLParser):
    """Collects the tags of a page with their attributes, and checks that they nest."""

    VOID = frozenset({"meta"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = write_books(tmp_path_factory.mktemp("books") / "books")
    edit(root, "journal_lines", {"line_number": 9}, document_id="JE31", line_number=2)
    edit(root, "ar_open_items", {"bucket": "<script>alert(1)</script>"}, document_id="CI3")
    report = assess(root)
    return report_document(report, apply_gate(report, "strict"))


@pytest.fixture(scope="module")
def page(document: dict[str, Any]) -> str:
    return render_html(document)


def test_the_page_nests_properly_and_has_one_main_heading(page: str) -> None:
    elements = Elements(page)

    assert elements.open == []
    assert len(elements.all("h1")) == 1
    assert len(elements.all("main")) == 1
    assert elements.all("html")[0]["lang"] == "en"


def test_the_page_loads_nothing_and_runs_nothing(page: str) -> None:
    elements = Elements(page)

    assert (
        elements.all("script") == elements.all("link") == elements.all("img") == elements.all("iframe") == []
    )
    assert not re.search(r"https?://|url\(|@import| style=| on\w+=", page)
    assert [
        tag for tag, attributes in elements.tags if "href" in attributes and attributes["href"] != "#measures"
    ] == []


def test_values_of_the_dataset_are_shown_as_text(page: str) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_every_sentence_of_the_report_is_on_the_page(page: str, document: dict[str, Any]) -> None:
    shown = page.replace("&#x27;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    assert [row["id"] for row in document["rows"] if row["sentence"] not in shown] == []


def test_verdicts_are_words_not_only_colours(page: str) -> None:
    for word in ("Pass", "Fail", "Not applicable"):
        assert f"{word}</span>" in page


def test_every_chart_has_a_title_a_description_and_its_numbers_as_a_table(page: str) -> None:
    charts = [attributes for attributes in Elements(page).all("svg") if attributes.get("class") == "chart"]

    assert len(charts) == 7
    for chart in charts:
        title, description = str(chart["aria-labelledby"]).split()
        assert f'<title id="{title}">' in page
        assert f'<desc id="{description}">' in page
    assert page.count("<summary>Numbers of ") == len(charts)


def test_what_broke_the_gate_stands_first(page: str, document: dict[str, Any]) -> None:
    assert document["gate"]["failures"] == ["subledgers.ar_ageing"]
    assert page.index("What broke the gate") < page.index('id="measures"')


def test_the_same_report_gives_the_same_page(page: str, document: dict[str, Any]) -> None:
    assert render_html(document) == page
