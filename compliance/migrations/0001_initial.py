import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('generation', '0003_opened_runs'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReleaseException',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('open', 'Open'), ('granted', 'Granted'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn'), ('revoked', 'Revoked')], default='open', max_length=10)),
                ('checks', models.JSONField()),
                ('reason', models.TextField()),
                ('asked_by', models.CharField(max_length=300)),
                ('askers', models.JSONField()),
                ('starters', models.JSONField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('decided_by', models.CharField(blank=True, default='', max_length=300)),
                ('decided_at', models.DateTimeField(null=True)),
                ('comment', models.TextField(blank=True, default='')),
                ('expires_at', models.DateTimeField(null=True)),
                ('envelope', models.JSONField(null=True)),
                ('statement_sha256', models.CharField(blank=True, default='', max_length=64)),
                ('ended_by', models.CharField(blank=True, default='', max_length=300)),
                ('ended_at', models.DateTimeField(null=True)),
                ('ended_why', models.TextField(blank=True, default='')),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exceptions', to='generation.run')),
            ],
            options={
                'indexes': [models.Index(fields=['-created_at', '-id'], name='exception_newest_first'), models.Index(fields=['run', '-created_at'], name='exception_of_run')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'open')), fields=('run',), name='exception_one_open_per_run')],
            },
        ),
    ]
