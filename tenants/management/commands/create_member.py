"""`manage.py create_member acme owner@acme.example --role owner`: a person in an organisation, who chooses their password by a link."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.urls import reverse

from core.errors import DomainError, NotFound
from core.tenancy import shared_context, tenant_context
from tenants import queries, services
from tenants.addresses import origin_of
from tenants.mail_addresses import as_kept
from tenants.models import Membership, Tenant, User
from tenants.people.passwords import check_password_rules, make_link
from tenants.roles import Role

_ACTOR = "system"


def _end_of(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from None  # argparse then names the option


class Command(BaseCommand):
    help = "Add a person to an organisation and print a link by which they set their password, once within 24 hours."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the organisation's slug")
        parser.add_argument("email")
        parser.add_argument("--role", default=Role.VIEWER.value, help="the first member must be owner")
        parser.add_argument(
            "--until", dest="role_until", type=_end_of, help="last day of an auditor, such as 2030-12-31"
        )
        parser.add_argument("--name", default="")
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument(
            "--password", help="a lasting one instead of the link: for systems that only tests use"
        )
        instead.add_argument(
            "--new-link", action="store_true", help="another link for a member who has not signed in yet"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        schema = options["slug"].replace("-", "_")
        with shared_context():
            if not Tenant.objects.filter(schema_name=schema).exists():
                raise CommandError(f"There is no organisation {options['slug']!r}.")
        chosen = {name: options[name] for name in ("email", "role", "role_until", "name", "password")}
        has_password = options["password"] is not None
        try:
            with tenant_context(schema), transaction.atomic():
                if options["new_link"]:
                    member = _waiting(options["email"])
                    self.stdout.write(origin_of(queries.organisation().host) + _path_of_link(member))
                    return
                if has_password:
                    check_password_rules(options["password"], User(email=options["email"]))
                added = services.add_member(actor=_ACTOR, **chosen, has_password=has_password)
                path = reverse("account_login") if has_password else _path_of_link(added.membership)
                address = origin_of(queries.organisation().host) + path
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(address)


def _waiting(email: str) -> Membership:
    found = queries.acting_members().filter(user__email=as_kept(email), last_sign_in_at=None).first()
    if found is None:
        raise NotFound(f"{email} is no member who may sign in and has not done so yet.")
    return found


def _path_of_link(member: Membership) -> str:
    return reverse("password-new", args=[make_link(actor=_ACTOR, membership=member)])
