"""Who asked for an exception, apart from whoever could act as they do; and whoever had invited one of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("compliance", "0001_initial"),)

    operations = (
        migrations.AddField(
            model_name="releaseexception", name="requester", field=models.JSONField(default=list)
        ),
        migrations.AddField(
            model_name="releaseexception", name="inviters", field=models.JSONField(default=list)
        ),
    )
