"""Forms of people's roles and of roles themselves: for shape only, what a value may be is decided by the services."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.errors import DomainError
from core.permissions import CATALOGUE, Permission, Principal
from tenants.granting import roles_to_give
from tenants.roles import PAGE_NEEDS, without_page

_FIELDS = {"/role_until": "role_until", "/role": "role", "/email": "email", "/name": "name"}


class RoleChoice(forms.Form):
    """A role that the principal may give, each with what it means, and the end that an auditor has."""

    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect(attrs={"class": "tall"}))
    role_until = forms.DateField(
        label="Last day",
        help_text="An auditor needs one, within a year. Leave it empty for everybody else.",
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "class": "control"}, format="%Y-%m-%d"),
    )

    def __init__(self, *arguments: Any, principal: Principal, **options: Any) -> None:
        super().__init__(*arguments, **options)
        choices = [(role.key, _explained(role.name, role.help)) for role in roles_to_give(principal)]
        self.fields["role"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField

    def clean_role_until(self) -> datetime | None:
        """The end of the last day."""
        day: date | None = self.cleaned_data["role_until"]
        try:
            return timezone.make_aware(datetime.combine(day + timedelta(days=1), time())) if day else None
        except OverflowError:
            raise forms.ValidationError("This day is further away than a calendar reaches.") from None


class RoleForm(forms.Form):
    """A role of the organisation's own; only permissions of whoever makes it can be chosen."""

    name = forms.CharField(label="Name", max_length=60, widget=forms.TextInput(attrs={"class": "control"}))
    permissions = forms.MultipleChoiceField(
        label="May",
        help_text="You can give what you may do yourself. Some permissions are used on a page that another one opens.",
        widget=forms.CheckboxSelectMultiple(attrs={"class": "tall"}),
    )

    def __init__(self, *arguments: Any, principal: Principal, **options: Any) -> None:
        super().__init__(*arguments, **options)
        own = [one for one in CATALOGUE if principal.can(one)]
        choices = [(one.value, _explained(one.value, _with_page(one))) for one in own]
        self.fields["permissions"].choices = choices  # type: ignore[attr-defined]  # a MultipleChoiceField


def pages_missing(permissions: Iterable[str]) -> str:
    """What to tell whoever saved a role that gives something without its page; empty when nothing is missing."""
    told = [f"“{one}” without “{PAGE_NEEDS[one]}”" for one in without_page(permissions)]
    return f" It gives {', '.join(told)}: whoever has it can use that by the API only." if told else ""


def _with_page(one: Permission) -> str:
    needed = PAGE_NEEDS.get(one)
    return f"{one.description} Its page needs “{needed}”." if needed else one.description


def last_day(until: datetime | None) -> date | None:
    """The last day of a role as a form shows it."""
    return (timezone.localtime(until) - timedelta(microseconds=1)).date() if until else None


def note_error(form: forms.Form, error: DomainError) -> None:
    """Say a broken rule at the field that it is about."""
    places = [_FIELDS.get(str(one.get("pointer"))) for one in error.errors]
    form.add_error(next((place for place in places if place in form.fields), None), str(error))


def _explained(name: str, text: str) -> SafeString:
    return format_html('<b class="strong">{}</b><br><span class="sub">{}</span>', name, text)
