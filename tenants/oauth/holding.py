"""Rows of applications and grants that stay as they are until a transaction ends: always the application first.

Deleting an application or a member takes grants, codes and tokens along. Whoever adds one of these at that moment
waits for the deletion, or the deletion for them: else the database refuses one of the two.
"""

from uuid import UUID

from django.db.models import Q, QuerySet

from core.errors import NotFound
from tenants.oauth.models import Application, AuthorizationCode, Grant, RefreshToken


def application_held(application: Application) -> Application:
    """The application as it is now; nobody else changes, deletes or gets anything under it. Raises NotFound."""
    row = Application.objects.select_for_update().filter(pk=application.pk).first()
    if row is None:
        raise NotFound("This application has just been deleted.")
    return row


def grant_held(
    application: Application, rows: QuerySet[AuthorizationCode] | QuerySet[RefreshToken]
) -> Grant | None:
    """The grant that these codes or tokens of an application are under; None when one of them is gone."""
    if not Application.objects.select_for_update(no_key=True).filter(pk=application.pk).first():
        return None
    grant_id = rows.values_list("grant_id", flat=True).first()
    return Grant.objects.select_for_update(no_key=True).filter(pk=grant_id).first() if grant_id else None


def grants_held(application: Application) -> list[UUID]:
    """All grants of an application that is held."""
    rows = application.grants.order_by("pk").select_for_update()
    return list(rows.values_list("pk", flat=True))


def delete_unless_held(which: Q) -> None:
    """Delete these grants, but those that somebody works with."""
    rows = Grant.objects.filter(which).select_for_update(of=("self",), skip_locked=True)
    free = [row.pk for row in rows]
    Grant.objects.filter(which, pk__in=free).delete()  # looked at anew: a token may have come before the lock
