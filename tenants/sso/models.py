"""The identity provider of an organisation, its mail domains, and who its people are there.

The tables live in the organisation's own schema and name memberships by id, without foreign keys into the shared one.
"""

import uuid

from django.db import models

CHANGES = "sso"  # who changes the set-up, or lets somebody in by it, holds this name (core.locks)
LONGEST_ISSUER = 1024
LONGEST_CLAIM = 255


class Connection(models.Model):
    """How people of this organisation sign in elsewhere. There is one, or none."""

    class Protocol(models.TextChoices):
        OIDC = "oidc", "OpenID Connect"
        SAML = "saml", "SAML 2.0"

    class Joining(models.TextChoices):
        """Who becomes a member by signing in for the first time."""

        NEVER = "never", "Nobody: invite people first"
        VERIFIED = "verified", "People with an address in a verified domain"
        ANYBODY = "anybody", "Everybody whom the identity provider lets in"

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    protocol = models.CharField(max_length=4, choices=Protocol)
    name = models.CharField(max_length=60)  # “Sign in with …”
    is_enabled = models.BooleanField(default=False)
    is_enforced = models.BooleanField(default=False)
    issuer = models.CharField(max_length=LONGEST_ISSUER)  # OIDC issuer, SAML entity ID
    endpoints = models.JSONField()  # tenants.sso.oidc.Endpoints or tenants.sso.saml.Endpoints
    client_id = models.CharField(max_length=255, blank=True, default="")
    client_secret = models.BinaryField(null=True)  # sealed
    named_client_secret = models.ForeignKey(  # the stored secret that is used in its place
        "vault.NamedSecret", null=True, on_delete=models.PROTECT, related_name="+"
    )
    sp_certificate = models.TextField(blank=True, default="")  # signs what we send to a SAML provider
    sp_key = models.BinaryField(null=True)  # sealed
    wants_signed_response = models.BooleanField(default=True)
    allows_idp_initiated = models.BooleanField(default=False)
    email_claim = models.CharField(max_length=LONGEST_CLAIM, blank=True, default="")
    name_claim = models.CharField(max_length=LONGEST_CLAIM, blank=True, default="")
    groups_claim = models.CharField(max_length=LONGEST_CLAIM, blank=True, default="")
    group_roles = models.JSONField(default=list)  # [{"group": …, "role": …}], the first that fits counts
    default_role = models.CharField(
        max_length=63, blank=True, default=""
    )  # without a group that fits; none: refuse
    joining = models.CharField(max_length=8, choices=Joining, default=Joining.VERIFIED)
    set_by_role = models.CharField(max_length=40)  # of who set the provider: nobody comes in with more
    mapped_by_role = models.CharField(
        max_length=40, null=True
    )  # the same of who set claims and roles, if anybody did
    created_at = models.DateTimeField(auto_now_add=True)
    another_since = models.DateTimeField(
        null=True
    )  # since when it is not the provider before; none: the first

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(id=1), name="sso_connection_only_one"),
            models.CheckConstraint(
                condition=models.Q(client_secret=None) | models.Q(named_client_secret=None),
                name="sso_connection_one_client_secret",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> tuple[str, ...]:
        """What makes it this provider and no other: where people are sent, as whom, and who speaks there.

        Certificates, algorithms and the client secret are renewed without its becoming another.
        """
        addresses = (self.endpoints.get("sign_in", ""), self.endpoints.get("token", ""))
        return (self.protocol, self.issuer, self.client_id, *addresses)


class MailDomain(models.Model):
    """A domain of e-mail addresses that the organisation owns once a TXT record proved it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=253, unique=True)
    token = models.CharField(max_length=64)
    verified_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    found_at = models.DateTimeField(null=True)  # when a check last found the record
    missing_since = models.DateTimeField(
        null=True
    )  # of a verified domain whose record checks do not find any more
    last_result = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Identity(models.Model):
    """Who a member is at an identity provider. This, not the e-mail address, is what a sign-in is matched by."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    issuer = models.CharField(max_length=LONGEST_ISSUER)
    subject = models.CharField(max_length=1024)
    membership_id = models.UUIDField(db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["issuer", "subject"], name="sso_identity_once"),)

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class Arrival(models.Model):
    """An assertion or ID token that was accepted: it works once. Kept until it would have run out anyway.

    Only what carries a valid signature of the organisation's provider gets a row, so strangers cannot make any.
    `facts` wait for the browser that asked, under a ticket, for two minutes at most.
    """

    digest = models.CharField(primary_key=True, max_length=64)
    expires_at = models.DateTimeField(db_index=True)
    ticket = models.CharField(max_length=64, null=True, unique=True)
    facts = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.digest
