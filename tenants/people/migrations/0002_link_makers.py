from django.db import migrations, models

# Nobody knows who made the links before this. Invitations without a maker are dead until somebody renews them; of
# password links only those stay that the audit trail says people asked for themselves.
FORGET_LINKS_OF_UNKNOWN_MAKERS = """
    DELETE FROM people_passwordlink
     WHERE 'anonymous' IS DISTINCT FROM (
           SELECT actor FROM core_auditevent
            WHERE action = 'tenants.member.make_password_link'
              AND target = 'tenants.membership:' || people_passwordlink.membership_id
            ORDER BY seq DESC LIMIT 1)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0001_initial'),
        ('people', '0001_initial'),
    ]

    operations = [
        migrations.AddField('invitation', 'made_by_id', models.UUIDField(null=True)),
        migrations.RunSQL(FORGET_LINKS_OF_UNKNOWN_MAKERS, migrations.RunSQL.noop),
        migrations.AddField('passwordlink', 'made_by_id', models.UUIDField(null=True)),
    ]
