"""Settings from the environment: values, files, the data folder, and URLs as the libraries want them."""

import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.stack import Stack


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    names = (
        "DATABASE_URL",
        "DATABASE_OWNER_URL",
        "VALKEY_URL",
        "STORAGE_URL",
        "SECRET_KEY",
        "DATASYNTH_HOME",
    )
    for name in (*names, "WORD"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)


def test_a_value_comes_from_the_variable_or_from_the_file_it_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert env.env_text("WORD", "default") == "default"

    monkeypatch.setenv("WORD", "direct")
    assert env.env_text("WORD", "default") == "direct"

    monkeypatch.delenv("WORD")
    (tmp_path / "secret").write_text("from file\n")
    monkeypatch.setenv("WORD_FILE", str(tmp_path / "secret"))
    assert env.env_text("WORD") == "from file"


def test_what_cannot_be_decided_or_read_is_an_error_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(ImproperlyConfigured, match="WORD must be set"):
        env.env_text("WORD")

    monkeypatch.setenv("WORD_FILE", str(tmp_path / "absent"))
    with pytest.raises(ImproperlyConfigured, match="WORD_FILE: cannot read"):
        env.env_text("WORD")

    monkeypatch.setenv("WORD", "x")
    with pytest.raises(ImproperlyConfigured, match="WORD or WORD_FILE, not both"):
        env.env_text("WORD")


def test_trusted_proxies_are_addresses_and_networks_and_never_everybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert [str(one) for one in env.env_networks("WORD", "127.0.0.0/8,::1")] == ["127.0.0.0/8", "::1/128"]

    monkeypatch.setenv("WORD", "none")
    assert env.env_networks("WORD", "127.0.0.1") == ()

    for wrong, message in (
        ("10.0.0.1/8", "host bits set"),
        ("proxy.example", "WORD must list addresses"),
        ("0.0.0.0/0", "must not trust everybody"),
        ("10.0.0.1,::/0", "must not trust everybody"),
    ):
        monkeypatch.setenv("WORD", wrong)
        with pytest.raises(ImproperlyConfigured, match=message):
            env.env_networks("WORD", "")


@pytest.mark.parametrize(
    ("name", "url", "plain"),
    [
        ("DATABASE_URL", "postgresql://app@db.example/ds", True),
        ("DATABASE_URL", "postgresql://app@db.example/ds?sslmode=prefer", True),
        ("DATABASE_URL", "postgresql://app@db.example/ds?sslmode=verify-full", False),
        ("DATABASE_URL", "postgresql://app@localhost/ds", False),
        ("DATABASE_URL", "postgresql://app@localhost,db.example/ds", True),
        ("DATABASE_URL", "postgresql://app@localhost/ds?hostaddr=192.0.2.7", True),
        ("DATABASE_URL", "postgresql://app@/ds?host=/run/postgresql", False),
        ("DATABASE_OWNER_URL", "postgresql://owner@10.0.0.5/ds", True),
        ("VALKEY_URL", "redis://cache.example:6379", True),
        ("VALKEY_URL", "redis://127.0.0.1:6379", False),
        ("VALKEY_URL", "rediss://cache.example:6379", False),
        ("VALKEY_URL", "unix:///run/valkey.sock", False),
        ("EMAIL_URL", "smtp://mail.example:587?starttls=off", True),
        ("EMAIL_URL", "smtp://mail.example:587", False),
        ("STORAGE_URL", "s3://bucket/x?scheme=http&endpoint_override=store.example:9000", True),
        ("STORAGE_URL", "s3://bucket/x?scheme=http&endpoint_override=127.0.0.1:9000", False),
        ("STORAGE_URL", "s3://bucket/x?region=eu-central-1", False),
        ("SECRETS_KMS_URL", "transit+http://bao.example:8200/transit/ds", True),
        ("SECRETS_KMS_URL", "transit+http://[::1]:8200/transit/ds", False),
    ],
)
def test_a_server_elsewhere_without_tls_is_named_with_what_to_write(
    monkeypatch: pytest.MonkeyPatch, name: str, url: str, plain: bool
) -> None:
    for other in ("EMAIL_URL", "SECRETS_KMS_URL"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, url)

    assert [one.partition(":")[0] for one in env.plain_connections()] == ([name] if plain else [])


