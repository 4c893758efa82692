"""Links that people make for others end with what their maker may do; links asked for oneself do not."""

import itertools
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.errors import Forbidden, NotFound
from core.permissions import Permission, Principal
from core.tenancy import shared_context
from tenants import key_services, services
from tenants.models import ApiKey, Membership, Tenant
from tenants.oauth import services as oauth
from tenants.oauth.models import Application, Grant
from tenants.people import factors, invitations, passwords, sessions
from tenants.people.models import PasswordLink
from tenants.people.tokens import WORDS_FOR_NONE, digest_of
from tests.builders import key_id_of, make_api_key, make_principal
from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("no_tries_counted")

NEW = "quite another battery"
Clients = Callable[..., Client]


def member(name: str) -> Membership:
    return Membership.objects.select_related("user").get(user__email=f"{name}@acme.example")


def leave(maker: Membership) -> None:
    services.remove_member(actor="test", membership=maker)


def come_back(maker: Membership) -> None:
    leave(maker)
    services.add_member(actor="test", email=maker.user.email, role="admin", password=NEW)


FATES: dict[str, Callable[[Membership], object]] = {
    "removed": leave,
    "removed and a new member": come_back,
    "demoted": lambda maker: services.change_role(actor="test", membership=maker, role="operator"),
    "deactivated by a directory": lambda maker: services.end_access(maker, actor="scim", reason="scim"),
}


def is_refused(client: Client, path: str, act: Callable[[], object]) -> bool:
    answer = client.get(path)
    with pytest.raises(NotFound, match=re.escape(WORDS_FOR_NONE)):
        act()
    return answer.status_code == 404 and "not valid, or not any more" in answer.content.decode()


@pytest.mark.parametrize("fate", FATES)
def test_an_invitation_ends_with_what_its_maker_may(client_for: Clients, acme: Tenant, fate: str) -> None:
    token = invitations.invite(
        principal=make_principal("admin"), email="new@acme.example", role="viewer"
    ).token
    assert client_for(None).get(f"/join/{token}").status_code == 200

    FATES[fate](member("admin"))

    assert is_refused(
        client_for(None),
        f"/join/{token}",
        lambda: invitations.accept(token=token, name="New", password=NEW),
    )
    assert not Membership.objects.filter(user__email="new@acme.example").exists()


@pytest.mark.parametrize("fate", FATES)
def test_a_password_link_ends_with_what_its_maker_may(client_for: Clients, acme: Tenant, fate: str) -> None:
    operator = member("operator")
    token = passwords.make_link(actor=make_principal("admin"), membership=operator)
    assert client_for(None).get(f"/login/password/{token}").status_code == 200

    FATES[fate](member("admin"))

    assert is_refused(
        client_for(None),
        f"/login/password/{token}",
        lambda: passwords.set_password(token=token, password=NEW),
    )
    assert member("operator").password == operator.password


@pytest.mark.parametrize("fate", FATES)
def test_a_link_that_somebody_asked_for_themselves_stays(acme: Tenant, fate: str) -> None:
    token = passwords.make_link(actor="anonymous", membership=member("operator"))

    FATES[fate](member("admin"))

    assert passwords.set_password(token=token, password=NEW) == member("operator")


def test_a_maker_who_may_less_than_the_role_gives_keeps_smaller_links_alive(acme: Tenant) -> None:
    services.add_member(actor="test", email="second@acme.example", role="owner", password=NEW)
    by = make_principal("second")
    owner = invitations.invite(principal=by, email="a@acme.example", role="owner")
    viewer = invitations.invite(principal=by, email="b@acme.example", role="viewer")

    services.change_role(actor="test", membership=member("second"), role="admin")

    with pytest.raises(NotFound):
        invitations.accept(token=owner.token, name="A", password=NEW)
    assert invitations.accept(token=viewer.token, name="B", password=NEW).role == "viewer"


def test_a_password_link_opens_nothing_once_the_member_has_more_than_its_maker(acme: Tenant) -> None:
    token = passwords.make_link(actor=make_principal("admin"), membership=member("operator"))

    services.change_role(actor="test", membership=member("operator"), role="owner")

    with pytest.raises(NotFound):
        passwords.set_password(token=token, password=NEW)


