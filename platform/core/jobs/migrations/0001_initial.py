
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('tenant', models.CharField(max_length=63)),
                ('kind', models.CharField(max_length=64)),
                ('spec', models.JSONField()),
                ('priority', models.CharField(choices=[('interactive', 'Interactive'), ('bulk', 'Bulk')], max_length=16)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('held', 'Held'), ('cancelled', 'Cancelled')], default='queued', max_length=16)),
                ('reason', models.TextField(default='')),
                ('stages', models.JSONField()),
                ('stage', models.PositiveSmallIntegerField(default=0)),
                ('fraction_at_start', models.FloatField(default=0.0)),
                ('ends', models.PositiveIntegerField(default=0)),
                ('last_seq', models.PositiveBigIntegerField(default=0)),
                ('cancel_requested_at', models.DateTimeField(null=True)),
                ('progress_event_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['tenant', '-created_at'], name='jobs_job_tenant_77584f_idx'), models.Index(condition=models.Q(('state__in', ['queued', 'running'])), fields=['state'], name='jobs_live')],
            },
        ),
        migrations.CreateModel(
            name='Outbox',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('tenant', models.CharField(max_length=63)),
                ('kind', models.CharField(max_length=64)),
                ('dedupe_key', models.CharField(max_length=200, unique=True)),
                ('payload', models.JSONField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('sent_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('sent_at', None)), fields=['id'], name='jobs_outbox_unsent')],
            },
        ),
        migrations.CreateModel(
            name='Share',
            fields=[
                ('tenant', models.CharField(max_length=63, primary_key=True, serialize=False)),
                ('weight', models.FloatField(default=1.0)),
                ('cap', models.PositiveIntegerField()),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('weight__gt', 0)), name='jobs_share_weight')],
            },
        ),
        migrations.CreateModel(
            name='JobEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('tenant', models.CharField(max_length=63)),
                ('seq', models.PositiveBigIntegerField()),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('type', models.CharField(max_length=32)),
                ('data', models.JSONField()),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='jobs.job')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('job', 'seq'), name='jobs_event_order')],
            },
        ),
        migrations.CreateModel(
            name='Unit',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('tenant', models.CharField(max_length=63)),
                ('stage', models.PositiveSmallIntegerField()),
                ('index', models.PositiveIntegerField()),
                ('weight', models.FloatField(default=1.0)),
                ('state', models.CharField(choices=[('ready', 'Ready'), ('queued', 'Queued'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('quarantined', 'Quarantined'), ('held', 'Held'), ('cancelled', 'Cancelled')], default='ready', max_length=16)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('errors', models.PositiveSmallIntegerField(default=0)),
                ('deaths', models.PositiveSmallIntegerField(default=0)),
                ('not_before', models.DateTimeField(null=True)),
                ('queued_at', models.DateTimeField(null=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('worker', models.CharField(default='', max_length=128)),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('done', models.PositiveBigIntegerField(default=0)),
                ('total', models.PositiveBigIntegerField(default=0)),
                ('note', models.CharField(default='', max_length=200)),
                ('result', models.JSONField(null=True)),
                ('error', models.TextField(default='')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='units', to='jobs.job')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['ready', 'queued', 'running'])), fields=['tenant'], name='jobs_unit_live')],
                'constraints': [models.UniqueConstraint(fields=('job', 'stage', 'index'), name='jobs_unit_place')],
            },
        ),
    ]
