import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_keys")]
    operations = [
        migrations.AddField("tenant", "suspended_at", models.DateTimeField(null=True)),
        migrations.AddField(
            "tenant", "suspended_why", models.CharField(blank=True, default="", max_length=200)
        ),
        migrations.AddField("tenant", "deletion_ordered_at", models.DateTimeField(null=True)),
        migrations.AddField("tenant", "deletion_ordered_by", models.UUIDField(null=True)),
        migrations.AddField("tenant", "delete_after", models.DateTimeField(null=True)),
        migrations.CreateModel(
            name="DeletionCertificate",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("slug", models.CharField(max_length=63)),
                ("deleted_at", models.DateTimeField()),
                ("envelope", models.JSONField()),
            ],
            options={
                "indexes": [models.Index(fields=["slug", "-deleted_at"], name="certificate_by_slug")],
            },
        ),
    ]
