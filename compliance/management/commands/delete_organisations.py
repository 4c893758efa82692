"""`manage.py delete_organisations`: delete what its owners ordered to be deleted, once its 14 days are over."""

from typing import Any

from django.core.management.base import BaseCommand

from compliance.deletion import delete_due


class Command(BaseCommand):
    help = "Delete organisations whose time to be restored is over. Run it every day; it does nothing when none is due."

    def handle(self, *args: Any, **options: Any) -> None:
        for certificate in delete_due():
            self.stdout.write(f"{certificate.slug} is deleted; certificate {certificate.pk}")
