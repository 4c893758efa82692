"""What a writer says of the files that it has written."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from generation.engine.columns import category, constant, dates, money, numbered, text
from generation.engine.writers import DatasetWriter

BATCHES, ROWS = 3, 40_000  # more than one buffer of a file


def written(root: Path) -> DatasetWriter:
    """Deliveries in several batches, and a table without rows."""
    writer = DatasetWriter(root, 7, ("parquet", "csv"))
    for batch in range(BATCHES):
        ids = text(np.char.mod(f"DL{batch}%015d", np.arange(ROWS)).astype("S18"))
        day = dates(np.arange(ROWS) % 365, 20_000)
        row = {"document_id": ids, "company_code": constant("A1", ROWS), "sales_order_id": ids}
        writer.add("deliveries", {**row, "posting_date": day})
    writer.declare("goods_receipts", 2)
    return writer


def test_size_and_digest_are_those_of_the_bytes_on_the_disk(tmp_path: Path) -> None:
    entries = written(tmp_path).close()

    assert {(entry.table, entry.format) for entry in entries} == {
        (table, form) for table in ("deliveries", "goods_receipts") for form in ("parquet", "csv", "json")
    }
    for entry in entries:
        content = (tmp_path / entry.path).read_bytes()
        assert (entry.bytes, entry.sha256) == (len(content), sha256(content).hexdigest())


def test_every_format_has_the_rows_that_were_added(tmp_path: Path) -> None:
    files = {(entry.table, entry.format): entry for entry in written(tmp_path).close()}

    table = pq.read_table(tmp_path / files["deliveries", "parquet"].path)
    assert files["deliveries", "parquet"].rows == table.num_rows == BATCHES * ROWS
    assert table["document_id"].to_pylist()[ROWS] == "DL1" + "0" * 15
    assert pacsv.read_csv(tmp_path / files["deliveries", "csv"].path).num_rows == BATCHES * ROWS
    empty = pq.read_table(tmp_path / files["goods_receipts", "parquet"].path)
    assert (empty.num_rows, empty.schema.field("document_id").type) == (0, pa.string())


def test_small_batches_are_one_row_group_and_rows_keep_their_order(tmp_path: Path) -> None:
    writer, goods = DatasetWriter(tmp_path, 7, ("parquet",)), numbered("M", 600)
    for kind, codes in (
        ("issue", np.arange(3)),
        ("receipt", np.array([599, 2, 599])),
        ("return", np.arange(ROWS) % 600),
        ("scrap", np.array([0, 5])),
        ("scrap", np.zeros(0, np.int64)),
    ):
        count = len(codes)
        whole = pa.array(np.arange(count, dtype=np.int32))
        writer.add(
            "inventory_movements",
            {
                "document_id": text(np.full(count, b"DL0000000000000000")),
                "line_number": whole,
                "company_code": constant("A1", count),
                "posting_date": dates(np.zeros(count, np.int64), 20_000),
                "material_id": category(codes, goods),
                "kind": constant(kind, count),
                "quantity": whole,
                "amount": money(np.arange(count), 2),
            },
        )
    (entry,) = writer.close()

    file = pq.ParquetFile(tmp_path / entry.path)
    rows = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert rows == [6, ROWS, 2]
    first = file.read_row_group(0)
    assert first["kind"].to_pylist() == ["issue"] * 3 + ["receipt"] * 3
    assert first["material_id"].to_pylist() == [f"M{n:06d}" for n in (1, 2, 3, 600, 3, 600)]
    assert file.read_row_group(2)["material_id"].to_pylist() == ["M000001", "M000006"]
    assert entry.rows == ROWS + 8
