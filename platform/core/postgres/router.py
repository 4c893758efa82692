"""Which models live in which schema, and that only the owner's connection migrates."""

from typing import Any

from django.conf import settings
from django.db import connections
from django_tenants.routers import TenantSyncRouter

from core.postgres.names import SHARED_SCHEMA
from core.tenancy import OWNER_ALIAS


class SchemaRouter(TenantSyncRouter):  # type: ignore[misc]  # django-tenants is untyped
    """django-tenants' router with the migrations moved to the owner's connection."""

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        if db != OWNER_ALIAS:
            return False
        shared = connections[db].schema_name == SHARED_SCHEMA  # type: ignore[attr-defined]  # set by django-tenants
        apps = settings.SHARED_APPS if shared else settings.TENANT_APPS
        return None if self.app_in_list(app_label, apps) else False
