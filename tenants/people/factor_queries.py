"""Who has a second factor in this organisation."""

from uuid import UUID

from allauth.mfa.models import Authenticator


def has_factor(user_id: UUID | str) -> bool:
    """Recovery codes are none: they stand in for one."""
    rows = Authenticator.objects.filter(user_id=user_id).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return bool(rows.exists())