def test_a_link_of_a_key_belongs_to_the_keys_person(
    acme: Tenant, api_client: Callable[..., APIClient]
) -> None:
    client = APIClient(headers={"host": "acme.localhost", "authorization": f"Bearer {make_api_key('admin')}"})
    body = {"email": "new@acme.example", "role": "viewer"}
    sent = client.post("/api/v1/invitations", body, format="json", headers={"idempotency-key": "once"})
    assert sent.status_code == 201
    token = sent.json()["link"].rpartition("/")[2]
    address = f"/api/v1/invitations/{sent.json()['id']}"
    services.add_member(actor="test", email="second@acme.example", role="admin", password=NEW)
    assert (sent.json()["lets_in"], client.get(address).json()["lets_in"]) == (True, True)

    leave(member("admin"))

    with pytest.raises(NotFound):
        invitations.accept(token=token, name="New", password=NEW)
    shown = api_client("owner").get(address).json()
    assert (shown["lets_in"], shown["revoked_at"]) == (False, None)


_numbers = itertools.count(1)
LINKS: dict[str, Callable[[Principal], str]] = {
    "invitation": lambda by: (
        invitations.invite(principal=by, email=f"new-{next(_numbers)}@acme.example", role="viewer").token
    ),
    "password link": lambda by: passwords.make_link(actor=by, membership=member("viewer")),
}
OPEN: dict[str, Callable[[str], object]] = {
    "invitation": lambda token: invitations.accept(token=token, name="New", password=NEW),
    "password link": lambda token: passwords.set_password(token=token, password=NEW),
}


def _with_key(made_with: str | None = None) -> tuple[Principal, ApiKey]:
    text = make_api_key("admin", made_with=made_with)
    with shared_context():
        key = ApiKey.objects.get(key_id=key_id_of(text))
    return replace(make_principal("admin"), credential=f"key:{key.key_id}"), key


def test_an_invitation_that_a_key_made_ends_when_the_key_is_revoked(acme: Tenant) -> None:
    """Also when the key ends with the one that made it; not with the key's date, which says nothing against it."""
    parent = make_api_key("admin")
    by, key = _with_key(made_with=parent)
    token, others = LINKS["invitation"](by), _with_key()[1]
    key_services.revoke_api_key(principal=make_principal("owner"), api_key=others)
    with shared_context():
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    assert invitations.invitation_of_token(token)

    with shared_context():
        asked = ApiKey.objects.get(key_id=key_id_of(parent))
    key_services.revoke_api_key(principal=make_principal("owner"), api_key=asked)

    with pytest.raises(NotFound, match=re.escape(WORDS_FOR_NONE)):
        OPEN["invitation"](token)


@pytest.mark.parametrize("link", LINKS)
def test_a_link_that_somebody_made_with_a_session_stays_when_a_key_of_theirs_is_revoked(
    acme: Tenant, link: str
) -> None:
    token = LINKS[link](make_principal("admin"))

    key_services.revoke_api_key(principal=make_principal("owner"), api_key=_with_key()[1])

    assert OPEN[link](token)


@pytest.mark.parametrize("credential", ["key:abcdefghijkl", "application:abcdefghijkl:a-consent"])
@pytest.mark.parametrize("whose", ["admin", "viewer"])
def test_no_key_and_no_application_opens_a_way_into_an_account(
    acme: Tenant, whose: str, credential: str
) -> None:
    """Whoever came in by it, with a password of their own, would stay when the credential is revoked."""
    acting = replace(make_principal("admin"), credential=credential)

    with pytest.raises(Forbidden, match="Only a person in a session"):
        passwords.make_link(actor=acting, membership=member(whose))
    with pytest.raises(Forbidden, match="Only a person in a session"):
        factors.reset_factors(actor=acting, membership=member(whose))


def test_a_key_gets_no_way_into_its_own_persons_account(
    acme: Tenant, api_client: Callable[..., APIClient]
) -> None:
    client, own = api_client("admin"), f"/api/v1/members/{member('admin').pk}"

    assert client.post(f"{own}/password-link").status_code == 403
    assert client.delete(f"{own}/factors").status_code == 403
    assert not PasswordLink.objects.filter(membership_id=member("admin").pk).exists()


