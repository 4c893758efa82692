"""Tables that every schema has: the audit trail and the record of idempotent requests."""

import uuid

from django.db import models
from django.db.models.functions import Now


class AuditEvent(models.Model):
    """Who did what to what, when. Append-only: triggers refuse every change, also to the owner of the table."""

    seq = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=254)
    action = models.CharField(max_length=100)  # area.noun.verb
    target = models.CharField(max_length=254)
    data = models.JSONField()
    request_id = models.CharField(max_length=64)

    class Meta:
        indexes = (
            models.Index(fields=["-at", "-seq"], name="auditevent_newest_first"),
            models.Index(fields=["action", "-seq"], name="auditevent_by_action"),
            models.Index(fields=["actor", "-seq"], name="auditevent_by_actor"),
            models.Index(fields=["target", "-seq"], name="auditevent_by_target"),
        )

    def __str__(self) -> str:
        return f"{self.seq} {self.actor} {self.action} {self.target}"


class IdempotencyRecord(models.Model):
    """The answer to a request with an Idempotency-Key, to be given again to the same request."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    credential = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["credential", "key"], name="idempotency_key_once"),)
        indexes = (models.Index(fields=["created_at"], name="idempotency_oldest_first"),)

    def __str__(self) -> str:
        return f"{self.credential} {self.key}"


class DataKey(models.Model):
    """A key that seals an organisation's secrets (core.secrets), wrapped by the operator's key management."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    wrapped = models.BinaryField()
    is_current = models.BooleanField(default=True)
    made_at = models.DateTimeField(db_default=Now())
    wrapped_at = models.DateTimeField(db_default=Now())
    given_up_at = models.DateTimeField(null=True)  # its master key is gone

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["is_current"], condition=models.Q(is_current=True), name="datakey_one_current"
            ),
        )

    def __str__(self) -> str:
        return f"data key {self.pk}"
