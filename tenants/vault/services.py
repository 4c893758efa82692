"""Changes to stored secrets. Each leaves one audit event in its transaction, without the value."""

import unicodedata
import uuid
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from core import audit, texts
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, QuotaExceeded
from core.locks import one_at_a_time
from core.permissions import Permission, Principal
from core.versions import any_version
from tenants import standing
from tenants.vault import queries
from tenants.vault.models import NamedSecret
from tenants.vault.references import NAME, NAME_RULE, SecretField, at, is_meant, name_in
from tenants.vault.values import sealed_value

MOST_SECRETS = 100
LONGEST_VALUE = 4096  # bytes of UTF-8
LONGEST_DESCRIPTION = 200


class SecretInUse(Conflict):
    """A stored secret that a field names cannot be deleted."""

    code = "secret_in_use"
    title = "Secret in use"


def make_secret(*, principal: Principal, name: str, value: str, description: str = "") -> NamedSecret:
    """Store a secret under a new name. Raises: InvalidInput, Conflict for a name in use, QuotaExceeded."""
    if not NAME.fullmatch(name):  # not repeated: it may be the secret, typed into the wrong field
        raise InvalidInput(f"A secret's name is {NAME_RULE}.", errors=at("name", NAME_RULE))
    _check_value(value)
    _check_description(description)
    with transaction.atomic():
        one_at_a_time("secrets")
        standing.refuse_outdated(principal)
        if NamedSecret.objects.filter(name=name).exists():
            raise Conflict(
                f"There is a secret “{name}” already. Replace its value, or choose another name.",
                errors=at("name", "there is such a secret already"),
            )
        if NamedSecret.objects.count() >= MOST_SECRETS:
            raise QuotaExceeded(f"At most {MOST_SECRETS} secrets can be stored. Delete one that is not used.")
        key = uuid.uuid4()
        secret = NamedSecret.objects.create(
            pk=key,
            name=name,
            description=description,
            sealed=sealed_value(key, value),
            created_by=principal.actor,
        )
        audit.record(
            actor=principal.actor,
            action="vault.secret.make",
            target=secret,
            name=name,
            description=description,
        )
    return secret


def change_secret(
    *,
    principal: Principal,
    secret: NamedSecret,
    value: str | None = None,
    description: str | None = None,
    check: Callable[[NamedSecret], None] = any_version,
) -> NamedSecret:
    """Replace the value, which counts from the next use on, or say something else about it. The name never changes.

    What is not given stays. Raises: InvalidInput, NotFound; what `check` raises for the version it finds.
    """
    if value is not None:
        _check_value(value)
    if description is not None:
        _check_description(description)
    with transaction.atomic():
        row = _held(principal, secret, check)
        if value is None and description in (None, row.description):
            return row
        if description is not None:
            row.description = description
        if value is not None:
            row.sealed = sealed_value(row.pk, value)
            row.version += 1
            row.replaced_by, row.replaced_at = principal.actor, timezone.now()
        row.save()
        audit.record(
            actor=principal.actor,
            action="vault.secret.describe" if value is None else "vault.secret.replace",
            target=row,
            name=row.name,
            version=row.version,
            description=row.description,
        )
    return row


def delete_secret(
    *, principal: Principal, secret: NamedSecret, check: Callable[[NamedSecret], None] = any_version
) -> None:
    """Forget a secret that no field names. Raises: SecretInUse, which says where; NotFound; what `check` raises."""
    with transaction.atomic():
        row = _held(principal, secret, check)
        if used := queries.uses([row])[row.pk]:
            places = ", ".join(field.label for field in used)
            raise SecretInUse(f"“{row.name}” is in use: {places}. Give that another secret first.")
        target = audit.label(row)
        row.delete()
        audit.record(
            actor=principal.actor,
            action="vault.secret.delete",
            target=target,
            name=row.name,
            version=row.version,
        )


def secret_named_in(*, principal: Principal, text: str, field: SecretField) -> NamedSecret | None:
    """The stored secret that somebody names in a field; None for a text that is the secret itself.

    Nobody deletes it before the caller's transaction ends. Raises: Forbidden without `secrets.write`, whether there
    is such a secret or not; InvalidInput when there is none, or the text is a mistyped reference.
    """
    name = name_in(text, field)
    if name is None:
        return None
    refuse_without_secrets(principal, "name one here", field)
    found = NamedSecret.objects.select_for_update().filter(name=name).first()
    if found is None:
        raise InvalidInput(
            f"There is no stored secret “{name}”. Make it first, or enter the secret itself.",
            errors=at(field.form_field, "there is no such secret"),
        )
    return found


def refuse_without_secrets(principal: Principal, what: str, field: SecretField) -> None:
    """Raises Forbidden: where a stored secret goes is decided by those who may change stored secrets.

    Otherwise whoever sets an address could have any of them sent there.
    """
    if not principal.can(Permission.SECRETS_WRITE):
        needed = Permission.SECRETS_WRITE.value
        raise Forbidden(
            f"Only who may change stored secrets can {what}: it needs “{needed}”. "
            "Ask somebody who has it, or enter the secret itself.",
            errors=at(field.form_field, f"needs “{needed}”"),
        )


# -- parts ---------------------------------------------------------------------------------------------------


def _held(principal: Principal, secret: NamedSecret, check: Callable[[NamedSecret], None]) -> NamedSecret:
    """The secret as it is now; nobody else changes or names it until the transaction ends."""
    row = NamedSecret.objects.select_for_update().filter(pk=secret.pk).first()
    if row is None:
        raise NotFound
    standing.refuse_outdated(principal)
    check(row)
    return row


def _check_value(value: str) -> None:
    """Raises InvalidInput, without quoting the value."""
    if problem := _problem_of(value):
        raise InvalidInput(f"This cannot be a secret: {problem}.", errors=at("value", problem))


def _problem_of(value: str) -> str:
    if not value:
        return "it is empty"
    if any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") for one in value):
        return "it holds a line break or another control character"
    if value != value.strip():
        return "it begins or ends with a blank"
    if len(value.encode()) > LONGEST_VALUE:
        return f"it is longer than {LONGEST_VALUE} bytes"
    return "it is the name of another one; store the secret itself" if is_meant(value) else ""


def _check_description(text: str) -> None:
    texts.plain_prose(text, "A description", field="description")
    if len(text) > LONGEST_DESCRIPTION:
        detail = f"at most {LONGEST_DESCRIPTION} characters"
        raise InvalidInput(f"A description has {detail}.", errors=at("description", detail))
