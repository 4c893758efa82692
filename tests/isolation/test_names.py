"""Names outside the database come from `tenant_key()` and nowhere else: a walk over the code finds raw ones."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.apps import apps
from django.conf import settings

from core.own_rows import OwnRows
from tenants.founding.models import OrganisationRequest
from tenants.models import Domain

ROOT = Path(__file__).parents[2]
CODE = ("platform/config", "platform/core", "tenants", "generation", "evaluation", "compliance", "frontend")
MAKERS = ("tenant_key(", "own_key(", "channel(")  # channel() is tenant_key() for wake-ups

# Who may hold a client of Valkey: each gives it names of the makers only, or none.
CLIENTS = {
    "tenants/lifecycle/removal.py",
    "core/cache.py",
    "core/health.py",
    "core/ratelimit.py",
    "core/jobs/wakeups.py",
    "core/jobs/stream.py",
    "core/jobs/listeners.py",
}
# Calls that take a name, by the last two parts of what is called; the name is the first argument or this keyword.
NAMED = {
    "Limit": "key",
    "Seat": "rooms",
    "publish": None,
    "subscribe": None,
    "store().put_bytes": None,
    "store().put_file": None,
    "store().open": None,
    "store().fetch": None,
    "store().read_range": None,
    "store().size": None,
    "store().exists": None,
    "store().delete": None,
    "store().list": None,
    "store().count": None,
    "store().drop": None,
    "signing.dumps": "salt",
    "signing.loads": "salt",
}
# What was looked at and found right, with the reason.
REVIEWED = {
    ("core/ratelimit.py", "note_failure"): "names the organisation that was asked, by _failures_key",
    ("core/ratelimit.py", "_limit"): "gets its key from allow_request, by tenant_key",
    (
        "tenants/founding/throttle.py",
        "_limit",
    ): "counts by address and e-mail, before there is an organisation",
    (
        "tenants/people/throttle.py",
        "may_mail_invitation",
    ): "counts mails to one address, whichever organisation sends them",
    ("core/jobs/stream.py", "__aenter__"): "the name that _Doorbell was made with, by channel()",
    (
        "generation/downloads.py",
        "_pieces",
    ): "gets keys that file_response and archive_response checked by own_key",
    ("frontend/views/organisation.py", "_pieces"): "gets a key that export_download checked by own_key",
    (
        "tenants/lifecycle/removal.py",
        "delete_organisation",
    ): "drops and counts the folder of the organisation that it locked",
    ("tenants/signed_cookies.py", "store"): "gets its salt from its two callers, by tenant_key",
    ("tenants/people/switcher.py", "_address"): "a ticket from one organisation to another names both",
    ("tenants/people/switcher.py", "_values"): "refuses a ticket that is for another organisation",
    ("core/pagination.py", "_write"): "the salt names organisation, path and order",
    ("core/pagination.py", "_read"): "the salt names organisation, path and order",
}
# Where the name of the schema is joined to text, with the reason.
JOINED = {
    ("core/pagination.py", "_salt"): "the salt of cursors",
    ("frontend/views/organisation.py", "export_download"): "the name of a download",
    ("frontend/views/organisation.py", "organisation_certificate"): "the name of a download",
}


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def functions(path: Path) -> tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]:
    return tuple(node for node in nodes(path) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def named_calls(function: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """Calls that take a name, with the expression of the name."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        kind = called if called in NAMED else called.rpartition(".")[2]
        if kind in NAMED:
            keyword = NAMED[kind]
            by_keyword = next((one.value for one in node.keywords if one.arg == keyword), None)
            yield kind, by_keyword or (node.args[0] if node.args and not kind.startswith("signing") else None)


def is_made(name: ast.expr | None, function: ast.AST, module: Path) -> bool:
    """The name is made by a maker: here, in a variable of this function, or in a function of this module."""
    if name is None:
        return False
    text = ast.unparse(name)
    if any(maker in text for maker in MAKERS):
        return True
    if isinstance(name, ast.Name):
        return any(
            any(maker in ast.unparse(node.value) for maker in MAKERS)
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and any(ast.unparse(one) == name.id for one in node.targets)
        )
    helper = text.partition("(")[0].removeprefix("self.")
    return any(
        any(maker in ast.unparse(one) for maker in MAKERS) for one in functions(module) if one.name == helper
    )


@cache
def modules() -> list[Path]:
    return sorted(
        path for folder in CODE for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts
    )


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix().removeprefix("platform/")


def test_names_of_keys_channels_files_and_salts_are_made_by_tenant_key() -> None:
    raw = [
        f"{short(path)}: {function.name} gives {kind} a name"
        for path in modules()
        for function in functions(path)
        for kind, name in named_calls(function)
        if not is_made(name, function, path) and (short(path), function.name) not in REVIEWED
    ]

    assert raw == []


def test_what_was_reviewed_is_still_there() -> None:
    there = {
        (short(path), function.name)
        for path in modules()
        for function in functions(path)
        if any(True for _ in named_calls(function))
    }

    assert set(REVIEWED) - there == set()


def test_clients_of_valkey_are_made_in_few_places() -> None:
    found = {
        short(path)
        for path in modules()
        for node in nodes(path)
        if isinstance(node, ast.Import | ast.ImportFrom) and any(_is_client(name) for name in _imported(node))
    }

    assert found == CLIENTS


def _is_client(module: str) -> bool:
    return module.partition(".")[0] == "redis" or module == "django.core.cache.backends.redis"


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]


def test_nobody_builds_a_name_out_of_the_schema_by_hand() -> None:
    """The schema is passed on as it is (to seal, to follow a job); what joins it to text was looked at."""
    joined = {
        (short(path), function.name)
        for path in modules()
        if "schema" in path.read_text(encoding="utf-8")
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.JoinedStr | ast.BinOp)
        and any(word in ast.unparse(node) for word in ("current_schema()", ".schema_name"))
        and not _is_message(node, function)
    }

    assert joined == set(JOINED)


def _is_message(node: ast.AST, function: ast.AST) -> bool:
    """Part of what an error says."""
    return any(node in ast.walk(raised) for raised in ast.walk(function) if isinstance(raised, ast.Raise))


def test_every_shared_model_that_names_an_organisation_filters_by_it() -> None:
    """But for what is asked before one is entered: hosts, and wishes for organisations that are not there yet, which no
    role of an organisation can read (tests/contract/test_tenancy_database_rights.py)."""
    shared = set(settings.SHARED_APPS) - set(settings.TENANT_APPS)
    naming = {
        model
        for config in apps.get_app_configs()
        if config.name in shared
        for model in config.get_models()
        if any(field.name == "tenant" for field in model._meta.get_fields())
    }

    assert len(naming) > 5
    unfiltered = {model for model in naming if not isinstance(model._default_manager, OwnRows)}
    assert unfiltered == {Domain, OrganisationRequest}, "objects = OwnRows()"
