"""What an organisation's database role may see of the shared schema: nothing, unless an app declares it here."""

from dataclasses import dataclass

from django.apps import apps
from django.conf import settings


@dataclass(frozen=True, slots=True)
class SharedTable:
    """Rights of every organisation's role on one shared table, given by the `bootstrap` command.

    An app lists its tables as `shared_tables` on its AppConfig. `privileges` is what follows GRANT; `rows` is an
    SQL condition (row-level security, for reading and writing) where current_user is `t_<schema>`.
    """

    name: str
    privileges: str
    rows: str


# Only these columns may be inserted and nothing may be changed; triggers refuse the rest even to the owner.
APPEND_ONLY = {"core_auditevent": ("actor", "action", "target", "data", "request_id")}
# Written by migrations only.
READ_ONLY = ("django_migrations",)


def in_every_schema() -> list[str]:
    """Tables that the shared schema has as well as every organisation's: there for the owner alone."""
    both = [config for config in apps.get_app_configs() if config.name in _both()]
    return [model._meta.db_table for config in both for model in config.get_models()]


def _both() -> set[str]:
    return set(settings.SHARED_APPS) & set(settings.TENANT_APPS)


def shared_tables() -> list[SharedTable]:
    """All declarations of all installed apps."""
    return [table for config in apps.get_app_configs() for table in getattr(config, "shared_tables", ())]
