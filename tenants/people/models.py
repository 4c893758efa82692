"""Sessions, invitations and one-time password links of an organisation. The tables live in its own schema.

They name people and memberships by id, without foreign keys into the shared schema.
"""

import uuid

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class Session(AbstractBaseSession):
    """A browser session. What signed-in people may see of it is kept beside the signed data."""

    id = models.UUIDField(
        unique=True, default=uuid.uuid4, editable=False
    )  # names it in pages; the key is a secret
    user_id = models.UUIDField(null=True)
    signed_in_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(default=timezone.now)
    address = models.CharField(max_length=45, blank=True, default="")
    device = models.CharField(max_length=200, blank=True, default="")  # the browser's own words

    class Meta:
        indexes = (models.Index(fields=["user_id", "-seen_at"], name="session_of_person"),)

    def __str__(self) -> str:
        return str(self.id)


class Invitation(models.Model):
    """Somebody may join with this role, by a link that is shown once and of which only a digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=40)
    role_until = models.DateTimeField(null=True)
    invited_by = models.CharField(max_length=254)
    made_by_id = models.UUIDField(
        null=True
    )  # the membership that answers for the link; without one it is dead
    made_with = models.CharField(max_length=100, blank=True, default="")  # credential; none: a session's
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="invitation_open_once",
            ),
        )
        indexes = (models.Index(fields=["-created_at", "-id"], name="invitation_newest_first"),)

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def is_over(self) -> bool:
        """True when the last day of the role that it gives has passed."""
        return self.role_until is not None and self.role_until <= timezone.now()


class PasswordLink(models.Model):
    """A member may set a new password once, by a link of which only a digest is kept. The first that is used ends the others."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership_id = models.UUIDField(db_index=True)
    made_by_id = models.UUIDField(
        null=True
    )  # the membership that answers for it; none: they asked themselves
    token_digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.membership_id)
