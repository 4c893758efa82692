"""The Django application `tenants.sso`: single sign-on of one organisation. Its tables live in that one's schema."""

from django.apps import AppConfig


class SsoConfig(AppConfig):
    name = "tenants.sso"
