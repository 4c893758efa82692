"""Changes to organisations, people and keys. Each leaves one audit event in its transaction."""

import secrets
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from core import audit, texts
from core.errors import Conflict, InvalidInput
from core.permissions import Principal
from core.postgres.names import SHARED_SCHEMA
from core.postgres.provision import create_schema, provisioning
from core.tenancy import OWNER_ALIAS, owner_context, shared_context
from core.versions import any_version
from tenants import granting, naming, queries, standing
from tenants.accounts import account_of
from tenants.mail_addresses import checked_address
from tenants.models import Domain, Membership, Tenant
from tenants.people.access import end_invitations_to, end_ways_in, revoke_keys_beyond, revoke_keys_of_all
from tenants.people.leaving import forget_member
from tenants.roles import Role, has_ended, permissions_of
from tenants.sso import glass


class LastOwner(Conflict):
    """An organisation must keep at least one owner."""

    code = "last_owner"
    title = "Last owner"


@dataclass(frozen=True, slots=True)
class AddedMember:
    """A new membership with the password to hand over; it is shown this once."""

    membership: Membership
    initial_password: str


@dataclass(frozen=True, slots=True)
class Founder:
    """The first owner of a new organisation, who has chosen a password already."""

    email: str
    name: str
    password_hash: str


# -- organisations -------------------------------------------------------------------------------------------


def create_organisation(
    *, actor: str, slug: str, name: str, host: str, founder: Founder | None = None
) -> Tenant:
    """Make an organisation with its schema, its database role, its host name and its founder, all or nothing.

    Its own trail begins with this, and the platform's trail has it, too.
    Args: slug: lower-case letters, digits and single hyphens, at most 40; host: without port.
    Raises: InvalidInput, Conflict. Needs the owner's connection, so no web process can do it.
    """
    schema = naming.schema_of(slug)
    name = naming.checked_name(name)
    with provisioning():
        if Tenant.objects.using(OWNER_ALIAS).filter(schema_name=schema).exists():
            raise Conflict(f"There is an organisation {slug!r} already.")
        if Domain.objects.using(OWNER_ALIAS).filter(domain=host.lower()).exists():
            raise Conflict(f"The host {host!r} belongs to an organisation already.")
        create_schema(schema)
        tenant = Tenant(schema_name=schema, name=name)
        tenant.save(using=OWNER_ALIAS)
        Domain(domain=host.lower(), tenant=tenant).save(using=OWNER_ALIAS)
        for trail in (SHARED_SCHEMA, schema):
            with owner_context(trail, include_shared=False):
                audit.record_through(
                    OWNER_ALIAS,
                    actor=actor,
                    action="tenants.organisation.create",
                    target=tenant,
                    name=name,
                    host=host,
                )
        if founder is not None:
            _add_founder(tenant, founder, actor)
    return tenant


def _add_founder(tenant: Tenant, founder: Founder, actor: str) -> None:
    """In the transaction of the owner that makes the organisation."""
    user = account_of(founder.email, using=OWNER_ALIAS)
    membership = Membership(
        tenant=tenant, user=user, role=Role.OWNER, name=founder.name, password=founder.password_hash
    )
    membership.save(using=OWNER_ALIAS)
    with owner_context(tenant.schema_name, include_shared=False):
        audit.record_through(
            OWNER_ALIAS,
            actor=actor,
            action="tenants.member.add",
            target=membership,
            email=founder.email,
            role=str(Role.OWNER),
            role_until=None,
        )


# -- people --------------------------------------------------------------------------------------------------


def add_member(
    *,
    actor: Principal | str,
    email: str,
    role: str,
    role_until: datetime | None = None,
    name: str = "",
    password: str | None = None,
    has_password: bool = True,
) -> AddedMember:
    """Add a person to this organisation, with a password for this organisation only. The first one is its owner.

    An invitation to them that still waits is revoked.

    Args: actor: a principal, who gives no more than they have, or the name of a part of the platform.
        has_password: whether there is one at all; without, an identity provider lets them in, or a link sets one.
    Raises: InvalidInput, Forbidden; Conflict when they are a member already.
    """
    texts.visible_name(name)
    email = checked_address(email)
    password = (password or secrets.token_urlsafe(12)) if has_password else None
    with transaction.atomic():
        tenant = queries.organisation()
        standing.begin_change(tenant.pk, actor)
        granting.refuse_to_set(actor, role)
        granting.check_until(role, role_until)
        if role != Role.OWNER and not queries.members().exists():
            raise InvalidInput(
                "The first member of an organisation is its owner.", errors=granting.at_role("owner")
            )
        with shared_context():
            user = account_of(email)
            if Membership.objects.filter(tenant=tenant, user=user).exists():
                raise Conflict(f"{email} is a member already.")
            membership = Membership.objects.create(
                tenant=tenant,
                user=user,
                role=str(role),
                role_until=role_until,
                name=name,
                password=make_password(password),
            )
        audit.record(
            actor=granting.name_of(actor),
            action="tenants.member.add",
            target=membership,
            email=email,
            role=str(role),
            role_until=role_until,
            revoked_invitations=end_invitations_to(email),
        )
    return AddedMember(membership, password or "")


