"""`manage.py let_owner_in acme owner@acme.example`: a new password for an owner whom no other way lets in."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from core.errors import DomainError
from core.tenancy import shared_context, tenant_context
from tenants import queries, rescue
from tenants.addresses import origin_of
from tenants.models import Tenant

_ACTOR = "operator"


class Command(BaseCommand):
    help = (
        "Take an owner's second factors, password, sessions and the links that they made, take passwords again where single "
        "sign-on is enforced, and print a link by which the owner sets a password, once within 24 hours."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the organisation's slug")
        parser.add_argument("email", help="of one of its owners")

    def handle(self, *args: Any, **options: Any) -> None:
        schema = options["slug"].replace("-", "_")
        with shared_context():
            if not Tenant.objects.filter(schema_name=schema).exists():
                raise CommandError(f"There is no organisation {options['slug']!r}.")
        try:
            with tenant_context(schema):
                token = rescue.let_owner_in(actor=_ACTOR, email=options["email"])
                address = origin_of(queries.organisation().host) + reverse("password-new", args=[token])
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(address)
