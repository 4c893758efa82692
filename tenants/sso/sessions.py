"""Sessions that an identity provider opened or confirmed, and how they end."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from django.db import transaction

from core import audit
from tenants import credentials, granting
from tenants import queries as tenants
from tenants.people.models import Session
from tenants.people.proof import RECORDS
from tenants.people.session_store import SessionStore, end
from tenants.sso import queries
from tenants.sso.claims import Facts
from tenants.sso.errors import SsoRefused

SESSION = "sso"  # what a sign-out and a step-up need to know about the sign-in
METHOD = "socialaccount"  # how a session calls the proof of a provider
_BATCH = 500
_MOST_INDEXES = 300  # most providers keep one name for a session
_TOO_OFTEN = "This session was confirmed very often. Sign out, and sign in again."


def is_opened_by_provider(session: Any) -> bool:
    """True when the session, or its data, began with a sign-in at an identity provider."""
    return bool(session.get(SESSION))


def note(session: Any, facts: Facts) -> None:
    """Remember at a sign-in whom the provider vouched for, and how it calls its own session."""
    session[SESSION] = {"issuer": facts.issuer, "subject": facts.subject, **facts.session}


def note_again(session: Any, facts: Facts) -> None:
    """The same at a confirmation. The provider may call its session otherwise by now: a sign-out of either ends this one.

    A session that began without the provider stays one that it did not open. Raises: SsoRefused when it has had too many names.
    """
    noted = session.get(SESSION)
    if not noted or (noted["issuer"], noted["subject"]) != (facts.issuer, facts.subject):
        return
    told = {key: value for key, value in facts.session.items() if value}
    earlier = _digests(noted) - {_digest(told["index"])} if "index" in told else set(noted.get("earlier", ()))
    if len(earlier) > _MOST_INDEXES:
        raise SsoRefused("the provider called this session by too many names", shown=_TOO_OFTEN)
    session[SESSION] = {**noted, **told, "earlier": sorted(earlier)}


def _digests(noted: Mapping[str, Any]) -> set[str]:
    """All that the provider called its session. Names may be long, so that earlier ones are kept as digests."""
    return {*noted.get("earlier", ()), *map(_digest, filter(None, [noted.get("index")]))}


def _digest(index: str) -> str:
    return sha256(index.encode()).hexdigest()[:32]


def end_sessions(issuer: str, subject: str, session_indexes: tuple[str, ...]) -> int:
    """End the sessions that began with this subject at the provider (those with these indexes, if any); how many."""
    identity = queries.identity(issuer, subject)
    membership = tenants.members().filter(pk=identity.membership_id).first() if identity else None
    if membership is None:
        return 0
    store, ended, meant = SessionStore(), 0, set(map(_digest, session_indexes))
    with transaction.atomic():
        for row in Session.objects.filter(user_id=membership.user_id):
            data = store.decode(row.session_data)
            noted = data.get(SESSION) or {}
            is_meant = (noted.get("issuer"), noted.get("subject")) == (issuer, subject)
            if is_meant and (not session_indexes or not meant.isdisjoint(_digests(noted))):
                ended += end(Session.objects.filter(id=row.id))
        if ended:
            audit.record(
                actor=granting.PROVIDER,
                action="sso.session.end",
                target=membership,
                email=membership.user.email,
                sessions=ended,
            )
    return ended


def end_all(*, but: str | None = None) -> int:
    """End every session that a provider opened, this one or one before it, and what it proved in others; how many ended.

    With them end links that people whom a provider ever let in made in sessions, also in those that they left meanwhile: it
    may have let in somebody else. Part of larger changes, which write the audit event themselves.
    Args: but: key of a session that stays as it is.
    """
    ended = 0
    for row, data in _signed_in():
        if row.session_key == but:
            continue
        if is_opened_by_provider(data):
            ended += end(Session.objects.filter(id=row.id))
        elif forget_proofs(data):
            Session.objects.filter(id=row.id).update(session_data=SessionStore().encode(data))
    end_links()
    return ended


def end_links() -> None:
    """End links that whoever a provider ever let in made in sessions; before it is forgotten who that is."""
    credentials.end_links_of_sessions(*tenants.members().filter(pk__in=queries.members_let_in()))


def forget_proofs(session: Any) -> bool:
    """Take out of a session, or its data, what a provider proved; whether there was anything."""
    records = session.get(RECORDS) or []
    kept = [record for record in records if record["method"] != METHOD]
    if len(kept) == len(records):
        return False
    session[RECORDS] = kept
    return True


def _signed_in() -> Iterator[tuple[Session, dict[str, Any]]]:
    store = SessionStore()
    for row in Session.objects.filter(user_id__isnull=False).iterator(_BATCH):
        yield row, store.decode(row.session_data)
