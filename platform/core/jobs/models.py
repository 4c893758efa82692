"""The ledger: jobs, their units, what the world must be told, and what happened. Ids and small JSON only.

The tables lie in the shared schema so that one dispatcher serves every organisation; row level security shows
an organisation's role nothing but its own rows.
"""

import uuid

from django.db import models
from django.db.models.functions import Now

from core.own_rows import OwnRows


class Job(models.Model):
    """One durable piece of work of an organisation."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        HELD = "held"
        CANCELLED = "cancelled"

    class Priority(models.TextChoices):
        INTERACTIVE = "interactive"
        BULK = "bulk"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.CharField(max_length=63)
    kind = models.CharField(max_length=64)
    spec = models.JSONField()
    priority = models.CharField(max_length=16, choices=Priority)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    reason = models.TextField(default="")
    stages = models.JSONField()  # names in order, as they were when the job was submitted
    stage = models.PositiveSmallIntegerField(default=0)  # the one under way
    fraction_at_start = models.FloatField(default=0.0)  # done before `started_at`, that is before a resume
    ends = models.PositiveIntegerField(default=0)  # how often it ended: once more after each resume
    last_seq = models.PositiveBigIntegerField(default=0)
    cancel_requested_at = models.DateTimeField(null=True)
    progress_event_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = OwnRows("tenant")

    class Meta:
        indexes = (
            models.Index(fields=["tenant", "-created_at"]),
            models.Index(
                fields=["state"], condition=models.Q(state__in=["queued", "running"]), name="jobs_live"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.id} ({self.state})"


class Unit(models.Model):
    """One part of a stage. `attempt` is the fence: whoever holds an older number has lost the unit."""

    class State(models.TextChoices):
        READY = "ready"
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        QUARANTINED = "quarantined"
        HELD = "held"
        CANCELLED = "cancelled"

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="units")
    tenant = models.CharField(max_length=63)
    stage = models.PositiveSmallIntegerField()
    index = models.PositiveIntegerField()
    weight = models.FloatField(default=1.0)
    state = models.CharField(max_length=16, choices=State, default=State.READY)
    attempt = models.PositiveIntegerField(default=0)
    errors = models.PositiveSmallIntegerField(default=0)  # own errors of the unit
    deaths = models.PositiveSmallIntegerField(default=0)  # workers that died under it
    not_before = models.DateTimeField(null=True)
    queued_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=128, default="")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    note = models.CharField(max_length=200, default="")
    result = models.JSONField(null=True)
    error = models.TextField(default="")

    objects = OwnRows("tenant")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["job", "stage", "index"], name="jobs_unit_place"),)
        indexes = (
            models.Index(
                fields=["tenant"],
                condition=models.Q(state__in=["ready", "queued", "running"]),
                name="jobs_unit_live",
            ),
        )

    def __str__(self) -> str:
        return f"unit {self.index} of stage {self.stage} ({self.state}, attempt {self.attempt})"


class JobEvent(models.Model):
    """What happened to a job, in order. `seq` has no gaps and never goes back."""

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="events")
    tenant = models.CharField(max_length=63)
    seq = models.PositiveBigIntegerField()
    at = models.DateTimeField(db_default=Now())
    type = models.CharField(max_length=32)
    data = models.JSONField()

    objects = OwnRows("tenant")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["job", "seq"], name="jobs_event_order"),)

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"


class Outbox(models.Model):
    """A message that the world must get at least once, written in the transaction that makes it true."""

    id = models.BigAutoField(primary_key=True)
    tenant = models.CharField(max_length=63)
    kind = models.CharField(max_length=64)
    dedupe_key = models.CharField(max_length=200, unique=True)
    payload = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)

    objects = OwnRows("tenant")

    class Meta:
        indexes = (models.Index(fields=["id"], condition=models.Q(sent_at=None), name="jobs_outbox_unsent"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.dedupe_key}"


class Share(models.Model):
    """How much of the workers an organisation may use; without a row, weight 1 and the general cap."""

    tenant = models.CharField(max_length=63, primary_key=True)
    weight = models.FloatField(default=1.0)
    cap = models.PositiveIntegerField()  # units under way per queue

    objects = OwnRows("tenant")

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(weight__gt=0), name="jobs_share_weight"),)

    def __str__(self) -> str:
        return f"{self.tenant}: weight {self.weight}, at most {self.cap}"
