"""Typed reading of the environment: a setting is NAME, or NAME_FILE with the path of a file that holds it.

docs/operations/configuration.md lists every name; a test compares that page with the code.
"""

import contextlib
import os
import re
import secrets
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from core.embedded.home import claim_home
from core.embedded.postgres import postgres_url
from core.embedded.valkey import valkey_url as embedded_valkey_url

APP_LOGIN = "datasynth_app"
DEMO_MADE = "demo_made"  # a file of the data folder: the organisations to try out were made once

_TRUE = {"1", "true", "yes", "on"}
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_FALSE = {"0", "false", "no", "off"}
# Databases of one Valkey server, counted from the one that VALKEY_URL names: direct use, cache, broker.
_CACHE_OFFSET = 1
_BROKER_OFFSET = 2


# -- single values ------------------------------------------------------------------------------------------


def env_text(name: str, default: str | None = None) -> str:
    """The value of NAME, or the content of the file that NAME_FILE names, or the default; else an error."""
    value = _read(name)
    if value is not None:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} must be set (or {name}_FILE).")
    return default


def env_bool(name: str, default: bool) -> bool:
    value = _read(name)
    if value is None:
        return default
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, got {value!r}.")


def env_int(name: str, default: int, *, minimum: int | None = None, maximum: int | None = None) -> int:
    value = _read(name)
    if value is None:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, got {value!r}.") from None
    if (minimum is not None and number < minimum) or (maximum is not None and number > maximum):
        raise ImproperlyConfigured(f"{name} must be between {minimum} and {maximum}, got {number}.")
    return number


def is_set(name: str) -> bool:
    return _read(name) is not None


def _read(name: str) -> str | None:
    """None when unset or empty: an empty value in an env file means "not set"."""
    value = os.environ.get(name) or None
    file = os.environ.get(f"{name}_FILE") or None
    if value is not None and file is not None:
        raise ImproperlyConfigured(f"Set {name} or {name}_FILE, not both.")
    if file is None:
        return value
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: cannot read {file}: {error.strerror}.") from error


def env_places(name: str, *, of_addresses: bool = False) -> frozenset[str]:
    """The value of NAME as a list of host:port, separated by commas; empty when it is not set.

    of_addresses: hosts are IP addresses, since nothing could look a name up.
    """
    places = frozenset(part.strip().lower() for part in (_read(name) or "").split(",") if part.strip())
    for place in sorted(places):
        host, _, port = place.rpartition(":")
        is_port = port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536
        if not host or not is_port or (of_addresses and not _is_address(host)):
            what = "address:port" if of_addresses else "host:port"
            raise ImproperlyConfigured(f"{name} must list {what}, separated by commas, got {place!r}.")
    return places


def _is_address(host: str) -> bool:
    """127.0.0.1 or [::1]"""
    try:
        is_bracketed = host.startswith("[") and host.endswith("]")
        return ip_address(host[1:-1] if is_bracketed else host).version == (6 if is_bracketed else 4)
    except ValueError:
        return False


