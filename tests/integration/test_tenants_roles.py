"""Roles: what each may, who may give which, roles of an organisation's own, auditors until a day."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from core.errors import Forbidden, InvalidInput, NotFound
from core.models import AuditEvent
from core.permissions import CATALOGUE, NOT_GIVEN, Permission, Principal
from core.tenancy import OWNER_ALIAS, shared_context, tenant_context
from tenants import role_services, services
from tenants.models import CustomRole, Membership, Tenant
from tenants.oauth import services as oauth
from tenants.oauth.models import Grant
from tenants.people.invitations import invitation_of_token, invite, renew
from tenants.people.models import Invitation
from tenants.roles import HELP, PERMISSIONS, Role, granted_by, permissions_of
from tenants.scim.models import Group
from tests.builders import key_id_of, make_api_key, make_principal, set_last_day, sign_in, version_shown
from tests.conftest import PASSWORD

ApiClients = Callable[..., APIClient]
Clients = Callable[..., Client]

pytestmark = pytest.mark.usefixtures("no_tries_counted")
WRITES = frozenset(one for one in CATALOGUE if one.rpartition(".")[2] not in ("read", "export"))


def _member(role: str) -> Membership:
    return Membership.objects.select_related("user").get(user__email=f"{role}@acme.example")


def _role(maker: str = "admin", organisation: str = "acme", **overrides: object) -> CustomRole:
    fields: dict[str, object] = {"name": "Data steward", "permissions": ["configs.read", "configs.write"]}
    with tenant_context(organisation):
        return role_services.create_role(
            principal=make_principal(maker, organisation),
            **fields | overrides,  # type: ignore[arg-type]
        )


def _principal(membership: Membership) -> Principal:
    return Principal(
        actor=membership.user.email,
        credential=f"user:{membership.user_id}",
        permissions=permissions_of(membership),
        user_id=str(membership.user_id),
        role=membership.role,
    )


# -- the table -----------------------------------------------------------------------------------------------


def test_every_role_and_every_permission_is_explained_in_a_sentence() -> None:
    assert set(HELP) == set(Role) == set(PERMISSIONS)
    assert all(text.endswith(".") for text in HELP.values())
    assert all(one.description.endswith(".") for one in Permission)


def test_every_permission_belongs_to_some_role_and_the_owner_has_all() -> None:
    assert PERMISSIONS[Role.OWNER] == frozenset(CATALOGUE) | {Permission.MEMBER}
    assert PERMISSIONS[Role.OWNER] - PERMISSIONS[Role.ADMIN] == {Permission.ORGANISATION_DELETE}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR])
def test_viewers_and_auditors_change_nothing(role: Role) -> None:
    assert not PERMISSIONS[role] & WRITES


def test_an_approver_decides_and_changes_nothing_else() -> None:
    assert PERMISSIONS[Role.APPROVER] & WRITES == {Permission.EXCEPTIONS_DECIDE}


def test_a_permission_that_is_gone_from_the_catalogue_gives_nothing() -> None:
    listed = frozenset({"runs.read", "moon.write", *NOT_GIVEN})

    assert granted_by("steward", listed) == {Permission.RUNS_READ, Permission.MEMBER}
    assert granted_by("steward", None) == frozenset()


# -- giving roles --------------------------------------------------------------------------------------------


def test_an_admin_makes_no_owner_and_touches_none(api_client: ApiClients, acme: Tenant) -> None:
    client = api_client("admin")
    owner, viewer = (f"/api/v1/members/{_member(role).pk}" for role in ("owner", "viewer"))

    for answer in (
        client.post("/api/v1/invitations", {"email": "new@acme.example", "role": "owner"}),
        client.patch(viewer, {"role": "owner"}),
        client.patch(owner, {"role": "viewer"}),
        client.delete(owner),
    ):
        assert answer.status_code == 403
        assert answer.json()["detail"] == "Only an owner may make, change or remove an owner."


def _credential(kind: str) -> str:
    """Of a living key or consent of the owner."""
    if kind == "key":
        return f"key:{key_id_of(make_api_key('owner'))}"
    made = oauth.create_application(
        principal=make_principal("owner"), name="app", kind="web", permissions=["members.write"],
        redirect_uris=["https://app.example/back"],
    ).application  # fmt: skip
    grant = Grant.objects.create(
        application=made,
        membership_id=_member("owner").pk,
        scopes=["members.write"],
        expires_at=timezone.now() + timedelta(days=1),
    )
    return f"application:{made.client_id}:{grant.pk}"


@pytest.mark.parametrize("kind", ["key", "application"])
def test_no_program_makes_changes_or_removes_an_owner_whoever_stands_behind_it(
    acme: Tenant, kind: str
) -> None:
    owner, credential = make_principal("owner"), _credential(kind)
    program, second, viewer = replace(owner, credential=credential), _member("admin"), _member("viewer")
    out = _member("operator")
    for one in (second, out):
        services.change_role(actor=owner, membership=one, role="owner")
    services.end_access(out, actor=owner, reason="test")
    sent = invite(principal=owner, email="new@acme.example", role="owner").invitation
    acts: list[Callable[[Principal], object]] = [
        lambda by: services.change_role(actor=by, membership=viewer, role="owner"),
        lambda by: services.change_role(actor=by, membership=second, role="viewer"),
        lambda by: services.end_access(second, actor=by, reason="test"),
        lambda by: services.give_access(out, actor=by, reason="test"),
        lambda by: services.remove_member(actor=by, membership=second),
        lambda by: invite(principal=by, email="newer@acme.example", role="owner"),
        lambda by: renew(principal=by, invitation=sent),
    ]

    for act in acts:
        with pytest.raises(Forbidden, match="Only a person in a session makes, changes or removes an owner"):
            act(program)
    services.remove_member(actor=owner, membership=second)


def test_an_owners_key_is_told_why_it_makes_no_owner(api_client: ApiClients, acme: Tenant) -> None:
    client, viewer = api_client("owner"), f"/api/v1/members/{_member('viewer').pk}"

    refused, done = client.patch(viewer, {"role": "owner"}), client.patch(viewer, {"role": "admin"})

    assert (refused.status_code, done.status_code) == (403, 200)
    assert "keys and tokens do not" in refused.json()["detail"]


def test_an_invitation_of_an_owner_that_a_key_sent_before_opens_nothing(acme: Tenant) -> None:
    sent = invite(principal=make_principal("owner"), email="new@acme.example", role="owner")
    assert invitation_of_token(sent.token)

    Invitation.objects.filter(pk=sent.invitation.pk).update(
        made_with=f"key:{key_id_of(make_api_key('owner'))}"
    )

    with pytest.raises(NotFound):
        invitation_of_token(sent.token)


def test_nobody_gives_more_than_they_have(acme: Tenant) -> None:
    _role(name="Usher", permissions=["members.read", "members.write"])
    usher = services.add_member(actor="test", email="usher@acme.example", role="usher").membership
    principal = _principal(usher)

    with pytest.raises(Forbidden, match=r"You may not: audit\.read, (?!.*\bmember\b)"):
        services.add_member(actor=principal, email="new@acme.example", role="operator")
    with pytest.raises(Forbidden):
        services.remove_member(actor=principal, membership=_member("viewer"))
    services.add_member(actor=principal, email="second@acme.example", role="usher")


def test_the_first_member_of_an_organisation_is_its_owner(acme: Tenant) -> None:
    with shared_context():
        Membership.objects.filter(tenant=acme).delete()

    with pytest.raises(InvalidInput, match="first member"):
        services.add_member(actor="test", email="a@acme.example", role="admin")
    assert services.add_member(actor="test", email="a@acme.example", role="owner").membership.role == "owner"


# -- auditors ------------------------------------------------------------------------------------------------


def test_an_end_beyond_the_calendar_is_refused(api_client: ApiClients, acme: Tenant) -> None:
    answer = api_client("admin").patch(
        f"/api/v1/members/{_member('operator').pk}",
        {"role": "auditor", "role_until": "9999-12-31T23:59:59-14:00"},
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/role_until"


@pytest.mark.parametrize(
    ("role", "days", "words"),
    [
        ("auditor", None, "is needed for an auditor"),
        ("auditor", -1, "must lie within the next 366 days"),
        ("auditor", 367, "must lie within the next 366 days"),
        ("viewer", 30, "must be left out for this role"),
    ],
)
def test_an_auditor_and_nobody_else_has_an_end_within_a_year(
    api_client: ApiClients, acme: Tenant, role: str, days: int | None, words: str
) -> None:
    until = None if days is None else (timezone.now() + timedelta(days=days)).isoformat()

    answer = api_client("admin").patch(
        f"/api/v1/members/{_member('operator').pk}", {"role": role, "role_until": until}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/role_until", "code": "invalid", "detail": words}]


def test_an_auditors_end_is_moved_and_noted(api_client: ApiClients, acme: Tenant) -> None:
    until = timezone.now() + timedelta(days=90)

    answer = api_client("admin").patch(
        f"/api/v1/members/{_member('auditor').pk}", {"role": "auditor", "role_until": until.isoformat()}
    )

    assert answer.status_code == 200
    assert _member("auditor").role_until == until
    assert AuditEvent.objects.latest("seq").action == "tenants.member.change_role"


def test_after_the_end_the_session_is_over_and_signing_in_says_why(client_for: Clients, acme: Tenant) -> None:
    client = client_for("auditor")
    assert client.get("/audit").status_code == 200
    with shared_context():
        Membership.objects.filter(pk=_member("auditor").pk).update(role_until=timezone.now())

    assert permissions_of(_member("auditor")) == frozenset()
    assert client.get("/audit").status_code == 302
    right = client_for(None).post("/login", {"login": "auditor@acme.example", "password": PASSWORD})
    wrong = client_for(None).post("/login", {"login": "auditor@acme.example", "password": "guess"})
    assert "Your access as auditor ended on" in right.content.decode()
    assert "ended on" not in wrong.content.decode()


def test_an_auditors_key_dies_with_the_auditor(api_client: ApiClients, acme: Tenant) -> None:
    client = api_client("auditor")
    assert client.get("/api/v1/roles").status_code == 200
    with shared_context():
        Membership.objects.filter(pk=_member("auditor").pk).update(role_until=timezone.now())

    assert client.get("/api/v1/roles").status_code == 401


@pytest.mark.parametrize("role", ["auditor", "viewer"])
def test_who_comes_back_after_the_last_day_has_no_key_of_before(
    api_client: ApiClients, acme: Tenant, role: str
) -> None:
    client, auditor = api_client("auditor"), _member("auditor")
    set_last_day(auditor, timezone.now() - timedelta(seconds=1))
    until = timezone.now() + timedelta(days=5) if role == "auditor" else None

    services.change_role(actor="test", membership=auditor, role=role, role_until=until)

    assert client.get("/api/v1/members").status_code == 401
    event = AuditEvent.objects.latest("seq")
    assert (event.action, len(event.data["revoked_keys"])) == ("tenants.member.change_role", 1)


def test_a_later_last_day_leaves_sessions_and_keys_alone(
    api_client: ApiClients, client_for: Clients, acme: Tenant
) -> None:
    program, browser, auditor = api_client("auditor"), client_for("auditor"), _member("auditor")

    services.change_role(
        actor="test", membership=auditor, role="auditor", role_until=timezone.now() + timedelta(days=90)
    )

    assert program.get("/api/v1/roles").status_code == 200
    assert browser.get("/audit").status_code == 200


# -- roles of an organisation's own --------------------------------------------------------------------------


def test_a_role_of_its_own_gives_exactly_what_it_lists(
    api_client: ApiClients, client_for: Clients, acme: Tenant
) -> None:
    made = api_client("admin").post(
        "/api/v1/roles", {"name": "Data steward", "permissions": ["configs.write", "configs.read"]}
    )
    assert made.status_code == 201
    assert made.json()["key"] == "data-steward"
    services.add_member(actor="test", email="dana@acme.example", role="data-steward")
    client = Client(headers={"host": "acme.localhost"})
    sign_in(client, "dana@acme.example", "acme")

    assert client.get("/datasets").status_code == 200
    assert client.get("/runs").status_code == 403
    assert client.get("/me").status_code == 200
    assert AuditEvent.objects.filter(action="tenants.role.create").count() == 1


def test_a_change_of_a_role_counts_from_the_next_request(api_client: ApiClients, acme: Tenant) -> None:
    role = _role()
    services.add_member(actor="test", email="dana@acme.example", role="data-steward")
    client = Client(headers={"host": "acme.localhost"})
    sign_in(client, "dana@acme.example", "acme")
    assert client.get("/runs").status_code == 403

    changed = api_client("admin").patch(f"/api/v1/roles/{role.pk}", {"permissions": ["runs.read"]})

    assert changed.json()["permissions"] == ["runs.read"]
    assert client.get("/runs").status_code == 200
    assert client.get("/datasets").status_code == 403
    event = AuditEvent.objects.latest("seq")
    assert (event.data["added"], event.data["removed"]) == (["runs.read"], ["configs.read", "configs.write"])


def test_a_role_maker_gives_no_more_than_they_have(acme: Tenant) -> None:
    _role(name="Role maker", permissions=["roles.read", "roles.write", "runs.read"])
    maker = services.add_member(actor="test", email="mira@acme.example", role="role-maker").membership
    principal, strong = _principal(maker), _role(name="Strong", permissions=["sso.write"])

    with pytest.raises(Forbidden, match=r"sso\.write"):
        role_services.create_role(principal=principal, name="Mine", permissions=["sso.write"])
    with pytest.raises(Forbidden, match=r"holds more than you may"):
        role_services.change_role(principal=principal, role=strong, name="Weak", permissions=["runs.read"])
    with pytest.raises(Forbidden, match=r"holds more than you may"):
        role_services.delete_role(principal=principal, role=strong)
    role_services.create_role(principal=principal, name="Mine", permissions=["runs.read"])


def test_a_role_in_use_stays_and_says_by_whom(api_client: ApiClients, acme: Tenant) -> None:
    role = _role()
    dana = services.add_member(actor="test", email="dana@acme.example", role="data-steward").membership
    client, address = api_client("admin"), f"/api/v1/roles/{role.pk}"

    refused = client.delete(address)
    services.change_role(actor="test", membership=dana, role="viewer")
    done = client.delete(address)

    assert (refused.status_code, refused.json()["code"]) == (409, "role_in_use")
    assert "in use by dana@acme.example" in refused.json()["detail"]
    assert done.status_code == 204
    assert client.get(address).status_code == 404


def test_a_role_that_was_promised_or_is_mapped_stays(api_client: ApiClients, acme: Tenant) -> None:
    role, client = _role(), api_client("admin")
    client.post("/api/v1/invitations", {"email": "dana@acme.example", "role": "data-steward"})
    Group.objects.create(display_name="Stewards", role="data-steward")

    refused = client.delete(f"/api/v1/roles/{role.pk}")

    assert refused.status_code == 409
    assert "the invitation of dana@acme.example, the directory's group Stewards" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"name": "owner", "permissions": ["runs.read"]}, 409, "/name"),
        ({"name": "DATA steward", "permissions": ["runs.read"]}, 409, "/name"),
        ({"name": "Dаta stеward", "permissions": ["runs.read"]}, 409, "/name"),  # two Cyrillic letters
        ({"name": "Data\u200b steward", "permissions": ["runs.read"]}, 422, "/name"),
        ({"name": "Data\u3164steward", "permissions": ["runs.read"]}, 422, "/name"),
        ({"name": "X", "key": "admin", "permissions": ["runs.read"]}, 409, "/key"),
        ({"name": "X", "key": "adm1n", "permissions": ["runs.read"]}, 409, "/key"),
        ({"name": "X", "key": "data-steward", "permissions": ["runs.read"]}, 409, "/key"),
        ({"name": "X", "key": "No key", "permissions": ["runs.read"]}, 422, "/key"),
        ({"name": "X", "permissions": []}, 422, "/permissions"),
        ({"name": "X", "permissions": ["member"]}, 422, "/permissions"),
        ({"name": "X", "permissions": ["moon.write"]}, 422, "/permissions"),
        ({"name": "", "permissions": ["runs.read"]}, 422, "/name"),
    ],
)
def test_a_role_that_cannot_be_is_refused_with_the_place(
    api_client: ApiClients, acme: Tenant, body: dict[str, object], status: int, pointer: str
) -> None:
    _role()

    answer = api_client("admin").post("/api/v1/roles", body)

    assert answer.status_code == status
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("name", ["0wner", "Ａdmin", "Audit0r", "VlEWER", "Аррrover", "Oper-ator", "Ówner."])
def test_no_role_looks_like_a_built_in_one_on_the_page_either(
    client_for: Clients, acme: Tenant, name: str
) -> None:
    client = client_for("admin")
    role = _role()

    made = client.post("/settings/roles/new", {"name": name, "permissions": "runs.read"})
    edit = f"/settings/roles/{role.pk}/edit"
    form = {"name": name, "permissions": "runs.read", "version": version_shown(client, edit)}
    renamed = client.post(edit, form)

    for answer in (made, renamed):
        assert answer.status_code == 409
        assert "looks like the role" in answer.context["form"].errors["name"][0]
    assert [one.name for one in CustomRole.objects.all()] == [role.name]


def test_a_role_may_be_called_anew_in_other_letters_of_the_same_name(
    api_client: ApiClients, acme: Tenant
) -> None:
    role = _role()

    answer = api_client("admin").patch(f"/api/v1/roles/{role.pk}", {"name": "DATA steward"})

    assert (answer.status_code, answer.json()["name"]) == (200, "DATA steward")


def test_a_name_without_latin_letters_gets_a_key_all_the_same(acme: Tenant) -> None:
    assert _role(name="監査人").key.startswith("role-")


def test_a_strangers_role_is_no_role_here(api_client: ApiClients, acme: Tenant) -> None:
    stranger = _role(organisation="globex")
    client = api_client("admin")

    assert client.get(f"/api/v1/roles/{stranger.pk}").status_code == 404
    assert client.get("/api/v1/roles").json()["items"] == []
    answer = client.patch(f"/api/v1/members/{_member('viewer').pk}", {"role": stranger.key})
    assert answer.json()["errors"][0]["pointer"] == "/role"


def test_the_catalogue_is_there_for_programs(api_client: ApiClients) -> None:
    answer = api_client("auditor").get("/api/v1/permissions").json()

    assert [one["name"] for one in answer["permissions"]] == [one.value for one in CATALOGUE]
    assert [role["key"] for role in answer["built_in_roles"]] == Role.values


# -- upgrade -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(databases=["default", "owner"])
def test_an_upgrade_makes_the_longest_serving_admin_of_each_organisation_its_owner() -> None:
    migration = import_module("tenants.migrations.0002_roles")
    with connections[OWNER_ALIAS].cursor() as cursor:
        cursor.execute("ALTER TABLE tenants_membership NO FORCE ROW LEVEL SECURITY")  # as it was before
        cursor.execute(migration._OWNERS_ARE_ADMINS)
        cursor.execute(migration._FIRST_ADMIN_OWNS)
        cursor.execute(
            "SELECT email, role FROM tenants_membership m JOIN tenants_user u ON u.id = m.user_id "
            "WHERE role IN ('owner', 'admin') AND email ~ '(acme|globex)' ORDER BY email"
        )
        found = cursor.fetchall()

    assert found == [
        ("admin@acme.example", "admin"),
        ("admin@globex.example", "admin"),
        ("owner@acme.example", "owner"),
        ("owner@globex.example", "owner"),
    ]


def test_who_gets_a_new_last_day_after_the_last_one_signs_in_anew(
    acme: Tenant, client_for: Callable[..., Client]
) -> None:
    auditor, browser = Membership.objects.get(role="auditor"), client_for("auditor")
    set_last_day(auditor, timezone.now() - timedelta(seconds=1))

    services.change_role(
        actor="test", membership=auditor, role="auditor", role_until=timezone.now() + timedelta(days=5)
    )

    assert browser.get("/audit").status_code == 302
    assert client_for("auditor").get("/audit").status_code == 200
