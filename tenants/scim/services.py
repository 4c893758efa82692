"""What a directory changes: members, groups, and through groups roles. Each change leaves one audit event.

A directory does what an admin may: whoever may do more, owners among them, it neither makes nor changes, deactivates or
removes (`tenants.granting.roles_beyond_admins`). Who sets it up may do all that it may (`tenants.scim.tokens.refuse_less`).
What it brings is a membership of this organisation without a password, whatever else the person is elsewhere (ADR 0009).
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction
from scim2_models import ForbiddenException, InvalidValueException, MutabilityException, UniquenessException

from core import audit, texts
from core.errors import InvalidInput, NotFound
from core.permissions import Principal
from core.tenancy import shared_context
from tenants import granting, queries, services, standing
from tenants.accounts import account_of, hold_both
from tenants.mail_addresses import NEEDED, as_kept, domain_of, mail_address
from tenants.models import Membership
from tenants.people.access import end_for_successor, end_invitations_to
from tenants.people.leaving import forget_person
from tenants.roles import Role
from tenants.scim import models, resources, tokens
from tenants.scim import queries as scim
from tenants.scim.tokens import ACTOR
from tenants.sso.models import MailDomain

NOBODY_RESPONSIBLE = (
    "Nobody is responsible for this token, so it only ends access. "
    "An owner or admin takes it over under Settings, Provisioning."
)
_OUT_OF_REACH = "A directory does not change owners and others who may do more than an admin. An owner gives this one another role first."
_LONGEST = 254


# -- settings ------------------------------------------------------------------------------------------------


def set_origin(*, principal: Principal, origin: str) -> None:
    """Whom the directory may bring. Raises InvalidInput."""
    if origin not in models.Setup.Origin.values:
        raise InvalidInput("Choose whom the directory may bring.")
    tokens.refuse_less(principal)
    with transaction.atomic():
        standing.begin_change(queries.organisation().pk, principal)
        before = scim.setup().origin
        if before == origin:
            return
        models.Setup.objects.update_or_create(pk=1, defaults={"origin": origin})
        audit.record(
            actor=principal.actor,
            action="tenants.scim.set_origin",
            target=queries.organisation(),
            origin=origin,
            before=before,
        )


def map_group(*, principal: Principal, group_id: UUID, role: str) -> models.Group:
    """Give the members of a group a role, or with "" none: then who is in no other mapped group becomes a viewer.

    Raises: NotFound; InvalidInput; Forbidden for a role, before or after, that is more than the principal's.
    """
    with transaction.atomic():
        standing.begin_change(queries.organisation().pk, principal)
        group = models.Group.objects.filter(pk=group_id).first()
        if group is None:
            raise NotFound
        if group.role == role:
            return group
        if role == Role.AUDITOR or role in granting.roles_beyond_admins():
            raise InvalidInput(
                "A group cannot make owners, auditors or others who may do more than an admin: that is for people, and "
                "an auditor has an end date."
            )
        for one in filter(None, (role, group.role)):
            if one == role or one in Role.values or queries.custom_role_permissions(one) is not None:
                granting.refuse_more(principal, one)
        before, group.role = group.role, role
        group.save(update_fields=["role", "changed_at"])
        audit.record(
            actor=principal.actor,
            action="tenants.scim_group.map",
            target=group,
            group=group.display_name,
            role=role,
            before=before,
        )
        _give_roles(_members_of(group))
    return group


# -- people --------------------------------------------------------------------------------------------------


def create_user(wanted: resources.User) -> Membership:
    """Add a member, without a password. Raises exceptions of SCIM and DomainError."""
    address = _checked_address(wanted)
    with transaction.atomic():
        granting.one_change_at_a_time(queries.organisation().pk)
        _refuse_double(wanted, None)
        if queries.members().filter(user__email=address).exists():
            raise UniquenessException(detail=f"{address} is a member already.")
        added = services.add_member(
            actor=ACTOR, email=address, role=Role.VIEWER, name=_full_name(wanted), has_password=False
        )
        models.Person.objects.create(membership_id=added.membership.pk, **_kept(wanted))
        if wanted.active is False:
            services.end_access(added.membership, actor=ACTOR, reason="scim")
    return queries.member(added.membership.pk)


def change_user(membership: Membership, wanted: resources.User, *, may_give: bool) -> Membership:
    """Bring a member to what the directory says. Raises exceptions of SCIM and DomainError.

    A directory that may give nothing (nobody is responsible for its token) still ends access, and does no more.
    """
    if not may_give and wanted.active is not False:
        raise ForbiddenException(detail=NOBODY_RESPONSIBLE)
    with transaction.atomic():
        granting.one_change_at_a_time(queries.organisation().pk)
        before = queries.member(membership.pk)
        if _is_out_of_reach(before):
            _link(before, wanted)
            return before
        if not may_give:
            services.end_access(before, actor=ACTOR, reason="scim")
            return queries.member(membership.pk)
        _refuse_double(wanted, before)
        address = _address(wanted)
        if address != before.user.email:
            before = _move(before, _checked_address(wanted))
        _keep(before, wanted)
        if wanted.active is False:
            services.end_access(before, actor=ACTOR, reason="scim")
        elif wanted.active:
            services.give_access(before, actor=ACTOR, reason="scim")
    return queries.member(membership.pk)


def end_access_alone(membership: Membership, *, refused: str) -> Membership | None:
    """End the access of a member whom a directory deactivates with something that is refused, which stays as it was.

    refused: why, for the audit log. None, and nothing done, for who may do more than an admin and for who has no access.
    """
    with transaction.atomic():
        granting.one_change_at_a_time(queries.organisation().pk)
        before = queries.member(membership.pk)
        if _is_out_of_reach(before) or not before.is_active:
            return None
        services.end_access(before, actor=ACTOR, reason="scim")
        audit.record(actor=ACTOR, action="tenants.scim_user.keep", target=before, refused=refused)
    return queries.member(membership.pk)


def delete_user(membership: Membership) -> None:
    """End all access at once, then the membership. Raises MutabilityException for who may do more than an admin."""
    with transaction.atomic():
        granting.one_change_at_a_time(queries.organisation().pk)
        membership = queries.member(membership.pk)
        if _is_out_of_reach(membership):
            raise MutabilityException(detail=_OUT_OF_REACH)
        services.end_access(membership, actor=ACTOR, reason="scim")
        services.remove_member(actor=ACTOR, membership=membership)


# -- groups --------------------------------------------------------------------------------------------------


def create_group(wanted: resources.Group) -> models.Group:
    """Add a group; it gives no role until the organisation maps it."""
    with transaction.atomic():
        granting.one_change_at_a_time(queries.organisation().pk)
        _refuse_double_group(wanted, None)
        group = models.Group.objects.create(
            display_name=_text(wanted.display_name, "displayName"),
            external_id=_external_id(wanted.external_id),
        )
        members = _set_members(group, wanted)
        audit.record(
            actor=ACTOR,
            action="tenants.scim_group.create",
            target=group,
            group=group.display_name,
            members=len(members),
        )
    return group


def change_group(group: models.Group, wanted: resources.Group) -> models.Group:
    """Bring a group to what the directory says; roles follow at once."""
    with transaction.atomic():
        granting.one_change_at_a_time(queries.organisation().pk)
        group = models.Group.objects.select_for_update().get(pk=group.pk)
        _refuse_double_group(wanted, group)
        name, external_id = _text(wanted.display_name, "displayName"), _external_id(wanted.external_id)
        is_renamed = (name, external_id) != (group.display_name, group.external_id)
        before = group.display_name
        group.display_name, group.external_id = name, external_id
        changed = _set_members(group, wanted)
        if is_renamed or changed:
            group.save()
            audit.record(
                actor=ACTOR,
                action="tenants.scim_group.update",
                target=group,
                group=name,
                before=before,
                members_changed=len(changed),
            )
        if group.role and changed:
            _give_roles(changed)
    return group


def delete_group(group: models.Group) -> None:
    """Remove a group; whom no other mapped group holds becomes a viewer."""
    with transaction.atomic():
        granting.one_change_at_a_time(queries.organisation().pk)
        members, target, is_mapped = _members_of(group), audit.label(group), bool(group.role)
        group.delete()
        audit.record(
            actor=ACTOR,
            action="tenants.scim_group.delete",
            target=target,
            group=group.display_name,
            members=len(members),
        )
        if is_mapped:
            _give_roles(members)


# -- parts: people -------------------------------------------------------------------------------------------


def _move(membership: Membership, address: str) -> Membership:
    """Another address is another account, and whoever is behind it may be another person.

    All that let the one before in ends, also their password, and nobody is responsible for what they were.
    """
    if queries.members().filter(user__email=address).exists():
        raise UniquenessException(detail=f"{address} is a member already.")
    with shared_context():
        hold_both(address, membership.user_id)
    ended = end_for_successor(membership)
    with shared_context():
        user = account_of(address)
        Membership.objects.filter(pk=membership.pk).update(
            user=user, password=make_password(None), last_sign_in_at=None
        )
    forget_person(membership.user_id)
    audit.record(
        actor=ACTOR,
        action="tenants.member.change_address",
        target=membership,
        email=address,
        before=membership.user.email,
        **asdict(ended) | {"revoked_invitations": ended.revoked_invitations + end_invitations_to(address)},
    )
    return queries.member(membership.pk)


def _is_out_of_reach(membership: Membership) -> bool:
    return membership.role in granting.roles_beyond_admins()


def _link(membership: Membership, wanted: resources.User) -> None:
    """Of somebody out of reach a directory repeats what is, and keeps its own id and spelling of the name, which give
    nobody anything. Raises MutabilityException for all else.
    """
    [shown] = scim.users([membership], "")
    before, kept = _kept(shown), _kept(wanted)
    is_same_name = before["user_name"].casefold() == kept["user_name"].casefold()
    is_same_state = wanted.active in (None, membership.is_active)
    if not (is_same_name and is_same_state) or before["attributes"] != kept["attributes"]:
        raise MutabilityException(detail=_OUT_OF_REACH)
    changed = [field for field, value in kept.items() if before[field] != value]
    if changed:
        _refuse_double(wanted, membership)
        models.Person.objects.update_or_create(pk=membership.pk, defaults=kept)
        audit.record(actor=ACTOR, action="tenants.scim_user.update", target=membership, changed=changed)


def _keep(membership: Membership, wanted: resources.User) -> None:
    """Store what the directory says about a person, with an event when that is new."""
    kept, name = _kept(wanted), _full_name(wanted)
    before = models.Person.objects.filter(pk=membership.pk).first()
    changed = [field for field, value in kept.items() if before is None or getattr(before, field) != value]
    if not changed:
        return
    models.Person.objects.update_or_create(pk=membership.pk, defaults=kept)
    if name != membership.name:
        with shared_context():
            Membership.objects.filter(pk=membership.pk).update(name=name)
    audit.record(actor=ACTOR, action="tenants.scim_user.update", target=membership, changed=changed)


def _kept(wanted: resources.User) -> dict[str, Any]:
    name = wanted.name.model_dump(scim_ctx=None, exclude_none=True) if wanted.name else {}
    name = {key: shown for key, value in name.items() if (shown := texts.seen(value))}
    emails = [one.model_dump(scim_ctx=None, exclude_none=True) for one in wanted.emails or []]
    attributes = {"name": name, "display_name": texts.seen(wanted.display_name or ""), "emails": emails}
    if len(repr(attributes)) > resources.MOST_KEPT:
        raise InvalidValueException(detail=f"A user may have {resources.MOST_KEPT} characters of attributes.")
    return {
        "user_name": _text(wanted.user_name, "userName"),
        "external_id": _external_id(wanted.external_id),
        "attributes": {key: value for key, value in attributes.items() if value},
    }


def _address(wanted: resources.User) -> str:
    """Where a person signs in: the primary address, that of work, the first one, or a user name that is one."""
    emails = [one for one in wanted.emails or [] if one.value]
    ordered = sorted(emails, key=lambda one: (not one.primary, (one.type or "").lower() != "work"))
    return as_kept(str(ordered[0].value if ordered else wanted.user_name or ""))


def _checked_address(wanted: resources.User) -> str:
    """The address, if the directory may bring it: whom it may add, a member may become."""
    address = mail_address(_address(wanted))
    if not address:
        raise InvalidValueException(
            detail=f"A user needs an e-mail address, in emails or as userName: {NEEDED}."
        )
    domain = domain_of(address)
    is_ours = MailDomain.objects.filter(name=domain, verified_at__isnull=False).exists()
    if not is_ours and scim.setup().origin != models.Setup.Origin.ANYBODY:
        raise ForbiddenException(
            detail=f"{domain or address} is not a verified domain of this organisation. Verify it under Settings, Single "
            "sign-on, or allow everybody under Settings, Provisioning."
        )
    return address


def _full_name(wanted: resources.User) -> str:
    name = wanted.name or resources.Name()
    parts = " ".join(part for part in (name.given_name, name.family_name) if part)
    return next(filter(None, map(texts.seen, (wanted.display_name or "", name.formatted or "", parts))), "")[
        :150
    ]


def _refuse_double(wanted: resources.User, membership: Membership | None) -> None:
    own = membership.pk if membership else scim.NOBODY
    name = _text(wanted.user_name, "userName")
    if scim.holder_of(name) not in (None, own):
        raise UniquenessException(detail=f"There is a user {name!r} already.")
    external_id = _external_id(wanted.external_id)
    if external_id and models.Person.objects.filter(external_id=external_id).exclude(pk=own).exists():
        raise UniquenessException(detail="There is a user with this externalId already.")


# -- parts: groups -------------------------------------------------------------------------------------------


def _members_of(group: models.Group) -> set[UUID]:
    return set(models.GroupMember.objects.filter(group=group).values_list("membership_id", flat=True))


def _set_members(group: models.Group, wanted: resources.Group) -> set[UUID]:
    """Who came and who went."""
    if len(wanted.members or []) > resources.MOST_MEMBERS:
        raise InvalidValueException(detail=f"A group may have {resources.MOST_MEMBERS} members.")
    try:
        ids = {UUID(str(one.value)) for one in wanted.members or []}
    except ValueError:
        raise InvalidValueException(detail="members.value is the id of a user.") from None
    before = _members_of(group)
    came, went = ids - before, before - ids
    if queries.members().filter(pk__in=came).count() != len(came):
        raise InvalidValueException(detail="members names users who do not exist.")
    models.GroupMember.objects.filter(group=group, membership_id__in=went).delete()
    models.GroupMember.objects.bulk_create(models.GroupMember(group=group, membership_id=one) for one in came)
    return came | went


def _refuse_double_group(wanted: resources.Group, group: models.Group | None) -> None:
    others = models.Group.objects.exclude(pk=group.pk if group else scim.NOBODY)
    name, external_id = _text(wanted.display_name, "displayName"), _external_id(wanted.external_id)
    if others.filter(display_name__iexact=name).exists():
        raise UniquenessException(detail=f"There is a group {name!r} already.")
    if external_id and others.filter(external_id=external_id).exists():
        raise UniquenessException(detail="There is a group with this externalId already.")


def _give_roles(membership_ids: Iterable[UUID]) -> None:
    """Give people the role of their mapped groups: the one that allows most; without any, viewer.

    Who has more than an admin stays what they are, and so do auditors, whose role has a last day.
    """
    ids = list(membership_ids)
    mapped: dict[UUID, list[str]] = {}
    mappable = {role.key for role in granting.mappable_roles()}
    places = models.GroupMember.objects.filter(membership_id__in=ids, group__role__in=mappable)
    for membership_id, role in places.values_list("membership_id", "group__role"):
        mapped.setdefault(membership_id, []).append(role)
    kept = {*granting.roles_beyond_admins(), Role.AUDITOR}
    size = {role.key: len(role.gives) for role in granting.known_roles()}
    given: dict[str, list[Membership]] = {}
    for member in queries.members().filter(pk__in=ids).exclude(role__in=kept):
        roles = mapped.get(member.pk, [Role.VIEWER.value])
        given.setdefault(max(roles, key=lambda one: (size[one], one)), []).append(member)
    for role, members in sorted(given.items()):
        services.give_role(actor=ACTOR, memberships=members, role=role)


def _text(value: str | None, name: str) -> str:
    text = (value or "").strip()
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise InvalidValueException(detail=f"{name} must have 1 to {_LONGEST} printable characters.")
    return text


def _external_id(value: str | None) -> str | None:
    return _text(value, "externalId") if value else None