def test_nobody_takes_their_own_factors_without_showing_one(client_for: Clients) -> None:
    answer = client_for("admin").post(f"/settings/members/{member('admin').pk}/factors/reset")

    assert answer.status_code == 403
    assert "Profile → Security" in answer.content.decode()


def _consent(application: Application) -> Grant:
    return Grant.objects.create(
        application=application,
        membership_id=member("admin").pk,
        scopes=["members.write"],
        expires_at=timezone.now() + timedelta(days=1),
    )


@pytest.mark.parametrize("acts_for", ["itself", "a person"])
def test_an_invitation_that_an_application_made_ends_when_it_is_deleted(acme: Tenant, acts_for: str) -> None:
    def acting(application: Application) -> Principal:
        itself, person = f"application:{application.client_id}", make_principal("admin")
        if acts_for == "itself":
            return Principal(itself, itself, person.permissions)
        return replace(person, credential=f"{itself}:{_consent(application).pk}")

    stays, goes = (
        oauth.create_application(
            principal=make_principal("admin"), name=name, kind="service", permissions=["members.write"]
        ).application
        for name in ("stays", "goes")
    )
    kept = LINKS["invitation"](acting(stays))
    assert OPEN["invitation"](kept)
    ended = LINKS["invitation"](acting(goes))

    oauth.delete_application(principal=make_principal("owner"), application=goes)

    with pytest.raises(NotFound, match=re.escape(WORDS_FOR_NONE)):
        OPEN["invitation"](ended)


@pytest.mark.parametrize("overlap", [timedelta(hours=1), None], ids=["overlap", "at once"])
@pytest.mark.parametrize("rotate", ["key", "service"])
def test_an_invitation_ends_with_a_secret_that_is_replaced_at_once(
    acme: Tenant, rotate: str, overlap: timedelta | None
) -> None:
    """Whoever rotates without an overlap thinks that somebody else knows the secret."""
    until = timezone.now() + overlap if overlap else None
    if rotate == "key":
        by, key = _with_key()
        token = LINKS["invitation"](by)
        key_services.rotate_api_key(principal=make_principal("admin"), api_key=key, previous_until=until)
    else:
        service = oauth.create_application(
            principal=make_principal("admin"), name="joiner", kind="service", permissions=["members.write"]
        ).application
        itself = f"application:{service.client_id}"
        token = LINKS["invitation"](Principal(itself, itself, make_principal("admin").permissions))
        oauth.rotate_secret(principal=make_principal("admin"), application=service, previous_until=until)

    if overlap:
        assert OPEN["invitation"](token)
    else:
        with pytest.raises(NotFound, match=re.escape(WORDS_FOR_NONE)):
            OPEN["invitation"](token)


def _set_by_link(admin: Client) -> None:
    token = passwords.make_link(actor=make_principal("owner"), membership=member("admin"))
    passwords.set_password(token=token, password=NEW)


def _change_password(admin: Client) -> None:
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert admin.post("/me/password", form).status_code == 302


def _end_all_others(admin: Client) -> None:
    assert admin.post("/me/sessions/end-others").status_code == 302


