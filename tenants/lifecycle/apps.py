"""The Django application `tenants.lifecycle`: exports of an organisation. Its table lives in that one's schema."""

from django.apps import AppConfig


class LifecycleConfig(AppConfig):
    name = "tenants.lifecycle"
