"""Pages of stored secrets: who has them, what they offer, and that no answer shows a value, right or wrong."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tenants.models import Tenant
from tenants.people.proof import FRESH_SECONDS, RECORDS
from tenants.sso.models import Connection
from tenants.vault import services
from tenants.vault.models import NamedSecret
from tenants.vault.values import value_of
from tests.builders import make_principal, version_shown

ClientFor = Callable[..., Client]

VALUE = "value-of-a-page-3f8a"
LIST, NEW = "/settings/secrets", "/settings/secrets/new"


def make(name: str = "idp", **more: str) -> NamedSecret:
    return services.make_secret(principal=make_principal("admin"), name=name, value=VALUE, **more)


def save(client: Client, edit: str, **fields: str) -> Any:
    """Open the form, fill it in, send it."""
    return client.post(edit, {"version": version_shown(client, edit), **fields}, follow=True)


def error_of(answer: Any, field: str) -> str:
    page: str = answer.content.decode()
    return page.partition(f'id="id_{field}_error"')[2].partition("</p>")[0]


@pytest.mark.parametrize(
    ("role", "sees", "changes"),
    [
        ("viewer", False, False),
        ("operator", False, False),
        ("approver", False, False),
        ("auditor", True, False),
        ("admin", True, True),
        ("owner", True, True),
    ],
)
def test_what_a_role_may_not_do_is_absent(
    role: str, sees: bool, changes: bool, acme: Tenant, client_for: ClientFor
) -> None:
    make()
    client = client_for(role)

    navigation = client.get("/me").content.decode()
    answer = client.get(LIST)

    assert (f'href="{LIST}"' in navigation) == sees
    assert answer.status_code == (200 if sees else 403)
    page = answer.content.decode()
    for offered in (NEW, "/edit", 'data-open="delete-'):
        assert (offered in page) == changes, offered
    assert client.get(NEW).status_code == (200 if changes else 403)


def test_the_list_says_what_there_is_and_where_it_is_used(acme: Tenant, client_for: ClientFor) -> None:
    used = make(description="From the <provider>.")
    services.change_secret(principal=make_principal("owner"), secret=used, value=f"{VALUE}2")
    make("spare")
    Connection.objects.create(
        protocol="oidc", name="ID", issuer="-", endpoints={}, set_by_role="owner", named_client_secret=used
    )

    page = client_for("admin").get(LIST).content.decode()

    rows = re.findall(r"<tr>.*?</tr>", page, re.DOTALL)[1:]
    assert ["idp" in rows[0], "spare" in rows[1]] == [True, True]
    assert "From the &lt;provider&gt;." in rows[0]
    assert ">Client secret of the OpenID Connect provider</a>" in rows[0]
    assert "by owner@acme.example" in rows[0]
    assert (">2<" in rows[0], ">1<" in rows[1]) == (True, True)
    assert ("nowhere" in rows[1], "never" in rows[1]) == (True, True)
    assert ('data-open="delete-' in rows[0], 'data-open="delete-' in rows[1]) == (False, True)
    assert VALUE not in page


def test_an_empty_list_says_what_secrets_are_for(acme: Tenant, client_for: ClientFor) -> None:
    page = client_for("auditor").get(LIST).content.decode()

    assert "No secrets yet" in page
    assert "Client secret of the OpenID Connect provider" in page


def test_a_secret_is_made_replaced_described_and_deleted(acme: Tenant, client_for: ClientFor) -> None:
    client = client_for("admin")

    made = client.post(NEW, {"name": "idp", "value": VALUE, "description": ""}, follow=True)
    secret = NamedSecret.objects.get()
    edit = f"{LIST}/{secret.pk}/edit"
    replaced = save(client, edit, value=f"{VALUE}2", description="")
    described = save(client, edit, value="", description="Of 2027.")
    same = save(client, edit, value="", description="Of 2027.")
    form = client.get(edit)
    opened = value_of(secret.pk)
    deleted = client.post(f"{LIST}/{secret.pk}/delete", follow=True)

    answers = (made, replaced, described, same, form, deleted)
    assert [one.status_code for one in answers] == [200] * 6
    for answer, told in zip(
        answers,
        (
            "Write ${secret:idp} where it is to be used.",
            "Version 2 counts from the next use on.",
            "Its value is the same.",
            "Nothing of “idp” was changed.",
            "Of 2027.",
            "“idp” is deleted.",
        ),
        strict=True,
    ):
        assert told in answer.content.decode()
        assert VALUE not in answer.content.decode()
    assert opened == f"{VALUE}2"
    assert NamedSecret.objects.count() == 0


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"name": "Idp", "value": VALUE}, "name", "a-z, 0-9, - and _"),
        ({"name": "", "value": VALUE}, "name", "required"),
        ({"name": "idp"}, "value", "required"),
        ({"name": "idp", "value": f"{VALUE} "}, "value", "begins or ends with a blank"),
        ({"name": "idp", "value": f"{VALUE}\r\n{VALUE}"}, "value", "line break"),
        ({"name": "idp", "value": VALUE * 999}, "value", "at most 4096"),
        ({"name": "idp", "value": "é" * 3000}, "value", "longer than 4096 bytes"),
        ({"name": "idp", "value": "${secret:other}"}, "value", "the name of another one"),
        ({"name": "idp", "value": VALUE, "description": "\u202e"}, "description", "control character"),
        ({"name": "taken", "value": VALUE}, "name", "There is a secret “taken” already"),
    ],
)
def test_an_error_stands_at_its_field_and_the_value_does_not_come_back(
    form: dict[str, str], field: str, words: str, acme: Tenant, client_for: ClientFor
) -> None:
    make("taken")

    answer = client_for("admin").post(NEW, form)

    assert answer.status_code in (409, 422)
    assert words in error_of(answer, field)
    page = answer.content.decode()
    assert VALUE not in page
    assert not re.search(r'<input[^>]*name="value"[^>]*\bvalue=', page)
    assert ("enter it once more" in page) == bool(form.get("value"))
    assert NamedSecret.objects.count() == 1


def test_a_wrong_new_value_leaves_the_present_one(acme: Tenant, client_for: ClientFor) -> None:
    secret = make()

    answer = save(client_for("admin"), f"{LIST}/{secret.pk}/edit", value=" x", description="New")

    assert "begins or ends with a blank" in error_of(answer, "value")
    assert value_of(secret.pk) == VALUE
    assert NamedSecret.objects.get().description == ""


def test_a_secret_in_use_is_not_deleted_by_its_address_either(acme: Tenant, client_for: ClientFor) -> None:
    used = make()
    Connection.objects.create(
        protocol="oidc", name="ID", issuer="-", endpoints={}, set_by_role="owner", named_client_secret=used
    )

    answer = client_for("admin").post(f"{LIST}/{used.pk}/delete")

    assert answer.status_code == 409
    assert "is in use: Client secret of the OpenID Connect provider" in answer.content.decode()


def test_the_proof_is_asked_for_before_anything_is_typed(acme: Tenant, client_for: ClientFor) -> None:
    client = client_for("admin")
    session = client.session
    session[RECORDS] = [{"method": "password", "at": time.time() - FRESH_SECONDS - 1}]
    session.save()
    places = (NEW, f"{LIST}/{make().pk}/edit")

    asked = [client.get(place)["Location"] for place in places]
    sent = client.post(NEW, {"name": "other", "value": VALUE})

    assert [one.partition("?")[0] for one in (*asked, sent["Location"])] == ["/me/confirm"] * 3
    assert VALUE not in sent["Location"]
    assert NamedSecret.objects.count() == 1


def test_a_tab_that_is_out_of_date_overwrites_nothing(acme: Tenant, client_for: ClientFor) -> None:
    client, secret = client_for("admin"), make(description="First.")
    edit = f"{LIST}/{secret.pk}/edit"
    stale = version_shown(client, edit)
    save(client, edit, value=f"{VALUE}2", description="Second.")

    answers = [
        client.post(edit, {"version": version, "value": f"{VALUE}3", "description": "Third."})
        for version in (stale, "")
    ]

    assert [one.status_code for one in answers] == [412, 412]
    assert "Somebody changed this since you opened it" in answers[0].content.decode()
    kept = NamedSecret.objects.get()
    assert (kept.version, kept.description, value_of(kept.pk)) == (2, "Second.", f"{VALUE}2")
    assert save(client, edit, value=f"{VALUE}3", description="Third.").status_code == 200
    assert NamedSecret.objects.get().version == 3
