"""Second factors: setting up, signing in with them, losing them, and an organisation that demands them."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from fido2.utils import websafe_encode
from rest_framework.test import APIClient

from core.errors import Conflict, Forbidden, NotFound
from core.models import AuditEvent
from core.tenancy import shared_context, tenant_context
from tenants import queries, role_services, services
from tenants.models import Membership, Tenant
from tenants.people import factors, passwords
from tenants.people.proof import RECORDS
from tests.builders import make_principal
from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("no_tries_counted")

Clients = Callable[..., Client]
EMAIL = "operator@acme.example"
ROOM_SECONDS = 10


def code_of(secret: str, *, step: int = 0) -> str:
    """What an app with this secret shows now, or some steps of 30 seconds later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step)))


def wait_for_room() -> None:
    """Until enough of the 30 seconds of a code is left for the test to see no other one."""
    left = 30 - time.time() % 30
    if left < ROOM_SECONDS:
        time.sleep(left + 0.01)


def set_up_app(client: Client) -> tuple[str, list[str]]:
    """The secret of a new authenticator app and the recovery codes that come with it."""
    page = client.get("/me/security/app").content.decode()
    secret = re.search(r'id="secret">([A-Z2-7]+)<', page)
    assert secret is not None
    shown = client.post("/me/security/app", {"code": code_of(secret[1])}).content.decode()
    return secret[1], re.findall(r"^.*(\d{5} \d{5})$", shown, re.MULTILINE)


def sign_in(client: Client, code: str | None = None, *, email: str = EMAIL) -> str:
    """Where signing in with the password, and then with a code, leads."""
    answer = client.post("/login", {"login": email, "password": PASSWORD})
    if code is not None and answer.status_code == 302:
        answer = client.post("/login/factor", {"code": code})
    return str(answer["Location"]) if answer.status_code == 302 else str(answer.status_code)


def demand_factors() -> None:
    with shared_context():
        Tenant.objects.filter(schema_name="acme").update(mfa_required=True)


def test_an_app_is_set_up_with_a_picture_drawn_here_and_asked_for_from_then_on(
    client_for: Clients, acme: Tenant
) -> None:
    client = client_for("operator")

    page = client.get("/me/security/app")
    secret, codes = set_up_app(client)

    assert b"<svg" in page.content
    assert page["Cache-Control"] == "no-store"
    assert len(codes) == 10
    stranger = client_for(None)
    assert sign_in(stranger) == "/login/factor"
    assert stranger.get("/api/v1/members").status_code == 401
    assert sign_in(stranger, code_of(secret, step=1)) == "/"
    assert stranger.get("/api/v1/members").status_code == 200
    actions = AuditEvent.objects.filter(actor=EMAIL).values_list("action", flat=True)
    assert list(actions).count("tenants.factor.add") == 1


def test_the_secret_is_sealed_and_worth_nothing_in_another_organisation(
    client_for: Clients, acme: Tenant
) -> None:
    secret, codes = set_up_app(client_for("operator"))

    stored = str(list(Authenticator.objects.values_list("data", flat=True)))

    assert secret not in stored
    assert not any(code.replace(" ", "") in stored for code in codes)
    with tenant_context("globex"):
        assert not Authenticator.objects.exists()


def test_a_wrong_code_lets_nobody_in_and_many_are_refused(client_for: Clients, acme: Tenant) -> None:
    set_up_app(client_for("operator"))
    client = client_for(None)

    answers = [sign_in(client, "000000") for _ in range(5)]
    refused_try = client.post("/login/factor", {"code": "000000"})

    assert set(answers) == {"200"}
    assert refused_try.status_code == 429
    assert 0 < int(refused_try["Retry-After"]) <= 60
    assert "Too many tries" in refused_try.content.decode()
    assert client.get("/api/v1/members").status_code == 401
    refused = AuditEvent.objects.filter(action="tenants.factor.refused").count()
    assert 1 <= refused <= 6


def test_a_recovery_code_works_once(client_for: Clients, acme: Tenant) -> None:
    _, codes = set_up_app(client_for("operator"))

    assert sign_in(client_for(None), codes[0]) == "/"
    assert sign_in(client_for(None), codes[0]) == "200"
    membership = Membership.objects.get(user__email=EMAIL)
    assert factors.factors_of(membership.user_id).codes_left == 9


