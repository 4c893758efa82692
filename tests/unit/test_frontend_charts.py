"""Charts say the same in drawing, words and table, carry no style or script, and escape what they are given."""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from html import unescape

import pytest

from frontend.charts.bars import bars
from frontend.charts.columns import column_histogram
from frontend.charts.gantt import Span, gantt
from frontend.charts.histogram import histogram
from frontend.charts.lines import Series, lines
from frontend.charts.spark import spark
from frontend.charts.strip import SLOTS, StripRun, run_strip
from frontend.charts.svg import Scale, label_every, steps, tick_text

HOSTILE = '"><script>alert(1)</script>'


def tree(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def numbers(svg: str, tag: str, attribute: str, class_: str) -> list[float]:
    found = (one for one in tree(svg).iter(tag) if one.get("class") == class_)
    return [float(one.get(attribute, "nan")) for one in found]


def everything() -> Iterator[str]:
    yield str(spark([1, 2, 3], uid="a", title=HOSTILE))
    yield str(run_strip([StripRun("/runs/1", HOSTILE, "pass", "released", 3.0)]))
    yield str(histogram([HOSTILE, "2"], [0.5, 0.5], [0.4, 0.6], uid="c", title=HOSTILE, category="x").svg)
    yield str(lines(["a", HOSTILE], [Series(HOSTILE, (1, 2))], uid="d", title="t", axis="x").svg)
    yield str(bars([HOSTILE], [1], uid="e", title="t", category="x", measure="y").svg)
    yield str(gantt([Span(HOSTILE, 0, 1, "live")], uid="f", title="t").svg)
    yield str(column_histogram({"levels": [HOSTILE], "counts": [1]}, uid="g", name=HOSTILE))


@pytest.mark.parametrize("svg", list(everything()))
def test_charts_are_well_formed_and_inert_whatever_text_they_get(svg: str) -> None:
    root = tree(svg)

    assert "<script" not in svg
    for one in root.iter():
        assert "style" not in one.attrib
        assert not [name for name in one.attrib if name.startswith("on")]


@pytest.mark.parametrize("svg", [svg for svg in everything() if 'role="img"' in svg])
def test_every_image_is_named_by_its_title_and_described_by_its_finding(svg: str) -> None:
    root = tree(svg)
    named_by = (root.get("aria-labelledby") or "").split()
    texts = {one.get("id"): one.text for one in root.iter() if one.tag in ("title", "desc")}

    assert len(named_by) == 2
    assert all(texts[identity] for identity in named_by)


def test_histogram_bars_are_as_high_as_their_shares() -> None:
    figure = histogram(["1", "2"], [0.6, 0.3], [0.4, 0.2], uid="h", title="t", category="Digit")

    high, low = numbers(str(figure.svg), "rect", "height", "expected")

    # the drawing rounds to a tenth of a pixel
    assert high / low == pytest.approx(2.0, abs=0.01)
    assert figure.rows == (("1", "60.00 %", "40.00 %"), ("2", "30.00 %", "20.00 %"))
    assert figure.finding == "Largest gap 20.00 points, at digit 1."


def test_histogram_without_expectation_names_the_most_frequent_value() -> None:
    figure = histogram(["Mon", "Tue"], [0.25, 0.75], None, uid="h", title="t", category="Day")

    assert figure.finding == "Most often day Tue, 75.0 %."
    assert figure.headers == ("Day", "Observed")


def test_crosshair_points_carry_one_label_for_each_bar() -> None:
    figure = histogram(["1", "2"], [0.6, 0.4], None, uid="h", title="t", category="Digit")

    points = json.loads(unescape(tree(str(figure.svg)).get("data-points") or ""))

    assert points["labels"] == ["Digit 1\nobserved 60.0 %", "Digit 2\nobserved 40.0 %"]
    assert len(points["x"]) == 2


@pytest.mark.parametrize(
    ("observed", "expected"),
    [([], None), ([0.1], [0.1, 0.2]), ([0.1, 0.2], None)],
    ids=["none", "gap", "long"],
)
def test_histogram_refuses_shares_that_do_not_fit_their_labels(
    observed: list[float], expected: list[float] | None
) -> None:
    labels = ["1"] if observed else []

    with pytest.raises(ValueError, match="one share per label"):
        histogram(labels, observed, expected, uid="h", title="t", category="x")


def test_lines_name_the_peak_of_every_series() -> None:
    figure = lines(
        ["Jan", "Feb"], [Series("people", (1, 3)), Series("batch", (4, 2))], uid="l", title="t", axis="x"
    )

    assert figure.finding == "people highest at Feb with 3; batch highest at Jan with 4"
    assert figure.headers == ("x", "people", "batch")
    assert figure.rows == (("Jan", "1", "4"), ("Feb", "3", "2"))


def test_the_second_line_differs_in_dash_and_not_in_colour_alone() -> None:
    figure = lines(["a", "b"], [Series("one", (1, 2)), Series("two", (2, 1))], uid="l", title="t", axis="x")

    assert 'class="ln s2 dash2"' in figure.svg


def test_bars_keep_their_proportions_and_the_full_label_in_the_table() -> None:
    label = "a very long name of a bucket"
    figure = bars([label, "b"], [200, 100], uid="b", title="t", category="Bucket", measure="Amount")

    first, second = numbers(str(figure.svg), "rect", "width", "bar")
    assert first / second == pytest.approx(2.0, abs=0.01)
    assert figure.rows[0][0] == label


def test_gantt_places_stages_one_after_the_other() -> None:
    figure = gantt([Span("Plan", 0, 10, "live"), Span("Close", 10, 40, "live")], uid="g", title="t")

    starts = numbers(str(figure.svg), "rect", "x", "live")
    widths = numbers(str(figure.svg), "rect", "width", "live")
    assert starts[0] + widths[0] == pytest.approx(starts[1], abs=0.1)
    assert widths[1] / widths[0] == pytest.approx(3.0, abs=0.02)
    assert figure.rows == (("Plan", "0:00", "10 s"), ("Close", "0:10", "30 s"))


def test_strip_shows_the_newest_runs_with_outcome_in_words() -> None:
    runs = [StripRun(f"/runs/{i}", f"run {i}", "pass", "released", float(i)) for i in range(1, SLOTS + 4)]

    root = tree(str(run_strip(runs)))

    labels = [one.get("aria-label") for one in root.iter("a")]
    assert len(labels) == SLOTS
    assert labels[0] == "run 4, released, 4.0 s"


def test_spark_needs_two_known_values() -> None:
    assert spark([None, 3, None], uid="s", title="t") is None
    assert spark([None, 3, 4], uid="s", title="t") is not None


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, (0, 0.25, 0.5, 0.75, 1)), (0, 0.31, (0, 0.1, 0.2, 0.3)), (0, 9, (0, 2.5, 5, 7.5)), (3, 3, (3,))],
)
def test_ticks_are_round_and_inside_the_range(low: float, high: float, ticks: tuple[float, ...]) -> None:
    assert steps(low, high, 4) == pytest.approx(ticks)


def test_tick_labels_are_short() -> None:
    assert [tick_text(value) for value in (0, 2500, 3_000_000, 0.5)] == ["0", "2.5 k", "3 M", "0.5"]


def test_a_flat_scale_draws_in_the_middle() -> None:
    assert Scale(5, 5, 0, 10)(5) == 5


def test_labels_that_would_touch_are_left_out() -> None:
    # 7 characters of at most 6.5 px and one for the gap need 52 px; a slot has 30
    assert label_every(["2025-01", "2025-02"], 30) == 2
    assert label_every(["1", "2"], 30) == 1
    assert label_every(["1"], 0) == 1


def test_a_bar_of_nothing_has_no_length() -> None:
    figure = bars(["a", "b"], [1, 0], uid="b", title="t", category="x", measure="y")

    assert numbers(str(figure.svg), "rect", "width", "bar")[1] == 0
