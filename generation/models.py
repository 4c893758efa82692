"""Configs with their versions, runs and the files that runs made. Tables of an organisation's schema."""

import uuid

from django.db import models
from django.utils import timezone


class Config(models.Model):
    """A dataset that can be made again and again; what it says stands in its versions."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=1)  # counts every change, so that a stale edit is noticed

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(archived_at__isnull=True), name="config_live_name_unique"
            ),
        )
        indexes = (models.Index(fields=["-created_at", "-id"], name="config_newest_first"),)

    def __str__(self) -> str:
        return self.name


class ConfigVersion(models.Model):
    """One text of a config, never changed once written."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    config = models.ForeignKey(Config, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    # SHA-256 of the parsed config in canonical JSON: equal digests mean equal data
    digest = models.CharField(max_length=64)
    created_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["config", "number"], name="config_version_number_unique"),
        )

    def __str__(self) -> str:
        return f"{self.config_id} v{self.number}"


class Run(models.Model):
    """One making of a dataset. Its state follows the job that does the work."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        RELEASED = "released"
        HELD = "held"
        FAILED = "failed"
        CANCELLED = "cancelled"

    LIVE = (State.QUEUED, State.RUNNING)
    RESUMABLE = (State.FAILED, State.CANCELLED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField(unique=True)
    config_version = models.ForeignKey(ConfigVersion, on_delete=models.PROTECT, related_name="runs")
    job_id = models.UUIDField(unique=True)
    # books that are kept on: the run that they begin with, and how many months they had at each close
    continues = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="continued_by")
    closings = models.JSONField(default=list)  # empty: closed once, after the months of the config
    name = models.CharField(max_length=200)
    seed = models.DecimalField(max_digits=20, decimal_places=0)  # uint64: one bit more than bigint holds
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    reason = models.TextField(blank=True)  # why it is held or failed, in words for people
    gate_profile = models.CharField(max_length=40)
    gate_verdict = models.CharField(max_length=10, blank=True)
    checks_passed = models.PositiveIntegerField(null=True)
    checks_total = models.PositiveIntegerField(null=True)
    engine_version = models.CharField(max_length=40)
    estimated_lines = models.BigIntegerField()
    journal_lines = models.BigIntegerField(null=True)
    rows = models.BigIntegerField(null=True)
    size_bytes = models.BigIntegerField(null=True)
    manifest_sha256 = models.CharField(max_length=64, blank=True)
    # a held run whose files an approved exception lets out, until then or without an end
    opened_by_exception = models.BooleanField(default=False)
    opened_until = models.DateTimeField(null=True)
    started_by = models.CharField(max_length=254)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["-created_at", "-id"], name="run_newest_first"),
            models.Index(fields=["state", "-created_at"], name="run_state_newest_first"),
        )

    def __str__(self) -> str:
        return f"{self.name} #{self.number}"

    @property
    def is_open(self) -> bool:
        """Whether its files may be read now: released, or held and opened by an exception that has not ended."""
        if self.state == self.State.RELEASED:
            return True
        is_in_time = self.opened_until is None or timezone.now() < self.opened_until
        return self.state == self.State.HELD and self.opened_by_exception and is_in_time


class RunFile(models.Model):
    """One file of a run's dataset folder, kept in the object store under its digest."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="files")
    path = models.CharField(max_length=300)
    table = models.CharField(max_length=100, blank=True)  # empty for manifest, report and other evidence
    format = models.CharField(max_length=20)
    rows = models.BigIntegerField(null=True)
    columns = models.PositiveIntegerField(null=True)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    key = models.CharField(max_length=500)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["run", "path"], name="run_file_path_unique"),)
        indexes = (models.Index(fields=["run", "table", "format", "path"], name="run_file_by_table"),)

    def __str__(self) -> str:
        return self.path


class RunTable(models.Model):
    """One table of a run's dataset: its size and what its columns hold, for lists and the preview."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="tables")
    ordinal = models.PositiveIntegerField()
    name = models.CharField(max_length=100)
    title = models.CharField(max_length=200)
    description = models.TextField()
    is_label = models.BooleanField()
    rows = models.BigIntegerField()
    column_facts = models.JSONField()  # one object per column, as generation.facts writes them

    class Meta:
        constraints = (models.UniqueConstraint(fields=["run", "name"], name="run_table_name_unique"),)

    def __str__(self) -> str:
        return self.name
