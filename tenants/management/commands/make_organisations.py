"""`manage.py make_organisations`: make the organisations that people started for themselves, until SIGTERM."""

import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.founding.maker import Maker
from tenants.founding.services import is_open


class Command(BaseCommand):
    help = "Make organisations that were started at /start. Needs DATABASE_OWNER_URL. Several may run."
    requires_system_checks = ()  # they would load all pages

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="what waits now, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        if not is_open():
            raise CommandError("SELF_SERVICE is closed: nobody can start an organisation here.")
        maker = Maker()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: maker.stop())
        if options["once"]:
            self.stdout.write(str(maker.work_off()))
        else:
            maker.run()
