"""Changes to single sign-on. Each leaves one audit event in its transaction."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from django.db import transaction
from django.utils import timezone

from core import audit, texts
from core.errors import Conflict, InvalidInput
from core.kms import KeyManagementAway
from core.locks import one_at_a_time
from core.permissions import Principal
from tenants import granting, standing
from tenants import queries as tenants
from tenants.sso import domains, oidc, queries, saml, sessions
from tenants.sso.errors import SsoRefused
from tenants.sso.models import CHANGES, LONGEST_CLAIM, Connection, Identity, MailDomain
from tenants.vault import services as vault
from tenants.vault.references import OIDC_CLIENT_SECRET

_MOST_DOMAINS = 50
_MOST_ROWS = 200
MISSING = timedelta(days=7)  # how long a verified domain may be without its record
_FOUND = "The record was found."
_MISSING = "There is no such record (yet)."
_NOT_KNOWN = "The name servers did not answer. Try again in a while."


class NotReady(Conflict):
    """Something else has to come first."""

    code = "sso_not_ready"
    title = "Not ready yet"


@dataclass(frozen=True, slots=True)
class Claims:
    """Where to find what in an assertion, and what it gives."""

    email_claim: str = ""
    name_claim: str = ""
    groups_claim: str = ""
    group_roles: Sequence[tuple[str, str]] = ()
    default_role: str = ""
    joining: str = Connection.Joining.VERIFIED


# -- the provider --------------------------------------------------------------------------------------------


def set_oidc(
    *,
    principal: Principal,
    name: str,
    issuer: str,
    client_id: str,
    client_secret: str = "",
    but: str | None = None,
) -> Connection:
    """Use an OpenID Connect provider. An empty secret keeps the one that is stored for this issuer and client.

    Another provider than before is switched off until somebody switches it on, and the sessions that the one before opened
    end, but for the one with the key `but`.
    Raises: InvalidInput when its discovery document cannot be used, or there is no stored secret of the name that
    the secret refers to; Forbidden when it is not the principal's to say where that one goes.
    """
    endpoints = oidc.discover(issuer)
    with transaction.atomic():
        before = _locked(principal)
        kept = before if before and (before.issuer, before.client_id) == (issuer, client_id) else None
        if client_secret or kept is None:
            named = vault.secret_named_in(principal=principal, text=client_secret, field=OIDC_CLIENT_SECRET)
            sealed = None if named else oidc.sealed_secret(client_secret)
        else:
            named = kept.named_client_secret
            sealed = None if kept.client_secret is None else bytes(kept.client_secret)
            if named and oidc.endpoints_of(kept).addresses != endpoints.addresses:
                what = f"let “{named.name}” be used with a provider whose addresses have changed"
                vault.refuse_without_secrets(principal, what, OIDC_CLIENT_SECRET)
        return _set(
            principal,
            before,
            but,
            protocol=Connection.Protocol.OIDC,
            name=name,
            issuer=issuer,
            client_id=client_id,
            client_secret=sealed,
            named_client_secret=named,
            endpoints=asdict(endpoints),
        )


def set_saml(
    *,
    principal: Principal,
    name: str,
    metadata: bytes,
    wants_signed_response: bool,
    allows_idp_initiated: bool,
    but: str | None = None,
) -> Connection:
    """Use the SAML provider of this metadata. Raises: InvalidInput.

    Another provider than before is switched off until somebody switches it on, and the sessions that the one before opened
    end, but for the one with the key `but`.
    """
    entity_id, endpoints = saml.read_metadata(metadata)
    with transaction.atomic():
        before = _locked(principal)
        if before is not None and saml.has_own_key(before):
            certificate, key = before.sp_certificate, before.sp_key
        else:
            certificate, key = saml.new_key()
        return _set(
            principal,
            before,
            but,
            protocol=Connection.Protocol.SAML,
            name=name,
            issuer=entity_id,
            endpoints=asdict(endpoints),
            sp_certificate=certificate,
            sp_key=key,
            wants_signed_response=wants_signed_response,
            allows_idp_initiated=allows_idp_initiated,
        )


def has_lost_secret(connection: Connection) -> bool:
    """Whether our key or the client secret does not open any more; while key management is away, nobody knows."""
    try:
        if connection.protocol == Connection.Protocol.SAML:
            return not saml.has_own_key(connection)
        oidc.client_secret(connection)
    except SsoRefused:
        return True
    except KeyManagementAway:
        pass
    return False


def set_claims(*, principal: Principal, claims: Claims) -> Connection:
    """Say which claims count and which group gives which role. Raises: InvalidInput, Forbidden."""
    if len(claims.group_roles) > _MOST_ROWS:
        raise InvalidInput(
            f"At most {_MOST_ROWS} groups can be mapped; {len(claims.group_roles)} were given."
        )
    _refuse_unkept(claims)
    possible = dict(queries.mappable_roles())
    for role in {role for _, role in claims.group_roles} | ({claims.default_role} - {""}):
        if role not in possible:
            raise InvalidInput(f"The role “{role}” cannot be given by a group.")
        granting.refuse_more(principal, role)
    with transaction.atomic():
        connection = _needed(principal)
        values: dict[str, Any] = {
            **asdict(claims),
            "group_roles": [{"group": group, "role": role} for group, role in claims.group_roles],
        }
        _write(connection, values | {"mapped_by_role": principal.role})
        audit.record(actor=principal.actor, action="sso.claims.set", target=connection, **values)
    return connection


def _refuse_unkept(claims: Claims) -> None:
    named = {
        "/email_claim": ("The e-mail claim", claims.email_claim),
        "/name_claim": ("The name claim", claims.name_claim),
        "/groups_claim": ("The groups claim", claims.groups_claim),
    } | {
        f"/group_roles/{number}": (f"Group {number}", group)
        for number, (group, _) in enumerate(claims.group_roles, start=1)
    }
    detail = f"at most {LONGEST_CLAIM} characters, and no NUL among them"
    for pointer, (what, text) in named.items():
        if len(text) > LONGEST_CLAIM or not texts.is_storable(text):
            raise InvalidInput(
                f"{what} has {detail}.", errors=[{"pointer": pointer, "code": "invalid", "detail": detail}]
            )


def switch_on(*, principal: Principal) -> Connection:
    """Let people sign in with the provider."""
    with transaction.atomic():
        connection = _needed(principal)
        if not connection.is_enabled:
            _write(connection, {"is_enabled": True})
            audit.record(actor=principal.actor, action="sso.connection.enable", target=connection)
    return connection


def switch_off(*, principal: Principal) -> int:
    """Let nobody sign in with the provider any more, end the enforcement and all sessions that it opened; how many."""
    with transaction.atomic():
        connection, ended = _needed(principal), 0
        if connection.is_enabled:
            _write(connection, {"is_enabled": False, "is_enforced": False})
            ended = sessions.end_all()
            audit.record(
                actor=principal.actor, action="sso.connection.disable", target=connection, sessions=ended
            )
    return ended


def enforce(*, principal: Principal, is_enforced: bool) -> Connection:
    """Refuse passwords of people in verified domains, or take them again.

    Raises: NotReady without a verified domain, a sign-in that worked, or an owner with a second factor who can
    still get in when the provider does not work.
    """
    with transaction.atomic():
        connection = _needed(principal)  # who can break the glass now still can in the end
        if connection.is_enforced == is_enforced:
            return connection
        if is_enforced:
            for problem in queries.enforcement_gaps(connection):
                raise NotReady(problem)
        _write(connection, {"is_enforced": is_enforced})
        action = "sso.connection.enforce" if is_enforced else "sso.connection.stop_enforcing"
        audit.record(actor=principal.actor, action=action, target=connection)
    return connection


def end_enforcement(*, actor: str) -> None:
    """Take passwords again, on the operator's word. In the transaction of a larger change, which holds the members."""
    _one_change_at_a_time()
    connection = Connection.objects.filter(is_enforced=True).first()
    if connection is not None:
        _write(connection, {"is_enforced": False})
        audit.record(actor=actor, action="sso.connection.stop_enforcing", target=connection)


