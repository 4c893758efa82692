"""Data keys whose master key is gone: nobody waits for them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0003_data_key")]

    operations = [
        migrations.AddField(model_name="datakey", name="given_up_at", field=models.DateTimeField(null=True)),
    ]
