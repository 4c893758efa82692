"""Claims are read whole, or the sign-in is refused: the group that counts could be among those cut off."""

import pytest

from tenants.sso.claims import tidy
from tenants.sso.errors import SsoRefused


def test_thousands_of_groups_are_all_read() -> None:
    groups = [f"group-{number}" for number in range(10_000)]

    assert tidy({"groups": groups})["groups"] == groups


@pytest.mark.parametrize("raw", [{"groups": ["one"] * 10_001}, {str(number): "x" for number in range(201)}])
def test_more_than_is_read_is_refused_in_words(raw: dict[str, object]) -> None:
    with pytest.raises(SsoRefused) as refused:
        tidy(raw)

    assert "are read" in refused.value.reason
