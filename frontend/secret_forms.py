"""Forms of stored secrets: shape only, the services decide. No widget here ever shows what was typed."""

from typing import Any

from django import forms

from tenants.vault.references import LONGEST_NAME, NAME_RULE, SecretField
from tenants.vault.services import LONGEST_DESCRIPTION, LONGEST_VALUE


class _Unseen(forms.PasswordInput):
    """Not filled in again, and nothing that a browser offers to keep as somebody's password."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "off", "class": "control"}, render_value=False)


class SecretOrName(forms.CharField):
    """A secret, or `${secret:NAME}`; empty keeps what is there. `place`: the field of tenants.vault.references."""

    def __init__(self, *, label: str, place: SecretField) -> None:
        self.place = place
        super().__init__(
            label=label,
            max_length=1000,
            required=False,
            widget=_Unseen(),
            help_text="Stored encrypted and never shown; or ${secret:NAME}, the name of a stored secret. Empty keeps what is there.",
        )


class ChangedSecret(forms.Form):
    value = forms.CharField(
        label="New value",
        max_length=LONGEST_VALUE,
        strip=False,
        required=False,
        widget=_Unseen(),
        help_text="Counts from the next use on. Empty keeps the present one.",
    )
    description = forms.CharField(
        label="Description",
        max_length=LONGEST_DESCRIPTION,
        required=False,
        widget=forms.TextInput(attrs={"class": "control"}),
        help_text="What it opens and who gave it out. It is no secret: the list shows it.",
    )

    def changes(self) -> dict[str, Any]:
        """What was filled in; an empty value is none."""
        return {name: text for name, text in self.cleaned_data.items() if name != "value" or text}


class NewSecret(ChangedSecret):
    name = forms.CharField(
        label="Name",
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"class": "control mono", "autocomplete": "off", "spellcheck": "false"}),
        help_text=f"{NAME_RULE}. It never changes.",
    )
    value = forms.CharField(
        label="Value",
        max_length=LONGEST_VALUE,
        strip=False,
        widget=_Unseen(),
        help_text="One line. Nobody can read it again, only replace it.",
    )
    field_order = ("name", "value", "description")
