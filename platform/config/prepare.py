"""Brings the platform of one machine up to date before its processes start: `python -m config.prepare`.

Database, static files, two organisations to try it out with. May run any time; prints what it made as JSON.
"""

import argparse
import json
import os
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402  # needs the set-up above
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from config import env  # noqa: E402
from core.permissions import Principal  # noqa: E402
from core.postgres.provision import bootstrap  # noqa: E402
from core.tenancy import shared_context, tenant_context  # noqa: E402
from tenants import key_services, queries, services  # noqa: E402
from tenants.granting import LONGEST_TIME  # noqa: E402
from tenants.models import DeletionCertificate, Tenant  # noqa: E402
from tenants.roles import Role, permissions_of  # noqa: E402

ORGANISATIONS = {"acme": "Acme Audit", "globex": "Globex Finance"}
_ACTOR = "system"
_BEGUN = "begun"
_KEY_LIFE = timedelta(hours=2)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m config.prepare", description=__doc__)
    parser.add_argument(
        "--api-key", action="store_true", help="also issue an operator's key of acme for two hours"
    )
    chosen = parser.parse_args()
    bootstrap()
    call_command("collectstatic", interactive=False, verbosity=0)
    password = _kept_password(env.data_home() / "demo_password")
    make_demo_once(env.data_home() / env.DEMO_MADE, password)
    made: dict[str, Any] = {
        "password": password,
        "people": _people("acme"),
        "organisations": _organisations(),
    }
    if chosen.api_key:
        made["api_key"] = _issue_key("acme")
    sys.stdout.write(json.dumps(made))


def make_demo_once(note: Path, password: str) -> None:
    """Into a database that is empty, and once: who or what is removed does not come back with the next start.

    note: a file that says that it was made, or that it was begun and goes on.
    """
    if not note.exists():
        note.write_text("" if _is_in_use() else _BEGUN, encoding="ascii")
    if note.read_text(encoding="ascii") == _BEGUN:
        for slug, name in ORGANISATIONS.items():
            _ensure_organisation(slug, name, password)
        note.write_text("", encoding="ascii")


def _is_in_use() -> bool:
    """Whether there is an organisation or was one: a server of one's own, a dump that was loaded by hand."""
    with shared_context():
        return Tenant.objects.exists() or DeletionCertificate.objects.exists()


def _organisations() -> list[str]:
    with shared_context():
        names = Tenant.objects.order_by("created_at", "schema_name").values_list("schema_name", flat=True)[:3]
        return [name.replace("_", "-") for name in names]


def _people(slug: str) -> list[str]:
    """Those of the people to try it out with who may sign in, whoever makes datasets first."""
    with shared_context():
        if not Tenant.objects.filter(schema_name=slug).exists():
            return []
    with tenant_context(slug):
        emails = {member.user.email for member in queries.acting_members().select_related("user")}
    order = sorted(Role, key=lambda role: role != Role.OPERATOR)
    return [email for role in order if (email := _email(role, slug)) in emails]


def _ensure_organisation(slug: str, name: str, password: str) -> None:
    with shared_context():
        exists = Tenant.objects.filter(schema_name=slug).exists()
    if not exists:
        host = f"{slug}.{settings.BASE_HOST}"
        services.create_organisation(actor=_ACTOR, slug=slug, name=name, host=host)
    with tenant_context(slug):
        members = {membership.user.email for membership in queries.members()}
        for role in sorted(Role, key=lambda one: one != Role.OWNER):  # the first member is the owner
            email = _email(role, slug)
            if email not in members:
                until = timezone.now() + LONGEST_TIME if role == Role.AUDITOR else None
                services.add_member(
                    actor=_ACTOR,
                    email=email,
                    role=role,
                    role_until=until,
                    name=role.label,
                    password=password,
                )


def _issue_key(slug: str) -> str:
    if _email(Role.OPERATOR, slug) not in _people(slug):
        sys.exit(
            f"{_email(Role.OPERATOR, slug)} of {slug}, for whom the demo works, is not there any more. Choose another data folder with "
            "DATASYNTH_HOME for it."
        )
    with tenant_context(slug):
        operator = queries.members().get(user__email=_email(Role.OPERATOR, slug))
        principal = Principal(
            actor=operator.user.email,
            credential=f"user:{operator.user_id}",  # as they would in a session
            permissions=permissions_of(operator),
            user_id=str(operator.user_id),
            role=operator.role,
        )
        issued = key_services.issue_api_key(
            principal=principal, name="make demo", role=operator.role, expires_at=timezone.now() + _KEY_LIFE
        )
    return issued.text


def _email(role: Role, slug: str) -> str:
    return f"{role}@{slug}.example"


def _kept_password(path: Path) -> str:
    """One password for the people to try it out with, made once for each data folder."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(12), encoding="ascii")
    return path.read_text(encoding="ascii")


if __name__ == "__main__":
    main()
