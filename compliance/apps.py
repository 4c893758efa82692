"""The Django application `compliance`: one set of tables in every organisation's schema."""

from django.apps import AppConfig


class ComplianceAppConfig(AppConfig):
    name = "compliance"
