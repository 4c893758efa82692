"""Getting tokens: services for themselves, applications for people who agreed. What each may, and how it ends."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from core.models import AuditEvent
from core.permissions import CATALOGUE
from core.tenancy import shared_context, tenant_context
from tenants import services as members
from tenants.models import Membership, Tenant, User
from tenants.oauth import services as oauth
from tenants.oauth.models import Application, AuthorizationCode, Grant, RefreshToken, SigningKey
from tenants.roles import PERMISSIONS, Role
from tests.builders import make_principal, set_last_day, sign_in, way_on
from tests.contract.world import config_text
from tests.oauth.conftest import BACK, VERIFIER, App, api, code_for, own_token, question, redeem, token_of

pytestmark = pytest.mark.usefixtures("acme")

Apps = Callable[..., App]
Browsers = Callable[..., Client]


def _events() -> list[str]:
    return list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))


def _refresh(client: Client, app: App, token: str, **form: str) -> Any:
    return token_of(client, app, grant_type="refresh_token", refresh_token=token, **form)


# -- services ------------------------------------------------------------------------------------------------


def test_a_service_does_what_its_scopes_say_and_nothing_else(app: Apps, caller: Client, acme: Tenant) -> None:
    token = own_token(caller, app("service", ("members.read", "configs.write")))

    assert api(caller, token).status_code == 200
    assert api(caller, token, "/api/v1/runs").status_code == 403


def test_a_service_asks_for_less_than_it_may(app: Apps, caller: Client) -> None:
    service = app("service", ("members.read", "runs.read"))

    token = own_token(caller, service, scope="runs.read")

    assert api(caller, token, "/api/v1/runs").status_code == 200
    assert api(caller, token).status_code == 403
    more = token_of(caller, service, grant_type="client_credentials", scope="keys.manage")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")


def test_the_audit_trail_names_the_application(app: Apps, caller: Client, acme: Tenant) -> None:
    service = app("service", ("configs.write",))
    token = own_token(caller, service)

    made = caller.post(
        "/api/v1/configs",
        {"text": config_text("acme")},
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )

    assert made.status_code == 201
    assert AuditEvent.objects.latest("seq").actor == f"application:{service.client_id}"


def test_a_service_has_no_keys_of_a_person(app: Apps, caller: Client) -> None:
    token = own_token(caller, app("service", ("keys.write", "keys.read", "runs.read")))

    answer = caller.get("/api/v2/api-keys", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 403


def test_a_deleted_application_is_dead_with_its_tokens(
    app: Apps, caller: Client, client_for: Browsers
) -> None:
    service = app()
    token = own_token(caller, service)
    row = Application.objects.get(client_id=service.client_id)

    assert client_for("owner").post(f"/settings/applications/{row.pk}/delete").status_code == 302

    assert api(caller, token).status_code == 401
    assert token_of(caller, service, grant_type="client_credentials").status_code == 401


def test_after_a_rotation_both_secrets_work_until_the_chosen_time(
    app: Apps, caller: Client, client_for: Browsers
) -> None:
    before = app()
    row = Application.objects.get(client_id=before.client_id)
    page = client_for("owner").post(f"/settings/applications/{row.pk}/rotate", {"overlap_hours": "1"})
    secret = page.content.decode().partition('id="secret">')[2].partition("<")[0]
    after = App(before.client_id, secret)
    assert secret.startswith(f"ds_app_{before.client_id}_")
    assert page["Cache-Control"] == "no-store"

    assert [
        token_of(caller, one, grant_type="client_credentials").status_code for one in (before, after)
    ] == [200, 200]
    Application.objects.filter(pk=row.pk).update(previous_until=timezone.now() - timedelta(seconds=1))
    assert [
        token_of(caller, one, grant_type="client_credentials").status_code for one in (before, after)
    ] == [401, 200]


def test_a_secret_that_is_replaced_at_once_ends_the_tokens_of_a_service(
    app: Apps, caller: Client, acme: Tenant
) -> None:
    service, owner = app("service"), make_principal("owner")
    row = Application.objects.get()
    before = own_token(caller, service)

    later = timezone.now() + timedelta(hours=1)
    oauth.rotate_secret(principal=owner, application=row, previous_until=later)
    assert api(caller, before).status_code == 200
    renewed = oauth.rotate_secret(principal=owner, application=row)

    assert api(caller, before).status_code == 401
    assert api(caller, own_token(caller, App(row.client_id, renewed.secret))).status_code == 200


@pytest.mark.parametrize("secret", ["", "guess", "ds_app_000000000000_" + "A" * 49])
def test_a_wrong_secret_gets_no_token(app: Apps, caller: Client, secret: str) -> None:
    answer = token_of(caller, App(app().client_id, secret), grant_type="client_credentials")

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert "WWW-Authenticate" in answer


def test_guessing_secrets_gets_slow(app: Apps, caller: Client) -> None:
    wrong = App(app().client_id, "guess")

    statuses = [token_of(caller, wrong, grant_type="client_credentials").status_code for _ in range(35)]

    assert statuses[0] == 401
    assert statuses[-1] == 429


def test_an_application_of_another_organisation_is_unknown_here(app: Apps, caller: Client) -> None:
    assert token_of(caller, app(organisation="globex"), grant_type="client_credentials").status_code == 401


def test_nobody_registers_an_application_that_may_more_than_they(client_for: Browsers, acme: Tenant) -> None:
    form = {"name": "x", "kind": "service", "permissions": ["organisation.delete"], "redirect_uris": ""}

    assert client_for("admin").post("/settings/applications/create", form).status_code == 422
    assert client_for("operator").post("/settings/applications/create", form).status_code == 403
    assert not Application.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        "http://app.example/x",
        "https://app.example/#x",
        "https://a@app.example/",
        "javascript:alert(1)",
        "https://*.x/",
        "http://app.example[::1]/",
        "http://[::1]app.example/",
    ],
)
def test_only_safe_redirect_addresses_are_registered(
    client_for: Browsers, acme: Tenant, address: str
) -> None:
    form = {"name": "x", "kind": "web", "permissions": ["runs.read"], "redirect_uris": address}

    answer = client_for("owner").post("/settings/applications/create", form)

    assert answer.status_code == 422
    assert "cannot be a redirect address" in answer.content.decode()


# -- people --------------------------------------------------------------------------------------------------


def test_a_person_who_agrees_lets_an_application_act_for_them(
    app: Apps, caller: Client, client_for: Browsers, acme: Tenant
) -> None:
    web, browser = app("web", ("members.read", "members.write")), client_for("viewer")
    page = browser.get("/oauth/authorize", question(web, scope="members.read members.write"))
    assert page.status_code == 200
    assert "See who belongs to the organisation" in page.content.decode()
    assert "lasts 90 days at most, and ends when it is not used for 14" in " ".join(
        page.content.decode().split()
    )
    assert "Add people" not in page.content.decode()  # a viewer may not, so it cannot be given

    answer = redeem(caller, web, code_for(browser, web, scope="members.read members.write"))

    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["scope"] == "members.read"
    assert api(caller, answer.json()["access_token"]).status_code == 200
    assert _events()[-1] == "tenants.application.approve"


def test_the_answer_carries_state_and_issuer(app: Apps, client_for: Browsers) -> None:
    web = app("web")

    for decision, expected in (("allow", "code"), ("deny", "error")):
        answer = client_for("viewer").post("/oauth/authorize", {**question(web), "decision": decision})
        found = parse_qs(urlsplit(way_on(answer)).query)
        assert way_on(answer).startswith(BACK)
        assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("no-store", "no-referrer")
        assert (found["state"], found["iss"]) == (["as it was"], ["http://acme.localhost"])
        assert expected in found


def test_who_is_not_signed_in_signs_in_first(app: Apps, client_for: Browsers) -> None:
    answer = client_for(None).get("/oauth/authorize", question(app("web")))

    assert answer.status_code == 302
    assert answer["Location"].startswith("/login?next=")


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/back"},
        {"redirect_uri": BACK + "/../x"},
        {"redirect_uri": BACK + "?x=1"},
        {"redirect_uri": None},
        {"client_id": "0" * 12},
        {"client_id": None},
        {"client_id": "x\x00"},
    ],
)
def test_a_question_without_a_safe_way_back_goes_nowhere(
    app: Apps, client_for: Browsers, changes: dict[str, str | None]
) -> None:
    web = app("web")
    for answer in (
        client_for("viewer").get("/oauth/authorize", question(web, **changes)),
        client_for("viewer").post("/oauth/authorize", {**question(web, **changes), "decision": "allow"}),
    ):
        assert answer.status_code == 400
        assert not Grant.objects.exists()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unauthorized_client"),
        ({"scope": "keys.manage"}, "invalid_scope"),
    ],
)
def test_a_wrong_question_goes_back_as_an_error(
    app: Apps, client_for: Browsers, changes: dict[str, str | None], error: str
) -> None:
    answer = client_for("owner").get("/oauth/authorize", question(app("web"), **changes))

    assert way_on(answer).startswith(BACK)
    assert parse_qs(urlsplit(way_on(answer)).query)["error"] == [error]


def test_nobody_agrees_without_the_csrf_token(app: Apps, client_for: Browsers) -> None:
    browser = client_for("viewer")
    browser.handler.enforce_csrf_checks = True

    assert browser.post("/oauth/authorize", {**question(app("web")), "decision": "allow"}).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [{"code_verifier": "wrong" * 10}, {"redirect_uri": "https://app.example/other"}, {"code": "guess"}],
)
def test_a_code_needs_its_verifier_and_its_address(
    app: Apps, caller: Client, client_for: Browsers, changes: dict[str, str]
) -> None:
    web = app("web")
    code = code_for(client_for("viewer"), web)

    answer = redeem(caller, web, **({"code": code} | changes))

    assert answer.status_code == 400
    if "code" not in changes:
        assert redeem(caller, web, code).status_code == 400  # one try


def test_a_code_that_is_used_twice_ends_what_it_gave(app: Apps, caller: Client, client_for: Browsers) -> None:
    web = app("web")
    code = code_for(client_for("viewer"), web)
    first = redeem(caller, web, code).json()
    assert api(caller, first["access_token"]).status_code == 200

    assert redeem(caller, web, code).json()["error"] == "invalid_grant"

    assert api(caller, first["access_token"]).status_code == 401
    assert _events()[-1] == "tenants.application.end_grant"


def test_a_code_is_worth_nothing_after_a_minute_or_to_another_application(
    app: Apps, caller: Client, client_for: Browsers
) -> None:
    web, other = app("web"), app("web")
    code = code_for(client_for("viewer"), web)
    assert redeem(caller, other, code).json()["error"] == "invalid_grant"

    AuthorizationCode.objects.update(expires_at=timezone.now())

    assert redeem(caller, web, code).json()["error"] == "invalid_grant"


def test_an_app_without_a_secret_proves_itself_by_its_challenge(
    app: Apps, caller: Client, client_for: Browsers
) -> None:
    public = app("public")
    form = {
        "grant_type": "authorization_code",
        "client_id": public.client_id,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }

    answer = caller.post("/oauth/token", {**form, "code": code_for(client_for("viewer"), public)})

    assert answer.status_code == 200
    assert api(caller, answer.json()["access_token"]).status_code == 200
    own = caller.post("/oauth/token", {"grant_type": "client_credentials", "client_id": public.client_id})
    assert own.status_code == 401


def test_a_refresh_token_works_once_and_a_second_use_ends_the_family(
    app: Apps, caller: Client, client_for: Browsers
) -> None:
    web = app("web")
    first = redeem(caller, web, code_for(client_for("viewer"), web)).json()
    second = _refresh(caller, web, first["refresh_token"]).json()
    assert api(caller, second["access_token"]).status_code == 200
    assert second["refresh_token"] != first["refresh_token"]

    stolen = _refresh(caller, web, first["refresh_token"])

    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")
    for token in (first, second):
        assert api(caller, token["access_token"]).status_code == 401
    assert _refresh(caller, web, second["refresh_token"]).status_code == 400
    assert _events()[-1] == "tenants.application.end_grant"
    assert not RefreshToken.objects.filter(token_hash=second["refresh_token"]).exists()  # kept as hashes


def test_a_refreshed_token_may_less_and_never_more(app: Apps, caller: Client, client_for: Browsers) -> None:
    web = app("web", ("members.read", "runs.read"))
    first = redeem(caller, web, code_for(client_for("viewer"), web, scope="members.read")).json()

    more = _refresh(caller, web, first["refresh_token"], scope="members.read runs.read")
    assert (more.status_code, more.json()["error"]) == (400, "invalid_scope")

    assert _refresh(caller, web, first["refresh_token"]).status_code == 200


def test_tokens_follow_the_role_of_the_person_at_once(
    app: Apps, caller: Client, client_for: Browsers, acme: Tenant
) -> None:
    web = app("web", ("runs.write", "members.read"))
    browser = client_for("operator")
    token = redeem(caller, web, code_for(browser, web, scope="runs.write members.read")).json()[
        "access_token"
    ]
    told = {"token": token}
    assert (
        caller.post("/oauth/introspect", told, headers=web.basic).json()["scope"] == "runs.write members.read"
    )

    person = Membership.objects.get(user__email="operator@acme.example")
    members.change_role(actor="test", membership=person, role="viewer")

    assert caller.post("/oauth/introspect", told, headers=web.basic).json()["scope"] == "members.read"


def test_tokens_of_a_person_end_with_their_access(
    app: Apps, caller: Client, client_for: Browsers, acme: Tenant
) -> None:
    web = app("web")
    tokens = redeem(caller, web, code_for(client_for("viewer"), web)).json()
    person = Membership.objects.get(user__email="viewer@acme.example")

    members.end_access(person, actor="test", reason="test")
    members.give_access(person, actor="test", reason="test")

    assert api(caller, tokens["access_token"]).status_code == 401
    assert _refresh(caller, web, tokens["refresh_token"]).status_code == 400


def test_tokens_of_an_auditor_end_with_the_last_day_and_for_good(
    app: Apps, caller: Client, client_for: Browsers, acme: Tenant
) -> None:
    web = app("web")
    browser = client_for("auditor")
    tokens = redeem(caller, web, code_for(browser, web)).json()
    code = code_for(browser, web)
    person = Membership.objects.get(user__email="auditor@acme.example")
    set_last_day(person, timezone.now() - timedelta(seconds=1))

    over = _refresh(caller, web, tokens["refresh_token"])

    assert (over.status_code, over.json()["error"]) == (400, "invalid_grant")
    assert redeem(caller, web, code).json()["error"] == "invalid_grant"
    assert api(caller, tokens["access_token"]).status_code == 401

    members.change_role(
        actor="test", membership=person, role="auditor", role_until=timezone.now() + timedelta(days=5)
    )

    assert api(caller, tokens["access_token"]).status_code == 401
    assert _refresh(caller, web, tokens["refresh_token"]).status_code == 400


def test_a_later_last_day_leaves_consents_alone(
    app: Apps, caller: Client, client_for: Browsers, acme: Tenant
) -> None:
    web = app("web")
    tokens = redeem(caller, web, code_for(client_for("auditor"), web)).json()
    person = Membership.objects.get(user__email="auditor@acme.example")

    members.change_role(
        actor="test", membership=person, role="auditor", role_until=timezone.now() + timedelta(days=90)
    )

    assert api(caller, tokens["access_token"]).status_code == 200
    assert _refresh(caller, web, tokens["refresh_token"]).status_code == 200


def test_a_person_takes_back_what_they_granted(app: Apps, caller: Client, client_for: Browsers) -> None:
    web, browser = app("web"), client_for("viewer")
    token = redeem(caller, web, code_for(browser, web)).json()["access_token"]
    assert "web of acme" in browser.get("/me/applications").content.decode()
    grant = Grant.objects.get()
    assert client_for("operator").post(f"/me/applications/{grant.pk}/withdraw").status_code == 404

    assert browser.post(f"/me/applications/{grant.pk}/withdraw").status_code == 302

    assert api(caller, token).status_code == 401
    assert str(grant.pk) not in browser.get("/me/applications").content.decode()


def _withdraw(caller: Client, web: App, tokens: dict[str, str], browser: Client) -> None:
    browser.post(f"/me/applications/{Grant.objects.latest('created_at').pk}/withdraw")


def _revoke(caller: Client, web: App, tokens: dict[str, str], browser: Client) -> None:
    caller.post("/oauth/revoke", {"token": tokens["refresh_token"]}, headers=web.basic)


def _refresh_twice(caller: Client, web: App, tokens: dict[str, str], browser: Client) -> None:
    for _ in range(2):
        _refresh(caller, web, tokens["refresh_token"])


@pytest.mark.parametrize("end", [_withdraw, _revoke, _refresh_twice])
def test_invitations_that_an_application_sent_for_a_person_end_with_what_it_may_for_them(
    app: Apps, caller: Client, client_for: Browsers, end: Callable[..., None]
) -> None:
    """Also when the person agrees again: an old link stays dead."""
    scopes = sorted({"members.write", *PERMISSIONS[Role.VIEWER]} & set(CATALOGUE))
    scope = " ".join(scopes)
    web, browser = app("web", tuple(scopes)), client_for("admin")
    tokens = redeem(caller, web, code_for(browser, web, scope=scope)).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    body = {"email": "new@acme.example", "role": "viewer"}
    invited = caller.post("/api/v1/invitations", body, "application/json", headers=headers)
    link = urlsplit(invited.json()["link"]).path
    assert client_for(None).get(link).status_code == 200

    end(caller, web, tokens, browser)
    code_for(browser, web, scope=scope)

    assert client_for(None).get(link).status_code == 404


def test_another_account_in_a_membership_is_another_subject(
    app: Apps, caller: Client, client_for: Browsers
) -> None:
    """A directory may give the membership of one person to another account."""
    web = app("web")

    def subject(email: str = "viewer@acme.example") -> str:
        browser = client_for(None)
        sign_in(browser, email, "acme")
        tokens = redeem(caller, web, code_for(browser, web)).json()
        form = {"token": tokens["access_token"]}
        told = caller.post("/oauth/introspect", form, headers=web.basic).json()
        return str(told["sub"])

    first, again = subject(), subject()
    membership = Membership.objects.get(user__email="viewer@acme.example")
    with shared_context():
        other = User.objects.create_user("renamed@acme.example")
        Membership.objects.filter(pk=membership.pk).update(user=other)

    assert first == again
    assert first not in (str(membership.pk), str(membership.user_id))
    assert subject("renamed@acme.example") != first


def test_revoking_a_refresh_token_ends_everything_under_it(
    app: Apps, caller: Client, client_for: Browsers
) -> None:
    web = app("web")
    tokens = redeem(caller, web, code_for(client_for("viewer"), web)).json()

    assert (
        caller.post("/oauth/revoke", {"token": tokens["refresh_token"]}, headers=web.basic).status_code == 200
    )

    assert api(caller, tokens["access_token"]).status_code == 401
    assert _refresh(caller, web, tokens["refresh_token"]).status_code == 400


# -- the endpoints -------------------------------------------------------------------------------------------


def test_introspection_tells_an_application_about_its_own_tokens_only(app: Apps, caller: Client) -> None:
    service, stranger = app(), app()
    told = {"token": own_token(caller, service)}

    own = caller.post("/oauth/introspect", told, headers=service.basic).json()
    others = caller.post("/oauth/introspect", told, headers=stranger.basic).json()

    assert own["active"] is True
    assert (own["client_id"], own["scope"]) == (service.client_id, "members.read")
    assert others == {"active": False}
    assert caller.post("/oauth/introspect", told).status_code == 401


def test_the_metadata_names_what_is_there_on_this_host(caller: Client) -> None:
    found = caller.get("/.well-known/oauth-authorization-server").json()

    assert found["issuer"] == "http://acme.localhost"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert caller.get(urlsplit(found["jwks_uri"]).path).status_code == 200
    for name in ("token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert caller.get(urlsplit(found[name]).path).status_code == 405


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"grant_type": "password", "username": "a", "password": "b"},
        {"grant_type": "implicit"},
        {"grant_type": "client_credentials", "scope": "x" * 5000},
        {"grant_type": "client_credentials", "scope": "nul\x00"},
        {"grant_type": ["client_credentials", "client_credentials"]},
        {"grant_type": "authorization_code"},
        {"grant_type": "refresh_token", "refresh_token": "x", "user": "1", "client": "2", "grant": "3"},
    ],
)
def test_a_broken_request_is_the_callers_fault(app: Apps, caller: Client, form: dict[str, object]) -> None:
    answer = caller.post("/oauth/token", form, headers=app("web").basic)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/json"
    assert "error" in answer.json()


def test_the_command_rotates_the_keys_of_the_organisations_that_it_names(app: Apps, caller: Client) -> None:
    own_token(caller, app())

    call_command("rotate_token_keys", "acme")

    with tenant_context("acme"):
        assert SigningKey.objects.count() == 2
    with tenant_context("globex"):
        assert not SigningKey.objects.exists()
