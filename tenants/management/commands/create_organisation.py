"""`manage.py create_organisation acme --name "Acme Audit"`: schema, role and host name of an organisation."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from tenants import services


class Command(BaseCommand):
    help = "Create an organisation. Its pages live at <slug>.<BASE_HOST>, or at --host."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="a-z, 0-9 and single hyphens; names schema and host for good")
        parser.add_argument("--name", required=True, help="what people call it")
        parser.add_argument("--host", help="host name without port")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["slug"]
        host = options["host"] or f"{slug}.{settings.BASE_HOST}"
        try:
            services.create_organisation(actor="system", slug=slug, name=options["name"], host=host)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(host)
