"""Names of database roles and schemas, in one place: backend, provisioning and row policies must agree."""

import re

SHARED_SCHEMA = "public"
TEMPLATE_SCHEMA = "ds_blueprint_of_an_organisation"  # unlikely on purpose: nothing else may carry this name
APP_LOGIN = "datasynth_app"
SHARED_ROLE = "ds_public"
TENANT_ROLE = "ds_tenant"  # what every organisation's role may see of the shared schema
TENANT_ROLE_PREFIX = "t_"

_SCHEMA = re.compile(r"[a-z][a-z0-9_]{0,39}")
_RESERVED = re.compile(r"pg_.*|ds_.*|public|information_schema|template")


def is_tenant_schema(name: str) -> bool:
    """True for a name that an organisation's schema may have."""
    return bool(_SCHEMA.fullmatch(name)) and not _RESERVED.fullmatch(name)


def role_of(schema: str) -> str:
    """The role that may read and write `schema`; raises ValueError for a schema no request may enter."""
    if schema == SHARED_SCHEMA:
        return SHARED_ROLE
    if is_tenant_schema(schema):
        return TENANT_ROLE_PREFIX + schema
    raise ValueError(f"{schema!r} is no organisation's schema")
