"""Two organisations, `ours` and `theirs`, with one of everything, and the reviewed tables of ids and bodies.

A new route parameter or a new changing route fails the contract tests until it has a row here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.test import Client
from django.utils import timezone
from django.utils.crypto import get_random_string

from compliance import exception_services
from compliance.models import ReleaseException
from core.jobs.models import Job
from core.storage import store
from core.tenancy import tenant_context, tenant_key
from core.versions import etag
from evaluation.models import Report
from generation import services as generation
from generation.models import Run, RunFile
from generation.queries.configs import shipped_templates
from tenants import role_services
from tenants import services as tenants
from tenants.keys import KeyText, hash_secret, new_key
from tenants.lifecycle import services as lifecycle
from tenants.lifecycle.models import Export
from tenants.models import ApiKey, CustomRole, Membership, Tenant
from tenants.oauth import services as applications
from tenants.oauth.models import Application, AuthorizationCode
from tenants.people import passwords
from tenants.people.invitations import invite
from tenants.people.models import Session
from tenants.people.policy import security_settings
from tenants.queries import role_version
from tenants.roles import Role
from tenants.scim import tokens as scim_tokens
from tenants.scim.models import Group
from tenants.sso import services as sso
from tenants.sso.models import MailDomain
from tenants.vault import services as vault
from tenants.vault.models import NamedSecret
from tenants.vault.queries import version_of
from tests.builders import key_id_of, make_api_key, make_organisation, make_principal, sign_in
from tests.sso.saml_idp import Idp

SERVICE_KEY, SERVICE_SECRET = new_key("worldservice", prefix=applications.SECRET_PREFIX)
WEB_KEY, _ = new_key("worldwebside", prefix=applications.SECRET_PREFIX)
RANDOM_ID = UUID("7b0f9a1e-53c4-4a6e-9d2b-0c8f1e6a5d37")
RANDOM_NUMBER = 987_654


@dataclass(frozen=True, slots=True)
class Things:
    """What one organisation has. Its texts carry its name, so that a leak can be seen."""

    member_id: UUID
    role_id: UUID
    domain_id: UUID
    api_key_id: UUID
    config_id: UUID
    run_id: UUID
    run_number: int
    session_id: UUID
    invitation_id: UUID
    invitation_token: str
    password_token: str
    factor_id: int
    application_id: UUID
    grant_id: UUID
    token_id: UUID
    group_id: UUID
    export_id: UUID
    exception_id: UUID
    secret_id: UUID


@dataclass(frozen=True, slots=True)
class World:
    """Both organisations, an API key of every role in each, and a session of every role in ours."""

    ours: Things
    theirs: Things
    keys: Mapping[tuple[str, str], str]
    sessions: Mapping[str, str]


def make_world() -> World:
    """Theirs has one run more, so that it has a run number that ours has not. Commits."""
    for slug in ("ours", "theirs"):
        make_organisation(slug, f"{slug}-secret")
    keys = {(role, slug): make_api_key(role, slug) for role in Role.values for slug in ("ours", "theirs")}
    ours = make_things("ours", runs=1, made_with=keys["admin", "ours"])
    theirs = make_things("theirs", runs=2, made_with=keys["admin", "theirs"])
    clients = {role.value: Client() for role in Role}
    for role, client in clients.items():  # after their factors, which a sign-in asks for
        sign_in(client, f"{role}@ours.example", "ours")
    return World(
        ours=ours,
        theirs=theirs,
        keys=keys,
        sessions={
            role: client.cookies[settings.SESSION_COOKIE_NAME].value for role, client in clients.items()
        },
    )


def config_text(organisation: str) -> str:
    """A small valid config whose name tells whose it is."""
    template = min(shipped_templates(), key=lambda one: len(one.yaml))
    lines = [
        f"name: {organisation}-secret" if line.startswith("name:") else line
        for line in template.yaml.splitlines()
    ]
    return "\n".join(lines) + "\n"


def make_things(organisation: str, *, runs: int, made_with: str | None = None) -> Things:
    """One of everything in an organisation that has the usual members, and so many runs that wait.

    The API key among them was made with another one of the admin, if that is given: it may rotate it then.
    """
    with tenant_context(organisation):
        member = tenants.add_member(
            actor="test", email=f"colleague@{organisation}.example", role="viewer", password="a colleague"
        ).membership
        invited = invite(
            principal=make_principal("admin", organisation),
            email=f"new@{organisation}.example",
            role="viewer",
        )
        api_key = make_api_key("admin", organisation, name=f"{organisation}-secret", made_with=made_with)
        version = generation.create_config(actor="test", text=config_text(organisation))
        started = [
            generation.start_run(actor="test", source=generation.OfConfig(version.config_id))
            for _ in range(runs)
        ]
        return Things(
            member_id=member.pk,
            role_id=_role(organisation),
            api_key_id=ApiKey.objects.get(key_id=key_id_of(api_key)).pk,
            config_id=version.config_id,
            run_id=started[-1].pk,
            run_number=started[-1].number,
            domain_id=MailDomain.objects.create(name=f"{organisation}-secret.example", token="token").pk,
            invitation_id=invited.invitation.pk,
            invitation_token=invited.token,
            password_token=passwords.make_link(actor="test", membership=member),
            session_id=_session(f"admin@{organisation}.example"),
            factor_id=_factor(f"admin@{organisation}.example", before=runs - 1),
            application_id=_application(organisation, SERVICE_KEY, "service"),
            grant_id=_grant(organisation, _application(organisation, WEB_KEY, "web")),
            token_id=scim_tokens.issue_token(
                principal=make_principal("admin", organisation),
                name=f"{organisation}-secret",
                expires_at=timezone.now() + timedelta(days=30),
            ).token.pk,
            group_id=Group.objects.create(display_name=f"group of {organisation}-secret").pk,
            export_id=_export(organisation),
            exception_id=_exception(organisation, started[-1]),
            secret_id=vault.make_secret(
                principal=make_principal("admin", organisation),
                name=f"{organisation}-secret",
                value="a value",
            ).pk,
        )


def _exception(organisation: str, run: Run) -> UUID:
    """The operator asked for it; the run need not be held before somebody decides."""
    asker = str(Membership.objects.get(user__email=f"operator@{organisation}.example").user_id)
    return ReleaseException.objects.create(
        run=run,
        checks=[{"id": "a.check", "title": "A check", "sentence": "1 of 2."}],
        reason=f"{organisation}-secret",
        asked_by=f"operator@{organisation}.example",
        askers=[asker],
        starters=[asker],
    ).pk


def _export(organisation: str) -> UUID:
    key = tenant_key("exports", "export.zip")
    store().put_bytes(key, b"zip")
    return Export.objects.create(
        state=Export.State.READY,
        ordered_by=f"admin@{organisation}.example",
        expires_at=timezone.now() + timedelta(days=7),
        key=key,
        size_bytes=3,
    ).pk


def _application(organisation: str, key: KeyText, kind: str) -> UUID:
    """An application whose client id and secret are known before it is made."""
    made = applications.create_application(
        principal=make_principal("admin", organisation),
        name=f"{organisation}-secret {kind}",
        kind=kind,
        permissions=["runs.read"],
        redirect_uris=[] if kind == "service" else ["https://app.example/back"],
    )
    Application.objects.filter(pk=made.application.pk).update(
        client_id=key.key_id, secret_hash=hash_secret(key.secret)
    )
    return made.application.pk


def _grant(organisation: str, application_id: UUID) -> UUID:
    """The admin let the application act for them, and it took the code up."""
    grant = applications.approve(
        actor="test",
        membership=Membership.objects.get(user__email=f"admin@{organisation}.example"),
        application=Application.objects.get(pk=application_id),
        permissions=["runs.read"],
        redirect_uri="https://app.example/back",
        challenge="c" * 43,
        code=applications.new_secret(),
    )
    AuthorizationCode.objects.filter(grant=grant).update(used_at=timezone.now())
    return grant.pk


def _role(organisation: str) -> UUID:
    principal = make_principal("admin", organisation)
    return role_services.create_role(
        principal=principal, name=f"{organisation}-secret", permissions=["runs.read"]
    ).pk


def _session(email: str) -> UUID:
    """Of another browser of the person."""
    session = Session.objects.create(
        session_key=get_random_string(32),
        expire_date=timezone.now() + timedelta(days=1),
        user_id=Membership.objects.get(user__email=email).user_id,
    )
    return session.id


def _factor(email: str, *, before: int) -> int:
    """An authenticator app of the person; its number is greater where `before` others came first."""
    user = Membership.objects.get(user__email=email).user
    for _ in range(before):
        TOTP.activate(user, generate_totp_secret()).instance.delete()
    return int(TOTP.activate(user, generate_totp_secret()).instance.pk)


# -- ids: the first parameter of a route that is listed here names the object ---------------------------------

IDS: dict[str, Callable[[Things], object]] = {
    "member_id": lambda things: things.member_id,
    "role_id": lambda things: things.role_id,
    "domain_id": lambda things: things.domain_id,
    "api_key_id": lambda things: things.api_key_id,
    "key_id": lambda things: things.api_key_id,
    "config_id": lambda things: things.config_id,
    "run_id": lambda things: things.run_id,
    "number": lambda things: things.run_number,
    "session_id": lambda things: things.session_id,
    "invitation_id": lambda things: things.invitation_id,
    "token": lambda things: things.invitation_token,
    "password_token": lambda things: things.password_token,
    "factor_id": lambda things: things.factor_id,
    "application_id": lambda things: things.application_id,
    "grant_id": lambda things: things.grant_id,
    "token_id": lambda things: things.token_id,
    "group_id": lambda things: things.group_id,
    "export_id": lambda things: things.export_id,
    "exception_id": lambda things: things.exception_id,
    "secret_id": lambda things: things.secret_id,
}
NOBODYS: dict[str, object] = dict.fromkeys(IDS, RANDOM_ID) | {
    "number": RANDOM_NUMBER,
    "factor_id": RANDOM_NUMBER,
}
# -- all further parameters, and those that name something that every organisation has
FIXED: dict[str, object] = {
    "number": 1,
    "name": "us-retailer",
    "code": "not_found",
    "path": "manifest.json",
    "table": "journal_lines",
    "kind": "csv",
    "request_token": "no-token",
    "progress_token": "no-token",
}


# -- bodies: one call that succeeds for an admin, for every route and method that changes something ------------


@dataclass(frozen=True, slots=True)
class Call:
    """A body (JSON for the API, a form for pages) and how many audit events it leaves when it succeeds.

    `refused` is the answer to a call that cannot succeed without a device in somebody's hand.
    """

    body: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    events: int = 1
    prepare: Callable[[Things], None] | None = None
    role: str = "admin"
    refused: int | None = None


def _order_deletion(things: Things) -> None:
    lifecycle.order_deletion(principal=make_principal("owner", "ours"))


def _fail_run(things: Things) -> None:
    Run.objects.filter(pk=things.run_id).update(state=Run.State.FAILED)
    job_id = Run.objects.get(pk=things.run_id).job_id
    Job.objects.filter(pk=job_id).update(state=Job.State.FAILED)


def _release_run(things: Things) -> None:
    Run.objects.filter(pk=things.run_id).update(state=Run.State.RELEASED)


def _give_file(things: Things) -> None:
    """Released, with the file of FIXED."""
    _release_run(things)
    key = tenant_key("runs", str(things.run_id), "manifest")
    store().put_bytes(key, b"{}")
    RunFile.objects.create(
        run_id=things.run_id, path=str(FIXED["path"]), format="json", size_bytes=2, sha256="0" * 64, key=key
    )


def _hold_run(things: Things) -> None:
    """Held and sealed, as the pipeline leaves it; the world's exception is about it."""
    Run.objects.filter(pk=things.run_id).update(
        state=Run.State.HELD, manifest_sha256="0" * 64, started_by="operator@ours.example"
    )
    row = {"id": "a.check", "title": "A check", "sentence": "1 of 2.", "verdict": "fail"}
    body = {"gate": {"failures": ["a.check"]}, "rows": [row]}
    Report.objects.create(run_id=things.run_id, sha256="0" * 64, body=body)


