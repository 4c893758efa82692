"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class PasswordHasher(Argon2PasswordHasher):
    """Argon2id with the minimum that OWASP gives (19 MiB, 2 passes): many sign-ins at once fit into memory."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
