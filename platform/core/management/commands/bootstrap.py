"""`manage.py bootstrap`: database roles, migrations of every schema, rights. Safe to run any time, by many."""

from typing import Any

from django.core.management.base import BaseCommand

from core.postgres.provision import bootstrap


class Command(BaseCommand):
    help = "Bring database roles, schemas and rights up to date."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        bootstrap()
        self.stdout.write("The database is up to date.")
