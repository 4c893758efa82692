"""`manage.py organisation_requests`: who started an organisation; `--link ID` prints the link, `--drop ID` forgets it."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from core.errors import DomainError
from core.tenancy import shared_context
from tenants.founding import services


class Command(BaseCommand):
    help = "List organisations that people started. Without a mail server, hand over their links with --link."

    def add_arguments(self, parser: CommandParser) -> None:
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--link", type=UUID, metavar="ID", help="print a new link; the one before ends")
        chosen.add_argument("--drop", type=UUID, metavar="ID", help="forget a wish that is not being made")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with shared_context():
                if options["link"]:
                    begun = services.new_link(options["link"])
                    path = reverse("start-confirm", args=[begun.token])
                    self.stdout.write(f"{begun.request.origin}{path}")
                elif options["drop"]:
                    services.drop(options["drop"])
                    self.stdout.write("dropped")
                else:
                    self._list()
        except DomainError as error:
            raise CommandError(str(error)) from error

    def _list(self) -> None:
        services.drop_expired()  # makers do it, too, but none runs while self-service is closed
        for row in services.requests():
            line = f"{row.pk}  {row.state:8}  {row.created_at:%Y-%m-%d %H:%M}  {row.slug}  {row.email}"
            self.stdout.write(f"{line}  {row.reason}".rstrip())
