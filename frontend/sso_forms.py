"""Forms of the set-up of single sign-on: shape only, the services decide."""

from typing import Any

from django import forms

from frontend.secret_forms import SecretOrName
from tenants.sso.models import Connection
from tenants.vault.references import OIDC_CLIENT_SECRET

_NAME = {"placeholder": "Company account"}


class _OnOnePage(forms.Form):
    """Several forms share the page: the ids of each carry its own name."""

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, auto_id=f"{type(self).__name__.lower()}_%s")


class OidcProvider(_OnOnePage):
    name = forms.CharField(
        label="Name on the sign-in button", max_length=60, widget=forms.TextInput(attrs=_NAME)
    )
    issuer = forms.URLField(
        label="Issuer",
        max_length=1000,
        assume_scheme="https",
        widget=forms.TextInput(attrs={"inputmode": "url"}),
    )
    client_id = forms.CharField(label="Client ID", max_length=255)
    client_secret = SecretOrName(label="Client secret", place=OIDC_CLIENT_SECRET)


class SamlProvider(_OnOnePage):
    name = forms.CharField(
        label="Name on the sign-in button", max_length=60, widget=forms.TextInput(attrs=_NAME)
    )
    metadata = forms.CharField(
        label="Metadata (XML), or its address below",
        max_length=256 * 1024,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "control mono"}),
    )
    metadata_url = forms.URLField(
        label="Address of the metadata",
        max_length=1000,
        required=False,
        assume_scheme="https",
        widget=forms.TextInput(attrs={"inputmode": "url"}),
        help_text="Fetched once, now.",
    )
    wants_signed_response = forms.BooleanField(
        label="The provider signs the response as well as the assertion", required=False, initial=True
    )
    allows_idp_initiated = forms.BooleanField(
        label="Sign-ins may begin at the provider (less safe)", required=False
    )

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, object] = super().clean() or {}
        if not self.errors and bool(cleaned.get("metadata")) == bool(cleaned.get("metadata_url")):
            self.add_error("metadata", "Paste the metadata, or give its address: one of the two.")
        return cleaned


class ClaimChoices(_OnOnePage):
    email_claim = forms.CharField(label="E-mail claim", max_length=255, required=False)
    name_claim = forms.CharField(label="Name claim", max_length=255, required=False)
    groups_claim = forms.CharField(label="Groups claim", max_length=255, required=False)
    joining = forms.ChoiceField(label="Who joins by signing in", choices=Connection.Joining.choices)
    default_role = forms.ChoiceField(label="Role without a matching group", required=False)


class NewDomain(_OnOnePage):
    name = forms.CharField(
        label="Mail domain", max_length=253, widget=forms.TextInput(attrs={"placeholder": "example.com"})
    )
