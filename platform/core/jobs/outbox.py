"""The relay: what was committed to the outbox reaches the world at least once."""

from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now

from core.jobs.models import Outbox
from core.jobs.wakeups import announce

_AT_ONCE = 100


@transaction.atomic
def relay() -> int:
    """Send the oldest unsent messages; the number sent.

    Today's one reader of every message is whoever follows the job: he is told to look again.
    """
    unsent = Outbox.objects.select_for_update(skip_locked=True, no_key=True).filter(sent_at=None)
    messages = list(unsent.order_by("id")[:_AT_ONCE])
    for message in messages:
        announce(message.tenant, UUID(message.payload["job"]))
    Outbox.objects.filter(pk__in=[message.pk for message in messages]).update(sent_at=Now())
    return len(messages)
