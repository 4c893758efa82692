"""Starting an organisation for oneself: who may, what the pages answer, what a link opens, how often one may ask."""

import re
import time
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from core.tenancy import shared_context
from tenants.founding import services
from tenants.founding.models import OrganisationRequest
from tests.conftest import PASSWORD

pytestmark = pytest.mark.usefixtures("no_tries_counted")

FORM = {"name": "Initech Labs", "slug": "initech-labs", "email": "founder@initech.example"}
PERSON = {"slug": "initech-labs", "name": "First Person", "password": PASSWORD, "again": PASSWORD}
State = OrganisationRequest.State
_CSRF_TOKEN = re.compile(r"[A-Za-z0-9]{64}")


@pytest.fixture
def visitor(db: None, settings: Settings) -> Client:
    """A browser on the base host of a platform that is open to everybody."""
    settings.SELF_SERVICE = frozenset()
    settings.PUBLIC_PORT = 8000
    return Client(headers={"host": "localhost"})


def begin(**overrides: str) -> services.Begun:
    with shared_context():
        begun = services.begin(**{**FORM, **overrides})
    assert begun is not None
    return begun


def wishes() -> list[OrganisationRequest]:
    with shared_context():
        return list(services.requests())


def text_of(response: Any) -> str:
    return _CSRF_TOKEN.sub("", response.content.decode())


def letters(count: int) -> list[Any]:
    """What was mailed; it is sent after the answer."""
    until = time.monotonic() + 5
    while len(mail.outbox) < count and time.monotonic() < until:
        time.sleep(0.02)
    return list(mail.outbox)


# -- who may -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/start", "/start/name?slug=initech", "/start/confirm/x", "/start/progress/x"]
)
@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_while_it_is_closed_there_is_nothing(db: None, settings: Settings, path: str, method: str) -> None:
    client = Client(headers={"host": "localhost"})

    answer = getattr(client, method)(path, FORM if method == "post" else None)

    assert settings.SELF_SERVICE is None
    assert answer.status_code == 404
    nothing = getattr(client, method)("/nothing-at-all")
    assert re.sub(r"[0-9a-f]{32}", "", text_of(answer)) == re.sub(r"[0-9a-f]{32}", "", text_of(nothing))


def test_the_sign_in_leads_there_only_while_it_is_open(db: None, settings: Settings) -> None:
    settings.PUBLIC_PORT = 8000
    client = Client(headers={"host": "acme.localhost:666"})

    assert "/start" not in client.get("/login").content.decode()
    settings.SELF_SERVICE = frozenset()
    assert 'href="http://localhost:8000/start"' in client.get("/login").content.decode()


@pytest.mark.parametrize(
    "host", ["acme.localhost", "nobody.localhost", "elsewhere.example", "localhost.example"]
)
def test_it_is_on_the_base_host_only(visitor: Client, host: str) -> None:
    assert (visitor.get("/").status_code, visitor.get("/")["Location"]) == (302, "/start")
    assert visitor.get("/start").status_code == 200
    assert Client(headers={"host": host}).get("/start").status_code == 404
    assert Client(headers={"host": host}).post("/start", FORM).status_code == 404


def test_other_methods_and_forged_forms_are_refused(visitor: Client) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"host": "localhost"})

    assert visitor.put("/start").status_code == 405
    assert strict.post("/start", FORM).status_code == 403
    assert wishes() == []


def test_only_people_of_the_listed_domains_may_when_some_are_listed(
    visitor: Client, settings: Settings
) -> None:
    settings.SELF_SERVICE = frozenset({"initech.example"})

    refused = visitor.post("/start", FORM | {"email": "a@not-initech.example"})
    taken = visitor.post("/start", FORM)

    assert refused.status_code == 422
    assert "Only addresses of initech.example" in refused.content.decode()
    assert taken.status_code == 200
    assert [wish.email for wish in wishes()] == ["founder@initech.example"]


# -- the wish ------------------------------------------------------------------------------------------------


