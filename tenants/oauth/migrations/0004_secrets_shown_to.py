from django.db import migrations, models


class Migration(migrations.Migration):
    """Who was shown a secret that still overlaps with its successor. Of overlaps from before nobody knows: they end.

    Tokens name the secret that fetched them, so no time has to be compared.
    """

    dependencies = [("oauth", "0003_replaced_secrets")]

    operations = [
        migrations.AddField("application", "previous_responsible_id", models.UUIDField(null=True)),
        migrations.RemoveField("application", "replaced_at"),
    ]
