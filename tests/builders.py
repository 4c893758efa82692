"""Plain builders of objects that tests need; each takes overrides and nothing is random where it matters."""

import html
import re
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connections
from django.test import Client
from django.utils import timezone

from core.permissions import Principal
from core.postgres.names import role_of
from core.tenancy import OWNER_ALIAS, shared_context, tenant_context
from tenants import key_services, services
from tenants.models import Membership, Tenant
from tenants.people.factor_queries import has_factor
from tenants.people.proof import RECORDS
from tenants.people.session_store import SessionStore
from tenants.roles import Role, permissions_of
from tenants.sign_in import SESSION_ROLE, SESSION_TENANT, MemberBackend


def make_organisation(slug: str, name: str, *, password: str = "correct horse battery") -> Tenant:
    """An organisation with owner@, admin@ and a member of every other role @<slug>.example."""
    with shared_context():  # where a fixture stands depends on the tests before
        tenant = services.create_organisation(actor="test", slug=slug, name=name, host=f"{slug}.localhost")
    with tenant_context(tenant.schema_name):
        for role in sorted(Role, key=lambda one: one != Role.OWNER):
            services.add_member(
                actor="test",
                email=f"{role.value}@{slug}.example",
                role=role,
                role_until=auditors_end(role),
                password=password,
            )
    return tenant


def auditors_end(role: str) -> datetime | None:
    """The end that an auditor must have, in a month."""
    return timezone.now() + timedelta(days=30) if role == Role.AUDITOR else None


def drop_organisation(schema: str) -> None:
    """Remove an organisation that a test committed, with everything it has in the shared schema."""
    role = role_of(schema)
    own = f"tenant_id = (SELECT id FROM public.tenants_tenant WHERE schema_name = '{schema}')"
    statements = [
        f'DROP SCHEMA "{schema}" CASCADE',
        f'DROP ROLE "{role}"',
        *(
            f"DELETE FROM public.tenants_{table} WHERE {own}"
            for table in ("apikey", "membership", "customrole", "domain")
        ),
        *(
            f"DELETE FROM public.jobs_{table} WHERE tenant = '{schema}'"
            for table in ("outbox", "jobevent", "unit", "job")
        ),
        f"DELETE FROM public.tenants_tenant WHERE schema_name = '{schema}'",
    ]
    with connections[OWNER_ALIAS].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connections[OWNER_ALIAS].close()


def make_principal(role: str = "operator", organisation: str = "acme") -> Principal:
    """The principal of <role>@<organisation>.example as if signed in."""
    with tenant_context(organisation):
        membership = Membership.objects.select_related("user").get(
            user__email=f"{role}@{organisation}.example"
        )
    return Principal(
        actor=membership.user.email,
        credential=f"user:{membership.user_id}",
        permissions=permissions_of(membership),
        user_id=str(membership.user_id),
        role=membership.role,
    )


def make_api_key(
    maker: str = "operator", organisation: str = "acme", *, made_with: str | None = None, **overrides: Any
) -> str:
    """The text of a new API key that <maker>@<organisation>.example made, with the maker's role.

    They asked for it with their key `made_with`, else in a session.
    """
    fields = {"name": f"test {maker}", "role": maker} | overrides
    asking = make_principal(maker, organisation)
    if made_with is not None:
        asking = replace(asking, credential=f"key:{key_id_of(made_with)}")
    with tenant_context(organisation):
        return key_services.issue_api_key(principal=asking, **fields).text


def key_id_of(key: str) -> str:
    """The public part of an API key's text, by which its row is found."""
    return key.split("_")[2]


def sign_in(client: Client, email: str, organisation: str) -> None:
    """Give the client a session of the person in the organisation, without the slow password check."""
    with tenant_context(organisation):
        membership = Membership.objects.get(user__email=email)
        user = MemberBackend().get_user(membership.user_id)
        assert user is not None
        client.force_login(user, backend="tenants.sign_in.MemberBackend")
        session = client.session
        session[SESSION_TENANT] = str(membership.tenant_id)
        session[SESSION_ROLE] = membership.role
        session[RECORDS] = _proofs(membership)
        session.save()


def _proofs(membership: Membership) -> list[dict[str, Any]]:
    """What a sign-in asks the person for now."""
    methods = ("password", "mfa") if has_factor(membership.user_id) else ("password",)
    return [{"method": method, "at": time.time()} for method in methods]


def set_last_day(membership: Membership, until: datetime) -> None:
    """As the clock would: no service sets an end in the past."""
    with shared_context():
        Membership.objects.filter(pk=membership.pk).update(role_until=until)


def version_shown(client: Client, address: str) -> str:
    """The version that a form carries, so that it overwrites nothing newer."""
    found = re.search(r'name="version" value="&quot;([0-9a-f]+)&quot;"', client.get(address).content.decode())
    assert found is not None
    return f'"{found[1]}"'


def prove_again(session_key: str, organisation: str) -> None:
    """Make the session's proof a fresh one, as its person would by all that is asked for."""
    with tenant_context(organisation):
        session = SessionStore(session_key)
        person = session["_auth_user_id"]
        session[RECORDS] = _proofs(Membership.objects.get(user_id=person))
        session.save()


def way_on(answer: Any) -> str:
    """Where an answer sends the browser that is not ours: by a page of its own, as after forms, or by a redirect."""
    if answer.status_code == 302:
        return str(answer["Location"])
    assert answer.status_code == 200, answer.content
    found = re.search(r'<meta http-equiv="refresh" content="0;url=([^"]+)">', answer.content.decode())
    assert found, answer.content
    return html.unescape(found[1])
