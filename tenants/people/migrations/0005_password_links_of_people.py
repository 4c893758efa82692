from django.db import migrations


class Migration(migrations.Migration):
    """Only people in sessions make links to passwords: those that a program made end."""

    dependencies = [("people", "0004_links_of_credentials")]

    operations = [
        migrations.RunSQL(
            "DELETE FROM people_passwordlink WHERE made_with <> ''", migrations.RunSQL.noop
        ),
        migrations.RemoveField("passwordlink", "made_with"),
    ]