def _hold_run_unasked(things: Things) -> None:
    _hold_run(things)
    ReleaseException.objects.filter(pk=things.exception_id).delete()


def _grant_exception(things: Things) -> None:
    _hold_run(things)
    exception_services.grant(
        principal=make_principal("approver", "ours"), exception_id=things.exception_id, comment="Once."
    )


def _archive_config(things: Things) -> None:
    generation.archive_config(actor="test", config_id=things.config_id)


def _set_sso(things: Things) -> None:
    """A provider; each call that needs one has it made first."""
    owner = make_principal("owner", "ours")
    sso.set_saml(
        principal=owner,
        name="ID",
        metadata=Idp().metadata().encode(),
        wants_signed_response=True,
        allows_idp_initiated=False,
    )
    sso.switch_on(principal=owner)


def _sign_colleague_in(things: Things) -> None:
    _session(Membership.objects.select_related("user").get(pk=things.member_id).user.email)


def _deactivate_colleague(things: Things) -> None:
    tenants.end_access(Membership.objects.get(pk=things.member_id), actor="test", reason="test")


NEW_PASSWORD = "quite another battery"
SERVICE = {"client_id": SERVICE_KEY.key_id, "client_secret": SERVICE_SECRET}
ANY_VERSION = {"If-Match": "*"}