@pytest.mark.parametrize(
    "text",
    [
        "ns.corp:53",
        "10.0.0.1",
        "10.0.0.1:0",
        "10.0.0.1:99999",
        "::1:53",
        "[10.0.0.1]:53",
        "a:²",
        "10.0.0.1]:53",
        "[::1:53",
    ],
)
def test_a_name_server_that_cannot_be_asked_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("DNS_RESOLVERS", text)

    with pytest.raises(ImproperlyConfigured, match="DNS_RESOLVERS must list address:port"):
        env.env_places("DNS_RESOLVERS", of_addresses=True)


def test_name_servers_are_addresses_with_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DNS_RESOLVERS", "10.0.0.1:53, [::1]:5353")

    assert env.env_places("DNS_RESOLVERS", of_addresses=True) == {"10.0.0.1:53", "[::1]:5353"}


@pytest.mark.parametrize("url", ["ftp://x", "s3:///prefix", "file://elsewhere/folder", "storage", "file:"])
def test_a_store_that_cannot_be_stops_the_start(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("STORAGE_URL", url)

    with pytest.raises(ImproperlyConfigured, match="STORAGE_URL must be"):
        env.storage_url()


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("TRUE", True), ("on", True), ("0", False), ("No", False)]
)
def test_truth_values_are_read_in_the_usual_spellings(
    monkeypatch: pytest.MonkeyPatch, text: str, value: bool
) -> None:
    monkeypatch.setenv("WORD", text)

    assert env.env_bool("WORD", not value) is value


@pytest.mark.parametrize("text", ["maybe", "2"])
def test_a_truth_value_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("WORD", text)

    with pytest.raises(ImproperlyConfigured, match="WORD must be true or false"):
        env.env_bool("WORD", True)


def test_numbers_are_whole_and_within_their_range(monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.env_int("WORD", 5, minimum=1) == 5
    monkeypatch.setenv("WORD", "7")
    assert env.env_int("WORD", 5, minimum=1, maximum=9) == 7

    monkeypatch.setenv("WORD", "10")
    with pytest.raises(ImproperlyConfigured, match="WORD must be between 1 and 9, got 10"):
        env.env_int("WORD", 5, minimum=1, maximum=9)
    monkeypatch.setenv("WORD", "1.5")
    with pytest.raises(ImproperlyConfigured, match="WORD must be a whole number"):
        env.env_int("WORD", 5)


def test_without_urls_everything_lives_in_the_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATASYNTH_HOME", str(tmp_path))

    assert env.database_url() == f"postgresql://datasynth_app@/datasynth?host={tmp_path}/postgresql/run"
    assert env.database_owner_url() == f"postgresql://postgres@/datasynth?host={tmp_path}/postgresql/run"
    assert env.valkey_url() == f"unix://{tmp_path}/valkey/valkey.sock"
    assert env.storage_url() == f"file://{tmp_path}/storage"


def test_a_database_of_ones_own_is_used_for_both_logins_unless_the_owner_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/x")
    assert env.database_owner_url() == "postgresql://app@db/x"

    monkeypatch.setenv("DATABASE_OWNER_URL", "postgresql://owner@db/x")
    assert env.database_owner_url() == "postgresql://owner@db/x"
    assert env.database_url() == "postgresql://app@db/x"


def test_the_secret_key_is_made_once_and_kept_private(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATASYNTH_HOME", str(tmp_path / "home"))

    first = env.secret_key()

    assert len(first) >= 50
    assert env.secret_key() == first
    assert stat.S_IMODE((tmp_path / "home" / "secret_key").stat().st_mode) == 0o600
    assert sorted(path.name for path in (tmp_path / "home").iterdir()) == ["datasynth-home", "secret_key"]


def test_a_database_of_ones_own_wants_a_secret_key_of_ones_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATASYNTH_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://app@db/x")

    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        env.secret_key()


def test_a_database_url_becomes_a_django_database() -> None:
    socket = env.django_database("postgresql://app@/datasynth?host=/var/lib/datasynth/postgresql/run")
    assert socket["HOST"] == "/var/lib/datasynth/postgresql/run"
    assert (socket["NAME"], socket["USER"], socket["PASSWORD"], socket["PORT"]) == (
        "datasynth",
        "app",
        "",
        "",
    )

    remote = env.django_database("postgresql://app:p%40ss@db.example:6432/books?sslmode=verify-full")
    assert remote == {
        "NAME": "books",
        "USER": "app",
        "PASSWORD": "p@ss",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "verify-full"},
    }


@pytest.mark.parametrize(
    "url", ["mysql://a@b/c", "postgresql://app@db", "postgresql://app@db/x?nonsense=1", "x"]
)
def test_a_database_url_that_cannot_work_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="database URL"):
        env.django_database(url)


