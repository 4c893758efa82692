"""Exceptions of held runs as pages draw them: the panel of a run, and the forms to ask and to decide."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.utils import timezone

from compliance import exception_queries as queries
from compliance import exception_services as services
from compliance.models import ReleaseException
from core.permissions import Permission, Principal
from generation.models import Run

_EARLIER = 5
LIFETIMES = (
    ("", "none"),
    ("7", "in 7 days"),
    ("30", "in 30 days"),
    ("90", "in 90 days"),
    ("365", "in a year"),
)


def _words(rows: int = 4) -> forms.Textarea:
    return forms.Textarea(attrs={"class": "control", "rows": rows})


class AskException(forms.Form):
    """The checks travel with the form: whoever sends it has had this list before them."""

    checks = forms.MultipleChoiceField(widget=forms.MultipleHiddenInput)
    reason = forms.CharField(
        label="Why it may be used all the same",
        max_length=services.MOST_CHARACTERS,
        help_text="Say what the data is for. An approver reads it, and it stands with your name in the signed statement.",
        widget=_words(),
    )


class Decision(forms.Form):
    comment = forms.CharField(
        label="Comment",
        max_length=services.MOST_CHARACTERS,
        help_text="Why so. It goes to the audit trail, and into the signed statement of a granted exception.",
        widget=_words(),
    )
    lifetime_days = forms.ChoiceField(
        label="End, if granted",
        choices=LIFETIMES,
        required=False,
        widget=forms.Select(attrs={"class": "control"}),
    )

    def expires_at(self) -> datetime | None:
        days: str = self.cleaned_data["lifetime_days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class Revocation(forms.Form):
    comment = forms.CharField(
        label="Why",
        max_length=services.MOST_CHARACTERS,
        help_text="It goes to the audit trail.",
        widget=_words(3),
    )


@dataclass(frozen=True, slots=True)
class Panel:
    """What there is to see and to do about the exception of one held run."""

    latest: ReleaseException | None
    earlier: tuple[ReleaseException, ...]
    obstacle: str  # why none can be asked for, whoever asks
    checks: tuple[dict[str, str], ...]
    form: AskException | None  # None: there is nothing to ask for, or not by this person
    may_withdraw: bool
    may_decide: bool
    may_revoke: bool


def exception_panel(principal: Principal, run: Run, asking: AskException | None = None) -> Panel:
    """`asking` is the form as it was sent, with what is wrong in it."""
    found = list(queries.exceptions_of(run)[: _EARLIER + 1])
    latest = found[0] if found else None
    standing = latest.standing if latest else ""
    may = queries.askable(run)
    is_askable = standing not in ("open", "granted") and not may.obstacle
    ids = [check["id"] for check in may.checks]
    form = None
    if is_askable and principal.can(Permission.RUNS_WRITE):
        form = asking or AskException(initial={"checks": ids})
    may_decide = principal.can(Permission.EXCEPTIONS_DECIDE)
    return Panel(
        latest=latest,
        earlier=tuple(found[1:]),
        obstacle="" if standing in ("open", "granted") else may.obstacle,
        checks=may.checks,
        form=form,
        may_withdraw=latest is not None
        and standing == "open"
        and principal.can(Permission.RUNS_WRITE)
        and services.is_requester(principal, latest),
        may_decide=latest is not None
        and standing == "open"
        and may_decide
        and not services.why_not_decide(principal, latest),
        may_revoke=standing == "granted" and may_decide,
    )


def ask_form(run: Run, data: object) -> AskException:
    """The form as it was sent. Which checks it may name, the service decides: it says what is missing."""
    form = AskException(data)  # type: ignore[arg-type]  # a QueryDict
    sent: list[str] = data.getlist("checks") if hasattr(data, "getlist") else []
    known = [check["id"] for check in queries.askable(run).checks]
    form.fields["checks"].choices = [(one, one) for one in {*known, *sent}]  # type: ignore[attr-defined]
    return form
