"""The role by which the deletion of an organisation was ordered; the certificate says it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("tenants", "0009_keys_of_keys"),)

    operations = (
        migrations.AddField(
            "tenant", "deletion_ordered_as", models.CharField(blank=True, default="", max_length=100)
        ),
    )
