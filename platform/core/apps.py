"""The Django application `core`: audit trail and idempotency records, in every schema."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"
