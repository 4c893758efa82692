"""The organisations to try out are made once, and into an empty database only."""

from pathlib import Path

import pytest

from config.prepare import make_demo_once
from core.tenancy import tenant_context
from tenants import queries, services
from tenants.models import Tenant
from tests.conftest import PASSWORD

VIEWER = "viewer@acme.example"


@pytest.fixture
def note(acme: Tenant, tmp_path: Path) -> Path:
    """Of a data folder that is new beside a database with organisations, from which somebody was removed."""
    _remove_viewer()
    return tmp_path / "demo_made"


def _remove_viewer() -> None:
    with tenant_context("acme"):
        services.remove_member(actor="test", membership=queries.members().get(user__email=VIEWER))


def _is_viewer_there() -> bool:
    with tenant_context("acme"):
        return queries.members().filter(user__email=VIEWER).exists()


def test_a_database_that_is_in_use_gets_none_of_them(note: Path) -> None:
    for _ in range(2):
        make_demo_once(note, PASSWORD)

        assert note.exists()
        assert not _is_viewer_there()


def test_a_first_start_that_was_cut_short_goes_on_and_is_over_then(note: Path) -> None:
    note.write_text("begun")

    make_demo_once(note, PASSWORD)
    assert _is_viewer_there()

    _remove_viewer()
    make_demo_once(note, PASSWORD)
    assert not _is_viewer_there()
