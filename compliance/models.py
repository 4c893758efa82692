"""Exceptions of held runs: asked for, decided by somebody else, and ended. A table of an organisation's schema."""

import uuid

from django.db import models
from django.utils import timezone

from generation.models import Run


class ReleaseException(models.Model):
    """One request to let a held run out, and what became of it. The reason and the checks never change."""

    class State(models.TextChoices):
        OPEN = "open"
        GRANTED = "granted"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"
        REVOKED = "revoked"

    EXPIRED = "expired"  # no state of a row: what a granted one is when its time is over

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="exceptions")
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    checks = models.JSONField()  # id, title and sentence of each failed check, as the report has them
    reason = models.TextField()
    asked_by = models.CharField(max_length=300)
    # ids and addresses, as found then, of the person who asked; of the people behind that; of those who started the run;
    # and of whoever had opened a way in for one of these: none of them decides
    requester = models.JSONField(default=list)
    askers = models.JSONField()
    starters = models.JSONField()
    openers = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.CharField(max_length=300, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    comment = models.TextField(blank=True, default="")
    expires_at = models.DateTimeField(null=True)
    envelope = models.JSONField(null=True)  # DSSE, of one that was granted
    statement_sha256 = models.CharField(max_length=64, blank=True, default="")  # of exception.dsse.json
    ended_by = models.CharField(max_length=300, blank=True, default="")  # withdrawn or revoked
    ended_at = models.DateTimeField(null=True)
    ended_why = models.TextField(blank=True, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["run"], condition=models.Q(state="open"), name="exception_one_open_per_run"
            ),
        )
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="exception_newest_first"),
            models.Index(fields=["run", "-created_at"], name="exception_of_run"),
        )

    def __str__(self) -> str:
        return f"exception of run {self.run_id}"

    @property
    def parties(self) -> frozenset[str]:
        return frozenset((*self.askers, *self.starters))

    @property
    def standing(self) -> str:
        """Its state now, `expired` for a granted one whose time is over."""
        is_over = self.expires_at is not None and self.expires_at <= timezone.now()
        return self.EXPIRED if self.state == self.State.GRANTED and is_over else str(self.state)
