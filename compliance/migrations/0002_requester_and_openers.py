"""Who asked for an exception, apart from whoever could act as they do; and whoever opened a way in for one of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("compliance", "0001_initial"),)

    operations = (
        migrations.AddField(
            model_name="releaseexception", name="requester", field=models.JSONField(default=list)
        ),
        migrations.AddField(
            model_name="releaseexception", name="openers", field=models.JSONField(default=list)
        ),
    )