def test_new_recovery_codes_replace_the_old_ones(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")
    _, old = set_up_app(client)

    shown = client.post("/me/security/recovery-codes").content.decode()

    new = re.findall(r"\d{5} \d{5}", shown)
    assert len(new) == 10
    assert not set(new) & set(old)


def test_an_app_needs_the_right_code_to_count(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")
    client.get("/me/security/app")

    answer = client.post("/me/security/app", {"code": "000000"})

    assert answer.status_code == 422
    assert "not the code that the app shows" in answer.content.decode()
    assert sign_in(client_for(None)) == "/"


def half_way(client: Client, address: str = "192.0.2.7", *, email: str = EMAIL) -> Client:
    """Before the second step, at an address of its own."""
    client.defaults["REMOTE_ADDR"] = address
    assert sign_in(client, email=email) == "/login/factor"
    return client


def test_wrong_codes_of_one_person_keep_nobody_else_at_the_address_out(
    client_for: Clients, acme: Tenant
) -> None:
    """An office has one address; the library would let ten tries a minute come from it, for all persons."""
    set_up_app(client_for("operator"))
    _, codes = set_up_app(client_for("viewer"))
    stranger = half_way(client_for(None))
    for code in ["000000"] * 10 + ["0000000000"] * 10:
        stranger.post("/login/factor", {"code": code})

    colleague = half_way(client_for(None), email="viewer@acme.example")

    assert colleague.post("/login/factor", {"code": codes[0]}).status_code == 302


def test_an_address_has_thirty_wrong_tries_at_once_and_right_ones_do_not_count(
    client_for: Clients, acme: Tenant
) -> None:
    _, codes = set_up_app(client_for("operator"))
    right = [half_way(client_for(None)).post("/login/factor", {"code": code}) for code in codes[:5]]
    stranger = half_way(client_for(None))

    wrong = [stranger.post("/login/factor", {"credential": '{"id": "a"}'}) for _ in range(32)]

    assert [one.status_code for one in right] == [302] * 5
    assert {one.status_code for one in wrong[:30]} == {200}
    assert (wrong[-1].status_code, wrong[-1]["Retry-After"] in ("1", "2")) == (429, True)
    assert "Too many tries" in wrong[-1].content.decode()


def test_thirty_people_sign_in_at_one_address_within_a_minute(client_for: Clients, acme: Tenant) -> None:
    answers = [sign_in(client_for(None)) for _ in range(32)]

    assert answers == ["/"] * 32


def test_who_blocks_the_app_of_a_person_blocks_neither_recovery_codes_nor_keys(
    client_for: Clients, acme: Tenant
) -> None:
    secret, codes = set_up_app(client_for("operator"))
    stranger = half_way(client_for(None))
    blocked = [stranger.post("/login/factor", {"code": "000000"}).status_code for _ in range(6)]
    for number in range(8):
        stranger.post("/login/factor", {"code": f"{number:010}"})

    owner = half_way(client_for(None), "192.0.2.9")

    assert blocked == [200] * 5 + [429]
    assert owner.post("/login/factor", {"code": code_of(secret, step=1)}).status_code == 429
    assert owner.post("/login/factor", {"credential": '{"id": "a"}'}).status_code == 200  # asked, and wrong
    assert owner.post("/login/factor", {"code": codes[0]}).status_code == 302


def test_a_wrong_key_at_the_second_step_is_in_the_audit_trail(client_for: Clients, acme: Tenant) -> None:
    set_up_app(client_for("operator"))

    half_way(client_for(None)).post("/login/factor", {"credential": '{"response": {}, "id": "a"}'})

    noted = AuditEvent.objects.latest("seq")
    assert (noted.action, noted.actor) == ("tenants.factor.refused", EMAIL)


def test_a_new_password_ends_sign_ins_that_are_half_way(client_for: Clients, acme: Tenant) -> None:
    """Whoever knew the old one tries no factor any more, and so blocks nobody's."""
    secret, _ = set_up_app(client_for("operator"))
    thief = half_way(client_for(None))
    membership = Membership.objects.get(user__email=EMAIL)

    passwords.set_password(
        token=passwords.make_link(actor="test", membership=membership), password="quite another battery"
    )
    answers = [thief.post("/login/factor", {"code": "000000"}).status_code for _ in range(6)]

    assert answers == [403] + [302] * 5  # told, then led to the sign-in
    owner = client_for(None)
    owner.post("/login", {"login": EMAIL, "password": "quite another battery"})
    assert owner.post("/login/factor", {"code": code_of(secret, step=1)}).status_code == 302


NO_CREDENTIALS = {
    "empty": "",
    "no JSON": "x",
    "null": "null",
    "list": "[]",
    "text": '"x"',
    "nothing": "{}",
    "number": '{"id": 1}',
    "halves": '{"response": {}, "id": "a"}',
    "nested": '{"a":' * 3000 + "1" + "}" * 3000,
    "nested lists": "[" * 100_000,
    "nested less": '{"a":' * 400 + "1" + "}" * 400,
    "long number": "9" * 5000,
    "not a number": '{"id": NaN}',
    "twice": '{"id": "a", "id": "b"}',
    "NUL": '{"id": "a\\u0000"}',
    "half a character": '{"id": "\\ud800"}',
    "nested CBOR": json.dumps(
        {
            "id": "YQ",
            "rawId": "YQ",
            "type": "public-key",
            "response": {
                "clientDataJSON": websafe_encode(
                    b'{"type": "webauthn.create", "challenge": "YQ", "origin": "x"}'
                ),
                "attestationObject": websafe_encode(b"\x81" * 3000),
                "authenticatorData": websafe_encode(bytes(32) + b"\xc0" + bytes(4) + b"\x81" * 3000),
                "signature": "YQ",
            },
        }
    ),
}


@pytest.mark.parametrize("credential", NO_CREDENTIALS.values(), ids=NO_CREDENTIALS)
def test_what_is_no_credential_is_refused_and_never_an_error(
    client_for: Clients, acme: Tenant, credential: str
) -> None:
    client = client_for("operator")
    client.get("/me/security/key")

    added = client.post("/me/security/key", {"credential": credential, "name": "x"})
    confirmed = client.post("/me/confirm", {"with": "credential", "credential": credential})
    set_up_app(client)
    half = client_for(None)
    sign_in(half)
    second = half.post("/login/factor", {"credential": credential})

    assert (added.status_code, confirmed.status_code, second.status_code) == (422, 422, 200)


def test_a_key_that_is_none_is_in_the_audit_trail(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")

    client.post("/me/confirm", {"with": "credential", "credential": '{"response": {}, "id": "a"}'})

    noted = AuditEvent.objects.latest("seq")
    assert (noted.action, noted.actor) == ("tenants.factor.refused", EMAIL)


def test_the_last_factor_goes_with_its_recovery_codes(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")
    set_up_app(client)
    factor = Authenticator.objects.get(type="totp")

    assert client.post(f"/me/security/factors/{factor.pk}/remove").status_code == 302
    assert not Authenticator.objects.exists()
    assert sign_in(client_for(None)) == "/"


def test_nobody_removes_the_factor_of_another(client_for: Clients, acme: Tenant) -> None:
    set_up_app(client_for("operator"))
    factor = Authenticator.objects.get(type="totp")

    assert client_for("admin").post(f"/me/security/factors/{factor.pk}/remove").status_code == 404
    assert Authenticator.objects.filter(pk=factor.pk).exists()


def test_a_code_confirms_that_it_is_still_the_person(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")
    secret, codes = set_up_app(client)

    right = client.post("/me/confirm", {"with": "code", "code": code_of(secret, step=1), "next": "/me"})
    again = client.post("/me/confirm", {"with": "code", "code": code_of(secret, step=1)})
    recovery = client.post("/me/confirm", {"with": "code", "code": codes[3], "next": "/me"})

    assert (right.status_code, again.status_code, recovery.status_code) == (302, 422, 302)


def test_where_factors_are_demanded_a_password_opens_the_own_profile_only(
    client_for: Clients, api_client: Callable[..., APIClient], acme: Tenant
) -> None:
    demand_factors()
    client = client_for("operator")

    page, api = client.get("/runs?q=x"), client.get("/api/v1/members")
    told = client.get("/me/second-factor?next=/runs")

    assert (page.status_code, page["Location"]) == (302, "/me/second-factor?next=%2Fruns%3Fq%3Dx")
    assert (api.status_code, api.json()["code"]) == (403, "second_factor_required")
    assert "asks for a second factor" in told.content.decode()
    assert client.get("/me").status_code == 200
    assert api_client("operator").get("/api/v1/members").status_code == 200


def test_setting_one_up_opens_the_rest_at_once_and_it_must_stay(client_for: Clients, acme: Tenant) -> None:
    demand_factors()
    client = client_for("operator")

    secret, _ = set_up_app(client)

    assert client.get("/api/v1/members").status_code == 200
    factor = Authenticator.objects.get(type="totp")
    assert client.post(f"/me/security/factors/{factor.pk}/remove").status_code == 409
    other = client_for(None)
    sign_in(other, code_of(secret, step=1))
    assert other.get("/api/v1/members").status_code == 200


def test_a_factor_that_is_set_up_ends_all_other_sessions(client_for: Clients, acme: Tenant) -> None:
    """Somebody who knew the password may be in one of them."""
    before, other, colleague = client_for("operator"), client_for("operator"), client_for("viewer")

    set_up_app(other)

    statuses = [one.get("/api/v1/members").status_code for one in (before, other, colleague)]
    assert statuses == [401, 200, 200]
    assert AuditEvent.objects.get(action="tenants.factor.add").data["sessions"] == 1


def with_the_password_alone(client: Client) -> Client:
    """A session as a sign-in leaves it that began just before there was a factor."""
    session = client.session
    session[RECORDS] = [{"method": "password", "at": time.time()}]
    session.save()
    return client


CHANGES: dict[str, Callable[[Client], object]] = {
    "new recovery codes": lambda thief: thief.post("/me/security/recovery-codes"),
    "removed": lambda thief: thief.post(
        f"/me/security/factors/{Authenticator.objects.exclude(type='recovery_codes').get().pk}/remove"
    ),
    "a factor of their own": lambda thief: thief.post(
        "/me/security/key", {"name": "Mine", "credential": '{"id": "a"}'}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_session_with_the_password_alone_changes_no_factor(
    client_for: Clients, acme: Tenant, change: str
) -> None:
    set_up_app(client_for("operator"))
    factors_before = list(Authenticator.objects.order_by("pk").values_list("pk", "data"))
    thief = with_the_password_alone(client_for("operator"))

    answer: Any = CHANGES[change](thief)

    assert answer.status_code == 403
    assert "has not shown your second factor" in answer.content.decode()
    assert list(Authenticator.objects.order_by("pk").values_list("pk", "data")) == factors_before


def test_who_has_a_factor_confirms_with_it_and_not_with_the_password(
    client_for: Clients, acme: Tenant
) -> None:
    client = client_for("operator")
    secret, _ = set_up_app(client)

    page = client.get("/me/confirm").content.decode()
    password = client.post("/me/confirm", {"with": "password", "password": PASSWORD, "next": "/me"})
    code = client.post("/me/confirm", {"with": "code", "code": code_of(secret, step=1), "next": "/me"})

    assert 'value="password"' not in page
    assert (password.status_code, code.status_code) == (403, 302)
    assert "You have a second factor here" in password.content.decode()


def test_an_admin_resets_the_factors_of_somebody_who_lost_them(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")
    set_up_app(client)
    membership = Membership.objects.select_related("user").get(user__email=EMAIL)

    assert factors.reset_factors(actor=make_principal("admin"), membership=membership) == 2

    assert client.get("/api/v1/members").status_code == 401
    assert sign_in(client_for(None)) == "/"
    event = AuditEvent.objects.get(action="tenants.member.reset_factors")
    assert (event.actor, event.data["email"], event.data["factors"]) == ("admin@acme.example", EMAIL, 2)


@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("operator", "An admin of Acme Audit can reset it."),
        ("sso-setter", "An owner of Acme Audit can reset it."),  # holds more than an admin
        ("owner", "nobody else in Acme Audit can reset your second factor."),
    ],
)
def test_the_second_step_says_who_resets_a_lost_factor(
    client_for: Clients, acme: Tenant, role: str, words: str
) -> None:
    if role == "sso-setter":
        role_services.create_role(
            principal=make_principal("owner"),
            name="SSO setter",
            key=role,
            permissions=["organisation.delete"],
        )
        services.change_role(actor="test", membership=queries.members().get(user__email=EMAIL), role=role)
    email = "owner@acme.example" if role == "owner" else EMAIL
    set_up_app(client_for("owner" if role == "owner" else "operator"))
    client = client_for(None)
    client.post("/login", {"login": email, "password": PASSWORD})

    assert words in client.get("/login/factor").content.decode()


def test_a_second_app_is_not_told_as_a_success(client_for: Clients, acme: Tenant) -> None:
    client = client_for("operator")
    set_up_app(client)

    page = client.get("/me/security/app", follow=True)

    [told] = page.context["messages"]
    assert (told.level_tag, str(told)[:37]) == ("info", "You have an authenticator app already")


def test_an_admin_does_not_reset_an_owner(acme: Tenant) -> None:
    owner = Membership.objects.select_related("user").get(user__email="owner@acme.example")

    with pytest.raises(Forbidden):
        factors.reset_factors(actor=make_principal("admin"), membership=owner)


def test_recovery_codes_need_a_factor_to_recover(acme: Tenant) -> None:
    user = Membership.objects.get(user__email=EMAIL).user

    with pytest.raises(Conflict):
        factors.make_recovery_codes({}, user)
    with pytest.raises(NotFound):
        factors.remove_factor({}, user, 1)


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_a_code_of_an_app_counts_once_as_long_as_it_is_valid(
    client_for: Clients, acme: Tenant, step: int
) -> None:
    """The library remembers it for 30 seconds only; two of three codes that are valid outlive that."""
    wait_for_room()
    client = client_for("operator")
    secret, _ = set_up_app(client)
    membership = Membership.objects.get(user__email=EMAIL)
    code = code_of(secret, step=step)
    used_in_set_up = step == 0

    first = sign_in(client_for(None), code)
    cache.delete(f"allauth.mfa.totp.used?user={membership.user_id}&code={code}")  # as after 30 seconds
    second = sign_in(client_for(None), code)
    cache.delete(f"allauth.mfa.totp.used?user={membership.user_id}&code={code}")
    confirmed = client.post("/me/confirm", {"with": "code", "code": code, "next": "/me"})

    assert (first, second, confirmed.status_code) == ("200" if used_in_set_up else "/", "200", 422)
