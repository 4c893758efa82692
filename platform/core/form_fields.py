"""Fields of forms that Django has not, or not strict enough for what strangers send."""

from typing import Any, ClassVar

from django import forms

from core import strict_json


class StrictJSONField(forms.Field):
    """JSON that a page's script puts in. Django's field fails over what is nested deeply, also where it is shown again.

    What a security key says has a few thousand characters; what reads it takes long for what only looks like it.
    """

    default_error_messages: ClassVar = {"invalid": "This is no JSON that is taken here."}
    longest = 16_384

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if len(value) > self.longest:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            return strict_json.loads_bounded(value)
        except ValueError:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from None
