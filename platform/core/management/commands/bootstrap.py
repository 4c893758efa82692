"""`manage.py bootstrap`: database roles, migrations of every schema, rights. Safe to run any time, by many."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core.postgres.provision import bootstrap, ensure_roles


class Command(BaseCommand):
    help = "Bring database roles, schemas and rights up to date."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--roles-only", action="store_true", help="only the roles that a dump needs before it is loaded"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["roles_only"]:
            ensure_roles()
            self.stdout.write("The roles are there.")
            return
        bootstrap()
        self.stdout.write("The database is up to date.")
