from django.db import migrations, models


class Migration(migrations.Migration):
    """A person may have several links: who asks for one in somebody's name ends none."""

    dependencies = [("people", "0005_password_links_of_people")]

    operations = [
        migrations.AlterField("passwordlink", "membership_id", models.UUIDField(db_index=True)),
    ]
