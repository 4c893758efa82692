"""The Django application `core`: audit trail and idempotency records, in every schema."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core import kms, redaction

        redaction.install()
        kms.key_management()  # a setting that cannot be right stops the start; nobody is asked yet
