"""The quality report of a run, as the gate judged it."""

from django.db import models

from generation.models import Run


class Report(models.Model):
    """report.json of one run: written by the gate, never edited."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, primary_key=True, related_name="report")
    sha256 = models.CharField(max_length=64)  # of the stored report.json
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"report of {self.run_id}"
