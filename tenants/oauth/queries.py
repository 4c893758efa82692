"""What is known about applications and what they were granted, in the organisation of the request."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from core.errors import NotFound
from tenants import queries as tenants
from tenants import responsibility
from tenants.models import Membership
from tenants.oauth.models import Application, Grant


def applications() -> QuerySet[Application]:
    return Application.objects.all()


def application(application_id: UUID) -> Application:
    """Raises NotFound."""
    found = applications().filter(pk=application_id).first()
    if found is None:
        raise NotFound
    return found


def client(client_id: str) -> Application | None:
    """The application behind a client id."""
    return applications().filter(client_id=client_id).first()


def hashes_of(application: Application) -> list[str]:
    """Hashes of the secrets that prove it now: its own, and the one before while a rotation's overlap lasts.

    The one before also needs whoever was shown it, who may do all that it does.
    """
    until = application.previous_until
    overlaps = until is not None and until > timezone.now()
    if overlaps:
        vouched = responsibility.vouched(application.previous_responsible_id)
        overlaps = {*application.permissions} <= {*vouched}
    return [application.secret_hash, *([application.previous_hash] if overlaps else [])]


def grants_of(membership: Membership) -> QuerySet[Grant]:
    """The applications that act for a member now, newest first; a code that nobody took up is none."""
    now = timezone.now()
    live = Grant.objects.filter(membership_id=membership.pk, revoked_at=None, expires_at__gt=now)
    return (
        live.filter(code__used_at__isnull=False).select_related("application").order_by("-created_at", "-id")
    )


def grant_of(membership: Membership, grant_id: UUID) -> Grant:
    """Raises NotFound, also for a grant of somebody else."""
    found = (
        Grant.objects.filter(membership_id=membership.pk, pk=grant_id).select_related("application").first()
    )
    if found is None:
        raise NotFound
    return found


def is_live(grant: Grant) -> bool:
    """True while a grant counts: not withdrawn, not over, its member one who may act."""
    if grant.revoked_at is not None or grant.expires_at <= timezone.now():
        return False
    return tenants.acting_members().filter(pk=grant.membership_id).exists()
