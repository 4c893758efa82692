from django.db import migrations, models


class Migration(migrations.Migration):
    """Who was shown a secret that still overlaps with its successor. Of overlaps from before nobody knows."""

    dependencies = [("scim", "0002_responsible")]

    operations = [
        migrations.AddField("token", "previous_responsible_id", models.UUIDField(null=True)),
    ]
