"""What leaving and other addresses left behind before: rows of memberships that are gone, identities of people before."""

from django.db import migrations

_NAMING = (
    "scim_person", "scim_groupmember", "sso_identity", "oauth_grant", "people_passwordlink",
)  # fmt: skip
_UNDER_GRANTS = ("oauth_authorizationcode", "oauth_refreshtoken")
_IS_GONE = "NOT EXISTS (SELECT FROM public.tenants_membership WHERE id = membership_id)"

STATEMENTS = (
    *(
        f"DELETE FROM {table} WHERE grant_id IN (SELECT id FROM oauth_grant WHERE {_IS_GONE})"
        for table in _UNDER_GRANTS
    ),
    *(f"DELETE FROM {table} WHERE {_IS_GONE}" for table in _NAMING),
    """
    DELETE FROM sso_identity WHERE EXISTS (
        SELECT FROM core_auditevent
         WHERE action = 'tenants.member.change_address'
           AND target = 'tenants.membership:' || membership_id
           AND at > created_at)
    """,
    # A link to a new password lives for a day, so that it was asked for a day before it ends.
    """
    DELETE FROM people_passwordlink WHERE EXISTS (
        SELECT FROM core_auditevent
         WHERE action = 'tenants.member.change_address'
           AND target = 'tenants.membership:' || membership_id
           AND at > expires_at - interval '24 hours')
    """,
)


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_initial"),
        ("oauth", "0002_responsible"),
        ("people", "0002_link_makers"),
        ("scim", "0002_responsible"),
        ("sso", "0001_initial"),
    ]

    operations = [migrations.RunSQL(one, migrations.RunSQL.noop) for one in STATEMENTS]