def test_a_wish_is_kept_without_its_token_and_its_link_goes_by_mail(
    visitor: Client, settings: Settings
) -> None:
    settings.HAS_EMAIL = True

    answer = visitor.post("/start", FORM | {"email": " Founder@Initech.example"})

    (letter,) = letters(1)
    link = re.search(r"http://localhost:8000(/start/confirm/(\S+))", str(letter.body))
    assert link is not None
    assert "Look into your mail" in answer.content.decode()
    assert letter.to == ["founder@initech.example"]
    (wish,) = wishes()
    assert (wish.state, wish.email, wish.origin) == ("unproved", FORM["email"], "http://localhost:8000")
    assert link[2] not in str(vars(wish))
    assert visitor.get(link[1]).status_code == 200


def test_what_a_request_says_of_its_host_is_in_no_link(visitor: Client, settings: Settings) -> None:
    settings.HAS_EMAIL = True
    liar = Client(headers={"host": "localhost:666", "x-forwarded-host": "evil.example"})

    liar.post("/start", FORM)

    (letter,) = letters(1)
    assert "http://localhost:8000/start/confirm/" in letter.body
    assert "666" not in letter.body
    assert "evil" not in letter.body


def test_without_mail_the_operator_hands_the_link_over(visitor: Client) -> None:
    answer = visitor.post("/start", FORM)
    listed, printed = StringIO(), StringIO()
    call_command("organisation_requests", stdout=listed)
    (wish,) = wishes()
    call_command("organisation_requests", "--link", str(wish.pk), stdout=printed)

    assert "This platform sends no mail" in answer.content.decode()
    assert "initech-labs  founder@initech.example" in listed.getvalue()
    assert printed.getvalue().startswith("http://localhost:8000/start/confirm/")
    path = printed.getvalue().strip().removeprefix("http://localhost:8000")
    assert visitor.get(path).status_code == 200
    call_command("organisation_requests", "--drop", str(wish.pk), stdout=StringIO())
    assert visitor.get(path).status_code == 404
    assert wishes() == []


@pytest.mark.parametrize("option", ["--link", "--drop"])
def test_the_command_says_when_there_is_no_such_wish(db: None, option: str) -> None:
    with pytest.raises(CommandError):
        call_command("organisation_requests", option, str(uuid4()))


def test_known_and_unknown_addresses_get_the_same_answer(visitor: Client, settings: Settings) -> None:
    settings.HAS_EMAIL = True
    emails = ["owner@acme.example", "nobody@initech.example"]

    answers = [visitor.post("/start", FORM | {"email": email}) for email in emails]

    texts = {text_of(answer).replace(email, "") for answer, email in zip(answers, emails, strict=True)}
    assert len(texts) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(letter.to[0] for letter in letters(2)) == sorted(emails)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("slug", "acrne", "too much like a name that is"),
        ("slug", "xn--cme-5cd", "single hyphens"),
        ("slug", "аcme", "cannot name an organisation"),
        ("slug", "www", "kept for the platform"),
        ("slug", "ini tech", "single hyphens"),
        ("slug", "x" * 41, "3 to 40 characters, this has 41"),
        ("slug", "x" * 5000, "at most 200 characters"),
        ("slug", "", "required"),
        ("slug", "a\0b", "Null characters"),
        ("name", "", "required"),
        ("name", "x" * 101, "at most 100 characters"),
        ("name", "Аcme", "mixes letters"),
        ("name", "Ac\u202eme", "RIGHT-TO-LEFT OVERRIDE"),
        ("email", "not an address", "valid email"),
        ("email", "a@b", "valid email"),
    ],
)
def test_what_does_not_fit_comes_back_with_the_reason_at_its_field(
    visitor: Client, field: str, value: str, words: str
) -> None:
    answer = visitor.post("/start", FORM | {field: value})

    assert answer.status_code == 422
    error = re.search(rf'id="id_{field}_error">(.*?)</p>', answer.content.decode(), re.DOTALL)
    assert error is not None
    assert words in error[1]
    assert wishes() == []


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("initech", "initech.localhost is free"),
        ("Initech", "initech.localhost is free"),
        ("acme", "is taken"),
        ("admin", "kept for the platform"),
        ("", "3 to 40 characters"),
        ("a\0b", "single hyphens"),
        ("<script>alert(1)</script>", "&lt;script&gt;"),
    ],
)
def test_a_short_name_is_looked_up_while_it_is_typed(visitor: Client, slug: str, words: str) -> None:
    answer = visitor.get("/start/name", {"slug": slug})

    assert answer.status_code == 200
    assert words in answer.content.decode()
    assert "<html" not in answer.content.decode()
    assert "<script" not in answer.content.decode()


