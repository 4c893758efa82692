"""Cells of exported CSV that a spreadsheet would compute."""

import pytest

from compliance.export import harmless


@pytest.mark.parametrize("text", ["=1+1", "+49", "-3", "@SUM(A1)", "\tx", "\rx"])
def test_what_a_spreadsheet_would_compute_is_shown_as_text(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["admin@acme.example", "generation.run.start", ""])
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text
