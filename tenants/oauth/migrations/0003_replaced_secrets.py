from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("oauth", "0002_responsible")]

    operations = [migrations.AddField("application", "replaced_at", models.DateTimeField(null=True))]
