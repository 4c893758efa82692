"""Certificates of deletion: an in-toto statement in a DSSE envelope, signed with the platform's key."""

from hashlib import sha256
from typing import Any

from django.db import DatabaseError

from compliance.evidence.dsse import Subject, sign, statement
from compliance.keys import signing_key
from tenants.lifecycle import removal
from tenants.models import DeletionCertificate, Tenant

PREDICATE_TYPE = "urn:datasynth:organisation-deletion:v1"


def signed(facts: dict[str, Any]) -> dict[str, Any]:
    """The envelope of these facts. Its subject is the organisation, by the digest of its id."""
    organisation = facts["organisation"]
    digest = sha256(organisation["id"].encode()).hexdigest()
    subject = Subject(f"organisation/{organisation['slug']}", digest, {})
    return sign(statement([subject], PREDICATE_TYPE, facts), signing_key())


def pending_certificate(tenant: Tenant, counts: dict[str, int]) -> dict[str, Any]:
    """What an owner can keep before: that the deletion is ordered, and of how much."""
    return signed(removal.facts(tenant, counts, status="pending"))


def delete_due() -> tuple[list[DeletionCertificate], dict[str, str]]:
    """Delete every organisation whose time is over. Returns the certificates, and why others could not be deleted, by slug."""
    done: list[DeletionCertificate] = []
    failed: dict[str, str] = {}
    for tenant in removal.due():
        try:
            done.append(removal.delete_organisation(tenant, sign=signed))
        except removal.Restored:
            continue
        except (OSError, RuntimeError, DatabaseError) as error:
            failed[tenant.schema_name] = str(error)
    return done, failed
