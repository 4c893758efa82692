"""Two spellings of an address are one member, however they are typed; letters that only look alike make none."""

from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from core.errors import Conflict, InvalidInput
from tenants import queries, services
from tenants.models import Tenant
from tests.builders import make_principal
from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("no_tries_counted")
TYPED, KEPT = "Anna@München.example", "anna@xn--mnchen-3ya.example"


def test_a_second_spelling_is_the_same_member(acme: Tenant) -> None:
    owner = make_principal("owner")
    services.add_member(actor=owner, email=TYPED, role="viewer")

    with pytest.raises(Conflict):
        services.add_member(actor=owner, email=KEPT, role="viewer")
    assert queries.members().filter(user__email=KEPT).count() == 1


@pytest.mark.parametrize("typed", [TYPED, KEPT, f" {KEPT.upper()} "])
def test_whoever_types_another_spelling_signs_in(
    acme: Tenant, client_for: Callable[..., Client], typed: str
) -> None:
    services.add_member(actor=make_principal("owner"), email=TYPED, role="viewer", password=PASSWORD)

    answer = client_for(None).post("/login", {"login": typed, "password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_letter_that_looks_like_another_makes_no_member(
    acme: Tenant, api_client: Callable[..., APIClient]
) -> None:
    with pytest.raises(InvalidInput, match="plain letters before the @"):
        services.add_member(actor=make_principal("owner"), email="ſam@acme.example", role="viewer")
    answer = api_client("admin").post("/api/v1/invitations", {"email": "ſam@acme.example", "role": "viewer"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/email"
