"""What is known about single sign-on in this organisation."""

from uuid import UUID

from django.db.models import QuerySet

from core.errors import InvalidInput, NotFound
from tenants import granting
from tenants.granting import permissions_given
from tenants.mail_addresses import domain_of
from tenants.models import Membership
from tenants.people.factor_queries import has_factor
from tenants.queries import custom_roles
from tenants.roles import Role, has_ended
from tenants.sso import glass
from tenants.sso.claims import ClaimMapping
from tenants.sso.models import Connection, Identity, MailDomain

THE_PROVIDER, THE_CLAIMS = "the provider", "claims and roles"


def connection() -> Connection | None:
    """The identity provider of this organisation, also while it is switched off."""
    return Connection.objects.first()


def needed_connection() -> Connection:
    """Raises NotFound."""
    found = connection()
    if found is None:
        raise NotFound
    return found


def live_connection(protocol: str | None = None) -> Connection:
    """The connection that people may sign in with. Raises NotFound."""
    found = Connection.objects.filter(is_enabled=True).first()
    if found is None or protocol not in (None, found.protocol):
        raise NotFound
    return found


def mapping_of(found: Connection) -> ClaimMapping:
    return ClaimMapping(
        email_claim=found.email_claim,
        name_claim=found.name_claim,
        groups_claim=found.groups_claim,
        group_roles=tuple((row["group"], row["role"]) for row in found.group_roles),
        default_role=found.default_role,
    )


def mail_domains() -> QuerySet[MailDomain]:
    return MailDomain.objects.order_by("name")


def verified_domains() -> QuerySet[MailDomain]:
    """Those that the organisation proved to be its own."""
    return mail_domains().filter(verified_at__isnull=False)


def mail_domain(domain_id: UUID) -> MailDomain:
    """Raises NotFound."""
    found = mail_domains().filter(pk=domain_id).first()
    if found is None:
        raise NotFound
    return found


def owns_domain_of(email: str) -> bool:
    """True when the organisation proved that the address' domain is its own."""
    return verified_domains().filter(name=domain_of(email)).exists()


def identity(issuer: str, subject: str) -> Identity | None:
    return Identity.objects.filter(issuer=issuer, subject=subject).first()


def members_let_in() -> list[UUID]:
    """Ids of the members whom a provider has ever let in."""
    return list(Identity.objects.values_list("membership_id", flat=True).distinct())


def is_known_at(issuer: str, membership: Membership) -> bool:
    """True when a member has an identity there: an address that the provider gave to somebody else opens nothing."""
    return Identity.objects.filter(issuer=issuer, membership_id=membership.pk).exists()


def must_use_sso(membership: Membership) -> bool:
    """True for people of verified domains while the organisation insists on its identity provider.

    Owners are asked, too, but may break the glass: password and second factor (tenants.sign_in).
    """
    return insists_on_sso_for(membership.user.email)


def insists_on_sso_for(email: str) -> bool:
    """True for an address whose person comes in by the identity provider, a member or not."""
    is_enforced = Connection.objects.filter(is_enabled=True, is_enforced=True).exists()
    return is_enforced and owns_domain_of(email)


def refuses_password(membership: Membership) -> bool:
    """True when not even breaking the glass is for this member: that takes an owner with a second factor."""
    if not must_use_sso(membership):
        return False
    return membership.role != Role.OWNER or not has_factor(membership.user_id)


def mappable_roles() -> list[tuple[str, str]]:
    """Roles that groups may give, with their names."""
    return [(role.key, role.name) for role in granting.mappable_roles()]


def role_name(role: str) -> str:
    """What people call a role of this organisation."""
    own = custom_roles().filter(key=role).first()
    return own.name if own else str(dict(Role.choices).get(role, role))


def setters(found: Connection) -> list[tuple[str, str]]:
    """What was saved, and the role of who saved it last. A save of one part vouches for nothing in the other."""
    parts = [(THE_PROVIDER, found.set_by_role)]
    return parts if found.mapped_by_role is None else [*parts, (THE_CLAIMS, found.mapped_by_role)]


def unvouched(found: Connection) -> list[str]:
    """What an owner has to save before owners can sign in with this provider."""
    return [part for part, setter in setters(found) if setter != Role.OWNER]


def may_let_in(setter: str, role: str) -> bool:
    """True when a role holds no more than that of the setter; only owners let owners in."""
    if Role.OWNER in (role, setter):
        return setter == Role.OWNER
    try:
        return permissions_given(role) <= permissions_given(setter)
    except InvalidInput:  # one of the roles was deleted
        return False


def may_enter(membership: Membership) -> bool:
    return membership.is_active and not has_ended(membership)


def enforcement_gaps(found: Connection) -> list[str]:
    """What has to come before passwords are refused."""
    gaps = []
    if not found.is_enabled:
        gaps.append("Switch on single sign-on first.")
    if not verified_domains().exists():
        gaps.append("Verify a mail domain first: it says whose passwords are refused.")
    known = Identity.objects.filter(issuer=found.issuer)
    if found.another_since is not None:  # who came in by the one before proves nothing about this one
        known = known.filter(last_used_at__gte=found.another_since)
    if not known.exists():
        gaps.append("Nobody has signed in with this provider yet. Do it once, so that it is known to work.")
    if not glass.is_breakable():
        gaps.append(
            "No owner has both a password and a second factor. One needs them to get in when the provider is away."
        )
    return gaps
