"""`manage.py suspend_organisation acme --why "unpaid"`: shut everybody out; `--resume` lets them in again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import DomainError
from tenants.lifecycle import services


class Command(BaseCommand):
    help = "Suspend an organisation: sign-in, API, provisioning and jobs. --resume ends that."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--why", default="", help="for the audit trail, at most 200 characters")
        parser.add_argument("--resume", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["resume"]:
                services.resume(slug=options["slug"])
            else:
                services.suspend(slug=options["slug"], why=options["why"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("resumed" if options["resume"] else "suspended")