def test_cache_and_broker_get_databases_of_their_own_on_the_same_server() -> None:
    socket = "unix:///var/lib/datasynth/valkey/valkey.sock"
    assert env.cache_location(socket) == f"{socket}?db=1"
    assert env.celery_broker_url(socket) == (
        "redis+socket:///var/lib/datasynth/valkey/valkey.sock?virtual_host=2"
    )

    assert env.cache_location("redis://user:secret@cache:6379/4") == "redis://user:secret@cache:6379/5"
    assert env.celery_broker_url("rediss://cache:6379") == "rediss://cache:6379/2"
    with pytest.raises(ImproperlyConfigured, match="VALKEY_URL"):
        env.cache_location("http://cache")


@pytest.mark.parametrize(
    ("url", "port", "whole", "starttls"),
    [
        ("smtp://mail.example", 587, False, True),
        ("smtps://a%40b:p%2Fw@mail.example", 465, True, False),
        ("smtp://localhost:25?starttls=off", 25, False, False),
    ],
)
def test_a_mail_server_is_one_address(
    monkeypatch: pytest.MonkeyPatch, url: str, port: int, whole: bool, starttls: bool
) -> None:
    monkeypatch.setenv("EMAIL_URL", url)

    server = env.email_server()

    assert (server["EMAIL_PORT"], server["EMAIL_USE_SSL"], server["EMAIL_USE_TLS"]) == (port, whole, starttls)
    if whole:
        assert (server["EMAIL_HOST_USER"], server["EMAIL_HOST_PASSWORD"]) == ("a@b", "p/w")


def test_without_a_mail_server_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMAIL_URL", raising=False)

    assert env.email_server() == {}


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://"])
def test_an_address_that_is_no_mail_server_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("EMAIL_URL", url)

    with pytest.raises(ImproperlyConfigured):
        env.email_server()


@pytest.mark.parametrize(
    ("value", "who"),
    [
        ("", None),
        ("closed", None),
        ("Open", frozenset()),
        ("a.example, B.example", frozenset({"a.example", "b.example"})),
    ],
)
def test_self_service_is_closed_unless_it_is_opened(
    monkeypatch: pytest.MonkeyPatch, value: str, who: frozenset[str] | None
) -> None:
    monkeypatch.setenv("SELF_SERVICE", value)

    assert env.self_service() == who


@pytest.mark.parametrize(
    "value", ["opne", "yes", "a.example,,b.example", "@a.example", "a example", ".example"]
)
def test_a_misspelt_self_service_opens_nothing(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SELF_SERVICE", value)

    with pytest.raises(ImproperlyConfigured, match="SELF_SERVICE must be closed, open, or mail domains"):
        env.self_service()


@pytest.mark.parametrize(
    ("base_host", "value", "is_open"),
    [
        ("", "", True),
        ("books.example", "", False),
        ("", "closed", False),
        ("books.example", "a.example", True),
    ],
)
def test_one_machine_by_itself_is_open_and_a_server_with_a_name_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, base_host: str, value: str, is_open: bool
) -> None:
    monkeypatch.setenv("BASE_HOST", base_host)
    monkeypatch.setenv("SELF_SERVICE", value)

    assert Stack(tmp_path, 8000).is_open() == is_open