# -- how often -----------------------------------------------------------------------------------------------


def test_one_machine_may_ask_ten_times_at_once(visitor: Client) -> None:
    statuses = [
        visitor.post("/start", FORM | {"email": f"a{n}@initech.example"}).status_code for n in range(11)
    ]
    refused = visitor.post("/start", FORM)

    assert statuses == [200] * 10 + [429]
    assert 0 < int(refused["Retry-After"]) <= 60
    assert (
        Client(headers={"host": "localhost"}, REMOTE_ADDR="10.9.9.9").post("/start", FORM).status_code == 200
    )


def test_one_mail_address_gets_three_mails_and_nobody_is_told_that_it_gets_no_more(
    visitor: Client, settings: Settings
) -> None:
    settings.HAS_EMAIL = True

    answers = [visitor.post("/start", FORM) for _ in range(5)]

    assert len({(answer.status_code, text_of(answer)) for answer in answers}) == 1
    assert len(letters(3)) == len(wishes()) == 3


def test_when_too_many_wait_for_their_proof_nobody_else_may_ask_until_some_expired(visitor: Client) -> None:
    rows = [
        OrganisationRequest(
            name="n",
            slug=f"name{n}",
            skeleton=f"name{n}",
            email=f"{n}@many.example",
            origin="http://localhost",
            token_digest=str(n),
            expires_at=timezone.now() + timedelta(hours=1),
        )
        for n in range(services.MOST_UNPROVED)
    ]
    with shared_context():
        OrganisationRequest.objects.bulk_create(rows)

    full = visitor.post("/start", FORM)
    with shared_context():
        OrganisationRequest.objects.filter(slug="name0").update(expires_at=timezone.now())

    assert (full.status_code, "Try again in an hour" in full.content.decode()) == (429, True)
    assert visitor.post("/start", FORM).status_code == 200


