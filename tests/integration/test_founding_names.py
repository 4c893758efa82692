"""Names that somebody may take for themselves: form, reserved names, look-alikes, scripts."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from core.errors import InvalidInput
from core.tenancy import shared_context
from tenants import naming
from tenants.founding import names
from tenants.founding.models import OrganisationRequest
from tenants.models import DeletionCertificate, Domain, Tenant
from tenants.naming import schema_of
from tests.work import work_of_at_most


def refusal(slug: str) -> str:
    """Why the short name is refused; empty when it is not."""
    try:
        with shared_context():
            names.check_slug(slug)
            names.check_free(slug)
    except InvalidInput as error:
        return str(error)
    return ""


@pytest.mark.parametrize("slug", ["initech", "initech-labs", "a1b", "x" * 40, "muller-sohne"])
def test_an_ordinary_short_name_is_free(db: None, slug: str) -> None:
    assert refusal(slug) == ""


@pytest.mark.parametrize(
    "slug",
    [
        "",
        "ab",
        "x" * 41,
        "1st",
        "Acme",
        "ini tech",
        " initech",
        "initech\n",
        "ini_tech",
        "ini--tech",
        "-initech",
        "initech-",
        "ini.tech",
        "xn--cme-5cd",  # punycode of a name that looks like acme
        "аcme",  # Cyrillic а
        "ａcme",  # full width a
        "acme\u200b",  # zero width space
        "müller",
        'a"; DROP SCHEMA acme; --',
        "../acme",
        "public",
        "pg-catalog",
        "ds-blueprint",
        "information-schema",
        "template",
    ],
)
def test_what_cannot_name_a_host_and_a_schema_is_refused(db: None, slug: str) -> None:
    assert refusal(slug)


@pytest.mark.parametrize("end", ["!", "-", ".", "--a"])
def test_what_almost_is_a_name_is_refused_as_soon_as_any(end: str) -> None:
    """Strangers ask; an expression that goes back over what it read would hold everybody up for hours."""
    with work_of_at_most(0.01), pytest.raises(InvalidInput):
        schema_of("a" * (40 - len(end)) + end)


@pytest.mark.parametrize(
    "slug",
    ["www", "admin", "adrnin", "a-d-m-i-n", "l0gin", "postmaster", "mail", "datasynth", "data5ynth", "api"],
)
def test_names_of_the_platforms_own_are_kept_and_what_looks_like_them(db: None, slug: str) -> None:
    assert "kept for the platform" in refusal(slug)


@pytest.mark.parametrize(
    "slug", ["acme", "acrne", "a-cme", "ac-me", "globex", "gl0bex", "g1obex", "giobex", "glo-bex"]
)
def test_a_name_that_looks_like_an_organisations_is_refused(db: None, slug: str) -> None:
    assert "taken, or is too much like" in refusal(slug)


def test_a_host_that_an_operator_gave_away_is_taken(db: None, globex: Tenant) -> None:
    with shared_context():
        Domain.objects.create(domain="audit-house.localhost", tenant=globex, is_primary=False)

    assert "taken" in refusal("audit-house")


def test_the_name_of_a_deleted_organisation_stays_closed(db: None) -> None:
    with shared_context():
        DeletionCertificate.objects.create(slug="old_firm", deleted_at=timezone.now(), envelope={})

    assert "taken" in refusal("old-firm")
    assert "taken" in refusal("oldfirm")


@pytest.mark.parametrize(
    ("state", "is_held"), [("unproved", False), ("queued", True), ("making", True), ("failed", False)]
)
def test_a_wish_holds_its_name_once_the_address_is_proved(db: None, state: str, is_held: bool) -> None:
    with shared_context():
        OrganisationRequest.objects.create(
            state=state,
            name="Held",
            slug="held-name",
            skeleton=names.skeleton_of("held-name"),
            email="a@held.example",
            origin="http://localhost",
            token_digest="d",
            proved_at=None if state == "unproved" else timezone.now(),
            expires_at=timezone.now() + timedelta(days=1),
        )

    assert bool(refusal("heldname")) == is_held


@pytest.mark.parametrize(
    "slug", ["acme", "modern", "corner-vvest", "b1-2-3", "i1l", "a-0-o-5-s-8-b", "rnrn", "v-v", "r-n"]
)
def test_the_database_reads_names_as_the_program_does(db: None, slug: str) -> None:
    with shared_context():
        DeletionCertificate.objects.create(slug=slug, deleted_at=timezone.now(), envelope={})
        look = DeletionCertificate.objects.annotate(look=names._skeleton("slug")).values_list(
            "look", flat=True
        )

        assert list(look) == [names.skeleton_of(slug)]


def test_reserved_words_are_words_that_would_fit_otherwise() -> None:
    words = names._RESERVED.split()

    assert len(words) == len(set(words))
    assert all(word == word.lower() and word.isascii() for word in words)


@pytest.mark.parametrize(
    "name", ["Müller & Söhne GmbH", "Ооо Ромашка", "株式会社 Acme", "Ёлка Acme", "O’Neill 3", "Σ Ltd"]
)
def test_names_for_people_may_be_of_any_language(name: str) -> None:
    assert names.checked_name(f"  {name} ") == name


@pytest.mark.parametrize(
    "name", ["", "  ", "x" * 101, "Ac\nme", "Acme\u202egnp", "Ac\u200bme", "Аcme Audit", "Aсme", "Αcme"]
)
def test_names_that_hide_or_mix_letters_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        names.checked_name(name)


def test_a_name_is_kept_as_a_keyboard_writes_it() -> None:
    """Its members type it to show that they mean to leave or to delete."""
    assert naming.checked_name(" Socie\u0301te\u0301   Générale  ") == "Société Générale"


def test_letters_in_fancy_dress_are_undressed() -> None:
    assert names.checked_name("Ａｃｍｅ 𝐀udit") == "Acme Audit"


def test_hosts_are_below_the_base_host(settings: Settings) -> None:
    settings.BASE_HOST = "Books.example"

    assert names.host_of("initech") == "initech.books.example"
