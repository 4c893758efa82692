"""Applications that act in an organisation, what people granted them, and the keys that sign their tokens."""

import uuid

from django.db import models
from django.db.models.functions import Now


class Application(models.Model):
    """An OAuth 2.0 client. Its scopes are all that it may ever do; the secret itself is not kept.

    A service acts for itself; the other kinds act for people who agreed, within what each person may.
    """

    class Kind(models.TextChoices):
        SERVICE = "service", "Service: acts for itself"
        WEB = "web", "Web application: acts for people, keeps a secret"
        PUBLIC = "public", "App or script: acts for people, cannot keep a secret"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client_id = models.CharField(max_length=12, unique=True)
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind)
    redirect_uris = models.JSONField(default=list)
    permissions = models.JSONField(default=list)  # scopes, at least one
    secret_hash = models.CharField(max_length=200, blank=True)
    previous_hash = models.CharField(max_length=200, blank=True, default="")
    previous_until = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=254)
    # A membership, which was shown the secret: what it may, a service may. The one before was shown `previous_hash`.
    responsible_id = models.UUIDField(null=True, db_index=True)
    previous_responsible_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["-created_at", "-id"], name="application_newest_first"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_public(self) -> bool:
        return self.kind == self.Kind.PUBLIC

    @property
    def acts_for_people(self) -> bool:
        return self.kind != self.Kind.SERVICE


class Grant(models.Model):
    """A member let an application act for them. Everything issued under it ends when it is revoked."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="grants")
    membership_id = models.UUIDField(db_index=True)
    scopes = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["membership_id", "-created_at"], name="grant_of_member"),)

    def __str__(self) -> str:
        return f"{self.application_id} for {self.membership_id}"


class AuthorizationCode(models.Model):
    """The code that an application changes for its first tokens, once, with the verifier of its challenge."""

    code_hash = models.CharField(primary_key=True, max_length=64)
    grant = models.OneToOneField(Grant, on_delete=models.CASCADE, related_name="code")
    redirect_uri = models.CharField(max_length=2000)
    challenge = models.CharField(max_length=43)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"code of {self.grant_id}"


class RefreshToken(models.Model):
    """One link of a grant's chain of refresh tokens: used once, and a second use ends the whole grant."""

    token_hash = models.CharField(primary_key=True, max_length=64)
    grant = models.ForeignKey(Grant, on_delete=models.CASCADE, related_name="refresh_tokens")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"refresh token of {self.grant_id}"


class RevokedToken(models.Model):
    """An access token that was revoked before its end; forgotten once it would have ended anyway."""

    jti = models.UUIDField(primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.jti)


class SigningKey(models.Model):
    """An Ed25519 key pair that signs access tokens of this organisation; the private half is sealed.

    One key signs. The ones before it stay published, and their tokens valid, until `retires_at`.
    """

    kid = models.CharField(primary_key=True, max_length=16)
    public = models.BinaryField()
    sealed = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())
    retires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(retires_at=None), name="signingkey_one_signs"
            ),
        )

    def __str__(self) -> str:
        return self.kid
