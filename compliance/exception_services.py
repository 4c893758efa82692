"""Exceptions of held runs: ask, grant, refuse, withdraw, revoke. Each leaves one audit event in its transaction.

Four eyes are two people: whoever asked, started the run, or made a key or an application that did so, decides nothing,
whichever credential they use. The run is locked first, then its exception: of two decisions at once one counts.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from compliance.evidence.exception import EXCEPTION, GrantedException
from compliance.exception_queries import askable, find_exception
from compliance.keys import signing_key
from compliance.models import ReleaseException
from core import audit, texts
from core.errors import Conflict, InvalidInput
from core.permissions import Principal
from generation import artifacts
from generation.models import Run, RunFile
from generation.queries.runs import find_run
from tenants import persons, queries, standing

LONGEST_LIFE = timedelta(days=366)
MOST_CHARACTERS = 2000

State = ReleaseException.State


class FourEyes(Conflict):
    """Whoever asked for an exception or started its run cannot decide it, nor with a key or an application of theirs."""

    code = "four_eyes"
    title = "Somebody else has to decide"


class NotTheRequester(Conflict):
    """Only whoever asked for an exception may withdraw it."""

    code = "not_the_requester"
    title = "Somebody else’s request"


@transaction.atomic
def ask(*, principal: Principal, run_id: UUID, checks: Sequence[str], reason: str) -> ReleaseException:
    """Ask for an exception of a held run for all of its failed checks, named one by one.

    Raises: NotFound. Conflict: the run is not held, has an open request or an exception already, a check could not be
    computed, or nobody can be found behind the run. InvalidInput: no reason, or not the failed checks.
    """
    run = _locked(run_id)
    standing.refuse_outdated(principal)
    may = askable(run)
    if may.obstacle:
        raise Conflict(may.obstacle)
    _refuse_other_checks([check["id"] for check in may.checks], checks)
    if ReleaseException.objects.filter(run=run, state=State.OPEN).exists():
        raise Conflict(f"Somebody has asked for an exception of run #{run.number} already.")
    if run.is_open:
        raise Conflict(f"Run #{run.number} has an exception already.")
    starters, askers = persons.behind_actor(run.started_by), persons.behind(principal)
    if not starters or not askers:
        raise Conflict(
            f"Nobody can be found any more behind {run.started_by if askers else principal.actor}, so nobody could be "
            "told apart from them. Run it again."
        )
    asked = ReleaseException.objects.create(
        run=run,
        checks=list(may.checks),
        reason=_said(reason, "reason", "A reason"),
        asked_by=persons.name_of(principal),
        requester=sorted(persons.own(principal) or askers),
        askers=sorted(askers),
        starters=sorted(starters),
        openers=sorted(persons.openers(askers | starters)),
    )
    _record(principal, "ask", asked, reason=asked.reason, checks=[check["id"] for check in may.checks])
    return asked


@transaction.atomic
def grant(
    *, principal: Principal, exception_id: UUID, comment: str, expires_at: datetime | None = None
) -> ReleaseException:
    """Let the run's files out, until `expires_at` if there is one, with a signed statement beside its manifest.

    Raises: NotFound, Forbidden (nobody behind the credential), FourEyes, Conflict (not open, or the run is not what was
    asked for any more), InvalidInput (no comment; an end in the past or over a year away).
    """
    asked = _to_decide(principal, exception_id)
    run, now = asked.run, timezone.now()
    if expires_at is not None and not now < expires_at <= now + LONGEST_LIFE:
        raise _wrong(
            "An exception ends within a year from now.", "expires_at", "must lie within the next 366 days"
        )
    may = askable(run)
    if may.obstacle or list(may.checks) != asked.checks:
        raise Conflict(may.obstacle or "The report of the run has changed since. Ask again.")
    _decide(asked, State.GRANTED, principal, comment, now)
    asked.expires_at = expires_at
    statement = GrantedException(
        checks=tuple(check["id"] for check in asked.checks),
        reason=asked.reason,
        asked_by=asked.asked_by,
        granted_by=asked.decided_by,
        granted_at=now,
        comment=asked.comment,
        valid_until=expires_at,
    )
    with tempfile.TemporaryDirectory(prefix="ds-exception-") as folder:
        root = Path(folder)
        asked.envelope = statement.write(root, manifest_sha256=run.manifest_sha256, key=signing_key())
        asked.statement_sha256 = hashlib.sha256((root / EXCEPTION).read_bytes()).hexdigest()
        artifacts.record(run, artifacts.put_evidence(run.pk, root, [EXCEPTION]))
    asked.save()
    run.opened_by_exception, run.opened_until = True, expires_at
    run.save(update_fields=["opened_by_exception", "opened_until"])
    _record(
        principal,
        "grant",
        asked,
        comment=asked.comment,
        expires_at=expires_at,
        manifest_sha256=run.manifest_sha256,
        statement_sha256=asked.statement_sha256,
    )
    return asked


@transaction.atomic
def refuse(*, principal: Principal, exception_id: UUID, comment: str) -> ReleaseException:
    """Leave the run held. Raises: NotFound, Forbidden, FourEyes, Conflict (not open), InvalidInput (no comment)."""
    asked = _to_decide(principal, exception_id)
    _decide(asked, State.REFUSED, principal, comment, timezone.now())
    asked.save()
    _record(principal, "refuse", asked, comment=asked.comment)
    return asked


@transaction.atomic
def withdraw(*, principal: Principal, exception_id: UUID) -> ReleaseException:
    """Take a request back. Raises: NotFound, Conflict (not open), NotTheRequester."""
    asked = _locked_exception(principal, exception_id)
    _refuse_unless(asked, State.OPEN, "withdrawn")
    if not is_requester(principal, asked):
        raise NotTheRequester("Only whoever asked for it may take it back. An approver may refuse it.")
    asked.state, asked.ended_by, asked.ended_at = State.WITHDRAWN, persons.name_of(principal), timezone.now()
    asked.save()
    _record(principal, "withdraw", asked)
    return asked


@transaction.atomic
def revoke(*, principal: Principal, exception_id: UUID, comment: str) -> ReleaseException:
    """End a granted exception: downloads are closed again, for everybody, at once. Copies that were taken stay.

    Nobody is kept from it: it only closes. Raises: NotFound, Forbidden, Conflict (not granted, or over), InvalidInput.
    """
    queries.person(principal)
    granted = _locked_exception(principal, exception_id)
    _refuse_unless(granted, State.GRANTED, "revoked")
    granted.state, granted.ended_by, granted.ended_at = (
        State.REVOKED,
        persons.name_of(principal),
        timezone.now(),
    )
    granted.ended_why = _said(comment, "comment", "A comment")
    granted.save()
    run = granted.run
    run.opened_by_exception, run.opened_until = False, None
    run.save(update_fields=["opened_by_exception", "opened_until"])
    RunFile.objects.filter(run=run, path=EXCEPTION).delete()
    _record(principal, "revoke", granted, comment=granted.ended_why)
    return granted


def why_not_decide(principal: Principal, asked: ReleaseException) -> str:
    """Why this principal may not decide the request; empty when they may."""
    acting = persons.behind(principal)
    if asked.parties & acting:
        return (
            "You asked for it, started the run, or could act as whoever did: by a key, an application, or a link to an account "
            "that one of you was given. Somebody else has to decide."
        )
    if acting.intersection(asked.openers) or asked.parties & persons.openers(persons.own(principal)):
        return (
            "One of you, you or whoever asked for it or started the run, invited the other, set up the identity provider, or was shown "
            "a token of the directory that brought the other, less than 30 days ago, and could come in as the other. Somebody else has to "
            "decide."
        )
    return ""


def is_requester(principal: Principal, asked: ReleaseException) -> bool:
    """Whether this is the person who asked; for what a service asked, whoever answers for it."""
    return bool(set(asked.requester or asked.askers) & (persons.own(principal) or persons.behind(principal)))


# -- parts ---------------------------------------------------------------------------------------------------


def _locked(run_id: UUID) -> Run:
    return Run.objects.select_for_update().get(pk=find_run(run_id).pk)


def _locked_exception(principal: Principal, exception_id: UUID) -> ReleaseException:
    """The exception with its run, both locked, the run first as everywhere; for whom still may what they could."""
    run = _locked(find_exception(exception_id).run_id)
    found = ReleaseException.objects.select_for_update().get(pk=exception_id)
    standing.refuse_outdated(principal)
    found.run = run
    return found


def _to_decide(principal: Principal, exception_id: UUID) -> ReleaseException:
    """An open request that this person may decide."""
    queries.person(principal)
    asked = _locked_exception(principal, exception_id)
    _refuse_unless(asked, State.OPEN, "decided")
    if because := why_not_decide(principal, asked):
        raise FourEyes(because)
    return asked


def _decide(
    asked: ReleaseException, state: ReleaseException.State, principal: Principal, comment: str, now: datetime
) -> None:
    asked.comment = _said(comment, "comment", "A comment")
    asked.state, asked.decided_by, asked.decided_at = state, persons.name_of(principal), now


def _refuse_unless(found: ReleaseException, state: ReleaseException.State, done: str) -> None:
    if found.standing != state:
        raise Conflict(f"This exception is {found.standing}; only one that is {state} can be {done}.")


def _refuse_other_checks(failed: list[str], named: Sequence[str]) -> None:
    """An exception is for everything that failed, and whoever asks has to know what that is."""
    missing, unknown = sorted(set(failed) - set(named)), sorted(set(named) - set(failed))
    problems = [f"{one} failed and is not named" for one in missing]
    problems += [f"{one[:100]} is no failed check of this run" for one in unknown[:20]]
    if problems:
        raise InvalidInput(
            "An exception is for all failed checks of the run, and for no other.",
            errors=[{"pointer": "/checks", "code": "invalid", "detail": detail} for detail in problems],
        )


def _said(text: str, field: str, what: str) -> str:
    said = texts.plain_prose(text.strip(), what, field=field)
    if not said or len(said) > MOST_CHARACTERS:
        raise _wrong(
            f"{what} has 1 to {MOST_CHARACTERS} characters, got {len(said)}.", field, "must say something"
        )
    return said


def _wrong(message: str, field: str, detail: str) -> InvalidInput:
    return InvalidInput(message, errors=[{"pointer": f"/{field}", "code": "invalid", "detail": detail}])


def _record(principal: Principal, verb: str, found: ReleaseException, **data: object) -> None:
    audit.record(
        actor=principal.actor,
        action=f"compliance.exception.{verb}",
        target=found,
        number=found.run.number,
        **data,
    )
