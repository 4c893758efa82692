"""A directory of acme and one of globex, each with a token of its own."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.tenancy import tenant_context
from tenants.scim import services, tokens
from tenants.sso.models import MailDomain
from tests.builders import make_principal

MEDIA_TYPE = "application/scim+json"


class Directory:
    """What an identity provider sends: JSON with a bearer token."""

    def __init__(self, organisation: str, token: str) -> None:
        self.token = token
        self._client = Client(
            headers={"host": f"{organisation}.localhost", "authorization": f"Bearer {token}"},
            raise_request_exception=False,
        )

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = "" if body is None else json.dumps(body)
        return self._client.generic(method, f"/scim/v2{path}", content, MEDIA_TYPE, headers=headers)

    def create(self, email: str, **fields: Any) -> str:
        """The id of a new user."""
        response = self.send("POST", "/Users", user(email, **fields))
        assert response.status_code == 201, response.content
        return str(response.json()["id"])

    def patch(self, path: str, *operations: dict[str, Any]) -> Any:
        schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
        return self.send("PATCH", path, {"schemas": schemas, "Operations": list(operations)})


def user(email: str, **fields: Any) -> dict[str, Any]:
    """The least that makes a user."""
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": email,
        "active": True,
        "emails": [{"value": email, "type": "work", "primary": True}],
        **fields,
    }


def make_directory(organisation: str, *, domain: str | None = None, anybody: bool = False) -> Directory:
    """A new token; `domain` becomes a verified one."""
    with tenant_context(organisation):
        principal = make_principal("owner", organisation)
        if domain:
            MailDomain.objects.create(name=domain, token="token", verified_at=timezone.now())
        if anybody:
            services.set_origin(principal=principal, origin="anybody")
        expires_at = timezone.now() + timedelta(days=30)
        issued = tokens.issue_token(principal=principal, name="Directory", expires_at=expires_at)
    return Directory(organisation, issued.text)


@pytest.fixture
def directory(db: None, no_tries_counted: None) -> Directory:
    """The directory of acme, which has verified acme.example."""
    return make_directory("acme", domain="acme.example")


@pytest.fixture
def others_directory(db: None, no_tries_counted: None) -> Directory:
    """That of globex."""
    return make_directory("globex", domain="globex.example")


Make = Callable[..., Directory]
