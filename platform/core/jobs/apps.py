"""The Django application `jobs`: the ledger of durable work, in the shared schema."""

from django.apps import AppConfig

from core.postgres.access import SharedTable
from core.postgres.names import TENANT_ROLE_PREFIX

_OWN_ROWS = f"current_user = '{TENANT_ROLE_PREFIX}' || tenant"


class JobsConfig(AppConfig):
    name = "core.jobs"
    label = "jobs"
    shared_tables = (
        SharedTable("jobs_job", "SELECT, INSERT, UPDATE", _OWN_ROWS),
        SharedTable("jobs_unit", "SELECT, INSERT, UPDATE", _OWN_ROWS),
        SharedTable("jobs_jobevent", "SELECT, INSERT", _OWN_ROWS),
        SharedTable("jobs_outbox", "SELECT, INSERT", _OWN_ROWS),
        SharedTable("jobs_share", "SELECT", _OWN_ROWS),
    )
