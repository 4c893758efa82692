"""No text of a dataset starts a formula in a spreadsheet, so CSV is safe to open and reads back as it was written.

Source: OWASP, “CSV Injection”: cells that begin with = + - @, a tab or a carriage return.
"""

from typing import Any

import duckdb
import numpy as np
import pytest

from generation.engine.errors import ConfigError
from generation.engine.packs.pack import COUNTRIES, pack_for
from generation.engine.schema.catalogue import TABLES
from tests.engine_builders import COMPANY, small_config
from tests.exports.conftest import Books

STARTS = ("=", "+", "-", "@", "\t", "\r")


def test_no_cell_of_text_in_any_table_begins_a_formula(books: Books) -> None:
    starts = ", ".join(f"chr({ord(character)})" for character in STARTS)
    for table in TABLES.values():
        for column in table.columns:
            if column.kind in ("id", "ref", "code", "text"):
                query = f"SELECT count(*) FROM {books.table(table.name)} WHERE {column.name}[1] IN ({starts})"
                assert duckdb.execute(query).fetchall() == [(0,)], (table.name, column.name)


@pytest.mark.parametrize("country", COUNTRIES)
def test_no_name_or_address_of_a_pack_begins_a_formula(country: str) -> None:
    pack = pack_for(country)
    words = np.random.default_rng(1).integers(0, 2**64, 5_000, dtype=np.uint64)

    texts: list[Any] = [pack.partner_names(words), pack.person_names(words), *pack.addresses(words)]
    texts += [np.char.decode(column) for column in (pack.tax_ids("partner", words), pack.ibans(words))]

    assert not [text for column in texts for text in column if str(text).startswith(STARTS)]


@pytest.mark.parametrize("start", STARTS)
def test_a_config_that_would_bring_one_in_is_refused(start: str) -> None:
    with pytest.raises(ConfigError) as caught:
        small_config(companies=[{**COMPANY, "name": f"{start}1+1"}])

    [problem] = caught.value.problems
    expected = "control_character" if start.isspace() else "starts_like_formula"
    assert (problem.path, problem.code) == ("companies[0].name", expected)
