"""`manage.py deletion_certificate acme`: the signed certificate that an organisation was deleted."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.lifecycle.removal import certificate_of


class Command(BaseCommand):
    help = "Print the certificate of deletion of an organisation (DSSE envelope, JSON)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")

    def handle(self, *args: Any, **options: Any) -> None:
        certificate = certificate_of(options["slug"])
        if certificate is None:
            raise CommandError(f"There is no certificate for {options['slug']!r}.")
        self.stdout.write(json.dumps(certificate.envelope, indent=1))
