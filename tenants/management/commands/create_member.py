"""`manage.py create_member acme owner@acme.example --role owner`: a person with a password in an organisation."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from core.tenancy import tenant_context
from tenants import services
from tenants.models import User
from tenants.people.passwords import check_password_rules
from tenants.roles import Role


def _end_of(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None  # argparse then names the option


class Command(BaseCommand):
    help = "Add a person to an organisation and print their password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the organisation's slug")
        parser.add_argument("email")
        parser.add_argument("--role", default=Role.VIEWER.value, help="the first member must be owner")
        parser.add_argument(
            "--until", dest="role_until", type=_end_of, help="last day of an auditor, such as 2030-12-31"
        )
        parser.add_argument("--name", default="")
        parser.add_argument("--password", help="a random one is made without it")

    def handle(self, *args: Any, **options: Any) -> None:
        schema = options["slug"].replace("-", "_")
        chosen = {name: options[name] for name in ("email", "role", "role_until", "name", "password")}
        try:
            with tenant_context(schema):
                if options["password"] is not None:
                    check_password_rules(options["password"], User(email=options["email"]))
                added = services.add_member(actor="system", **chosen)
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(added.initial_password)
