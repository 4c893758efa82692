"""Single sign-on as an organisation has set it up, without its network."""

from collections.abc import Callable
from ipaddress import IPv4Network
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from django.utils import timezone

from core import secrets
from core.models import AuditEvent
from core.tenancy import current_schema, tenant_context
from tenants.models import Membership
from tenants.sso import saml, services
from tenants.sso.models import Connection, MailDomain
from tests.builders import make_principal, way_on
from tests.sso.saml_idp import Idp, Wanted, key_pair, posted, sent_to_idp

_ADDRESSES = map(str, IPv4Network("198.18.0.0/15"))  # each visitor has a rate of their own
SUBJECT_CLAIMS = {"email": ["new@acme.example"], "name": ["New Person"], "groups": ["staff"]}


class SamlVisitor:
    """A browser that signs in by SAML in one organisation."""

    def __init__(self, organisation: str = "acme", idp: Idp | None = None) -> None:
        self.organisation = organisation
        self.idp = idp or Idp()
        self.client = Client(headers={"host": f"{organisation}.localhost"}, REMOTE_ADDR=next(_ADDRESSES))

    @property
    def origin(self) -> str:
        return f"http://{self.organisation}.localhost"

    def begin(self, path: str = "/sso/start") -> str:
        """The id of the request that the browser carries away."""
        return str(sent_to_idp(way_on(self.client.get(path))).get("ID"))

    def wanted(self, **overrides: Any) -> Wanted:
        values: dict[str, Any] = {
            "acs": f"{self.origin}/sso/saml/acs",
            "audience": f"{self.origin}/sso/saml/metadata",
            "attributes": SUBJECT_CLAIMS,
        }
        return Wanted(**(values | overrides))

    def post(self, message: Any, **more: str) -> Any:
        """As from elsewhere: without the browser's cookies."""
        outside = Client(headers={"host": f"{self.organisation}.localhost"}, REMOTE_ADDR=next(_ADDRESSES))
        return outside.post("/sso/saml/acs", {"SAMLResponse": posted(message), **more})

    def sign_in(self, path: str = "/sso/start", **overrides: Any) -> Any:
        """The whole way; the last answer."""
        message = self.idp.response(self.wanted(in_response_to=self.begin(path), **overrides))
        arrived = self.post(message)
        return self.client.get(arrived["Location"]) if arrived.status_code == 302 else arrived

    @property
    def is_signed_in(self) -> bool:
        return "_auth_user_id" in self.client.session


@pytest.fixture
def saml_sso(db: None) -> Callable[..., Connection]:
    """`saml_sso("acme", idp)`: switched on, set by the owner, with groups staff and admins."""

    def make(organisation: str = "acme", idp: Idp | None = None, **overrides: Any) -> Connection:
        owner = make_principal("owner", organisation)
        with tenant_context(organisation):
            options = {"wants_signed_response": True, "allows_idp_initiated": False}
            if not Connection.objects.exists():
                _with_known_key()
            chosen = options | {name: overrides.pop(name) for name in options if name in overrides}
            services.set_saml(
                principal=owner, name="Acme ID", metadata=(idp or Idp()).metadata().encode(), **chosen
            )
            claims = {"group_roles": [("staff", "operator"), ("admins", "admin")]} | overrides
            services.set_claims(principal=owner, claims=services.Claims(**claims))
            return services.switch_on(principal=owner)

    return make


def _with_known_key() -> None:
    """A connection that has its key already: making one takes longer than a test."""
    certificate, key = key_pair("our side")
    sealed = secrets.seal(current_schema(), saml.KEY_NAME, key)
    Connection.objects.create(
        protocol="saml", name="-", issuer="-", endpoints={}, sp_certificate=certificate, sp_key=sealed
    )


@pytest.fixture
def enforced(saml_sso: Callable[..., Connection], verified: Callable[..., MailDomain]) -> Connection:
    """Acme refuses passwords of acme.example; its owner has a second factor."""
    saml_sso()
    verified()
    SamlVisitor().sign_in()
    give_factor("owner@acme.example")
    return services.enforce(principal=make_principal("owner"), is_enforced=True)


@pytest.fixture
def verified(db: None) -> Callable[..., MailDomain]:
    """`verified("acme.example", "acme")`: a domain as if its TXT record had been found."""

    def make(name: str = "acme.example", organisation: str = "acme") -> MailDomain:
        with tenant_context(organisation):
            return MailDomain.objects.create(name=name, token="token", verified_at=timezone.now())

    return make


def give_factor(email: str) -> None:
    """An authenticator app."""
    made = member(email)
    assert made is not None
    TOTP.activate(made.user, generate_totp_secret())


def member(email: str, organisation: str = "acme") -> Membership | None:
    with tenant_context(organisation):
        return Membership.objects.select_related("user").filter(user__email=email).first()


def actions(organisation: str = "acme") -> list[str]:
    """What the audit trail says, the oldest first."""
    with tenant_context(organisation):
        return list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))
