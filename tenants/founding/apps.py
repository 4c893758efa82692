"""The Django application `tenants.founding`: organisations that somebody starts for themselves.

Its table lives in the shared schema and no organisation's role sees it.
"""

from django.apps import AppConfig


class FoundingConfig(AppConfig):
    name = "tenants.founding"
