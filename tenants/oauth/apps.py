"""The Django application `oauth`: its tables live in each organisation's own schema."""

from django.apps import AppConfig


class OauthConfig(AppConfig):
    name = "tenants.oauth"
    label = "oauth"
