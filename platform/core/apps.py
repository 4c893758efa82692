"""The Django application `core`: audit trail and idempotency records, in every schema."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core import redaction

        redaction.install()
