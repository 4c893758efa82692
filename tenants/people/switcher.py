"""Which other organisations a browser shows in the menu of one: those that its user joined up there by hand.

What somebody belongs to elsewhere is nobody's business here, and an account does not prove who uses it: an
organisation may list any address and sign in with it at home. So the list is in no database. Each host keeps its
own in a signed cookie, and an entry needs a session of the same person, in the same browser, in both organisations:

    here   `offer`   asks the other one, for this person and this session
    there  `answer`  the same person, signed in there, agrees, in that session; nothing is shown yet
    here   `finish`  the session that asked has the other one in its menu, and sends the browser back there
    there  `finish`  the session that agreed has this one in its menu
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare, salted_hmac

from core.errors import Forbidden, InvalidInput
from core.tenancy import shared_context, tenant_key
from tenants import queries, signed_cookies
from tenants.addresses import origin_of
from tenants.models import Tenant
from tenants.people.person import me
from tenants.queries import OrganisationLink

COOKIE = f"{'__Host-' if settings.HTTPS else ''}datasynth-organisations"
_YEAR_SECONDS = 365 * 24 * 3600
_LIFE_SECONDS = 900  # long enough to sign in there with a second factor
_MOST = 20  # a cookie holds 4 kB; whoever adds more loses the oldest
_OFFER, _ANSWER = "people.switcher.offer", "people.switcher.answer"
_START_AGAIN = "Start again: choose Another organisation in the menu."


@dataclass(frozen=True, slots=True)
class Offer:
    """Another organisation, where this person has a session, asks to be joined up with this one."""

    organisation: OrganisationLink
    browser: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The organisation that is in the menu now, and where the browser goes next; empty at the end."""

    organisation: OrganisationLink
    next: str


def shown(request: HttpRequest) -> list[UUID]:
    """The other organisations that this browser has joined up with this one, for whoever is signed in."""
    user_id = str(request.user.pk)
    return [UUID(tenant_id) for user, tenant_id in _stored(request) if user == user_id]


def organisation_at(request: HttpRequest, text: str) -> OrganisationLink:
    """The other organisation that lives at an address as people type it: a name, a host or a link.

    Raises InvalidInput when none does, or when it is this one.
    """
    here: Tenant = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
    host = _host_typed(text)
    with shared_context():
        found = queries.tenant_of_host(host) if host else None
        if found is None:
            raise InvalidInput(
                f"No organisation lives at {host or text}. Copy the address from your browser there."
            )
        other = OrganisationLink(found.pk, found.name, found.host, found.pk == here.pk)
    if other.is_current:
        raise InvalidInput(f"{other.name} is where you are. Type the address of another one.")
    return other


def offer(request: HttpRequest, other: OrganisationLink) -> str:
    """The address where the person goes on: it takes their session there to do anything."""
    return _address(request, other, "/me/organisations/join", _OFFER, browser=_browser(request))


def read_offer(request: HttpRequest, ticket: str) -> Offer:
    """Raises InvalidInput for a ticket of another place or time, Forbidden for one of another person."""
    values = _values(request, ticket, _OFFER)
    return Offer(_home(request, values["from"]), values["browser"])


def answer(request: HttpRequest, given: Offer) -> str:
    """The address where the session that asked learns that the person agreed here."""
    return _to_finish(request, given.organisation, browser=given.browser, back=_browser(request))


def finish(request: HttpRequest, response: HttpResponseBase, ticket: str) -> Joined:
    """Show the other organisation, in the session that the ticket names and in no other. Raises as `read_offer`."""
    values = _values(request, ticket, _ANSWER)
    if not constant_time_compare(values["browser"], _browser(request)):
        raise Forbidden(f"This is another session than the one that asked. {_START_AGAIN}")
    other = _home(request, values["from"])
    _add(request, response, other)
    back = values["back"]
    return Joined(other, _to_finish(request, other, browser=back, back="") if back else "")


def remove(request: HttpRequest, response: HttpResponseBase, tenant_id: str) -> None:
    """Show one no more. The other one's own menu is a matter of its host."""
    user_id = str(request.user.pk)
    _store(response, [one for one in _stored(request) if one != [user_id, tenant_id]])


def _host_typed(text: str) -> str:
    given = text.strip().lower()
    try:
        host = urlsplit(given if "//" in given else f"//{given}").hostname or ""
    except ValueError:
        return ""
    return host if "." in host or not host else f"{host}.{settings.BASE_HOST.lower()}"


def _to_finish(request: HttpRequest, other: OrganisationLink, *, browser: str, back: str) -> str:
    return _address(request, other, "/me/organisations/joined", _ANSWER, browser=browser, back=back)


def _address(request: HttpRequest, other: OrganisationLink, path: str, salt: str, **more: str) -> str:
    here: Tenant = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
    values = {"user": str(me(request).pk), "from": str(here.pk), "to": str(other.tenant_id), **more}
    return f"{origin_of(other.host)}{path}?{urlencode({'ticket': signing.dumps(values, salt=salt)})}"


def _values(request: HttpRequest, ticket: str, salt: str) -> dict[str, str]:
    here: Tenant = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
    try:
        values: dict[str, str] = signing.loads(ticket, salt=salt, max_age=_LIFE_SECONDS)
    except signing.BadSignature as error:
        raise InvalidInput(f"This link is not whole, or older than 15 minutes. {_START_AGAIN}") from error
    if values["to"] != str(here.pk):
        raise InvalidInput(f"This link is for another organisation. {_START_AGAIN}")
    if values["user"] != str(me(request).pk):
        raise Forbidden(
            "You are somebody else here than where you come from. Sign out, and sign in with the same e-mail address."
        )
    return values


def _home(request: HttpRequest, tenant_id: str) -> OrganisationLink:
    """Where the person comes from, if they may still act there."""
    here: Tenant = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
    for one in queries.organisations_of(me(request).pk, here, [UUID(tenant_id)]):
        if not one.is_current:
            return one
    raise Forbidden("You do not belong any more to the organisation that you come from.")


def _browser(request: HttpRequest) -> str:
    """Names a session without telling its key."""
    return salted_hmac("people.switcher", str(request.session.session_key), algorithm="sha256").hexdigest()


def _stored(request: HttpRequest) -> list[list[str]]:
    try:
        stored: Any = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_salt(), max_age=_YEAR_SECONDS)
    except signing.BadSignature:
        return []
    return [list(one) for one in stored]


def _add(request: HttpRequest, response: HttpResponseBase, other: OrganisationLink) -> None:
    entry = [str(me(request).pk), str(other.tenant_id)]
    _store(response, [*(one for one in _stored(request) if one != entry), entry][-_MOST:])


def _store(response: HttpResponseBase, entries: list[list[str]]) -> None:
    signed_cookies.store(response, COOKIE, entries, salt=_salt(), life_seconds=_YEAR_SECONDS)


def _salt() -> str:
    return tenant_key("people", "switcher")
