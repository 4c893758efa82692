"""The permission table as a document: docs/security/permissions.md is what this returns."""

from core.permissions import CATALOGUE
from tenants.roles import HELP, PERMISSIONS, Role

_HEAD = """# Roles and permissions

Made by `make docs-permissions` from `tenants/roles.py` and `core/permissions.py`; a test fails when it is out of date.
The same table decides on every page and every call of the API, and is shown at `/settings/roles` and by
`GET /api/v1/permissions`. Why it is so: [0016](../adr/0016-roles.md).

- Every route names one permission; nothing is allowed that no permission names.
- What a role may not do is absent from navigation and pages, and answered with 403 when it is asked for directly.
- Nobody gives, changes or takes away a role that holds more than their own; owners are made by owners alone.
  A directory and an identity provider count as an admin: they neither give more nor touch a member who has more. Keys and
  tokens do not make, change or remove owners, whoever stands behind them.
- An auditor has a last day, within 366 days. After it the person is refused, and so are their keys and applications that act
  for them. Who gets a new day after that signs in, makes keys and agrees to applications anew; a day that is moved in time
  ends nothing.
- A role of the organisation's own holds any of these permissions that its maker has. It counts by key, which never changes.
- It may hold a permission without the one that opens its page (`runs.write` without `runs.read`): programs need no page.
  The editor and the API say which ones (`without_page` of a role, `page_needs` in the catalogue).
- People land on the first page of the navigation that their role opens, or on their profile.
- An API key holds the permissions of its role, narrowed to its scopes, and never more than its maker at that moment.
- Every member may see and change their own account, whatever the role.

## Roles

"""


def permissions_page() -> str:
    """Markdown; ends with a line feed."""
    roles = "\n".join(f"| {role.label} | `{role.value}` | {HELP[role]} |" for role in Role)
    head = " | ".join(str(role.label) for role in Role)
    lines = "|---" * (len(Role) + 2) + "|"
    rows = "\n".join(
        f"| `{one.value}` | {one.description} | "
        + " | ".join("yes" if one in PERMISSIONS[role] else "" for role in Role)
        + " |"
        for one in CATALOGUE
    )
    return (
        f"{_HEAD}| role | key | in one sentence |\n|---|---|---|\n{roles}\n\n"
        f"## Permissions\n\n| permission | lets a member | {head} |\n{lines}\n{rows}\n"
    )
