"""Secrets are planted wherever the platform can reach; configs ask for them in every spelling; none is ever seen."""

import base64
import io
import json
import logging
import zipfile
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError, connection, transaction
from django.test import Client
from kombu import Connection
from pytest_django import Settings
from rest_framework.test import APIClient

from config.celery import app
from core.jobs.broker import CeleryBroker
from core.jobs.dispatcher import Dispatcher
from core.secrets import seal
from core.storage import store
from core.tenancy import shared_context, tenant_context
from generation.config_text import parse_config
from generation.engine.config.load import load_config, plain
from generation.engine.errors import ConfigError
from generation.engine.templates.catalogue import templates
from generation.models import Run
from tenants.lifecycle import services as lifecycle
from tenants.models import Tenant
from tenants.vault import queries
from tenants.vault import services as vault
from tenants.vault.models import NamedSecret
from tests.builders import make_principal, way_on
from tests.dataset_builders import carry_out, small_text
from tests.lifecycle.test_export import packed
from tests.sso.oidc_idp import CLIENT_ID, oidc_idp

NAME = "DS_CANARY"
NAMED = "ds_canary"  # what organisations call theirs
IN_ENVIRONMENT, IN_SETTINGS, SEALED_THERE, SEALED_HERE, NAMED_THERE, NAMED_HERE, NAMED_NEXT = (
    f"canary-{place}-5f0c1e7b9a" for place in ("e", "s", "t", "h", "o", "n", "r")
)
CANARIES = (IN_ENVIRONMENT, IN_SETTINGS, SEALED_THERE, SEALED_HERE, NAMED_THERE, NAMED_HERE, NAMED_NEXT)

REFUSED = [
    spelling.replace("NAME", NAME)
    for spelling in (
        "${NAME}", "${NAME:-x}", "${NAME", "x${NAME}y", "$${NAME}", "${env:NAME}", "${ENV.NAME}", "${ NAME }", "${!NAME}",
        "${secret:NAME}", "${secret:globex/NAME}", "${secret: NAME }", "${SECRET:NAME}", "${secrets.NAME}", "${{secrets.NAME}}",
        "${settings.NAME}", "${file:/proc/self/environ}", "${{env.NAME}}", "#${NAME}",
    )
] + [f"${{secret:{NAMED}}}"]  # fmt: skip
TAKEN_AS_WORDS = [
    spelling.replace("NAME", NAME)
    for spelling in (
        "$NAME", "$(NAME)", "%NAME%", "%(NAME)s", "{NAME}", "{{NAME}}", "{{ env.NAME }}", "{% settings.NAME %}", "{0.NAME}",
        "<%= ENV['NAME'] %>", "@env:NAME", "env://NAME", "ENV[NAME]", "vault:secret/NAME", "op://NAME", "secret:NAME",
        "#{NAME}", "$env:NAME", "`echo $NAME`", "file:///proc/self/environ",
    )
]  # fmt: skip

ClientFor = Callable[..., Client]
ApiClientFor = Callable[..., APIClient]


@pytest.fixture(autouse=True)
def planted(acme: Tenant, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv(NAME, IN_ENVIRONMENT)
    monkeypatch.setattr(settings, NAME, IN_SETTINGS, raising=False)
    settings.SECRETS_KMS_TOKEN = IN_SETTINGS
    _keep("globex", SEALED_THERE)
    _keep("acme", SEALED_HERE)
    for organisation, canary in (("globex", NAMED_THERE), ("acme", NAMED_HERE)):
        with tenant_context(organisation):
            vault.make_secret(principal=make_principal("admin", organisation), name=NAMED, value=canary)


def _keep(organisation: str, canary: str) -> None:
    """A sealed value in a column of the organisation's schema: what lies there is what a dump would show."""
    sealed = seal(organisation, NAME, canary.encode())
    with tenant_context(organisation), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_datakey (id, wrapped, is_current) VALUES (gen_random_uuid(), %s, false)",
            [sealed],
        )


def traces(canary: str) -> Iterator[str]:
    """The canary as it would look in text, in a dump, in a token, in an address, backwards."""
    raw = canary.encode()
    yield canary
    yield raw.hex()
    yield canary[::-1]
    for shift in range(3):  # base64 depends on where the word begins
        encoded = base64.b64encode(b"x" * shift + raw).decode().rstrip("=")
        yield encoded[4 if shift else 0 : -4]


def seen_in(*texts: str | bytes) -> list[str]:
    whole = "\n".join(text if isinstance(text, str) else text.decode("utf-8", "replace") for text in texts)
    return [canary for canary in CANARIES for trace in traces(canary) if trace in whole]


def text_fields() -> list[tuple[str | int, ...]]:
    """Every place of a full config that holds text."""
    found: dict[tuple[str | int, ...], None] = {}
    for template in templates():
        found.update(dict.fromkeys(_places(plain(load_config(template.yaml)), ())))
    return list(found)


