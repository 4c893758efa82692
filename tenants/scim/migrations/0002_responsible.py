"""Who made a thing becomes responsible for it, if they are an active member still; of the others nobody is."""

from django.db import migrations, models

_MAKERS = """
UPDATE scim_token AS made SET responsible_id = membership.id
FROM public.tenants_membership AS membership
JOIN public.tenants_user AS person ON person.id = membership.user_id
JOIN public.tenants_tenant AS organisation ON organisation.id = membership.tenant_id
WHERE organisation.schema_name = current_schema() AND membership.is_active AND person.email = made.created_by
"""


class Migration(migrations.Migration):
    dependencies = [("scim", "0001_initial")]

    operations = [
        migrations.AddField("token", "responsible_id", models.UUIDField(null=True, db_index=True)),
        migrations.RunSQL(_MAKERS, migrations.RunSQL.noop),
    ]
