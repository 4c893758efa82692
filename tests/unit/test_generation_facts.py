"""Column facts: null counts from Parquet footers, histograms by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from generation.artifacts import StoredFile
from generation.facts import histogram, null_counts


def chunked(values: list[object], kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, type=kind)])


def test_null_counts_come_from_the_footers_and_name_only_columns_with_nulls(tmp_path: Path) -> None:
    table = pa.table({"full": [1, 2, 3], "holes": ["a", None, None]})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    file: StoredFile = {
        "path": "t.parquet", "table": "t", "format": "parquet", "rows": 3, "columns": 2, "bytes": 1,
        "sha256": "", "key": "",
    }  # fmt: skip

    assert null_counts(tmp_path, [file]) == {"t": {"holes": 2}}


def test_amounts_are_counted_in_twelve_bins_between_their_bounds() -> None:
    amounts = chunked([Decimal("0.00"), Decimal("6.00"), Decimal("12.00")], pa.decimal128(18, 2))

    facts = histogram(amounts)

    assert facts == {"minimum": "0.00", "maximum": "12.00", "counts": [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]}


def test_dates_have_bounds_that_people_can_read() -> None:
    facts = histogram(chunked([date(2025, 1, 1), None, date(2025, 12, 31)]))

    assert facts is not None
    assert (facts["minimum"], facts["maximum"]) == ("2025-01-01", "2025-12-31")


@pytest.mark.parametrize("seconds", [[0], [0, 0, 0], [0, 1], [0, 0.000001]])
def test_times_that_lie_close_together_have_bins(seconds: list[float]) -> None:
    first = datetime(2025, 3, 31, 17, 0, tzinfo=UTC)
    column = pa.chunked_array(
        [pa.array([first + timedelta(seconds=one) for one in seconds], pa.timestamp("us", "UTC"))]
    )

    found = histogram(column)

    assert found is not None
    assert sum(found["counts"]) == len(seconds)
    assert (found["counts"][0] == found["counts"][-1] == 1) == (len(set(seconds)) > 1)


def test_numbers_of_any_size_have_bins() -> None:
    for kind, values in (
        (pa.int16(), [-32768, 32767]),
        (pa.int64(), [10**17] * 3),
        (pa.decimal128(18, 2), [10**15]),
    ):
        found = histogram(pa.chunked_array([pa.array(values, kind)]))
        assert found is not None
        assert sum(found["counts"]) == len(values)


def test_a_column_of_few_words_lists_them_with_the_most_frequent_first() -> None:
    words = pa.chunked_array([pa.array(["D", "C", "D", None]).dictionary_encode()])

    assert histogram(words) == {"levels": ["D", "C"], "counts": [2, 1]}


def test_a_column_of_many_different_texts_has_no_histogram() -> None:
    assert histogram(chunked([f"id-{number}" for number in range(13)])) is None


def test_an_empty_column_has_no_histogram() -> None:
    assert histogram(chunked([None, None], pa.int32())) is None
