"""Assessing a dataset folder: the hand-made books hold, whatever way they are stored; what cannot be measured fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from evaluation.metrics.assess import assess
from evaluation.metrics.dataset import read_dataset
from evaluation.metrics.errors import DatasetError
from evaluation.metrics.gate import apply_gate
from evaluation.metrics.report import Report, encode_report, report_document
from tests.engine_faults import (
    ADVANCE_FAULTS,
    AVERAGE_FAULTS,
    CURRENCY_FAULTS,
    FRENCH_FAULTS,
    MAKING_FAULTS,
    RENEWAL_FAULTS,
    STATEMENT_FAULTS,
    WITHHELD_FAULTS,
)
from tests.engine_faults import FAULTS as ENGINE_FAULTS
from tests.unit.metrics_books import write_books
from tests.unit.metrics_dataset import edit, write_dataset
from tests.unit.metrics_story import FACTS


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_books(tmp_path_factory.mktemp("books") / "books")


@pytest.fixture(scope="module")
def report(root: Path) -> Report:
    return assess(root)


def changed_dictionary(root: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads((root / "schema.json").read_text())
    change(document)
    (root / "schema.json").write_text(json.dumps(document))


def essence(report: Report) -> list[tuple[object, ...]]:
    return [(row.id, row.value, row.n, row.verdict, row.sentence) for row in report.rows]


@pytest.mark.parametrize("profile", ["lenient", "standard", "strict"])
def test_coherent_books_pass_every_gate_without_a_violation(report: Report, profile: str) -> None:
    gate = apply_gate(report, profile)

    assert gate.verdict == "pass"
    assert [row.id for row in gate.rows if row.kind == "exact" and row.value not in (0, None)] == []


def test_every_exact_rule_finds_rows_to_check_in_the_hand_made_books(report: Report) -> None:
    """But for those whose documents these books do not have: books made by the engine measure them, with faults planted."""
    unmeasured = {row.id for row in report.rows if row.kind == "exact" and (not row.applicable or row.n == 0)}
    by_engine = {
        metric
        for planted in (
            *ENGINE_FAULTS,
            *MAKING_FAULTS,
            *CURRENCY_FAULTS,
            *AVERAGE_FAULTS,
            *RENEWAL_FAULTS,
            *ADVANCE_FAULTS,
            *STATEMENT_FAULTS,
            *WITHHELD_FAULTS,
            *FRENCH_FAULTS,
        )
        for metric in planted.caught_by.split()
    }

    assert {name for name in unmeasured if not name.startswith(("group.", "intercompany."))} <= by_engine


def test_the_report_repeats_byte_for_byte_apart_from_its_timings(root: Path, report: Report) -> None:
    again = assess(root, threads=2)

    first, second = (
        encode_report(report_document(each, apply_gate(each, "strict")), timings=False)
        for each in (report, again)
    )
    assert first == second
    assert b"duration" not in first


def test_books_in_one_file_a_table_measure_the_same_as_in_two(tmp_path: Path, report: Report) -> None:
    merged = write_books(tmp_path / "merged", parts=1)

    assert essence(assess(merged)) == essence(report)


def test_documents_that_span_files_are_found_and_measured_the_same(tmp_path: Path, report: Report) -> None:
    rows = written_rows(tmp_path / "source")
    turn = count()
    write_dataset(tmp_path / "scattered", FACTS, rows, lambda row: next(turn) % 3)

    assert essence(assess(tmp_path / "scattered")) == essence(report)


def test_a_fault_in_a_document_that_spans_files_is_caught(tmp_path: Path) -> None:
    rows = written_rows(tmp_path / "source")
    turn = count()
    write_dataset(tmp_path / "scattered", FACTS, rows, lambda row: next(turn) % 3)
    edit(tmp_path / "scattered", "journal_lines", {"company_code": "2000"}, document_id="JE31", line_number=1)

    failed = {row.id for row in assess(tmp_path / "scattered").rows if row.verdict == "fail"}

    assert "ledger.lines_repeat_header" in failed


def test_books_as_csv_measure_the_same_as_parquet(tmp_path: Path, report: Report) -> None:
    plain = write_books(tmp_path / "csv", csv=True)

    assert essence(assess(plain)) == essence(report)


def test_a_table_missing_from_the_dictionary_is_an_error_that_no_gate_passes(tmp_path: Path) -> None:
    root = write_books(tmp_path / "books")
    changed_dictionary(root, lambda document: document["tables"].remove(table_of(document, "deliveries")))

    measured = assess(root)

    rows = {row.id: row for row in measured.rows}
    assert rows["dates.sales"].verdict == "error"
    assert rows["dates.sales"].sentence.startswith("Could not be computed: ")
    assert rows["structure.columns"].samples[0]["table"] == "deliveries"
    assert apply_gate(measured, "lenient").verdict == "fail"


def test_books_without_journal_lines_are_an_error_not_a_pass(tmp_path: Path) -> None:
    root = write_books(tmp_path / "books")
    for path in (root / "tables" / "journal_lines").iterdir():
        path.unlink()

    rows = {row.id: row for row in assess(root).rows}

    assert rows["ledger.one_side_per_line"].verdict == "error"
    assert rows["ledger.headers_have_lines"].verdict == "fail"


def test_a_process_without_documents_is_not_applicable_and_says_so(tmp_path: Path) -> None:
    root = write_books(tmp_path / "books")
    for path in (root / "tables" / "tax_settlements").iterdir():
        path.unlink()

    row = next(row for row in assess(root).rows if row.id == "tax.settlements")

    assert (row.value, row.verdict, row.applicable) == (None, "pass", False)
    assert row.sentence == "Not applicable: the dataset has no rows in tax_settlements."


def state_periods(root: Path, periods: list[dict[str, Any]]) -> None:
    changed_dictionary(root, lambda document: document["dataset"]["period"].update(fiscal_periods=periods))


def test_listed_periods_follow_each_other_and_fill_the_books(tmp_path: Path) -> None:
    ends = {10: "2025-01-28", 11: "2025-02-25", 12: "2025-03-31"}
    listed = [{"fiscal_year": 2025, "period": number, "end": end} for number, end in ends.items()]
    wrong = {
        "a gap": [*listed[:1], {**listed[1], "period": 12}, listed[2]],
        "too few": listed[1:],
        "another end": [*listed[:2], {**listed[2], "end": "2025-03-29"}],
    }
    root = write_books(tmp_path / "books")

    state_periods(root, listed)

    assert [period.start.isoformat() for period in read_dataset(root).periods] == [
        "2025-01-01",
        "2025-01-29",
        "2025-02-26",
    ]
    for periods in wrong.values():
        state_periods(root, periods)
        with pytest.raises(DatasetError, match="fiscal_periods"):
            read_dataset(root)


def test_a_folder_without_dictionary_is_no_dataset(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"schema\.json is missing"):
        assess(tmp_path)


def test_a_dictionary_cannot_smuggle_sql_through_a_name(tmp_path: Path) -> None:
    root = write_books(tmp_path / "books")
    changed_dictionary(
        root, lambda document: table_of(document, "assets").update(name="assets; drop view vendors")
    )

    with pytest.raises(DatasetError, match="is no name"):
        assess(root)


def test_an_unknown_column_type_is_refused(tmp_path: Path) -> None:
    root = write_books(tmp_path / "books")
    changed_dictionary(root, lambda document: table_of(document, "assets")["columns"][0].update(type="blob"))

    rows = {row.id: row for row in assess(root).rows}

    assert rows["structure.columns"].verdict == "error"


def test_a_file_that_is_no_parquet_stops_the_assessment(tmp_path: Path) -> None:
    root = write_books(tmp_path / "books")
    (root / "tables" / "assets" / "part-00000.parquet").write_bytes(b"PAR1 broken PAR1")

    with pytest.raises(DatasetError, match="A table cannot be read"):
        assess(root)


def test_progress_counts_up_to_its_total_and_may_stop_the_work(root: Path) -> None:
    class Stopped(Exception):
        pass

    seen: list[tuple[int, int]] = []

    def follow(done: int, total: int, note: str) -> None:
        assert note
        seen.append((done, total))
        if done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        assess(root, progress=follow)
    assert [done for done, _ in seen] == [0, 1, 2, 3]


def test_a_dataset_is_like_itself(root: Path) -> None:
    rows = [row for row in assess(root, reference=root).rows if row.group == "fidelity"]

    assert [row.value for row in rows] == [0.0] * 6


def test_figures_of_the_hand_made_books(report: Report) -> None:
    figures = report.figures

    # At the end only 400.00 of CI3 is open, due on 4 April. Net amounts: 960, 240, 400 and -100 sold; 750, 200, 1100.05,
    # 2400 and 50 bought, 50 of it credited by the vendor.
    assert figures["receivables_ageing"] == [
        {
            "company_code": "1000",
            "buckets": ["current", "1-30", "31-60", "61-90", "90+"],
            "amount": ["400.00", "0", "0", "0", "0"],
            "items": [1, 0, 0, 0, 0],
        }
    ]
    assert figures["first_digit"]["observed"] == [round(n / 10, 6) for n in (2, 3, 0, 1, 2, 0, 1, 0, 1)]
    assert figures["first_digit"]["enough"] is False
    assert (
        sum(figures["weekdays"]["postings"])
        == sum(figures["hours"]["people"]) + sum(figures["hours"]["batch"])
        == 48
    )


def test_receivables_stay_open_as_many_days_as_a_hand_calculation_says(report: Report) -> None:
    row = next(row for row in report.rows if row.id == "working_capital.receivable_days")

    # open at the month ends: 1428.00, 285.60 and 400.00; invoiced less credited: 1785.00 in 90 days
    assert row.value == pytest.approx((1428.00 + 285.60 + 400.00) / 3 / (1785.00 / 90), abs=1e-5)


def test_an_error_row_cannot_be_judged_away(report: Report) -> None:
    broken = replace(report, rows=(replace(report.rows[0], verdict="error"), *report.rows[1:]))

    assert apply_gate(broken, "lenient").failures == (report.rows[0].id,)


def table_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(table for table in document["tables"] if table["name"] == name)


def written_rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of the hand-made books, read back from their files."""
    root = write_books(folder, parts=1)
    return {
        table.name: [row for path in sorted(table.iterdir()) for row in pq.read_table(path).to_pylist()]
        for table in (root / "tables").iterdir()
    }
