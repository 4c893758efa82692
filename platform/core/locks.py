"""One thing at a time in an organisation: whoever asks for a name waits for the transaction of who had it before."""

from django.db import connection

from core.tenancy import tenant_key


def one_at_a_time(*name: object) -> None:
    """Hold a name, of any text, until the transaction ends; other names and organisations do not wait."""
    key = "/".join([tenant_key("lock"), *map(str, name)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
