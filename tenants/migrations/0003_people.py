from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_roles")]
    operations = [
        migrations.AddField("membership", "is_active", models.BooleanField(default=True)),
    ]
