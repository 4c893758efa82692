"""The document of roles and permissions is the table that decides."""

from pathlib import Path

from tenants.permission_page import permissions_page

REPO = Path(__file__).parents[2]


def test_the_document_of_permissions_is_what_the_code_says() -> None:
    written = (REPO / "docs/security/permissions.md").read_text(encoding="utf-8")

    assert written == permissions_page(), "run `make docs-permissions`"