def in_days(days: int) -> str:
    return (timezone.now() + timedelta(days=days)).isoformat()


OF_PEOPLE = {
    "api_member_password_link",
    "api_member_factors",
}  # operations that refuse keys, whatever they may
# Reads that the audit trail tells, once each: what an organisation made, and all that it has, leave the platform there.
RECORDED_READS: dict[str, Callable[[Things], None] | None] = {
    "export-download": None,
    "api-run-file": _give_file,
    "api-run-archive": _give_file,
    "run-file": _give_file,
    "run-archive": _give_file,
}
NEW_TEXT = {"text": config_text("ours").replace("seed:", "# another text\nseed:")}
CALLS: dict[tuple[str, str], Call] = {
    # API
    ("api_invitations", "POST"): Call({"email": "newer@ours.example", "role": "viewer"}),
    ("api_invitation", "DELETE"): Call(),
    ("api_invitation_renewal", "POST"): Call(),
    ("api_member_password_link", "POST"): Call(),
    ("api_member_sessions", "DELETE"): Call(prepare=_sign_colleague_in),
    ("api_member_factors", "DELETE"): Call(prepare=_sign_colleague_in),
    ("api_member_deactivation", "POST"): Call(),
    ("api_member_deactivation", "DELETE"): Call(prepare=_deactivate_colleague),
    ("api_security_settings", "PATCH"): Call({"session_hours": 24}, ANY_VERSION),
    ("api_member", "PATCH"): Call({"role": "operator"}),
    ("api_member", "DELETE"): Call(),
    ("api_keys_v1", "POST"): Call({"name": "new", "role": "viewer"}),
    ("api_key_v1", "DELETE"): Call(),
    ("api_roles", "POST"): Call({"name": "New", "permissions": ["runs.read"]}),
    ("api_role", "PATCH"): Call({"permissions": ["runs.read", "configs.read"]}),
    ("api_role", "DELETE"): Call(),
    ("api_secrets", "POST"): Call({"name": "new", "value": "another value"}),
    ("api_secret", "PATCH"): Call({"value": "another value"}, ANY_VERSION),
    ("api_secret", "DELETE"): Call({}, ANY_VERSION),
    ("api_keys", "POST"): Call(
        {"name": "new", "role": "viewer", "scopes": ["runs.read"], "expires_at": in_days(30)}
    ),
    ("api_key", "PATCH"): Call({"name": "renamed"}, ANY_VERSION),
    ("api_key", "DELETE"): Call(),
    ("api_key_rotation", "POST"): Call({"previous_until": in_days(1)}),
    ("api-config-validation", "POST"): Call({"text": config_text("ours")}, events=0),  # writes nothing
    ("api-configs", "POST"): Call({"text": config_text("new")}),
    ("api-config", "PATCH"): Call({"name": "renamed"}, ANY_VERSION),
    ("api-config", "DELETE"): Call({}, ANY_VERSION),
    ("api-config-restoration", "POST"): Call(prepare=_archive_config),
    ("api-config-versions", "POST"): Call(NEW_TEXT),
    # a text that is new is stored as a config first: one event each
    ("api-runs", "POST"): Call({"template": "us-retailer"}, {"Idempotency-Key": "one"}, events=2),
    # the order, and the end of a run that nothing works on yet
    ("api-run-cancellation", "POST"): Call(events=2),
    ("api-run-resumption", "POST"): Call(prepare=_fail_run),
    ("api-run-continuation", "POST"): Call(
        {"months": 1}, {"Idempotency-Key": "continue"}, prepare=_release_run
    ),
    ("api-run-exceptions", "POST"): Call(
        {"checks": ["a.check"], "reason": "why"}, {"Idempotency-Key": "ask"}, prepare=_hold_run_unasked
    ),
    ("api-exception-grant", "POST"): Call({"comment": "yes"}, prepare=_hold_run),
    ("api-exception-refusal", "POST"): Call({"comment": "no"}),
    ("api-exception-withdrawal", "POST"): Call(role="operator"),
    ("api-exception-revocation", "POST"): Call({"comment": "over"}, prepare=_grant_exception),
    # pages
    ("account_login", "POST"): Call({"login": "viewer@ours.example", "password": "correct horse battery"}),
    ("account_logout", "POST"): Call(),
    ("account_change_password", "POST"): Call(
        {
            "oldpassword": "correct horse battery",
            "password1": "quite another 1",
            "password2": "quite another 1",
        }
    ),
    ("dataset-new", "POST"): Call({"text": config_text("new"), "action": "save"}),
    ("dataset-check", "POST"): Call({"text": config_text("ours")}, events=0),  # writes nothing
    ("dataset-edit", "POST"): Call({**NEW_TEXT, "action": "save"}),
    ("dataset-generate", "POST"): Call(),
    ("dataset-archive", "POST"): Call(),
    ("dataset-restore", "POST"): Call(prepare=_archive_config),
    ("run-cancel", "POST"): Call(events=2),
    ("run-resume", "POST"): Call(prepare=_fail_run),
    ("run-again", "POST"): Call(),
    ("run-continue", "POST"): Call({"months": "2"}, prepare=_release_run),
    ("exception-ask", "POST"): Call({"checks": "a.check", "reason": "why"}, prepare=_hold_run_unasked),
    ("exception-withdraw", "POST"): Call(role="operator"),
    ("approval", "POST"): Call({"comment": "yes", "decision": "grant"}, prepare=_hold_run),
    ("approval-revoke", "POST"): Call({"comment": "over"}, prepare=_grant_exception),
    ("invitations", "POST"): Call({"email": "newer@ours.example", "role": "viewer"}),
    ("invitation-renew", "POST"): Call(),
    ("invitation-revoke", "POST"): Call(),
    # organisations are started on the base host, where none of them is: nothing is here
    ("start", "POST"): Call({"name": "New", "slug": "new", "email": "a@b.example"}, events=0, refused=404),
    ("start-confirm", "POST"): Call({"slug": "new"}, events=0, refused=404),
    ("start-progress", "POST"): Call({"slug": "new"}, events=0, refused=404),
    # joining, and signing in with it; so with a new password
    ("join", "POST"): Call({"name": "New", "password": NEW_PASSWORD, "again": NEW_PASSWORD}, events=2),
    ("password-new", "POST"): Call({"password": NEW_PASSWORD, "again": NEW_PASSWORD}, events=2),
    ("password-lost", "POST"): Call({"email": "viewer@ours.example"}, events=0),  # no mail server: says so
    ("member-password-link", "POST"): Call(),
    ("member-factors-reset", "POST"): Call(prepare=_sign_colleague_in),
    ("member-sessions-end", "POST"): Call(prepare=_sign_colleague_in),
    ("member-deactivate", "POST"): Call(),
    ("member-activate", "POST"): Call(prepare=_deactivate_colleague),
    ("security-settings", "POST"): Call(
        {"session_idle_minutes": "60", "session_hours": "24", "version": etag(security_settings(Tenant()))}
    ),
    ("leave", "POST"): Call({"typed": "ours-secret"}),
    ("organisation-menu", "POST"): Call({"remove": "none"}, events=0),  # cookies of the browser only
    ("organisation-join", "POST"): Call({"ticket": "no ticket"}, events=0, refused=422),
    ("member-role", "POST"): Call({"role": "operator"}),
    ("role-new", "POST"): Call({"name": "New", "permissions": "runs.read"}),
    ("role-edit", "POST"): Call(
        {
            "name": "Renamed",
            "permissions": "runs.read",
            "version": role_version(CustomRole(name="ours-secret", permissions=["runs.read"])),
        }
    ),
    ("role-delete", "POST"): Call(),
    ("member-remove", "POST"): Call(),
    ("secret-new", "POST"): Call({"name": "new", "value": "another value"}),
    ("secret-edit", "POST"): Call(
        {"value": "another value", "version": version_of(NamedSecret())}
    ),  # the first
    ("secret-delete", "POST"): Call(),
    ("key-issue", "POST"): Call({"name": "new", "role": "viewer", "lifetime_days": "30"}),
    ("oauth-token", "POST"): Call({**SERVICE, "grant_type": "client_credentials"}),
    ("oauth-revoke", "POST"): Call({**SERVICE, "token": "no token"}, events=0),  # nothing to revoke
    ("oauth-introspect", "POST"): Call({**SERVICE, "token": "no token"}, events=0),  # writes nothing
    ("oauth-authorize", "POST"): Call(
        {
            "response_type": "code",
            "client_id": WEB_KEY.key_id,
            "redirect_uri": "https://app.example/back",
            "code_challenge": "c" * 43,
            "code_challenge_method": "S256",
            "decision": "allow",
        }
    ),
    ("application-create", "POST"): Call({"name": "new", "kind": "service", "permissions": "runs.read"}),
    ("application-rotate", "POST"): Call({"overlap_hours": "24"}),
    ("application-delete", "POST"): Call(),
    ("grant-withdraw", "POST"): Call(),
    ("api-access", "POST"): Call({"origins": "https://app.example"}),
    ("key-rotate", "POST"): Call({"overlap_hours": "24"}),
    ("key-revoke", "POST"): Call(),
    ("confirm", "POST"): Call({"with": "password", "password": "correct horse battery"}, role="owner"),
    ("mfa_authenticate", "POST"): Call(
        {"code": "123456"}, events=0
    ),  # nobody is half signed in: to the sign-in
    ("factor-app", "POST"): Call({"code": "not a code"}, events=0, refused=422),
    ("factor-key", "POST"): Call({"credential": "{}"}, events=0, refused=422),
    ("factor-remove", "POST"): Call(),
    ("recovery-codes", "POST"): Call(),
    ("session-end", "POST"): Call(),
    ("sessions-end-others", "POST"): Call(),
    ("provisioning-origin", "POST"): Call({"origin": "anybody"}),
    ("provisioning-token-issue", "POST"): Call({"name": "new", "lifetime_days": "30"}),
    ("provisioning-token-rotate", "POST"): Call({"overlap_hours": "24"}),
    ("provisioning-token-revoke", "POST"): Call(),
    ("provisioning-group", "POST"): Call({"role": "operator"}),
    ("organisation-rename", "POST"): Call({"name": "Another name"}),
    ("organisation-export", "POST"): Call(),
    # the order, and the end of each job that nothing works on yet
    ("organisation-delete", "POST"): Call({"typed": "ours-secret"}, events=2, role="owner"),
    ("organisation-restore", "POST"): Call(prepare=_order_deletion, role="owner"),
    ("sso-oidc", "POST"): Call(
        {"name": "ID", "issuer": "https://127.0.0.1", "client_id": "us"}, events=0, refused=422
    ),
    ("sso-saml", "POST"): Call({"name": "ID", "metadata": Idp().metadata()}),
    ("sso-claims", "POST"): Call({"joining": "never", "group": "staff", "role": "viewer"}, prepare=_set_sso),
    ("sso-switch", "POST"): Call({"to": "off"}, prepare=_set_sso),
    ("sso-enforce", "POST"): Call({"to": "on"}, events=0, refused=409, prepare=_set_sso),
    ("sso-remove", "POST"): Call(prepare=_set_sso),
    ("sso-domain-add", "POST"): Call({"name": "new.example"}),
    ("sso-domain-check", "POST"): Call(),
    ("sso-domain-remove", "POST"): Call(),
    # what is not signed is refused; that it was tried is one line
    ("saml-acs", "POST"): Call({"SAMLResponse": "PGEvPg=="}, refused=403, prepare=_set_sso),
    ("profile", "POST"): Call({"theme": "dark"}, events=0),  # cookies of the browser only
}
