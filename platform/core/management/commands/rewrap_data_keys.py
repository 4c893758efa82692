"""`manage.py rewrap_data_keys`: wrap every organisation's data keys under the present master key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from core.kms import KeyUnreadable, key_management
from core.postgres.provision import every_tenant_schema, provisioning
from core.secrets import make_data_key, rewrap_data_keys

_ACTOR = "system"


class Command(BaseCommand):
    help = "Wrap every organisation's data keys under the present master key of SECRETS_KMS_URL."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rotate", action="store_true", help="make a new master key first")
        parser.add_argument(
            "--new-data-keys", action="store_true", help="and seal under new data keys from now on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with provisioning():  # one at a time, and no organisation comes up in between
                self._rewrap(options["rotate"], options["new_data_keys"])
        except (DomainError, KeyUnreadable) as error:
            raise CommandError(f"{error} Nothing was lost: mend it and run this again.") from error

    def _rewrap(self, rotate: bool, new_data_keys: bool) -> None:
        schemas = every_tenant_schema()
        if rotate:
            for (
                schema
            ) in schemas:  # else a run that was cut short would leave keys under a master key to be forgotten
                rewrap_data_keys(schema, actor=_ACTOR)
            key_management().rotate()
        count = sum(rewrap_data_keys(schema, actor=_ACTOR) for schema in schemas)
        if new_data_keys:
            for schema in schemas:
                make_data_key(schema, actor=_ACTOR)
        self.stdout.write(
            f"{count} data keys of {len(schemas)} organisations are wrapped under the present master key."
        )
