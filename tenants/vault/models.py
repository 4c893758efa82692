"""Secrets that an organisation stores under names, to use in fields that take one (tenants.vault.references)."""

import uuid

from django.db import models


class NamedSecret(models.Model):
    """A value that is used and never shown again. `version` counts its values, from 1."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=63, unique=True)
    description = models.CharField(max_length=200, blank=True, default="")
    sealed = models.BinaryField()
    version = models.PositiveIntegerField(default=1)
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)
    replaced_by = models.CharField(max_length=254, blank=True, default="")
    replaced_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name

    @property
    def reference(self) -> str:
        """What a field holds that uses it."""
        return f"${{secret:{self.name}}}"
