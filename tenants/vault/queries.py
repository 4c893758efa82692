"""What is known about the stored secrets of this organisation: everything but their values."""

from collections.abc import Iterable
from uuid import UUID

from django.apps import apps
from django.db.models import QuerySet

from core.errors import NotFound
from core.versions import etag
from tenants.vault.models import NamedSecret
from tenants.vault.references import FIELDS, SecretField


def named_secrets() -> QuerySet[NamedSecret]:
    """By name. Not even the sealed values are read."""
    return NamedSecret.objects.defer("sealed").order_by("name")


def named_secret(secret_id: UUID) -> NamedSecret:
    """Raises NotFound."""
    found = named_secrets().filter(pk=secret_id).first()
    if found is None:
        raise NotFound
    return found


def version_of(secret: NamedSecret) -> str:
    """An ETag of what people change; the count of values stands for the value."""
    return etag([secret.version, secret.description])


def uses(of: Iterable[NamedSecret]) -> dict[UUID, list[SecretField]]:
    """Where each of these secrets is named now."""
    found: dict[UUID, list[SecretField]] = {secret.pk: [] for secret in of}
    for field in FIELDS:
        holders = apps.get_model(field.model)._default_manager.filter(**{f"{field.column}__in": list(found)})
        for secret_id in holders.values_list(field.column, flat=True).distinct():
            found[secret_id].append(field)
    return found