def _add_factor(admin: Client) -> None:
    page = admin.get("/me/security/app").content.decode()
    secret = re.search(r"[A-Z2-7]{32}", page)
    assert secret, page
    code = format_hotp_value(hotp_value(secret[0], int(time.time()) // 30))  # RFC 6238
    assert admin.post("/me/security/app", {"code": code}).status_code == 200


def _end_all_others_when_there_are_none(admin: Client) -> None:
    """Whoever made the links has signed out."""
    sessions.delete_sessions([member("admin").user_id], but=admin.session.session_key)
    _end_all_others(admin)


LOCKED_OUT: dict[str, Callable[[Client], object]] = {
    "a password is set by a link": _set_by_link,
    "the password is changed": _change_password,
    "all other sessions are ended": _end_all_others,
    "all others are ended when there are none": _end_all_others_when_there_are_none,
    "a second factor is set up": _add_factor,
    "an admin ends the sessions": lambda admin: sessions.end_sessions_of(
        actor=make_principal("owner"), membership=member("admin")
    ),
    "an admin resets the factors": lambda admin: factors.reset_factors(
        actor=make_principal("owner"), membership=member("admin")
    ),
}


@pytest.mark.parametrize("how", LOCKED_OUT)
@pytest.mark.parametrize("link", LINKS)
def test_links_made_in_sessions_end_when_somebody_else_may_have_been_their_maker(
    client_for: Clients, acme: Tenant, link: str, how: str
) -> None:
    made = LINKS[link](make_principal("admin"))
    by_key = invitations.invite(principal=_with_key()[0], email="kept@acme.example", role="viewer").token

    client_for("admin")  # perhaps somebody else's
    LOCKED_OUT[how](client_for("admin"))

    with pytest.raises(NotFound, match=re.escape(WORDS_FOR_NONE)):
        OPEN[link](made)
    assert invitations.invitation_of_token(by_key)


def test_a_changed_password_ends_an_open_link_to_a_new_one(client_for: Clients, acme: Tenant) -> None:
    token = passwords.make_link(actor=make_principal("admin"), membership=member("operator"))
    client = client_for("operator")
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}

    assert client.post("/me/password", form).status_code == 302

    with pytest.raises(NotFound):
        passwords.set_password(token=token, password=f"{NEW} again")


def test_a_link_of_a_service_belongs_to_the_person_responsible_for_it(acme: Tenant) -> None:
    service = oauth.create_application(
        principal=make_principal("admin"), name="joiner", kind="service", permissions=["members.write"]
    ).application
    actor = f"application:{service.client_id}"
    may = make_principal("admin").permissions
    acting = Principal(actor, actor, may)
    token = invitations.invite(principal=acting, email="new@acme.example", role="viewer").token
    assert invitations.invitation_of_token(token).invited_by == actor

    leave(member("admin"))

    with pytest.raises(NotFound):
        invitations.accept(token=token, name="New", password=NEW)
    with pytest.raises(Forbidden):  # nobody is responsible any more
        invitations.invite(principal=acting, email="other@acme.example", role="viewer")
    assert Permission.MEMBERS_WRITE in may


def test_the_list_says_so_and_another_admin_makes_a_new_link(client_for: Clients, acme: Tenant) -> None:
    sent = invitations.invite(principal=make_principal("admin"), email="new@acme.example", role="viewer")
    owner = client_for("owner")
    assert "No longer valid" not in owner.get("/settings/members/invitations").content.decode()

    leave(member("admin"))

    assert "No longer valid" in owner.get("/settings/members/invitations").content.decode()
    renewed = invitations.renew(principal=make_principal("owner"), invitation=sent.invitation)
    assert "No longer valid" not in owner.get("/settings/members/invitations").content.decode()
    assert invitations.accept(token=renewed.token, name="New", password=NEW).role == "viewer"


def test_links_from_before_makers_were_kept_are_dead_but_those_of_lost_passwords(acme: Tenant) -> None:
    sent = invitations.invite(principal=make_principal("admin"), email="new@acme.example", role="viewer")
    invitations.invitations().update(made_by_id=None)
    asked = passwords.make_link(actor="anonymous", membership=member("operator"))
    made = passwords.make_link(actor=make_principal("admin"), membership=member("viewer"))
    later = timezone.now() + timedelta(hours=1)
    PasswordLink.objects.create(  # the trail knows nothing of it
        membership_id=member("auditor").pk, token_digest=digest_of("x"), expires_at=later
    )
    PasswordLink.objects.update(made_by_id=None)

    with connection.cursor() as cursor:
        cursor.execute(
            import_module("tenants.people.migrations.0002_link_makers").FORGET_LINKS_OF_UNKNOWN_MAKERS
        )

    with pytest.raises(NotFound):
        invitations.invitation_of_token(sent.token)
    for dead in (made, "x"):
        with pytest.raises(NotFound):
            passwords.member_of_token(dead)
    assert passwords.member_of_token(asked) == member("operator")
