"""Wishes for an organisation: from the form until it is made. The queue of the process that makes them."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from tenants.models import Tenant


class OrganisationRequest(models.Model):
    """Somebody wants an organisation. Their link, and later their page of progress, open by a digest."""

    class State(models.TextChoices):
        UNPROVED = "unproved", "Waiting for the proof of the address"
        QUEUED = "queued", "Waiting to be made"
        MAKING = "making", "Being made"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=8, choices=State, default=State.UNPROVED)
    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=40)
    skeleton = models.CharField(max_length=40)  # of the slug: equal for names that look alike
    email = models.EmailField(max_length=254)
    person_name = models.CharField(max_length=150, blank=True, default="")
    password = models.CharField(max_length=200, blank=True, default="")  # hash, until the membership has it
    origin = models.CharField(
        max_length=300
    )  # of the base host, for links: a command may not know the port that `make up` found
    token_digest = models.CharField(max_length=64, unique=True)
    attempts = models.PositiveSmallIntegerField(default=0)  # starts of a maker, those that died too
    reason = models.CharField(max_length=300, blank=True, default="")  # of a failure, for the person
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, null=True, related_name="requests")
    created_at = models.DateTimeField(db_default=Now())
    proved_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)  # none while it waits or is made: it must not be lost

    objects: ClassVar[models.Manager["OrganisationRequest"]] = models.Manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["skeleton"],
                condition=models.Q(state__in=("queued", "making")),
                name="organisationrequest_name_held_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state="unproved") | ~models.Q(proved_at=None),
                name="organisationrequest_made_when_proved",
            ),
        )
        indexes = (models.Index(fields=["state", "proved_at"], name="organisationrequest_queue"),)

    def __str__(self) -> str:
        return f"{self.slug} ({self.state})"

    @property
    def is_under_way(self) -> bool:
        return self.state in (self.State.QUEUED, self.State.MAKING)