def _places(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:2]):
            yield from _places(inner, (*path, index))
    elif isinstance(value, str):
        yield path


def _with(path: tuple[str | int, ...], word: str) -> str:
    for template in templates():
        data: Any = plain(load_config(template.yaml))
        holder = data
        try:
            for step in path[:-1]:
                holder = holder[step]
            if not isinstance(holder[path[-1]], str):
                continue
        except (KeyError, IndexError, TypeError):
            continue
        holder[path[-1]] = word
        return json.dumps(data)
    raise LookupError(path)


def test_every_text_field_refuses_every_spelling_that_asks_for_a_value() -> None:
    fields = text_fields()
    assert len(fields) >= 15

    for path, spelling in [*product(fields, REFUSED[::4]), *product(fields[:2], REFUSED)]:
        with pytest.raises(ConfigError) as caught:
            parse_config(_with(path, spelling))

        codes = {problem.code for problem in caught.value.problems}
        assert codes & {"environment_variable", "secret_not_taken"}, (path, spelling)
        assert not seen_in(str(caught.value), repr(caught.value.problems))


def test_neither_api_nor_pages_answer_with_a_planted_secret(
    client_for: ClientFor, api_client: ApiClientFor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api: Any = api_client()
    page: Any = client_for()

    for spelling in (*REFUSED, *TAKEN_AS_WORDS):
        quoted = json.dumps(spelling)
        text = small_text().replace("name: Klein,", f"name: {quoted},").replace("Klein GmbH", quoted)
        text = f"{quoted}: 1\n{text}"  # no key of a config: refused in any case, and not by silence
        answers = [
            api.post("/api/v1/configs:validate", {"text": text}),
            api.post("/api/v1/configs", {"text": text}),
            api.post("/api/v1/runs", {"text": text}, headers={"Idempotency-Key": "one"}),
            page.post("/datasets/check", {"text": text}),
            page.post("/datasets/new", {"text": text, "action": "save"}),
        ]
        assert [answer.status_code for answer in answers] == [422, 422, 422, 200, 422], spelling
        shown = (*(answer.content for answer in answers), *(str(answer.headers) for answer in answers))
        assert not seen_in(*shown), spelling
    assert not seen_in(caplog.text, _rows("acme"), _rows("globex"), _rows(None))


def test_a_whole_run_of_words_that_look_like_questions_answers_none_of_them(
    client_for: ClientFor, api_client: ApiClientFor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    text = small_text("asks-for-secrets", formats="csv, parquet")
    for place, words in (("Klein GmbH", TAKEN_AS_WORDS[:8]), ("name: Klein,", TAKEN_AS_WORDS[8:14])):
        word = json.dumps(" ".join(words)[:100])
        text = text.replace(place, f"name: {word}," if place.startswith("name:") else word)
    api: Any = api_client()
    page: Any = client_for()

    answer = api.post("/api/v1/runs", {"text": text}, headers={"Idempotency-Key": "whole"})
    assert answer.status_code == 202, answer.content
    messages = _messages()
    run = carry_out(Run.objects.get(pk=answer.json()["id"]))

    assert run.state == "released"
    files = _files(run)
    assert len(files) > 20
    answers = [
        page.get(f"/runs/{run.number}"),
        page.get(f"/runs/{run.number}/config"),
        page.get(f"/runs/{run.number}/log"),
        page.get(f"/runs/{run.number}/preview"),
        page.get("/audit"),
        api.get(f"/api/v1/runs/{run.pk}"),
        api.get(f"/api/v1/runs/{run.pk}/report"),
    ]
    assert [one.status_code for one in answers] == [200] * len(answers)
    assert messages
    assert not seen_in(
        *files.values(),
        *(one.content for one in answers),
        *messages,
        caplog.text,
        _rows("acme"),
        _rows("globex"),
        _rows(None),
    )
    assert any(
        b"$DS_CANARY" in content for content in files.values()
    )  # the words themselves were carried through


def test_a_stored_secret_is_seen_by_the_provider_alone(
    client_for: ClientFor,
    api_client: ApiClientFor,
    caplog: pytest.LogCaptureFixture,
    settings: Settings,
    tmp_path: Path,
) -> None:
    """Stored, misspelt, replaced, used and exported: by page and API, with every answer, row and log line read."""
    caplog.set_level(logging.DEBUG)
    api: Any = api_client("admin")
    page: Any = client_for("admin")
    secret = NamedSecret.objects.get()
    place, value = f"/api/v1/secrets/{secret.pk}", {"value": NAMED_NEXT}
    with oidc_idp() as idp:
        settings.EGRESS_ALLOW = frozenset({idp.server.place})
        provider = {"name": "ID", "issuer": idp.issuer, "client_id": CLIENT_ID}
        answers = [
            page.post("/settings/secrets/new", {"name": "No Name", **value}),
            page.post("/settings/secrets/new", {"name": NAMED, **value}),
            page.post("/settings/secrets/new", {"name": "next", "value": f"{NAMED_NEXT} "}),
            page.post(f"/settings/secrets/{secret.pk}/edit", value | {"version": queries.version_of(secret)}),
            page.get(f"/settings/secrets/{secret.pk}/edit"),
            page.get("/settings/secrets"),
            api.post("/api/v1/secrets", {"name": NAMED, **value}, headers={"Idempotency-Key": "taken"}),
            api.post("/api/v1/secrets", {"name": "next", **value}, headers={"Idempotency-Key": "one"}),
            api.post("/api/v1/secrets", {"name": "next", **value}, headers={"Idempotency-Key": "one"}),
            api.patch(place, value | {"description": "\u202e"}, headers={"If-Match": "*"}),
            api.patch(place, value, headers={"If-Match": "*"}),
            api.get(place),
            api.get("/api/v1/secrets"),
            page.post("/settings/sso/oidc", provider | {"client_secret": f"${{secret:{NAMED}}}"}),
            page.get("/settings/sso"),
            page.get("/sso/oidc/callback", idp.authorise(way_on(page.get("/settings/sso/test")))),
            api.delete(place, headers={"If-Match": "*"}),
            page.post(f"/settings/secrets/{secret.pk}/delete"),
            page.get("/audit"),
            api.get("/api/v1/audit-events"),
        ]
        [exchange] = [asked for asked in idp.server.asked if asked.path == "/token"]

    codes = [
        422,
        409,
        422,
        302,
        200,
        200,
        409,
        201,
        201,
        422,
        200,
        200,
        200,
        302,
        200,
        200,
        409,
        409,
        200,
        200,
    ]
    assert [one.status_code for one in answers] == codes
    assert NAMED_NEXT in base64.b64decode(exchange.headers["authorization"].removeprefix("Basic ")).decode()
    exported = _exported(tmp_path)
    assert NAMED.encode() in exported
    assert not seen_in(*(one.content for one in answers), *(str(one.headers) for one in answers), exported)
    assert not seen_in(caplog.text, _rows("acme"), _rows("globex"), _rows(None))


def test_the_search_would_find_a_canary() -> None:
    """The test of the tests: in each way of looking, a planted trace is seen."""
    for trace in traces(IN_ENVIRONMENT):
        assert seen_in(f"…{trace}…") == [IN_ENVIRONMENT]
    with tenant_context("globex"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_datakey (id, wrapped, is_current) VALUES (gen_random_uuid(), %s, false)",
            [SEALED_THERE.encode()],
        )
    assert seen_in(_rows("globex")) == [SEALED_THERE]


# -- where to look -------------------------------------------------------------------------------------------


def _rows(schema: str | None) -> str:
    """All rows of all tables as text, as a dump of the schema has them; None: the shared one."""
    with tenant_context(schema) if schema else shared_context(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema or "public"])
        texts = []
        for (table,) in cursor.fetchall():
            try:
                with transaction.atomic():
                    cursor.execute(f'SELECT t::text FROM "{schema or "public"}"."{table}" t')
                    texts += [row for (row,) in cursor.fetchall()]
            except DatabaseError:
                assert schema is None  # the twins that the shared role must not read
    return "\n".join(texts)


def _files(run: Run) -> dict[str, bytes]:
    """Everything that the run left in the store, archives opened."""
    files: dict[str, bytes] = {}
    for key in store().list(""):
        if str(run.pk) in key or "/runs/" in key:
            content = store().open(key).read()
            files[key] = content
            if zipfile.is_zipfile(io.BytesIO(content)):
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    files |= {f"{key}!{name}": archive.read(name) for name in archive.namelist()}
    return files


def _exported(folder: Path) -> bytes:
    """Everything that acme's export holds."""
    ordered = lifecycle.order_export(principal=make_principal("admin"), with_files=False)
    with store().open(packed(ordered, folder).key) as file:
        content = io.BytesIO(file.read())
    with zipfile.ZipFile(content) as archive:
        return b"\n".join(archive.read(name) for name in archive.namelist())


def _messages() -> list[bytes]:
    """What a real dispatcher sends to a real broker."""
    broker = CeleryBroker(app)
    with shared_context():
        Dispatcher(broker).step()
    broker.close()
    with Connection(django_settings.CELERY_BROKER_URL) as carrier:
        channel: Any = carrier.default_channel
        client = channel.client
        queues = [name for name in (b"interactive", b"bulk") if client.exists(name)]
        messages: list[bytes] = [message for name in queues for message in client.lrange(name, 0, -1)]
        client.flushdb()
    return messages
