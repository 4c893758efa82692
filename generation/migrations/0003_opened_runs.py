from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0002_continued_runs'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='opened_by_exception',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='run',
            name='opened_until',
            field=models.DateTimeField(null=True),
        ),
    ]
