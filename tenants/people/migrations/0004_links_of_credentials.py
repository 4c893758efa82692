from django.db import migrations, models


class Migration(migrations.Migration):
    """Which key or application a link was made with. Of links from before nothing is known but their maker."""

    dependencies = [("people", "0003_forget_orphans")]

    operations = [
        migrations.AddField(
            model_name=model,
            name="made_with",
            field=models.CharField(blank=True, default="", max_length=100),
        )
        for model in ("invitation", "passwordlink")
    ]
