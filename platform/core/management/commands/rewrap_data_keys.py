"""`manage.py rewrap_data_keys`: wrap every organisation's data keys under the present master key."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from core.kms import KeyUnreadable, key_management
from core.postgres.provision import every_tenant_schema, provisioning
from core.secrets import give_up_lost_keys, make_data_key, rewrap_data_keys

_ACTOR = "system"


class Command(BaseCommand):
    help = "Wrap every organisation's data keys under the present master key of SECRETS_KMS_URL."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rotate", action="store_true", help="make a new master key first")
        parser.add_argument(
            "--master-key-lost",
            action="store_true",
            help="give up the data keys that do not open: what they sealed has to be entered anew",
        )
        parser.add_argument(
            "--new-data-keys", action="store_true", help="and seal under new data keys from now on"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"key management: {settings.SECRETS_KMS_URL}")
        try:
            with provisioning():  # one at a time, and no organisation comes up in between
                if options["master_key_lost"]:
                    self._give_up()
                self._rewrap(options["rotate"], options["new_data_keys"])
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        except (DomainError, KeyUnreadable) as error:
            why = str(error).rstrip(".")
            raise CommandError(
                f"{why}. No key was changed under which anything lies: mend it and run this again. If the master key is gone "
                "for good, --master-key-lost begins anew."
            ) from error

    def _give_up(self) -> None:
        for schema in every_tenant_schema():
            if count := give_up_lost_keys(schema, actor=_ACTOR):
                self.stdout.write(
                    f"{schema}: {count} data keys are given up. Secrets are to be entered anew."
                )

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
