"""Organisations, the people in them and their API keys. All tables live in the shared schema."""

import uuid
from functools import cached_property
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django_tenants.models import DomainMixin, TenantMixin

from core.own_rows import OwnRows
from tenants.roles import Role


class Tenant(TenantMixin):
    """An organisation. Its data lives in a schema of its own that only its own database role may enter."""

    auto_create_schema = False  # provisioning makes schema, role and rights together

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    mfa_required = models.BooleanField(default=False)  # a password alone does not let anybody in
    session_idle_minutes = models.PositiveSmallIntegerField(default=480)
    session_hours = models.PositiveSmallIntegerField(default=168)
    invitation_domains = models.JSONField(default=list)  # of e-mail addresses; none: any
    allowed_origins = models.JSONField(default=list)  # web pages elsewhere that may call the API (CORS)
    created_at = models.DateTimeField(auto_now_add=True)
    suspended_at = models.DateTimeField(null=True)  # by the operator: nobody gets in
    suspended_why = models.CharField(max_length=200, blank=True, default="")
    deletion_ordered_at = models.DateTimeField(null=True)  # it can be taken back until `delete_after`
    deletion_ordered_by = models.UUIDField(null=True)  # a membership
    deletion_ordered_as = models.CharField(max_length=100, blank=True, default="")  # its role then
    delete_after = models.DateTimeField(null=True)
    deletion_counts = models.JSONField(null=True)  # what there was when the deletion itself began

    objects: ClassVar[models.Manager["Tenant"]] = models.Manager()

    def __str__(self) -> str:
        return self.name

    @cached_property
    def host(self) -> str:
        """Its own host name, which addresses of its pages are made of."""
        return str(Domain.objects.get(tenant_id=self.pk, is_primary=True).domain)


class DeletionCertificate(models.Model):
    """Signed evidence that an organisation was deleted. It names no person and outlives the organisation."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.CharField(max_length=63)
    deleted_at = models.DateTimeField()
    envelope = models.JSONField()  # DSSE

    class Meta:
        indexes = (models.Index(fields=["slug", "-deleted_at"], name="certificate_by_slug"),)

    def __str__(self) -> str:
        return f"{self.slug} {self.deleted_at:%Y-%m-%d}"


class Domain(DomainMixin):
    """A host name that leads to an organisation."""


_ACCOUNTS = uuid.UUID("6f1c9a52-8f0b-4c39-9a63-2f7e2b8f4c11")  # names what the ids of accounts are made in


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str) -> "User":
        """A new person; a membership gives them a password and a role."""
        address = email.strip().lower()
        user = self.model(id=id_of_account(address), email=address)
        user.save(force_insert=True, using=self._db)
        return user


def id_of_account(address: str) -> uuid.UUID:
    """The id of an account is made of its address, which never changes.

    So an organisation that lists an address, takes it out and lists it again sees the same id, whether the account was
    deleted in between or another organisation had kept it.
    """
    return uuid.uuid5(_ACCOUNTS, address)


class User(AbstractBaseUser):
    """A person, known by e-mail over all organisations.

    Passwords belong to memberships: an organisation that adds a person hands out the first password, and must
    not get into another organisation's account with it. `tenants.sign_in` puts the membership's password in place.
    """

    password = None  # type: ignore[assignment]  # no column; set on the instance at sign-in
    last_login = None  # kept per membership

    id = models.UUIDField(primary_key=True, editable=False)  # of the address: see `id_of_account`
    email = models.EmailField(max_length=254, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
        )

    def __str__(self) -> str:
        return self.email


class Membership(models.Model):
    """A person's role in an organisation, and how they sign in there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=40)  # a Role, or the key of a CustomRole
    role_until = models.DateTimeField(null=True)  # from then on the role gives nothing
    password = models.CharField(max_length=200)  # hash, Argon2
    is_active = models.BooleanField(default=True)  # False: on record, but may do nothing
    last_sign_in_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnRows()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["tenant", "user"], name="membership_once"),)
        indexes = (models.Index(fields=["tenant", "-created_at", "-id"], name="membership_newest_first"),)

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    @cached_property
    def custom_role(self) -> "CustomRole | None":
        """The organisation's own role behind `role`; None for a built-in one."""
        if self.role in Role.values:
            return None
        return CustomRole.objects.filter(tenant_id=self.tenant_id, key=self.role).first()

    @property
    def own_permissions(self) -> frozenset[str] | None:
        return frozenset(self.custom_role.permissions) if self.custom_role else None

    @property
    def role_name(self) -> str:
        """The role as people read it."""
        if self.role in Role.values:
            return str(Role(self.role).label)
        return self.custom_role.name if self.custom_role else self.role


class CustomRole(models.Model):
    """A role that an organisation made for itself out of the catalogue of permissions."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="custom_roles")
    key = models.CharField(max_length=40)  # what memberships, mappings and the API call it
    name = models.CharField(max_length=60)
    permissions = models.JSONField(default=list)  # values of Permission
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnRows()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["tenant", "key"], name="customrole_key_once"),
            models.CheckConstraint(
                condition=~models.Q(key__in=Role.values), name="customrole_is_no_built_in_role"
            ),
        )
        indexes = (models.Index(fields=["tenant", "-created_at", "-id"], name="customrole_newest_first"),)

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A key of one organisation: its role narrowed to its scopes, and never more than its maker may at that moment.

    The secret itself is not kept. After a rotation the secret before works until `previous_until`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="api_keys")
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    key_id = models.CharField(max_length=12, unique=True)
    secret_hash = models.CharField(max_length=200)
    previous_hash = models.CharField(max_length=200, blank=True, default="")
    previous_until = models.DateTimeField(null=True)
    role = models.CharField(max_length=20, choices=Role)
    permissions = models.JSONField(default=list)  # scopes; none: as the role
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    made_with = models.CharField(max_length=12, blank=True, default="")  # id of the key that asked for it

    objects = OwnRows()

    class Meta:
        indexes = (models.Index(fields=["tenant", "-created_at", "-id"], name="apikey_newest_first"),)

    def __str__(self) -> str:
        return f"{self.name} (ds_live_{self.key_id})"
