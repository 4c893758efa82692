"""The Django application `tenants.vault`: secrets that one organisation stores under names. Its table lives in that one's schema."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "tenants.vault"
