"""`manage.py permissions_page`: prints the table of roles and permissions as Markdown."""

from typing import Any

from django.core.management.base import BaseCommand

from tenants.permission_page import permissions_page


class Command(BaseCommand):
    help = "Print docs/security/permissions.md."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(permissions_page(), ending="")
