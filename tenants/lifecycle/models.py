"""Exports: everything that an organisation has, packed for download until they expire."""

import uuid

from django.db import models
from django.db.models.functions import Now


class Export(models.Model):
    """One ZIP in the object store. Its job fills in the rest."""

    class State(models.TextChoices):
        WORKING = "working", "Being packed"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=8, choices=State, default=State.WORKING)
    ordered_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    key = models.CharField(max_length=200, blank=True, default="")
    size_bytes = models.BigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        indexes = (models.Index(fields=["-created_at", "-id"], name="export_newest_first"),)

    def __str__(self) -> str:
        return f"export {self.id} ({self.state})"
