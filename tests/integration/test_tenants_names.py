"""Names that people give hold no character that nobody sees: on every page and in the API, said at the field."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.errors import InvalidInput
from tenants import services
from tenants.models import ApiKey, Membership, Tenant
from tenants.oauth.models import Application
from tenants.people import invitations
from tenants.scim.models import Token
from tests.builders import make_principal

pytestmark = pytest.mark.usefixtures("no_tries_counted")

TURNED = "ci\u202egnp"
PASSWORD = "quite another battery"


def test_the_api_refuses_the_name_of_a_key_with_its_place(
    api_client: Callable[..., APIClient], acme: Tenant
) -> None:
    client = api_client("admin")
    wanted = {"name": "ci", "role": "viewer", "scopes": ["runs.read"]}
    wanted |= {"expires_at": (timezone.now() + timedelta(days=30)).isoformat()}
    made = client.post("/api/v2/api-keys", wanted)
    address = f"/api/v2/api-keys/{made.json()['id']}"
    before = ApiKey.objects.count()

    answers = (
        client.post("/api/v2/api-keys", {**wanted, "name": TURNED}),
        client.patch(address, {"name": TURNED}, headers={"If-Match": made["ETag"]}),
    )

    for answer in answers:
        assert answer.status_code == 422, answer.content
        assert answer["Content-Type"] == "application/problem+json"
        [problem] = answer.json()["errors"]
        assert problem["pointer"] == "/name"
        assert "U+202E RIGHT-TO-LEFT OVERRIDE" in problem["detail"]
    assert ApiKey.objects.count() == before
    assert not ApiKey.objects.filter(name=TURNED).exists()


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/settings/keys/issue", {"role": "viewer", "lifetime_days": "30"}),
        ("/settings/applications/create", {"kind": "service", "permissions": ["runs.read"]}),
        ("/settings/provisioning/tokens", {"lifetime_days": "30"}),
    ],
)
def test_a_page_says_at_the_field_which_character_it_is(
    path: str, values: dict[str, object], client_for: Callable[..., Client], acme: Tenant
) -> None:
    answer = client_for("owner").post(path, {"name": TURNED, **values})

    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"name"}
    text = answer.content.decode()
    assert "A name holds no character that nobody sees (U+202E RIGHT-TO-LEFT OVERRIDE)" in text
    for model in (ApiKey, Application, Token):
        assert not model.objects.filter(name=TURNED).exists()


def test_a_member_has_a_name_that_can_be_read(client_for: Callable[..., Client], acme: Tenant) -> None:
    token = invitations.invite(
        principal=make_principal("admin"), email="new@acme.example", role="viewer"
    ).token
    values = {"name": TURNED, "password": PASSWORD, "again": PASSWORD}

    answer = client_for(None).post(f"/join/{token}", values)

    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"name"}
    with pytest.raises(InvalidInput, match="nobody sees"):
        services.add_member(actor="test", email="other@acme.example", role="viewer", name="O\x07ther")
    assert not Membership.objects.filter(user__email__in=("new@acme.example", "other@acme.example")).exists()
