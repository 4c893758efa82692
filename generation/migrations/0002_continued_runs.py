import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generation", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="run",
            name="closings",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="run",
            name="continues",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="continued_by",
                to="generation.run",
            ),
        ),
    ]
