"""`manage.py check_mail_domains`: look whether the mail domains of organisations still show their records."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from core.tenancy import shared_context, tenant_context
from tenants.models import Tenant
from tenants.sso import services


class Command(BaseCommand):
    help = (
        "Check the DNS records of all verified mail domains. Run it every day: a domain whose record is missing "
        "for 7 days stops being verified."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with shared_context():
            every = list(Tenant.objects.order_by("schema_name").values_list("schema_name", flat=True))
        for schema in every:
            with tenant_context(schema):
                for row in services.recheck_domains(now=timezone.now()):
                    self.stdout.write(f"{schema} {row.name} is not verified any more")
