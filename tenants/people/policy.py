"""What an organisation decides about signing in and inviting, within bounds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction

from core import audit
from core.errors import Forbidden, InvalidInput
from core.permissions import Principal
from core.tenancy import shared_context
from core.versions import any_version
from tenants import queries, standing
from tenants.models import Tenant
from tenants.sso.domains import domain_name

IDLE_MINUTES = (5, 24 * 60)
SESSION_HOURS = (1, 30 * 24)
MAXIMAL_DOMAINS = 50
NAMES = ("mfa_required", "session_idle_minutes", "session_hours", "invitation_domains")


def security_settings(tenant: Tenant | None = None) -> dict[str, Any]:
    """The present choices."""
    chosen = tenant or queries.organisation()
    return {name: getattr(chosen, name) for name in NAMES}


def change_security(
    *,
    principal: Principal,
    changes: Mapping[str, Any],
    check: Callable[[dict[str, Any]], None] = any_version,
) -> dict[str, Any]:
    """Change some of the choices; they count from the next request on.

    Raises: InvalidInput; Forbidden when a program ends the need of a second factor, which it cannot prove itself; what `check`
    raises for the choices that it finds.
    """
    with transaction.atomic():
        tenant = _held()
        standing.refuse_outdated(principal)
        before = security_settings(tenant)
        check(before)
        after = before | dict(changes)
        after["invitation_domains"], no_domains = _domains(after["invitation_domains"])
        _check(after, no_domains)
        changed = {name: after[name] for name in NAMES if after[name] != before[name]}
        if changed.get("mfa_required") is False and not principal.is_person:
            raise Forbidden(
                "Keys and tokens cannot end the need of a second factor. Sign in and do it under Settings, Security."
            )
        if changed:
            with shared_context():
                Tenant.objects.filter(pk=tenant.pk).update(**changed)
            audit.record(
                actor=principal.actor,
                action="tenants.security.change",
                target=tenant,
                after=changed,
                before={name: before[name] for name in changed},
            )
    return after


def _held() -> Tenant:
    """The organisation as it is now; nobody else changes it until the transaction ends."""
    found = queries.organisation()
    with shared_context():
        return Tenant.objects.select_for_update(no_key=True).get(pk=found.pk)


def _check(wanted: Mapping[str, Any], no_domains: Sequence[str]) -> None:
    problems = [_problem("invitation_domains", detail) for detail in no_domains]
    for name, (least, most), unit in (
        ("session_idle_minutes", IDLE_MINUTES, "minutes"),
        ("session_hours", SESSION_HOURS, "hours"),
    ):
        if not least <= wanted[name] <= most:
            problems.append(_problem(name, f"must be {least} to {most} {unit}, got {wanted[name]}"))
    if not problems and wanted["session_idle_minutes"] > wanted["session_hours"] * 60:
        problems.append(_problem("session_idle_minutes", "must not be longer than a session may last at all"))
    if len(wanted["invitation_domains"]) > MAXIMAL_DOMAINS:
        problems.append(_problem("invitation_domains", f"may list {MAXIMAL_DOMAINS} domains"))
    if problems:
        raise InvalidInput("Some values are not valid.", errors=problems)


def _domains(given: Sequence[str]) -> tuple[list[str], list[str]]:
    """The domains as single sign-on writes them, too, and what is wrong with those that are none."""
    names, problems = set(), []
    for text in filter(str.strip, given):
        try:
            names.add(domain_name(text))
        except InvalidInput as error:
            problems.append(str(error).removesuffix("."))
    return sorted(names), problems


def _problem(name: str, detail: str) -> dict[str, str]:
    return {"pointer": f"/{name}", "code": "invalid", "detail": detail}
