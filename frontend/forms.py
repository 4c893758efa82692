"""Forms for shape only: what a value may be is decided by the services."""

from django import forms

from frontend.context import DENSITIES, THEMES
from tenants.roles import Role

OVERLAPS = ((0, "no longer"), (1, "for an hour"), (24, "for a day"), (168, "for 7 days"))
LIFETIMES = ((30, "30 days"), (90, "90 days"), (365, "1 year"))


class NewMember(forms.Form):
    email = forms.EmailField(label="E-mail", max_length=254)
    name = forms.CharField(label="Name", max_length=150, required=False)
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.OPERATOR)


class MemberRole(forms.Form):
    role = forms.ChoiceField(label="Role", choices=Role.choices)


class NewKey(forms.Form):
    name = forms.CharField(label="Name", max_length=100)
    role = forms.ChoiceField(label="Role", choices=Role.choices)
    lifetime_days = forms.TypedChoiceField(label="Expires after", choices=LIFETIMES, coerce=int, initial=90)
    permissions = forms.MultipleChoiceField(
        label="Only for",
        help_text="Choose none for everything that the role may.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


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

    credential = forms.JSONField(
        widget=forms.HiddenInput,
        error_messages={"required": "The security key was not asked. Allow JavaScript and try again."},
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
