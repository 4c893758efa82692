import uuid

import django.db.models.deletion
from django.db import migrations, models

_ROLES = ["viewer", "operator", "auditor", "approver", "admin", "owner"]

# Every organisation has an owner from now on: the admin that it has had for the longest.
_FIRST_ADMIN_OWNS = """
UPDATE tenants_membership SET role = 'owner' WHERE id IN (
    SELECT DISTINCT ON (tenant_id) id FROM tenants_membership WHERE role = 'admin' ORDER BY tenant_id, created_at, id
)
"""
_OWNERS_ARE_ADMINS = "UPDATE tenants_membership SET role = 'admin' WHERE role = 'owner'"


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]

    operations = [
        migrations.AlterField("membership", "role", models.CharField(max_length=40)),
        migrations.AddField("membership", "role_until", models.DateTimeField(null=True)),
        migrations.AlterField(
            "apikey",
            "role",
            models.CharField(choices=[(role, role.capitalize()) for role in _ROLES], max_length=20),
        ),
        migrations.CreateModel(
            name="CustomRole",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("key", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=60)),
                ("permissions", models.JSONField(default=list)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="custom_roles",
                        to="tenants.tenant",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["tenant", "-created_at", "-id"], name="customrole_newest_first")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "key"), name="customrole_key_once"),
                    models.CheckConstraint(
                        condition=models.Q(("key__in", _ROLES), _negated=True),
                        name="customrole_is_no_built_in_role",
                    ),
                ],
            },
        ),
        migrations.RunSQL(_FIRST_ADMIN_OWNS, _OWNERS_ARE_ADMINS),
    ]
