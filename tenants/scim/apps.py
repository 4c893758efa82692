"""The Django application `tenants.scim`: provisioning by a directory. Its tables live in the organisation's schema."""

from django.apps import AppConfig


class ScimConfig(AppConfig):
    name = "tenants.scim"
