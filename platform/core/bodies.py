"""What the body of an API request may hold."""

import difflib
from collections.abc import Mapping
from itertools import islice
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

_MOST_NAMED = 20  # unknown keys that one answer lists
_LONGEST_GUESSED = 80  # characters of a key that a suggestion is looked for


class Body(serializers.Serializer[Any]):
    """What a request brings; a key that the request does not know is an error, not ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = (str(key) for key in data if key not in self.fields)
            problems = {key: [_no_such_key(key, list(self.fields))] for key in islice(unknown, _MOST_NAMED)}
            if problems:
                raise serializers.ValidationError(problems)
        return super().to_internal_value(data)


def checked_body(body: type[Body], request: Request) -> dict[str, Any]:
    """The values that a request brings. Raises ValidationError with the place of every problem."""
    read = body(data=request.data)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


def _no_such_key(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1) if len(key) <= _LONGEST_GUESSED else []
    return f"There is no such key; did you mean “{near[0]}”?" if near else "There is no such key."
