"""`manage.py rotate_token_keys [acme …] [--now]`: new keys for the access tokens of organisations."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from core.tenancy import shared_context, tenant_context
from tenants.models import Tenant
from tenants.oauth import signing


class Command(BaseCommand):
    help = (
        "Sign access tokens with new keys. Tokens of the keys before count for one more hour, or not at all."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slugs", nargs="*", help="organisations; all of them without any")
        parser.add_argument(
            "--now", action="store_true", help="a key leaked: end every token of the keys before"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with shared_context():
            every = list(Tenant.objects.order_by("schema_name").values_list("schema_name", flat=True))
        wanted = [slug.replace("-", "_") for slug in options["slugs"]]
        if unknown := sorted(set(wanted) - set(every)):
            raise CommandError(f"There is no organisation {unknown[0]!r}.")
        left = []
        for schema in wanted or every:
            try:
                with tenant_context(schema):
                    kid = signing.rotate(actor="system", is_immediate=options["now"])
            except DomainError as error:
                left.append(f"{schema}: {error}")
            else:
                self.stdout.write(f"{schema} {kid}")
        if left:
            raise CommandError("These keep the keys that they had: " + "; ".join(left))
