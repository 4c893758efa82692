"""Forms for shape only: what a value may be is decided by the services."""

import unicodedata
from typing import Any

from django import forms

from core.errors import DomainError
from core.form_fields import StrictJSONField
from frontend.context import DENSITIES, THEMES
from frontend.role_forms import RoleChoice
from tenants.oauth.models import Application
from tenants.roles import Role

OVERLAPS = ((0, "no longer"), (1, "for an hour"), (24, "for a day"), (168, "for 7 days"))
LIFETIMES = ((30, "30 days"), (90, "90 days"), (365, "1 year"))


def _new_password() -> forms.PasswordInput:
    return forms.PasswordInput(attrs={"autocomplete": "new-password", "class": "control"})


def _number() -> forms.NumberInput:
    return forms.NumberInput(attrs={"class": "control narrow"})


def place_of(form: forms.Form, error: DomainError) -> str | None:
    """The field that an error of a service is about, if the form shows it."""
    pointers = {str(one.get("pointer", "")).strip("/") for one in error.errors}
    return next((field.name for field in form.visible_fields() if field.name in pointers), None)


class NewInvitation(RoleChoice):
    email = forms.EmailField(
        label="E-mail", max_length=254, widget=forms.EmailInput(attrs={"class": "control"})
    )
    field_order = ("email", "role", "role_until")

    def place_of(self, error: DomainError) -> str | None:
        """The field that an error of the service is about."""
        return place_of(self, error) if error.errors else "email"


class Email(forms.Form):
    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "class": "control"}),
    )


class NewPassword(forms.Form):
    """Typed twice, since nobody sees what they type."""

    password = forms.CharField(label="Password", max_length=1000, strip=False, widget=_new_password())
    again = forms.CharField(label="Password again", max_length=1000, strip=False, widget=_new_password())

    def clean_again(self) -> str:
        again: str = self.cleaned_data["again"]
        if again != self.cleaned_data.get("password", again):
            raise forms.ValidationError("The two passwords are not the same.")
        return again


class PersonName(forms.Form):
    name = forms.CharField(
        label="Your name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name", "class": "control"}),
    )


class NewPerson(PersonName, NewPassword):
    field_order: tuple[str, ...] = ("name", "password", "again")


class Typed(forms.Form):
    """A word that has to be typed to show that one means it."""

    typed = forms.CharField(
        max_length=254, widget=forms.TextInput(attrs={"autocomplete": "off", "class": "control"})
    )

    def __init__(self, *arguments: Any, word: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.word = word
        self.fields["typed"].label = f"Type {word}"

    def clean_typed(self) -> str:
        if _as_typed(self.cleaned_data["typed"]) != _as_typed(self.word):
            raise forms.ValidationError(f"Type exactly: {self.word}")
        return self.word


def _as_typed(text: str) -> str:
    """As a page shows it and a keyboard writes it, whichever way its accents and spaces are stored."""
    return " ".join(unicodedata.normalize("NFC", text[:1000]).split())


class OtherOrganisation(forms.Form):
    """Asked with GET: looking one up changes nothing."""

    address = forms.CharField(
        label="Address of the organisation",
        max_length=300,
        help_text="As your browser shows it there, or the first part of it.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "class": "control", "placeholder": "globex"}
        ),
    )


class SecuritySettings(forms.Form):
    mfa_required = forms.BooleanField(label="Everybody needs a second factor", required=False)
    session_idle_minutes = forms.IntegerField(
        label="Sessions end after so many minutes without use", min_value=0, widget=_number()
    )
    session_hours = forms.IntegerField(
        label="Sessions end so many hours after sign-in", min_value=0, widget=_number()
    )
    invitation_domains = forms.CharField(
        label="Invite only addresses of these mail domains",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "control", "placeholder": "one a line; empty: any"}),
    )

    def clean_invitation_domains(self) -> list[str]:
        text: str = self.cleaned_data["invitation_domains"]
        return text.replace(",", " ").split()


class NewKey(forms.Form):
    name = forms.CharField(label="Name", max_length=100)
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.VIEWER)
    lifetime_days = forms.TypedChoiceField(label="Expires after", choices=LIFETIMES, coerce=int, initial=90)
    permissions = forms.MultipleChoiceField(
        label="Only for",
        help_text="Choose none for everything that the role may.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class NewApplication(forms.Form):
    name = forms.CharField(label="Name", max_length=100)
    kind = forms.ChoiceField(label="Kind", choices=Application.Kind.choices)
    redirect_uris = forms.CharField(
        label="Redirect addresses, one a line, if it acts for people",
        required=False,
        max_length=6000,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "https://app.example/callback"}),
    )
    permissions = forms.MultipleChoiceField(label="May do", widget=forms.CheckboxSelectMultiple)


class AllowedOrigins(forms.Form):
    origins = forms.CharField(
        label="Allowed origins",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": "https://app.example"}),
    )


class OrganisationName(forms.Form):
    name = forms.CharField(label="Name", max_length=100)


class NewToken(forms.Form):
    name = forms.CharField(label="Name", max_length=100)
    lifetime_days = forms.TypedChoiceField(label="Expires after", choices=LIFETIMES, coerce=int, initial=365)


class Rotation(forms.Form):
    overlap_hours = forms.TypedChoiceField(
        label="The present secret works", choices=OVERLAPS, coerce=int, initial=24
    )


class Password(forms.Form):
    password = forms.CharField(
        label="Password",
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "class": "control"}),
    )


class Code(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "control"}
        ),
    )


class SecurityKey(forms.Form):
    """What the page's script puts in."""

    credential = StrictJSONField(
        widget=forms.HiddenInput,
        error_messages={
            "required": "The security key was not asked. Allow JavaScript and try again.",
            "invalid": "The security key gave no valid answer. Try again.",
        },
    )


class NewSecurityKey(SecurityKey):
    name = forms.CharField(
        label="Name", max_length=60, required=False, widget=forms.TextInput(attrs={"class": "control"})
    )


class Appearance(forms.Form):
    """An empty choice follows the system, or the default."""

    theme = forms.ChoiceField(
        label="Theme",
        choices=[("", "As the system"), *((one, one.capitalize()) for one in THEMES)],
        required=False,
    )
    density = forms.ChoiceField(
        label="Row height",
        choices=[("", "Default"), *((one, one.capitalize()) for one in DENSITIES)],
        required=False,
    )
    shortcuts = forms.BooleanField(label="Single-key shortcuts", required=False)
