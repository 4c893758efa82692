"""The values of stored secrets: sealed when they come, opened where they are used, kept nowhere in between."""

from uuid import UUID

from core import secrets
from core.tenancy import current_schema
from tenants.vault.models import NamedSecret


def sealed_value(secret_id: UUID, value: str) -> bytes:
    """Bound to this organisation and this secret. Raises KeyManagementAway."""
    return secrets.seal(current_schema(), _sealed_as(secret_id), value.encode())


def value_of(secret_id: UUID) -> str:
    """The value as it is now: read anew at each use, so that a replaced one counts at once in every process.

    Raises: Unsealable when there is no such secret in this organisation, or it does not open; KeyManagementAway.
    """
    sealed = NamedSecret.objects.filter(pk=secret_id).values_list("sealed", flat=True).first()
    if sealed is None:
        raise secrets.Unsealable(f"{_sealed_as(secret_id)}: there is no such secret")
    return secrets.unseal(current_schema(), _sealed_as(secret_id), sealed).decode()


def _sealed_as(secret_id: UUID) -> str:
    return f"vault/{secret_id}"