def remove(*, principal: Principal) -> int:
    """Forget the provider, its secrets, and who people are there, and end all sessions that it opened; how many.

    Members and their roles stay.
    """
    with transaction.atomic():
        connection = _needed(principal)
        target, issuer = audit.label(connection), connection.issuer
        sessions.end_links()
        identities = Identity.objects.all().delete()[0]
        connection.delete()
        ended = sessions.end_all()
        audit.record(
            actor=principal.actor,
            action="sso.connection.remove",
            target=target,
            issuer=issuer,
            identities=identities,
            sessions=ended,
        )
    return ended


def _set(principal: Principal, before: Connection | None, but: str | None, **values: Any) -> Connection:
    values |= {"set_by_role": principal.role}
    issuer_before = before.issuer if before else None
    is_another = before is not None and before.place != Connection(**values).place
    if is_another:  # nobody knows yet that it works, and the only way in must
        values |= {"is_enabled": False, "is_enforced": False, "another_since": timezone.now()}
    ended = sessions.end_all(but=but) if is_another else 0
    if before is None:
        connection = Connection.objects.create(**values)
    else:
        connection = before
        if before.protocol != values["protocol"]:  # nothing of the other protocol stays behind
            nothing = {"client_id": "", "client_secret": None, "named_client_secret": None}
            values = nothing | {"sp_certificate": "", "sp_key": None} | values
        _write(connection, values)
    audit.record(
        actor=principal.actor,
        action="sso.connection.set",
        target=connection,
        protocol=connection.protocol,
        name=connection.name,
        issuer=connection.issuer,
        client_id=connection.client_id,
        sign_in=connection.endpoints["sign_in"],
        **(_what_it_believes(connection) if connection.protocol == Connection.Protocol.SAML else {}),
        issuer_before=issuer_before,
        named_client_secret=str(connection.named_client_secret or ""),
        is_enabled=connection.is_enabled,
        sessions=ended,
    )
    return connection


