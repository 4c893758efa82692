"""Column facts: null counts from Parquet footers, histograms by hand."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

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


def test_a_column_of_few_words_lists_them_with_the_most_frequent_first() -> None:
    words = pa.chunked_array([pa.array(["D", "C", "D", None]).dictionary_encode()])

    assert histogram(words) == {"levels": ["D", "C"], "counts": [2, 1]}


def test_a_column_of_many_different_texts_has_no_histogram() -> None:
    assert histogram(chunked([f"id-{number}" for number in range(13)])) is None


def test_an_empty_column_has_no_histogram() -> None:
    assert histogram(chunked([None, None], pa.int32())) is None
