"""Ids of accounts are made of their addresses, no longer drawn; nothing changes in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("tenants", "0010_deletion_ordered_as"),)

    operations = (
        migrations.AlterField(
            model_name="user",
            name="id",
            field=models.UUIDField(editable=False, primary_key=True, serialize=False),
        ),
    )
