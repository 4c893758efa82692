from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_roles")]
    operations = [
        migrations.AddField("membership", "is_active", models.BooleanField(default=True)),
        migrations.AddField("tenant", "mfa_required", models.BooleanField(default=False)),
        migrations.AddField("tenant", "session_idle_minutes", models.PositiveSmallIntegerField(default=480)),
        migrations.AddField("tenant", "session_hours", models.PositiveSmallIntegerField(default=168)),
        migrations.AddField("tenant", "invitation_domains", models.JSONField(default=list)),
    ]