def env_networks(name: str, default: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The value of NAME as a list of addresses and networks (10.0.0.0/8), separated by commas; `none` is none."""
    listed = _read(name) or default
    parts = [part.strip() for part in listed.split(",") if part.strip()] if listed != "none" else []
    try:
        networks = tuple(map(ip_network, parts))
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} must list addresses or networks, separated by commas: {error}."
        ) from None
    if everything := [str(one) for one in networks if one.prefixlen == 0]:
        raise ImproperlyConfigured(f"{name} must not trust everybody ({everything[0]}).")
    return networks


# -- the data folder and what lives in it unless a URL says otherwise ----------------------------------------


def data_home() -> Path:
    """The one folder that the platform writes to: DATASYNTH_HOME, or the customary place of the account."""
    if chosen := _read("DATASYNTH_HOME"):
        return Path(chosen).expanduser().resolve()
    if os.geteuid() == 0:
        return Path("/var/lib/datasynth")
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return (Path(data).expanduser() / "datasynth").resolve()


def database_url() -> str:
    """Where the application logs in: an account without rights of its own."""
    return _read("DATABASE_URL") or postgres_url(data_home(), user=APP_LOGIN)


def database_owner_url() -> str:
    """Where migrations and the provisioning of organisations log in."""
    return _read("DATABASE_OWNER_URL") or _read("DATABASE_URL") or postgres_url(data_home())


def valkey_url() -> str:
    return _read("VALKEY_URL") or embedded_valkey_url(data_home())


def storage_url() -> str:
    """file:///folder or s3://bucket/prefix?endpoint_override=…"""
    url = _read("STORAGE_URL") or f"file://{quote(str(data_home() / 'storage'))}"
    parts = urlsplit(url)
    is_folder = parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path
    if not is_folder and not (parts.scheme == "s3" and parts.netloc):
        raise ImproperlyConfigured("STORAGE_URL must be file:///folder or s3://bucket/prefix")
    return url


def secrets_kms_url() -> str:
    """file:///path/of/the/key, or transit+https://host:port/mount/key of OpenBao or Vault"""
    return _read("SECRETS_KMS_URL") or f"file://{quote(str(data_home() / 'keys' / 'secrets.key'))}"


def self_service() -> frozenset[str] | None:
    """Who may start an organisation: None for nobody, else people of these mail domains, or anybody when it is empty."""
    value = (_read("SELF_SERVICE") or "closed").strip().lower()
    if value in {"closed", "open"}:
        return frozenset() if value == "open" else None
    domains = frozenset(part.strip() for part in value.split(","))
    for domain in sorted(domains):
        if not _DOMAIN.fullmatch(domain):
            raise ImproperlyConfigured(
                f"SELF_SERVICE must be closed, open, or mail domains separated by commas, got {domain!r}."
            )
    return domains


def secret_key() -> str:
    """SECRET_KEY; on the embedded database, one made once and kept in the data folder."""
    if value := _read("SECRET_KEY"):
        return value
    if _read("DATABASE_URL"):
        raise ImproperlyConfigured("SECRET_KEY (or SECRET_KEY_FILE) must be set when DATABASE_URL is.")
    kept = data_home() / "secret_key"
    if not kept.exists():
        claim_home(data_home())
        draft = kept.with_name(f".secret_key.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48), encoding="ascii")
        with contextlib.suppress(FileExistsError):  # another process was first: use its key
            os.link(draft, kept)
        draft.unlink()
    return kept.read_text(encoding="ascii").strip()


# -- URLs as the libraries want them -------------------------------------------------------------------------


def email_server() -> dict[str, Any]:
    """Django's EMAIL_… settings from EMAIL_URL: smtp://user:password@host:587 (STARTTLS), smtps://…, or none at all.

    `?starttls=off` is for a server on the same machine.
    """
    url = _read("EMAIL_URL")
    if url is None:
        return {}
    parts = urlsplit(url)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL must look like smtp://user:password@host:587")
    is_whole = parts.scheme == "smtps"
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (465 if is_whole else 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": is_whole,
        "EMAIL_USE_TLS": not is_whole and parse_qs(parts.query).get("starttls") != ["off"],
        "EMAIL_TIMEOUT": 10,
    }


def django_database(url: str) -> dict[str, Any]:
    """NAME, USER, PASSWORD, HOST, PORT and OPTIONS (all further parameters, such as sslmode) of a URL."""
    if urlsplit(url).scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured("The database URL must begin with postgresql://")
    try:
        parts: dict[str, Any] = dict(conninfo_to_dict(url))
    except ProgrammingError as error:
        raise ImproperlyConfigured(f"The database URL cannot be read: {error}") from error
    if not parts.get("dbname"):
        raise ImproperlyConfigured("The database URL must name a database: postgresql://user@host/database")
    return {
        "NAME": parts.pop("dbname"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": str(parts.pop("port", "")),
        "OPTIONS": parts,
    }


def cache_location(url: str) -> str:
    """LOCATION of Django's Redis cache on the server of VALKEY_URL, in a database of its own."""
    return _with_database(url, _CACHE_OFFSET)


def celery_broker_url(url: str) -> str:
    """The broker on the server of VALKEY_URL, in a database of its own; kombu spells sockets differently."""
    parts = urlsplit(_with_database(url, _BROKER_OFFSET))
    if parts.scheme != "unix":
        return urlunsplit(parts)
    query = parse_qs(parts.query)
    query["virtual_host"] = query.pop("db")
    return f"redis+socket://{parts.path}?{urlencode(query, doseq=True)}"


def plain_connections() -> list[str]:
    """Which servers on other machines would be spoken to without encryption: what to write instead, for each."""
    database = [_plain_database(name, url) for name, url in _database_urls()]
    valkey, mail, store, kms = (
        urlsplit(_read(name) or "") for name in ("VALKEY_URL", "EMAIL_URL", "STORAGE_URL", "SECRETS_KMS_URL")
    )
    options = parse_qs(store.query)
    found = [
        *database,
        valkey.scheme == "redis" and _is_remote(valkey.hostname) and "VALKEY_URL: rediss://…",
        parse_qs(mail.query).get("starttls") == ["off"]
        and _is_remote(mail.hostname)
        and "EMAIL_URL: without starttls=off",
        options.get("scheme") == ["http"]
        and _is_remote(options.get("endpoint_override", [""])[0].rpartition(":")[0] or "elsewhere")
        and "STORAGE_URL: scheme=https",
        kms.scheme == "transit+http" and _is_remote(kms.hostname) and "SECRETS_KMS_URL: transit+https://…",
    ]
    return [one for one in found if one]


def _database_urls() -> list[tuple[str, str]]:
    return [(name, url) for name in ("DATABASE_URL", "DATABASE_OWNER_URL") if (url := _read(name))]


def _plain_database(name: str, url: str) -> str | None:
    options = django_database(url)
    hosts = str(options["OPTIONS"].get("hostaddr") or options["HOST"]).split(",")
    is_encrypted = options["OPTIONS"].get("sslmode") in ("require", "verify-ca", "verify-full")
    return None if is_encrypted or not any(map(_is_remote, hosts)) else f"{name}: sslmode=verify-full"


def _is_remote(host: str | None) -> bool:
    """False for a socket, for none, and for this machine."""
    if not host or host.startswith(("/", "@")) or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return True


def _with_database(url: str, offset: int) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        query = parse_qs(parts.query)
        query["db"] = [str(int(query.get("db", ["0"])[0]) + offset)]
        return f"unix://{parts.path}?{urlencode(query, doseq=True)}"
    if parts.scheme in {"redis", "rediss"}:
        return urlunsplit(parts._replace(path=f"/{int(parts.path.strip('/') or 0) + offset}"))
    raise ImproperlyConfigured("VALKEY_URL must begin with redis://, rediss:// or unix://")
