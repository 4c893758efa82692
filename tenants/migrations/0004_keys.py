from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_people")]

    operations = [
        migrations.AddField("apikey", "permissions", models.JSONField(default=list)),
        migrations.AddField("apikey", "previous_hash", models.CharField(blank=True, default="", max_length=200)),
        migrations.AddField("apikey", "previous_until", models.DateTimeField(null=True)),
        migrations.AddField("tenant", "allowed_origins", models.JSONField(default=list)),
    ]