def change_role(
    *,
    actor: Principal | str,
    membership: Membership,
    role: str,
    role_until: datetime | None = None,
    check: Callable[[Membership], None] = any_version,
) -> Membership:
    """Give a member another role, or the same until another day. Their keys that could do more are revoked with it.

    Whose last day has passed comes back as if let in again: nothing that let them in before does so any more.

    Raises: InvalidInput, LastOwner, LastBreaker; Forbidden when the role before or after is more than the principal has; what
    `check` raises for the version it finds.
    """
    with transaction.atomic():
        before = _locked(membership, actor)
        check(before)
        if (before.role, before.role_until) == (role, role_until):
            return before
        granting.refuse_to_set(actor, before.role)
        granting.refuse_to_set(actor, role)
        granting.check_until(role, role_until)
        if role != Role.OWNER:
            _refuse_last_owner(before)
        with shared_context():
            Membership.objects.filter(pk=before.pk).update(role=str(role), role_until=role_until)
        changed = queries.member(before.pk)
        ended = (
            asdict(end_ways_in(before))
            if has_ended(before)
            else {"revoked_keys": revoke_keys_beyond(changed, permissions_of(changed))}
        )
        audit.record(
            actor=granting.name_of(actor),
            action="tenants.member.change_role",
            target=before,
            role=str(role),
            role_until=role_until,
            before=before.role,
            before_until=before.role_until,
            **ended,
        )
    return changed


def give_role(*, actor: str, memberships: Collection[Membership], role: str) -> None:
    """Give several members one role, in a few statements for all of them: what `change_role` does for one.

    For roles without a last day, and people who are no owners. Raises: Forbidden, InvalidInput.
    """
    if not memberships:
        return
    with transaction.atomic():
        standing.begin_change(queries.organisation().pk, actor)
        rows = list(queries.members().filter(pk__in=[one.pk for one in memberships]).exclude(role=role))
        for one in {role, *(row.role for row in rows)}:
            granting.refuse_to_set(actor, one)
            if one in (Role.OWNER, Role.AUDITOR):
                raise InvalidInput(f"The role {one} is given and taken one by one.")
        with shared_context():
            Membership.objects.filter(pk__in=[row.pk for row in rows]).update(role=role, role_until=None)
        revoked = revoke_keys_of_all(rows, granting.permissions_given(role))
        for row in rows:
            audit.record(
                actor=actor,
                action="tenants.member.change_role",
                target=row,
                role=role,
                role_until=None,
                before=row.role,
                before_until=row.role_until,
                revoked_keys=revoked[row.user_id],
            )


def remove_member(
    *, actor: Principal | str, membership: Membership, check: Callable[[Membership], None] = any_version
) -> None:
    """End a membership: sessions stop working and the person's keys are revoked.

    Raises: LastOwner, LastBreaker; Forbidden for a member who may do more than the principal; what `check` raises.
    """
    with transaction.atomic():
        before = _locked(membership, actor)
        check(before)
        granting.refuse_to_set(actor, before.role)
        _refuse_last_owner(before)
        ended = end_ways_in(before)
        target = audit.label(before)
        with shared_context():
            Membership.objects.filter(pk=before.pk).delete()
        forget_member(before)
        audit.record(
            actor=granting.name_of(actor),
            action="tenants.member.remove",
            target=target,
            email=before.user.email,
            role=before.role,
            **asdict(ended),
        )


def leave(*, principal: Principal, membership: Membership) -> None:
    """End one's own membership. Raises: LastOwner, LastBreaker; Forbidden when the session has ended in the meantime."""
    with transaction.atomic():
        standing.begin_change(membership.tenant_id, principal)
        remove_member(actor=principal.actor, membership=membership)


def end_access(membership: Membership, *, actor: Principal | str, reason: str) -> Membership:
    """Deactivate a member: all that lets them in ends, what they made stays.

    A second time changes nothing. `reason` is for the audit trail, such as "scim" or "member.deactivate".
    Raises: LastOwner, LastBreaker; Forbidden for a member who may do more than the principal.
    """
    with transaction.atomic():
        before = _locked(membership, actor)
        if not before.is_active:
            return before
        granting.refuse_to_set(actor, before.role)
        _refuse_last_owner(before)
        with shared_context():
            Membership.objects.filter(pk=before.pk).update(is_active=False)
        ended = end_ways_in(before)
        audit.record(
            actor=granting.name_of(actor),
            action="tenants.member.end_access",
            target=before,
            email=before.user.email,
            reason=reason,
            **asdict(ended),
        )
        before.is_active = False
    return before


def give_access(membership: Membership, *, actor: Principal | str, reason: str) -> Membership:
    """Let a deactivated member sign in again. Their old sessions and keys stay ended."""
    with transaction.atomic():
        before = _locked(membership, actor)
        if before.is_active:
            return before
        granting.refuse_to_set(actor, before.role)
        with shared_context():
            Membership.objects.filter(pk=before.pk).update(is_active=True)
        audit.record(
            actor=granting.name_of(actor),
            action="tenants.member.give_access",
            target=before,
            email=before.user.email,
            reason=reason,
        )
        before.is_active = True
    return before


def _locked(membership: Membership, actor: Principal | str) -> Membership:
    """The row as it is now, and nobody else's change of members until this one ends."""
    standing.begin_change(membership.tenant_id, actor)
    return queries.member(membership.pk)


def is_last_owner(membership: Membership) -> bool:
    """True for the only owner who may act: their membership does not end, and they stay owner."""
    others = queries.members().filter(role=Role.OWNER, is_active=True).exclude(pk=membership.pk)
    return membership.role == Role.OWNER and not others.exists()


def _refuse_last_owner(membership: Membership) -> None:
    if is_last_owner(membership):
        raise LastOwner("This is the only owner. Make somebody else an owner first.")
    glass.refuse_last(membership)
