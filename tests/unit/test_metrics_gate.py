"""Gates: profiles bound every metric, and whatever is missing fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluation.metrics.catalogue import METRICS
from evaluation.metrics.errors import UnknownProfile
from evaluation.metrics.gate import apply_gate, bound_for, profile_names
from evaluation.metrics.report import Kind, Number, Report, Row, summary

PROFILES = ("lenient", "standard", "strict")


def row(metric: str = "digits.first", kind: Kind = "statistical", value: Number = 0.001) -> Row:
    return Row(
        id=metric,
        group=metric.partition(".")[0],
        title=metric,
        kind=kind,
        value=value,
        reference=0,
        threshold=None,
        op=None,
        verdict="pass",
        applicable=True,
        n=100,
        seed=None,
        sentence="A sentence.",
        samples=(),
        duration_ms=1.0,
    )


def report(*rows: Row) -> Report:
    return Report({"name": "x"}, rows, {})


def test_there_are_three_profiles() -> None:
    assert profile_names() == PROFILES


@pytest.mark.parametrize("profile", PROFILES)
def test_every_metric_has_a_bound_in_every_profile(profile: str) -> None:
    without = [m.id for m in METRICS if bound_for(row(m.id, m.kind), profile) is None]

    assert without == []


def test_strict_and_standard_allow_no_violation_of_an_exact_rule() -> None:
    for profile in ("standard", "strict"):
        for metric in METRICS:
            if metric.kind == "exact":
                gate = apply_gate(report(row(metric.id, "exact", 1)), profile)
                assert gate.failures == (metric.id,), f"{metric.id} in {profile}"


def test_a_profile_never_bounds_what_no_metric_measures() -> None:
    known = {metric.id for metric in METRICS}
    for profile in PROFILES:
        gate = apply_gate(report(*(row(metric, "exact", 0) for metric in known)), profile)
        assert {judged.id for judged in gate.rows} == known


@pytest.mark.parametrize(
    ("profile", "value", "verdict"),
    [
        ("strict", 0.006, "pass"),
        ("strict", 0.0061, "fail"),
        ("standard", 0.0121, "warn"),
        ("standard", 0.0151, "fail"),
        ("lenient", 0.9, "warn"),
    ],
)
def test_first_digits_are_judged_by_the_published_bands(profile: str, value: float, verdict: str) -> None:
    judged = apply_gate(report(row(value=value)), profile).rows[0]

    assert judged.verdict == verdict


def test_a_judged_row_states_the_bound_that_decided() -> None:
    judged = apply_gate(report(row(value=0.013)), "standard").rows[0]

    assert (judged.op, judged.threshold) == ("<=", 0.012)


def test_a_report_without_rows_fails() -> None:
    assert apply_gate(report(), "lenient").verdict == "fail"


def test_a_metric_without_a_bound_fails() -> None:
    gate = apply_gate(report(row("digits.third")), "lenient")

    assert gate.verdict == "fail"
    assert gate.rows[0].verdict == "error"


def test_an_applicable_row_without_a_value_fails() -> None:
    assert apply_gate(report(row(value=None)), "strict").verdict == "fail"


def test_a_value_that_is_no_number_fails() -> None:
    assert apply_gate(report(row(value=float("nan"))), "strict").verdict == "fail"


def test_a_row_declared_not_applicable_passes() -> None:
    assert apply_gate(report(replace(row(value=None), applicable=False)), "strict").verdict == "pass"


def test_information_never_decides() -> None:
    judged = apply_gate(report(row("shape.mean_lines", "information", 99.0)), "strict").rows[0]

    assert (judged.verdict, judged.threshold, judged.op) == ("pass", None, None)


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(UnknownProfile, match="lenient, standard, strict"):
        apply_gate(report(row()), "severe")


def test_the_summary_counts_checks_and_violations_of_exact_rules_only() -> None:
    rows = apply_gate(report(row("ledger.documents_balance", "exact", 2), row(value=0.5)), "strict").rows

    assert summary(rows) == {
        "metrics": 2,
        "checks": 100,
        "violations": 2,
        "not_applicable": 0,
        "verdicts": {"pass": 0, "warn": 0, "fail": 2, "error": 0},
        "groups": {
            "ledger": {"pass": 0, "warn": 0, "fail": 1, "error": 0},
            "digits": {"pass": 0, "warn": 0, "fail": 1, "error": 0},
        },
    }
