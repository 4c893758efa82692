"""`manage.py create_member acme admin@acme.example --role admin`: a person with a password in an organisation."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from core.tenancy import tenant_context
from tenants import services
from tenants.roles import Role


class Command(BaseCommand):
    help = "Add a person to an organisation and print their password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the organisation's slug")
        parser.add_argument("email")
        parser.add_argument("--role", choices=Role.values, default=Role.VIEWER.value)
        parser.add_argument("--name", default="")
        parser.add_argument("--password", help="a random one is made without it")

    def handle(self, *args: Any, **options: Any) -> None:
        schema = options["slug"].replace("-", "_")
        chosen = {name: options[name] for name in ("email", "role", "name", "password")}
        try:
            with tenant_context(schema):
                added = services.add_member(actor="system", **chosen)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(added.initial_password)
