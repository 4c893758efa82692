"""The audit trail refuses UPDATE, DELETE and TRUNCATE, also from its owner. One function serves all schemas."""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION public.core_refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION '% on %.% refused: rows are only ever added', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;
"""
TRIGGER = """
CREATE TRIGGER core_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON core_auditevent
FOR EACH STATEMENT EXECUTE FUNCTION public.core_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, migrations.RunSQL.noop),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER core_append_only ON core_auditevent"),
    ]
