"""Forms of an organisation that is being started: for shape only, what a name may be is decided by the services."""

from typing import Any

from django import forms
from django.conf import settings
from django.urls import reverse_lazy

from core.errors import DomainError
from frontend.forms import NewPerson, place_of
from tenants.founding import names
from tenants.naming import LONGEST_NAME

_HELP = "The address will be <short name>.{host} and stays: {shortest} to {longest} of a-z, 0-9 and single hyphens."


def _slug() -> forms.CharField:
    """Checked while it is typed: what the server says takes the place of the help."""
    live = {
        "hx-get": reverse_lazy("start-name"),
        "hx-trigger": "input delay:300ms",
        "hx-target": "#id_slug_helptext",
        "hx-swap": "innerHTML",
        "hx-sync": "this:replace",
    }
    quiet = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "class": "control"}
    return forms.CharField(label="Short name", max_length=200, widget=forms.TextInput(attrs=live | quiet))


class _WithSlug(forms.Form):
    slug = _slug()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["slug"].help_text = _HELP.format(
            host=settings.BASE_HOST, shortest=names.SHORTEST, longest=names.LONGEST
        )

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        return slug.lower()

    def place_of(self, error: DomainError) -> str | None:
        """The field that an error of the service is about."""
        return place_of(self, error)


class NewOrganisation(_WithSlug):
    name = forms.CharField(
        label="Name of the organisation",
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "organization", "class": "control"}),
    )
    email = forms.EmailField(
        label="Your e-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "class": "control"}),
    )
    field_order = ("name", "slug", "email")


class Founder(_WithSlug, NewPerson):
    """The short name again: somebody may have taken it since the link was sent."""

    field_order = ("slug", "name", "password", "again")


class AnotherSlug(_WithSlug):
    """For a second try."""
