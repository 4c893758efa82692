"""What a page's script puts into a form is bounded before anything reads it."""

import json

import pytest
from django.core.exceptions import ValidationError

from core.form_fields import StrictJSONField
from tests.work import work_of_at_most


def test_what_a_security_key_says_is_taken() -> None:
    assert StrictJSONField().to_python(json.dumps({"id": "x" * 8000})) == {"id": "x" * 8000}


@pytest.mark.parametrize(
    "text", ["[" * 100, '{"a": 1, "a": 2}', "NaN", "1e999", '{"a": [-1e999]}', json.dumps("x" * 16_384)]
)
def test_what_is_nested_said_twice_or_long_is_not(text: str) -> None:
    with work_of_at_most(0.1), pytest.raises(ValidationError):
        StrictJSONField().to_python(text)
