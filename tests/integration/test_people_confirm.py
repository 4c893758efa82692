"""Step-up: sensitive acts need a fresh proof that the session is still its person."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient
from rest_framework.views import APIView

from config import urls
from core.models import AuditEvent
from core.permissions import Permission, requires, step_up
from tenants import services
from tenants.models import Membership, Tenant
from tenants.people.proof import FRESH_SECONDS, RECORDS
from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("no_tries_counted")

Clients = Callable[..., Client]


@step_up("POST")
@requires(GET=Permission.MEMBER, POST=Permission.MEMBER)
def sensitive_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


@step_up("POST")
@requires(GET=Permission.MEMBER, POST=Permission.MEMBER)
class SensitiveEndpoint(APIView):
    def get(self, request: Request) -> Response:
        return Response({})

    def post(self, request: Request) -> Response:
        return Response({})


urlpatterns = [
    path("sensitive", sensitive_page),
    path("api/v1/sensitive", SensitiveEndpoint.as_view()),
    *urls.urlpatterns,
]


@pytest.fixture(autouse=True)
def sensitive_routes(settings: Settings) -> None:
    settings.ROOT_URLCONF = __name__


def grow_old(client: Client) -> None:
    """Make the session's last proof older than what counts as fresh."""
    session = client.session
    session[RECORDS] = [{**one, "at": one["at"] - FRESH_SECONDS} for one in session[RECORDS]]
    session.save()


def test_a_fresh_session_passes_and_an_old_one_is_asked_to_confirm(client_for: Clients, acme: Tenant) -> None:
    client = client_for("viewer")
    assert client.post("/sensitive").content == b"done"

    grow_old(client)
    asked = client.post("/sensitive", headers={"referer": "http://acme.localhost/settings/keys?x=1"})
    fragment = client.post(
        "/sensitive", headers={"hx-request": "true", "hx-current-url": "http://acme.localhost/me"}
    )

    assert (asked.status_code, asked["Location"]) == (302, "/me/confirm?next=%2Fsettings%2Fkeys")
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/me/confirm?next=%2Fme")
    assert client.get("/sensitive").content == b"done"


def test_the_api_says_what_to_do_and_asks_no_key(
    client_for: Clients, api_client: Callable[..., APIClient], acme: Tenant
) -> None:
    client = client_for("viewer")
    grow_old(client)

    refused = client.post("/api/v1/sensitive")

    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_required")
    assert client.get("/api/v1/sensitive").status_code == 200
    assert api_client("viewer").post("/api/v1/sensitive").status_code == 200


def test_the_password_renews_the_proof_and_leads_back(client_for: Clients, acme: Tenant) -> None:
    client = client_for("viewer")
    grow_old(client)

    wrong = client.post("/me/confirm", {"password": "not it", "next": "/me"})
    before = client.session.session_key
    right = client.post("/me/confirm", {"password": PASSWORD, "next": "/me"})

    assert wrong.status_code == 422
    assert "not your password" in wrong.content.decode()
    assert (right.status_code, right["Location"]) == (302, "/me")
    assert client.session.session_key != before
    assert client.post("/sensitive").content == b"done"
    assert AuditEvent.objects.latest("seq").action == "tenants.member.confirm"


def test_a_wrong_password_is_in_the_audit_trail_and_a_flood_of_them_leaves_few(
    client_for: Clients, acme: Tenant
) -> None:
    client = client_for("viewer")

    client.post("/me/confirm", {"password": "my other secret"})
    noted = AuditEvent.objects.latest("seq")
    for _ in range(8):
        client.post("/me/confirm", {"password": "guess"})

    assert (noted.action, noted.actor) == ("tenants.member.confirm_failed", "viewer@acme.example")
    assert (noted.data["method"], noted.data["address"]) == ("password", "127.0.0.1")
    assert "my other secret" not in str(noted.data)
    assert 1 <= AuditEvent.objects.filter(action="tenants.member.confirm_failed").count() <= 5


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_confirming_leads_nowhere_else(client_for: Clients, acme: Tenant, target: str) -> None:
    response = client_for("admin").post("/me/confirm", {"password": PASSWORD, "next": target})

    assert response["Location"] == "/"


def test_guessing_at_the_confirmation_is_slowed_down(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")

    answers = [client.post("/me/confirm", {"with": "password", "password": "guess"}) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [422] * 6 + [429]
    assert int(answers[-1]["Retry-After"]) > 0


def test_ended_access_is_out_at_once_and_stays_on_record(
    client_for: Clients, api_client: Callable[..., APIClient], acme: Tenant
) -> None:
    browser, script = client_for("operator"), api_client("operator")
    membership = Membership.objects.get(user__email="operator@acme.example")

    services.end_access(membership, actor="test", reason="left the firm")

    assert browser.get("/api/v1/members").status_code == 401
    assert script.get("/api/v1/members").status_code == 401
    sign_in = client_for(None).post("/login", {"login": "operator@acme.example", "password": PASSWORD})
    assert sign_in.status_code == 200
    assert AuditEvent.objects.filter(action="tenants.member.end_access").count() == 1
    assert Membership.objects.filter(pk=membership.pk, is_active=False).exists()


def test_access_can_be_given_again(client_for: Clients, acme: Tenant) -> None:
    membership = Membership.objects.get(user__email="operator@acme.example")
    services.end_access(membership, actor="test", reason="left")

    services.give_access(membership, actor="test", reason="came back")

    sign_in = client_for(None).post("/login", {"login": "operator@acme.example", "password": PASSWORD})
    assert sign_in.status_code == 302
