"""The Django application `tenants`, and what an organisation's database role may see of its tables."""

from importlib import import_module
from typing import ClassVar

from django.apps import AppConfig

from core.postgres.access import SharedTable

_OWN = "tenant_id = (SELECT id FROM tenants_tenant)"
_COLLEAGUE = "EXISTS (SELECT 1 FROM tenants_membership m WHERE m.user_id = tenants_user.id)"


class TenantsConfig(AppConfig):
    name = "tenants"
    shared_tables: ClassVar[tuple[SharedTable, ...]] = (
        SharedTable("tenants_tenant", "SELECT", rows="'t_' || schema_name = current_user"),
        SharedTable("tenants_domain", "SELECT", rows=_OWN),
        # signing in stamps the time, changing a password writes it; everything else is for the shared role
        SharedTable("tenants_membership", "SELECT, UPDATE (password, last_sign_in_at)", rows=_OWN),
        SharedTable("tenants_customrole", "SELECT", rows=_OWN),
        SharedTable("tenants_apikey", "SELECT", rows=_OWN),
        SharedTable("tenants_user", "SELECT", rows=_COLLEAGUE),
        SharedTable(
            "account_emailaddress",
            "SELECT",
            rows="EXISTS (SELECT 1 FROM tenants_user u WHERE u.id = user_id)",
        ),
    )

    def ready(self) -> None:
        import_module("tenants.openapi")  # registers itself
