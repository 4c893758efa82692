from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0008_lifecycle")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="made_with",
            field=models.CharField(blank=True, default="", max_length=12),
        ),
    ]
