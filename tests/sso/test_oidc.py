"""OpenID Connect: one way in, and a table of answers that are refused."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from core.errors import InvalidInput
from tenants.models import Tenant
from tenants.people.models import Session
from tenants.people.proof import RECORDS, is_fresh
from tenants.sso import services
from tenants.sso.models import Arrival, Connection, MailDomain
from tests.builders import make_principal
from tests.sso.conftest import actions, member
from tests.sso.loopback import Asked
from tests.sso.oidc_idp import (
    CLIENT_ID,
    CLIENT_SECRET,
    OidcIdp,
    jwk,
    oidc_idp,
    private_jwk,
    signed,
    with_header,
)
from tests.work import work_of_at_most

pytestmark = pytest.mark.usefixtures("no_tries_counted")

Verified = Callable[..., MailDomain]


@pytest.fixture
def idp(acme: Tenant, settings: Settings) -> Iterator[OidcIdp]:
    """A provider that acme uses."""
    with oidc_idp() as running:
        settings.EGRESS_ALLOW = frozenset({running.server.place})
        cache.clear()
        owner = make_principal("owner")
        services.set_oidc(
            principal=owner,
            name="ID",
            issuer=running.issuer,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
        )
        services.set_claims(principal=owner, claims=services.Claims(group_roles=[("staff", "operator")]))
        services.switch_on(principal=owner)
        yield running


def browser() -> Client:
    return Client(headers={"host": "acme.localhost"})


def sign_in(client: Client, idp: OidcIdp, **changes: str) -> Any:
    address = client.get("/sso/start?next=/me")["Location"]
    return client.get("/sso/oidc/callback", {**idp.authorise(address), **changes})


def test_a_person_signs_in_with_code_pkce_state_and_nonce(idp: OidcIdp, verified: Verified) -> None:
    verified()
    client = browser()

    response = sign_in(client, idp)

    assert (response.status_code, response["Location"]) == (302, "/me")
    assert client.get("/me").status_code == 200
    made = member("new@acme.example")
    assert made is not None
    assert made.role == "operator"
    exchange = next(asked for asked in idp.server.asked if asked.path == "/token")
    pair = base64.b64decode(exchange.headers["authorization"].removeprefix("Basic ")).decode()
    assert [unquote(part) for part in pair.split(":")] == [CLIENT_ID, CLIENT_SECRET]


def test_what_the_token_leaves_out_comes_from_the_profile(idp: OidcIdp, verified: Verified) -> None:
    verified()
    idp.token = lambda claims: signed(
        {name: claims[name] for name in ("iss", "sub", "aud", "iat", "exp", "nonce")}
    )
    idp.profile = {"email": "profile@acme.example", "groups": ["staff"]}

    assert sign_in(browser(), idp).status_code == 302
    assert member("profile@acme.example") is not None


def test_an_address_that_the_provider_did_not_check_proves_nothing(idp: OidcIdp, verified: Verified) -> None:
    verified()
    idp.claims = {"email": "viewer@acme.example", "email_verified": False}

    assert sign_in(browser(), idp).status_code == 403


def test_keys_may_rotate(idp: OidcIdp, verified: Verified) -> None:
    verified()
    sign_in(browser(), idp)
    idp.keys = ["key-1", "key-2"]
    idp.token = lambda claims: signed(claims, key="key-2")

    assert sign_in(browser(), idp).status_code == 302


# -- step-up -------------------------------------------------------------------------------------------------


def _confirm(client: Client, idp: OidcIdp, **claims: Any) -> Any:
    """The way to the provider and back for a new proof."""
    address = client.get("/sso/confirm?next=/me")["Location"]
    asked = parse_qs(urlsplit(address).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    idp.claims = claims
    return client.get("/sso/oidc/callback", idp.authorise(address))


def _proofs(client: Client) -> int:
    return len(client.session[RECORDS])


def test_a_new_sign_in_at_the_provider_confirms(idp: OidcIdp, verified: Verified) -> None:
    verified()
    client = browser()
    sign_in(client, idp)

    now = time.time()  # of a clock that goes a little wrong, as they do
    answers = [_confirm(client, idp, auth_time=int(now) + drift) for drift in (-50, 0, 50)]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, "/me")] * 3
    assert _proofs(client) == 1 + 3


def test_a_session_that_began_with_an_old_sign_in_there_has_no_fresh_proof(
    idp: OidcIdp, verified: Verified
) -> None:
    verified()
    fresh, old = browser(), browser()

    sign_in(fresh, idp)
    idp.claims = {"auth_time": int(time.time()) - 3600}
    sign_in(old, idp)

    assert (is_fresh(fresh.session), is_fresh(old.session)) == (True, False)
    assert old.get("/me").status_code == 200


@pytest.mark.parametrize(
    ("auth_time", "words"),
    [
        (-36_000, "did not ask you to sign in again"),  # the wish for a new proof was cut out on the way
        (-90, "did not ask you to sign in again"),
        (+3_600, "does not say when you last signed in"),
        (None, "does not say when you last signed in"),
        ("yesterday", "does not say when you last signed in"),
        (True, "does not say when you last signed in"),
    ],
)
def test_an_old_sign_in_at_the_provider_confirms_nothing(
    auth_time: Any, words: str, idp: OidcIdp, verified: Verified, no_tries_counted: None
) -> None:
    verified()
    client = browser()
    sign_in(client, idp)
    told = int(time.time()) + auth_time if type(auth_time) is int else auth_time

    refused = _confirm(client, idp, **({} if told is None else {"auth_time": told}))

    assert refused.status_code == 403
    assert words in refused.content.decode()
    assert _proofs(client) == 1
    assert actions()[-1] == "sso.sign_in.refuse"


# -- answers that are refused --------------------------------------------------------------------------------

Token = Callable[[dict[str, Any]], str]


def _hs256(claims: dict[str, Any]) -> str:
    """Signed with the public key as if it were a secret that both know."""
    unsigned = with_header(claims, {"alg": "HS256", "kid": "key-1"}).rstrip(".")
    mark = hmac.new(str(jwk("key-1")).encode(), unsigned.encode(), hashlib.sha256).digest()
    return f"{unsigned}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


TOKENS: dict[str, Token] = {
    "alg none": lambda claims: with_header(claims, {"alg": "none"}),
    "alg None": lambda claims: with_header(claims, {"alg": "None", "kid": "key-1"}),
    "public key as a shared secret": _hs256,
    "no algorithm": lambda claims: with_header(claims, {"kid": "key-1"}),
    "signature cut off": lambda claims: signed(claims).rpartition(".")[0] + ".",
    "claims changed": lambda claims: signed(claims)[:60] + "A" + signed(claims)[61:],
    "a stranger's key": lambda claims: signed(claims, key="stranger"),
    "a stranger's key under our id": lambda claims: signed(claims, key="stranger", kid="key-1"),
    "key id that climbs": lambda claims: signed(claims, key="stranger", kid="../../dev/null"),
    "key in its own header": lambda claims: signed(claims, key="stranger", kid="x", jwk=jwk("stranger")),
    "key at an address of its own": lambda claims: signed(
        claims, key="stranger", kid="x", jku="https://evil.example/"
    ),
    "another issuer": lambda claims: signed(claims | {"iss": "https://evil.example"}),
    "no issuer": lambda claims: signed({name: claims[name] for name in claims if name != "iss"}),
    "another audience": lambda claims: signed(claims | {"aud": "somebody"}),
    "many audiences, none named": lambda claims: signed(claims | {"aud": [CLIENT_ID, "somebody"]}),
    "made for another party": lambda claims: signed(claims | {"azp": "somebody"}),
    "run out": lambda claims: signed(claims | {"exp": int(time.time()) - 120}),
    "never runs out": lambda claims: signed({name: claims[name] for name in claims if name != "exp"}),
    "old": lambda claims: signed(claims | {"iat": int(time.time()) - 3600}),
    "from the future": lambda claims: signed(claims | {"iat": int(time.time()) + 3600}),
    "not yet good": lambda claims: signed(claims | {"nbf": int(time.time()) + 3600}),
    "another sign-in's nonce": lambda claims: signed(claims | {"nonce": "another"}),
    "no nonce": lambda claims: signed({name: claims[name] for name in claims if name != "nonce"}),
    "no subject": lambda claims: signed({name: claims[name] for name in claims if name != "sub"}),
    "a subject that is a number": lambda claims: signed(claims | {"sub": 1}),
    "endless subject": lambda claims: signed(claims | {"sub": "x" * 256}),
    "somebody else's profile": lambda claims: signed(claims | {"sub": "subject-2"}),
    "nothing": lambda claims: "",
    "no token": lambda claims: "hello",
    "halves of characters for a token": lambda claims: "\ud800.\ud800.x",
    "letters that no token has": lambda claims: "é.é.é",
    "no text for a token": lambda claims: [signed(claims)],
    "a number for a token": lambda claims: 1,
    "NUL in a critical header": lambda claims: signed(claims, crit=["\0"]),
    "a key id that is a number": lambda claims: with_header(claims, {"alg": "RS256", "kid": 1}),
} | {
    f"{text!r} in {place}": lambda claims, text=text, place=place: signed(  # type: ignore[misc]  # its defaults
        claims | {place: [text] if place == "groups" else text}
    )
    for place in ("sub", "nonce", "email", "name", "groups", "azp", "acr", "\0")
    for text in ("\0ab", "\ud800")
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_wrong_token_is_refused_at_once_and_signs_nobody_in(
    name: str, idp: OidcIdp, verified: Verified
) -> None:
    verified()
    idp.token = TOKENS[name]
    client = browser()

    with work_of_at_most(1):
        response = sign_in(client, idp)

    assert response.status_code == 403
    assert Session.objects.count() == 0
    assert member("new@acme.example") is None


@pytest.mark.parametrize("subject", ["\0ab", "\ud800"])
def test_a_subject_that_is_no_text_is_refused_where_no_profile_is_asked_for(
    subject: str, idp: OidcIdp, verified: Verified
) -> None:
    verified()
    connection = Connection.objects.get()
    Connection.objects.update(endpoints=connection.endpoints | {"people": ""})
    idp.claims = {"sub": subject}

    assert sign_in(browser(), idp).status_code == 403
    assert actions()[-1] == "sso.sign_in.refuse"


@pytest.mark.parametrize("text", ["\0ab", "\ud800"])
@pytest.mark.parametrize("name", ["email", "name", "groups", "\0"])
def test_a_profile_with_what_no_text_has_is_refused(
    name: str, text: str, idp: OidcIdp, verified: Verified
) -> None:
    verified()
    idp.profile = {name: text}

    assert sign_in(browser(), idp).status_code == 403
    assert actions()[-1] == "sso.sign_in.refuse"


@pytest.mark.parametrize(
    "parts",
    [
        {"n": 1},
        {"n": "é"},
        {"n": ""},
        {"n": "AQ"},
        {"e": "!"},
        {"e": None},
        {"e": ["AQAB"]},
        {"n": "AAAA", "d": "x"},
        private_jwk("key-1"),
    ],
)
def test_a_key_that_is_none_opens_nothing(parts: dict[str, Any], idp: OidcIdp, verified: Verified) -> None:
    verified()
    broken = json.dumps({"keys": [jwk("key-1") | parts]}).encode()
    idp.server.answers = lambda asked: (200, {}, broken) if asked.path == "/jwks" else idp.answer(asked)

    assert sign_in(browser(), idp).status_code == 403


def test_a_key_that_is_soon_broken_signs_nobody_in(idp: OidcIdp, verified: Verified) -> None:
    """RFC 7518, 3.3: a key of RSA has 2048 bits or more."""
    verified()
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    public = jwk("key-1") | json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(small.public_key()))
    keys = json.dumps({"keys": [public]}).encode()
    idp.server.answers = lambda asked: (200, {}, keys) if asked.path == "/jwks" else idp.answer(asked)
    idp.token = lambda claims: jwt.encode(claims, small, algorithm="RS256", headers={"kid": "key-1"})

    assert sign_in(browser(), idp).status_code == 403
    assert member("new@acme.example") is None


@pytest.mark.parametrize("joining", ["verified", "anybody"])
@pytest.mark.parametrize("told", [None, [], {}, [True], False, "false", "", "yes", "1", 0, 1, "tru\u0435"])
def test_an_address_counts_as_checked_only_where_the_provider_says_so(
    told: Any, joining: str, idp: OidcIdp, verified: Verified
) -> None:
    """OpenID Connect Core 5.1: `email_verified` is a boolean; some providers write it as a word."""
    verified()
    Connection.objects.update(joining=joining)
    idp.claims = {"email_verified": told}

    assert sign_in(browser(), idp).status_code == 403
    assert member("new@acme.example") is None


@pytest.mark.parametrize("told", [True, "true", "True", "TRUE", "nothing"])
def test_a_provider_that_checked_the_address_or_does_not_say_is_believed(
    told: Any, idp: OidcIdp, verified: Verified
) -> None:
    verified()
    said = {} if told == "nothing" else {"email_verified": told}
    idp.token = lambda claims: signed(
        {name: claims[name] for name in claims if name != "email_verified"} | said
    )

    assert sign_in(browser(), idp).status_code == 302


def test_a_state_of_another_browser_a_used_one_and_none_are_refused(idp: OidcIdp, verified: Verified) -> None:
    verified()
    client, victim = browser(), browser()
    brought = idp.authorise(client.get("/sso/start")["Location"])
    victim.get("/sso/start")

    assert victim.get("/sso/oidc/callback", brought).status_code == 403
    assert client.get("/sso/oidc/callback", brought).status_code == 302
    assert client.get("/sso/oidc/callback", brought).status_code == 403
    assert client.get("/sso/oidc/callback", {"code": "x"}).status_code == 403


def test_a_nonce_works_once_even_where_the_browser_kept_its_cookie(idp: OidcIdp, verified: Verified) -> None:
    verified()
    client = browser()
    brought = idp.authorise(client.get("/sso/start")["Location"])
    kept, challenge = client.cookies["datasynth-sso"].value, idp.challenges[brought["code"]]
    client.get("/sso/oidc/callback", brought)

    idp.challenges[brought["code"]] = challenge  # a provider that takes a code twice
    again = browser()
    again.cookies["datasynth-sso"] = kept

    assert again.get("/sso/oidc/callback", brought).status_code == 403
    assert Arrival.objects.count() == 1


def test_another_verifier_gets_no_token(idp: OidcIdp, verified: Verified) -> None:
    verified()
    client = browser()
    brought = idp.authorise(client.get("/sso/start")["Location"])
    idp.challenges[brought["code"]] = "of another sign-in"

    assert client.get("/sso/oidc/callback", brought).status_code == 403


def test_an_answer_of_another_issuer_is_refused(idp: OidcIdp, verified: Verified) -> None:
    verified()

    assert sign_in(browser(), idp, iss="https://evil.example").status_code == 403
    assert sign_in(browser(), idp, iss=idp.issuer).status_code == 302


def test_an_error_of_the_provider_is_told_without_repeating_it(idp: OidcIdp) -> None:
    client = browser()
    state = idp.authorise(client.get("/sso/start")["Location"])["state"]

    response = client.get("/sso/oidc/callback", {"state": state, "error": "<b>access_denied</b>"})

    assert response.status_code == 403
    assert b"access_denied" not in response.content


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://169.254.169.254/token"},
        {"token_endpoint": None},
        {"jwks_uri": "https://10.0.0.1/jwks"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"end_session_endpoint": "http://127.0.0.1:1/"},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
        *(
            {name: value}
            for text in ("\0", "\ud800")
            for name, value in {
                "token_endpoint_auth_methods_supported": [text],
                "authorization_endpoint": f"https://id.example/{text}",
                "token_endpoint": f"https://id.example/{text}",
                "jwks_uri": f"https://id.example/{text}",
                "userinfo_endpoint": f"https://id.example/{text}",
                "end_session_endpoint": f"https://id.example/{text}",
                "issuer": text,
            }.items()
        ),
        {"token_endpoint": f"https://id.example/{'x' * 2048}"},
    ],
)
def test_a_provider_that_cannot_be_trusted_is_not_stored(idp: OidcIdp, discovery: dict[str, Any]) -> None:
    idp.discovery = discovery
    before = actions()

    with pytest.raises(InvalidInput):
        services.set_oidc(principal=make_principal("owner"), name="ID", issuer=idp.issuer, client_id="x")
    assert actions() == before


@pytest.mark.parametrize("text", ["\0", "\ud800"])
def test_what_a_discovery_document_holds_is_told_on_the_form(
    text: str, idp: OidcIdp, client_for: Callable[..., Client]
) -> None:
    idp.discovery = {"issuer": text, "token_endpoint_auth_methods_supported": [text]}
    typed = {"name": "ID", "issuer": idp.issuer, "client_id": CLIENT_ID}

    answer = client_for("owner").post("/settings/sso/oidc", typed)

    assert answer.status_code == 422
    assert "The discovery document holds characters that no text has" in answer.content.decode()


def test_an_issuer_that_is_longer_than_any_is_not_stored(idp: OidcIdp) -> None:
    issuer = f"{idp.issuer}/{'x' * 1024}"
    idp.discovery = {"issuer": issuer}
    document = idp.answer(Asked("GET", "/.well-known/openid-configuration", {}, b""))
    idp.server.answers = lambda asked: document if "well-known" in asked.path else idp.answer(asked)

    with pytest.raises(InvalidInput, match="at most 1024"):
        services.set_oidc(principal=make_principal("owner"), name="ID", issuer=issuer, client_id="x")


def test_the_secret_is_stored_sealed_and_kept_only_for_the_same_client(idp: OidcIdp) -> None:
    owner = make_principal("owner")
    same = services.set_oidc(principal=owner, name="New name", issuer=idp.issuer, client_id=CLIENT_ID)
    assert same.client_secret is not None
    assert CLIENT_SECRET.encode() not in bytes(same.client_secret)

    other = services.set_oidc(principal=owner, name="New name", issuer=idp.issuer, client_id="another")
    assert other.client_secret is None


def test_signing_out_goes_on_at_the_provider_and_comes_back_here(idp: OidcIdp, verified: Verified) -> None:
    verified()
    client = browser()
    sign_in(client, idp)

    page = client.post("/logout").content.decode()

    assert "_auth_user_id" not in client.session
    address = page.partition('href="http')[2].partition('"')[0].replace("&amp;", "&")
    query = parse_qs(urlsplit(f"http{address}").query)
    assert query["post_logout_redirect_uri"] == ["http://acme.localhost/login"]
    assert query["client_id"] == [CLIENT_ID]
    assert "id_token_hint" in query
