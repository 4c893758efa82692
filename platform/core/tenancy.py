"""Where the current organisation is kept: on the database connection. Every derived name goes through here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections

from core.postgres.names import SHARED_SCHEMA, is_tenant_schema

OWNER_ALIAS = "owner"


class NoTenant(RuntimeError):
    """Code that belongs to one organisation ran outside of any."""


def current_schema() -> str:
    """Schema of the organisation that this thread works for, or "public"."""
    name: str = connection.schema_name  # type: ignore[attr-defined]  # set by django-tenants
    return name


def tenant_key(*parts: object) -> str:
    """`<schema>/<part>/...`: the name of anything outside the database that belongs to one organisation.

    A part may be a relative path itself. Raises NoTenant outside an organisation, ValueError for a step that is
    empty, "." or ".." or has a control character: no name may leave the organisation's prefix.
    """
    schema = current_schema()
    if not is_tenant_schema(schema):
        raise NoTenant("tenant_key() needs an organisation")
    steps = "/".join([schema, *map(str, parts)]).split("/")
    for step in steps:
        if step in ("", ".", "..") or not step.isprintable():
            raise ValueError(f"{step!r} cannot be part of a key")
    return "/".join(steps)


def own_key(key: str) -> str:
    """`key` itself if it lies under this organisation's prefix, whatever row it was read from; else NoTenant."""
    if not key.startswith(f"{tenant_key()}/"):
        raise NoTenant("this key belongs to another organisation")
    return key


@contextmanager
def tenant_context(schema: str) -> Iterator[None]:
    """Work as the organisation of `schema` in this thread until the block ends."""
    if not is_tenant_schema(schema):
        raise NoTenant(f"{schema!r} is no organisation's schema")
    with _schema(schema):
        yield


@contextmanager
def shared_context() -> Iterator[None]:
    """Work on the shared tables (people, organisations, keys) as nobody's organisation until the block ends."""
    with _schema(SHARED_SCHEMA):
        yield


@contextmanager
def owner_context(schema: str, *, include_shared: bool = True) -> Iterator[None]:
    """Point the owner's connection (migrations, provisioning) at `schema` until the block ends."""
    owner: Any = connections[OWNER_ALIAS]
    before, before_shared = owner.tenant, owner.include_public_schema
    owner.set_schema(schema, include_public=include_shared)
    try:
        yield
    finally:
        owner.set_tenant(before, include_public=before_shared)


@contextmanager
def _schema(schema: str) -> Iterator[None]:
    before = connection.tenant  # type: ignore[attr-defined]
    connection.set_schema(schema)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        connection.set_tenant(before)  # type: ignore[attr-defined]