def _what_it_believes(connection: Connection) -> dict[str, Any]:
    """Which certificates may sign, and how much must be signed: whoever changes it decides who gets in."""
    prints = [one.fingerprint(hashes.SHA256()).hex() for one in saml.certificates_of(connection)]
    return {
        "certificates": prints,
        "wants_signed_response": connection.wants_signed_response,
        "allows_idp_initiated": connection.allows_idp_initiated,
    }


def _write(connection: Connection, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(connection, name, value)
    connection.save(update_fields=list(values))


def _locked(principal: Principal) -> Connection | None:
    """The connection as it is now; the set-up of an organisation changes one step after the other, and no member meanwhile."""
    granting.one_change_at_a_time(tenants.organisation().pk)
    _one_change_at_a_time()
    standing.refuse_outdated(principal)
    return Connection.objects.first()


def _one_change_at_a_time() -> None:
    one_at_a_time(CHANGES)


def _needed(principal: Principal) -> Connection:
    found = _locked(principal)
    return found if found is not None else queries.needed_connection()


# -- mail domains --------------------------------------------------------------------------------------------


def add_domain(*, principal: Principal, name: str) -> MailDomain:
    """Claim a domain; a TXT record has to prove it. Raises: InvalidInput, Conflict."""
    domain = domains.domain_name(name)
    with transaction.atomic():
        _locked(principal)
        if MailDomain.objects.filter(name=domain).exists():
            raise Conflict(f"“{domain}” is listed already.")
        if MailDomain.objects.count() >= _MOST_DOMAINS:
            raise InvalidInput(f"At most {_MOST_DOMAINS} domains can be listed.")
        row = MailDomain.objects.create(name=domain, token=secrets.token_urlsafe(24))
        audit.record(actor=principal.actor, action="sso.domain.add", target=row, name=domain)
    return row


def check_domain(*, principal: Principal, domain_id: UUID) -> MailDomain:
    """Look for the TXT record now: a proof begins with it. What ends one is the same as at the daily check, or to
    remove the domain: a slip in the name servers lets nobody in by password who is refused one.
    """
    result, now = _looked_up(queries.mail_domain(domain_id)), timezone.now()
    with transaction.atomic():
        _locked(principal)
        row = queries.mail_domain(domain_id)
        if row.verified_at is None and result == _FOUND:
            row.verified_at = now
        _note(row, result, now)
        audit.record(
            actor=principal.actor,
            action="sso.domain.check",
            target=row,
            name=row.name,
            is_verified=row.verified_at is not None,
            result=result,
        )
    return row


def recheck_domains(*, now: datetime) -> list[MailDomain]:
    """Look for the records of all verified domains again; those that stop being verified.

    A record that is missing gives admins `MISSING` to put it back. No answer proves nothing either way.
    """
    rows = list(queries.verified_domains())
    return [row for row in rows if _recheck(row.pk, _looked_up(row), now)]


def _recheck(domain_id: UUID, result: str, now: datetime) -> bool:
    """Note what a daily check saw; True when the domain stops being verified. One audit event for each turn."""
    with transaction.atomic():
        _one_change_at_a_time()
        row = MailDomain.objects.filter(pk=domain_id, verified_at__isnull=False).first()
        if row is None:  # removed, or lost its proof by hand
            return False
        was_missing = row.missing_since
        action = _note(row, result, now)
        if action:
            audit.record(actor="system", action=action, target=row, name=row.name, missing_since=was_missing)
    return row.verified_at is None


def _note(row: MailDomain, result: str, now: datetime) -> str:
    """Store what a look-up saw; the turn that it is for a proof, if any. No answer proves nothing either way."""
    action, is_proven = "", row.verified_at is not None
    row.checked_at, row.last_result = now, result
    if result == _FOUND:
        action = "sso.domain.return" if row.missing_since else ""
        row.found_at, row.missing_since = now, None
    elif result == _MISSING and is_proven:
        action = "" if row.missing_since else "sso.domain.miss"
        row.missing_since = row.missing_since or now
        if now - row.missing_since >= MISSING:
            row.verified_at, row.missing_since, action = None, None, "sso.domain.lapse"
    row.save()
    return action


def _looked_up(row: MailDomain) -> str:
    try:
        return _FOUND if domains.has_record(row.name, row.token) else _MISSING
    except domains.LookupFailed:
        return _NOT_KNOWN


def remove_domain(*, principal: Principal, domain_id: UUID) -> None:
    """Forget a domain: the provider no longer speaks for its people unless their identity is known.

    Raises NotReady for the last verified one while passwords of people in it are refused: nobody's would be any more.
    """
    with transaction.atomic():
        connection = _locked(principal)
        row = queries.mail_domain(domain_id)
        others = queries.verified_domains().exclude(pk=row.pk)
        if row.verified_at is not None and connection is not None and connection.is_enforced and not others:
            raise NotReady("This is the last verified domain. Take passwords again before you remove it.")
        target = audit.label(row)
        if MailDomain.objects.filter(pk=row.pk).delete()[0]:
            audit.record(actor=principal.actor, action="sso.domain.remove", target=target, name=row.name)