@pytest.mark.parametrize(
    ("machine", "same", "other"),
    [("127.0.0.1", "127.0.0.1", "127.0.0.2"), ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1")],
)
def test_one_machine_does_not_take_all_places_of_those_who_wait(
    visitor: Client, machine: str, same: str, other: str
) -> None:
    for n in range(10):
        begin(slug=f"name-{n}", email=f"{n}@many.example", machine=machine)

    refused = visitor.post("/start", FORM, REMOTE_ADDR=same)
    taken = visitor.post("/start", FORM, REMOTE_ADDR=other)

    assert (refused.status_code, "Too many tries" in refused.content.decode()) == (429, True)
    assert taken.status_code == 200
    assert len(wishes()) == 11


def test_look_ups_are_limited_and_say_so_in_place(visitor: Client) -> None:
    first = [visitor.get("/start/name", {"slug": "initech"}).status_code for _ in range(60)]
    # one a second comes back: on a slow machine a few more pass
    more = [visitor.get("/start/name", {"slug": "initech"}).status_code for _ in range(200)]

    assert first == [200] * 60
    assert 429 in more


# -- the proof -----------------------------------------------------------------------------------------------


def test_opening_the_link_changes_nothing_and_sending_the_form_uses_it_up(visitor: Client) -> None:
    begun = begin()
    link = f"/start/confirm/{begun.token}"

    opened = [visitor.get(link) for _ in range(3)]
    sent = visitor.post(link, PERSON)

    assert [page.status_code for page in opened] == [200] * 3
    assert sent.status_code == 302
    (wish,) = wishes()
    assert (wish.state, wish.person_name, wish.expires_at) == ("queued", "First Person", None)
    assert wish.password.startswith("argon2")
    assert PASSWORD not in str(vars(wish))
    page = visitor.get(sent["Location"])
    assert "Waiting for its turn" in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    assert visitor.get(link).status_code == visitor.post(link, PERSON).status_code == 404


@pytest.mark.parametrize("fate", ["unknown", "expired", "used", "replaced", "dropped", "of progress"])
def test_every_link_that_opens_nothing_gets_the_same_answer(visitor: Client, fate: str) -> None:
    begun = begin()
    token = "x" * 43 if fate == "unknown" else begun.token
    with shared_context():
        if fate == "expired":
            OrganisationRequest.objects.update(expires_at=timezone.now())
        if fate in ("used", "of progress"):
            of_progress = services.confirm(
                token=token, slug="initech-labs", person_name="First", password=PASSWORD
            )
            token = of_progress if fate == "of progress" else token
        if fate == "replaced":
            services.new_link(begun.request.pk)
        if fate == "dropped":
            services.drop(begun.request.pk)

    for answer in (visitor.get(f"/start/confirm/{token}"), visitor.post(f"/start/confirm/{token}", PERSON)):
        assert answer.status_code == 404
        assert services.WORDS_FOR_NONE in answer.content.decode()
        assert "initech" not in answer.content.decode()


def test_the_link_of_the_proof_does_not_open_the_progress(visitor: Client) -> None:
    assert visitor.get(f"/start/progress/{begin().token}").status_code == 404


@pytest.mark.parametrize("password", ["too short", "qwertyuiop123", "founder@initech.example"])
def test_a_weak_password_is_refused_as_everywhere_else(visitor: Client, password: str) -> None:
    link = f"/start/confirm/{begin().token}"

    answer = visitor.post(link, PERSON | {"password": password, "again": password})

    assert answer.status_code == 422
    assert 'id="id_password_error"' in answer.content.decode()
    assert visitor.post(link, PERSON).status_code == 302


def test_of_two_who_want_one_short_name_the_first_to_prove_has_it_and_the_other_chooses_again(
    visitor: Client,
) -> None:
    first, second = begin(), begin(email="other@initech.example", slug="initechlabs")
    assert visitor.post(f"/start/confirm/{first.token}", PERSON).status_code == 302

    late = visitor.post(f"/start/confirm/{second.token}", PERSON | {"slug": "initechlabs"})
    again = visitor.post(f"/start/confirm/{second.token}", PERSON | {"slug": "other-labs"})

    assert late.status_code == 422
    assert "taken" in late.content.decode()
    assert again.status_code == 302
    assert sorted(wish.slug for wish in wishes()) == ["initech-labs", "other-labs"]


def test_a_domain_that_was_taken_off_the_list_proves_nothing_any_more(
    visitor: Client, settings: Settings
) -> None:
    begun = begin()
    settings.SELF_SERVICE = frozenset({"elsewhere.example"})

    answer = visitor.post(f"/start/confirm/{begun.token}", PERSON)

    assert answer.status_code == 422
    assert "Only addresses of elsewhere.example" in answer.content.decode()


def test_what_is_under_way_cannot_be_tried_again(visitor: Client) -> None:
    page = visitor.post(f"/start/confirm/{begin().token}", PERSON)["Location"]

    assert visitor.post(page, {"slug": "another"}).status_code == 409
    assert wishes()[0].slug == "initech-labs"


def test_only_what_waits_for_somebody_expires(db: None, settings: Settings) -> None:
    settings.SELF_SERVICE = frozenset()
    begin()
    with shared_context():
        queued = begin(slug="queued-one", email="b@initech.example")
        services.confirm(token=queued.token, slug="queued-one", person_name="B", password=PASSWORD)
        OrganisationRequest.objects.update(created_at=timezone.now() - timedelta(days=400))
        OrganisationRequest.objects.filter(state=State.UNPROVED).update(expires_at=timezone.now())

        assert services.drop_expired() == 1
    assert [wish.slug for wish in wishes()] == ["queued-one"]
