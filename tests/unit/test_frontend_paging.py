"""Numbers in addresses: small and whole, or as if they were not there."""

import pytest

from frontend.paging import positive


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("007", 7),
        ("999999999", 999_999_999),
        ("0", None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("١", None),
        ("1000000000", None),
        ("000000000001999999999999999999999999", None),
        ("000000000001" + "9" * 4_400, None),
        ("", None),
    ],
)
def test_a_number_is_taken_when_every_reader_can(text: str, number: int | None) -> None:
    assert positive({"page": text}, "page") == number
