"""What a directory told about an organisation's people and groups, and the tokens that it comes with.

The tables live in the organisation's own schema and name memberships by id.
"""

import uuid

from django.db import models
from django.db.models.functions import Lower


class Setup(models.Model):
    """Whom the directory may bring. There is one row, or none: then people of verified domains."""

    class Origin(models.TextChoices):
        VERIFIED = "verified", "Only people with an address in a verified domain"
        ANYBODY = "anybody", "Everybody whom the directory sends"

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.VERIFIED)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="scim_setup_only_one"),)

    def __str__(self) -> str:
        return self.origin


class Token(models.Model):
    """A bearer token of the directory. The secret itself is not kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100)
    key_id = models.CharField(max_length=12, unique=True)
    secret_hash = models.CharField(max_length=200)
    previous_hash = models.CharField(max_length=200, blank=True, default="")
    previous_until = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=254)
    # A membership, which was shown the secret and vouches for the directory. The one before was shown `previous_hash`.
    responsible_id = models.UUIDField(null=True, db_index=True)
    previous_responsible_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["-created_at", "-id"], name="scim_token_newest_first"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.key_id})"


class Person(models.Model):
    """A member as the directory knows them. Members that it never spoke of have none."""

    membership_id = models.UUIDField(primary_key=True)
    user_name = models.CharField(max_length=254)
    external_id = models.CharField(max_length=254, null=True)
    attributes = models.JSONField(default=dict)  # name, displayName, emails as they came
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(Lower("user_name"), name="scim_user_name_once"),
            models.UniqueConstraint(fields=["external_id"], name="scim_external_id_once"),
        )

    def __str__(self) -> str:
        return self.user_name


class Group(models.Model):
    """A group of the directory. With a role, its members get that role."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    display_name = models.CharField(max_length=254)
    external_id = models.CharField(max_length=254, null=True, unique=True)
    role = models.CharField(max_length=40, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(Lower("display_name"), name="scim_group_name_once"),)

    def __str__(self) -> str:
        return self.display_name


class GroupMember(models.Model):
    """One person in one group."""

    id = models.BigAutoField(primary_key=True)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members")
    membership_id = models.UUIDField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["group", "membership_id"], name="scim_member_once"),)

    def __str__(self) -> str:
        return f"{self.membership_id} in {self.group_id}"
