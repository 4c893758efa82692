"""`manage.py delete_organisations`: delete what its owners ordered to be deleted, once its 14 days are over."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.deletion import delete_due


class Command(BaseCommand):
    help = "Delete organisations whose time to be restored is over. Run it every day; it does nothing when none is due."

    def handle(self, *args: Any, **options: Any) -> None:
        done, failed = delete_due()
        for certificate in done:
            self.stdout.write(f"{certificate.slug} is deleted; certificate {certificate.pk}")
        for slug, reason in failed.items():
            self.stderr.write(f"{slug} is not deleted, and stays closed: {reason}")
        if failed:
            raise CommandError(f"{len(failed)} could not be deleted. The next call tries again.")
