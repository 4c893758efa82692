
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0009_keys_of_keys'),
    ]

    operations = [
        migrations.CreateModel(
            name='OrganisationRequest',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('unproved', 'Waiting for the proof of the address'), ('queued', 'Waiting to be made'), ('making', 'Being made'), ('ready', 'Ready'), ('failed', 'Failed')], default='unproved', max_length=8)),
                ('name', models.CharField(max_length=100)),
                ('slug', models.CharField(max_length=40)),
                ('skeleton', models.CharField(max_length=40)),
                ('email', models.EmailField(max_length=254)),
                ('person_name', models.CharField(blank=True, default='', max_length=150)),
                ('password', models.CharField(blank=True, default='', max_length=200)),
                ('origin', models.CharField(max_length=300)),
                ('token_digest', models.CharField(max_length=64, unique=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('reason', models.CharField(blank=True, default='', max_length=300)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('proved_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('tenant', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='requests', to='tenants.tenant')),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'proved_at'], name='organisationrequest_queue')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('queued', 'making'))), fields=('skeleton',), name='organisationrequest_name_held_once'), models.CheckConstraint(condition=models.Q(('state', 'unproved'), models.Q(('proved_at', None), _negated=True), _connector='OR'), name='organisationrequest_made_when_proved')],
            },
        ),
    ]
