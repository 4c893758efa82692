"""What there was when a deletion began: one that was cut short has less, and the certificate says what was deleted."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("tenants", "0011_account_ids"),)

    operations = (migrations.AddField("tenant", "deletion_counts", models.JSONField(null=True)),)
