"""Starting an organisation for oneself: the wish, the proof of the address, and what becomes of it.

Nothing here makes anything: that needs the owner's rights, which `tenants.founding.maker` has in a process of its own.
Nobody's account is looked up before the address is proved. Call in the shared schema.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from core import texts
from core.errors import Conflict, InvalidInput, NotFound, RateLimited
from tenants.addresses import origin_of
from tenants.founding import names, throttle
from tenants.founding.models import OrganisationRequest
from tenants.mail_addresses import checked_address, domain_of, in_ascii
from tenants.models import User
from tenants.people.passwords import check_password_rules
from tenants.people.tokens import digest_of, new_token

LINK_LIFE = timedelta(hours=24)
KEPT = timedelta(days=7)  # a page of progress, after the end
MOST_UNPROVED = 200
MOST_UNPROVED_OF_ONE = 3
MOST_QUEUED = 50
WORDS_FOR_NONE = "This link is not valid, or not any more. Begin again with a new one."
_LOCK = 0x6461_7461_7374_6172  # "datastar": one new wish at a time, so that the caps are exact
_FULL_SECONDS = 3600
State = OrganisationRequest.State


@dataclass(frozen=True, slots=True)
class Begun:
    """A wish with the token of its link, which is given away this once."""

    request: OrganisationRequest
    token: str


def is_open() -> bool:
    """Whether anybody may start an organisation here at all."""
    return settings.SELF_SERVICE is not None


def begin(*, name: str, slug: str, email: str, machine: str | None = None) -> Begun | None:
    """Note the wish. None when this address has had enough mails: the caller answers as always.

    Args: machine: the network address that asks, counted so that no single one takes all the places.
    Raises: InvalidInput; RateLimited while too many wait for their proof, or when this machine had its share.
    """
    name = names.checked_name(name)
    names.check_slug(slug)
    names.check_free(slug)
    email = _checked_email(email)
    if machine is not None:
        throttle.count_wish(machine)
    if not throttle.may_mail(email):
        return None
    token, digest = new_token()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        unproved = requests().filter(state=State.UNPROVED, expires_at__gt=timezone.now())
        if unproved.count() >= MOST_UNPROVED:
            raise RateLimited(
                "Too many people are starting organisations just now. Try again in an hour.",
                retry_after_seconds=_FULL_SECONDS,
            )
        if unproved.filter(email=email).count() >= MOST_UNPROVED_OF_ONE:
            return None
        row = OrganisationRequest.objects.create(
            name=name,
            slug=slug,
            skeleton=names.skeleton_of(slug),
            email=email,
            origin=origin_of(settings.BASE_HOST),
            token_digest=digest,
            expires_at=timezone.now() + LINK_LIFE,
        )
    return Begun(row, token)


def unproved_of_token(token: str) -> OrganisationRequest:
    """The wish that this link opens. Raises NotFound, in the same words for every link that opens none."""
    return _of_token(token, requests().filter(state=State.UNPROVED))


def confirm(*, token: str, slug: str, person_name: str, password: str) -> str:
    """The address is proved: queue the wish. The token of its page of progress; the link opens nothing any more.

    Raises: NotFound, InvalidInput; RateLimited while too many wait to be made.
    """
    with transaction.atomic():
        row = _of_token(token, requests().filter(state=State.UNPROVED).select_for_update())
        texts.visible_name(person_name)
        names.check_slug(slug)
        names.check_free(slug)
        _checked_email(row.email)  # the domains may be others than when the link was sent
        check_password_rules(password, User(email=row.email))
        row.person_name, row.password = person_name, make_password(password)
        row.proved_at = timezone.now()
        token, row.token_digest = new_token()
        _queue(row, slug)
    return token


def request_of_progress(token: str) -> OrganisationRequest:
    """What has become of a wish. Raises NotFound."""
    return _of_token(token, requests().exclude(state=State.UNPROVED).select_related("tenant"))


def retry(*, token: str, slug: str) -> None:
    """Queue a failed wish again, under another short name if need be. Raises: NotFound, InvalidInput, Conflict."""
    with transaction.atomic():
        row = _of_token(token, requests().exclude(state=State.UNPROVED).select_for_update())
        if row.state != State.FAILED:
            raise Conflict("This organisation is being made already.")
        names.check_slug(slug)
        names.check_free(slug)
        row.attempts, row.reason = 0, ""
        _queue(row, slug)


def address_of(row: OrganisationRequest, path: str = "") -> str:
    """The whole address of a path of the organisation that was made, or will be."""
    return f"{origin_of(names.host_of(row.slug))}{path}"


# -- by the operator -----------------------------------------------------------------------------------------


def requests() -> QuerySet[OrganisationRequest]:
    """All that there are; oldest first."""
    return OrganisationRequest.objects.order_by("created_at", "id")


def new_link(request_id: UUID) -> Begun:
    """Another link for a wish that waits for its proof; the one before ends. Raises NotFound."""
    with transaction.atomic():
        row = requests().filter(pk=request_id, state=State.UNPROVED).select_for_update().first()
        if row is None:
            raise NotFound("No wish with this id waits for a proof.")
        token, row.token_digest = new_token()
        row.expires_at = timezone.now() + LINK_LIFE
        row.save(update_fields=["token_digest", "expires_at"])
    return Begun(row, token)


def drop(request_id: UUID) -> None:
    """Forget a wish that nobody works on. Raises NotFound."""
    idle = requests().filter(pk=request_id).exclude(state=State.MAKING)
    if not idle.delete()[0]:
        raise NotFound("There is no such wish, or it is being made.")


def drop_expired(through: str = "default") -> int:
    """Remove wishes whose time is over; how many. What waits to be made has no such time."""
    rows = OrganisationRequest.objects.using(through).filter(expires_at__lte=timezone.now())
    return rows.delete()[0]


# -- parts ---------------------------------------------------------------------------------------------------


def _of_token(token: str, rows: QuerySet[OrganisationRequest]) -> OrganisationRequest:
    alive = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    found = rows.filter(alive, token_digest=digest_of(token)).first()
    if found is None:
        raise NotFound(WORDS_FOR_NONE)
    return found


def _queue(row: OrganisationRequest, slug: str) -> None:
    if requests().filter(state=State.QUEUED).count() >= MOST_QUEUED:
        raise RateLimited(
            "Too many organisations wait to be made. Try again in some minutes.", retry_after_seconds=300
        )
    row.slug, row.skeleton = slug, names.skeleton_of(slug)
    row.state, row.expires_at = State.QUEUED, None
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:  # somebody else took a name like it between the check and now
        raise InvalidInput(
            f"“{slug}” was taken a moment ago. Choose another.",
            errors=[{"pointer": "/slug", "code": "taken", "detail": "was taken a moment ago"}],
        ) from None


def _checked_email(email: str) -> str:
    email = checked_address(email)
    domains = {in_ascii(one) for one in settings.SELF_SERVICE or ()}
    if domains and domain_of(email) not in domains:
        listed = ", ".join(sorted(domains))
        raise _bad_email(
            f"Only addresses of {listed} can start an organisation here.", f"must be of {listed}"
        )
    return email


def _bad_email(message: str, detail: str) -> InvalidInput:
    return InvalidInput(message, errors=[{"pointer": "/email", "code": "invalid", "detail": detail}])
