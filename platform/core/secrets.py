"""Envelope encryption for what an organisation entrusts to us: `seal` before it is stored, `unseal` at use.

Each organisation has data keys in its own schema, wrapped by the operator's key management (core.kms). A
sealed value opens only for the organisation and the name that it was sealed for.
"""

import logging
import os
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction
from django.utils import timezone

from core import audit
from core.errors import DomainError
from core.kms import DATA_KEY_BYTES, KeyManagementAway, KeyUnreadable, key_management, unwrapped_for_a_while
from core.models import DataKey
from core.tenancy import tenant_context

logger = logging.getLogger(__name__)

_FORMAT = b"\x01"
_ID_BYTES, _NONCE_BYTES, _TAG_BYTES = 16, 12, 16
_HEAD_BYTES = len(_FORMAT) + _ID_BYTES + _NONCE_BYTES


class Unsealable(DomainError):
    """What was sealed does not open: it is another organisation's or name's, was changed, or its master key is gone.

    `reason` says which, for logs and the audit trail.
    """

    code = "secret_unreadable"
    http_status = 503
    title = "Stored secret not readable"

    def __init__(self, reason: str, *, is_given_up: bool = False) -> None:
        way_on = (
            "Enter it anew; an admin resets second factors."
            if is_given_up
            else "Ask whoever runs this platform to bring its master key back."
        )
        super().__init__(f"A secret that is stored here cannot be opened. {way_on}")
        self.reason = reason


def seal(tenant_schema: str, name: str, plain: bytes) -> bytes:
    """Encrypt `plain` under the organisation's data key; `name` says what it is ("sso/7/client_secret").

    Store the result in a binary column. Joins the caller's transaction, in whatever context it runs.
    Raises KeyManagementAway (503) while the key management does not answer.
    """
    key_id, key = _current_key(tenant_schema)
    nonce = os.urandom(_NONCE_BYTES)
    head = _FORMAT + key_id.bytes + nonce
    return head + AESGCM(key).encrypt(nonce, plain, _bound_to(tenant_schema, name))


def unseal(tenant_schema: str, name: str, sealed: bytes | memoryview) -> bytes:
    """What `seal` was given. Raises Unsealable, KeyManagementAway."""
    sealed = bytes(sealed)  # drivers hand out memoryviews
    if not sealed.startswith(_FORMAT) or len(sealed) < _HEAD_BYTES + _TAG_BYTES:
        raise Unsealable(f"{name}: not a sealed value")
    key_id = uuid.UUID(bytes=sealed[len(_FORMAT) : len(_FORMAT) + _ID_BYTES])
    with tenant_context(tenant_schema):
        row = DataKey.objects.filter(pk=key_id).first()
    if row is None:
        raise Unsealable(f"{name}: sealed under a key that {tenant_schema} does not have")
    nonce = sealed[_HEAD_BYTES - _NONCE_BYTES : _HEAD_BYTES]
    try:
        return AESGCM(_opened(tenant_schema, row)).decrypt(
            nonce, sealed[_HEAD_BYTES:], _bound_to(tenant_schema, name)
        )
    except InvalidTag:
        raise Unsealable(f"{name}: not sealed for this organisation and name, or changed") from None


def make_data_key(tenant_schema: str, *, actor: str) -> None:
    """Seal under a new data key from now on; values that are sealed already open with theirs as before."""
    with tenant_context(tenant_schema), transaction.atomic():
        DataKey.objects.filter(is_current=True).update(is_current=False)
        row = _new_key(tenant_schema)
        audit.record(actor=actor, action="core.data_key.make", target=row)


def rewrap_data_keys(tenant_schema: str, *, actor: str) -> int:
    """Wrap the organisation's data keys anew under the present master key; how many. Sealed values stay as they are.

    One that was given up and opens again, since its master key was found, is taken along. Raises KeyUnreadable for any other
    that does not open, KeyManagementAway.
    """
    kms = key_management()
    with tenant_context(tenant_schema), transaction.atomic():
        count = 0
        for row in DataKey.objects.select_for_update():
            bound = _wrapping_bound_to(tenant_schema, row.pk)
            try:
                key = kms.unwrap(bytes(row.wrapped), bound)
            except KeyUnreadable:
                if row.given_up_at is None:
                    raise
                continue
            row.wrapped, row.wrapped_at, row.given_up_at = _wrapped(key, bound), timezone.now(), None
            row.save(update_fields=["wrapped", "wrapped_at", "given_up_at"])
            count += 1
        if count:
            audit.record(actor=actor, action="core.data_key.rewrap", target=tenant_schema, count=count)
    return count


def give_up_lost_keys(tenant_schema: str, *, actor: str) -> int:
    """Say of data keys that do not open, since their master key is gone, that nobody waits for them; how many.

    A new one seals from now on. They stay: should the master key be found after all, what they sealed opens again.
    Raises KeyManagementAway, which says nothing about a key.
    """
    kms, lost = key_management(), []
    with tenant_context(tenant_schema), transaction.atomic():
        for row in DataKey.objects.select_for_update().filter(given_up_at=None):
            try:
                kms.unwrap(bytes(row.wrapped), _wrapping_bound_to(tenant_schema, row.pk))
            except KeyUnreadable:
                lost.append(row)
        DataKey.objects.filter(pk__in=[row.pk for row in lost]).update(given_up_at=timezone.now())
        if any(row.is_current for row in lost):
            make_data_key(tenant_schema, actor=actor)
        if lost:
            audit.record(actor=actor, action="core.data_key.give_up", target=tenant_schema, count=len(lost))
    return len(lost)


# -- data keys -----------------------------------------------------------------------------------------------


def _current_key(tenant_schema: str) -> tuple[uuid.UUID, bytes]:
    with tenant_context(tenant_schema):
        row = DataKey.objects.filter(is_current=True).first() or _new_key(tenant_schema)
    return row.pk, _opened(tenant_schema, row)


def _new_key(tenant_schema: str) -> DataKey:
    """The first data key; of two that are made at once, the database keeps one."""
    key_id = uuid.uuid4()
    wrapped = _wrapped(AESGCM.generate_key(8 * DATA_KEY_BYTES), _wrapping_bound_to(tenant_schema, key_id))
    DataKey.objects.bulk_create([DataKey(pk=key_id, wrapped=wrapped)], ignore_conflicts=True)
    return DataKey.objects.get(is_current=True)


def _wrapped(key: bytes, bound_to: bytes) -> bytes:
    """The key wrapped, and proved to open again: there is no other copy. Raises KeyManagementAway."""
    kms = key_management()
    wrapped = kms.wrap(key, bound_to)
    try:
        opens = kms.unwrap(wrapped, bound_to) == key
    except KeyUnreadable:
        opens = False
    if not opens:
        raise KeyManagementAway("The key management does not open what it wrapped.")
    return wrapped


def _opened(tenant_schema: str, row: DataKey) -> bytes:
    try:
        return unwrapped_for_a_while(bytes(row.wrapped), _wrapping_bound_to(tenant_schema, row.pk))
    except KeyUnreadable as error:
        logger.error("data key %s of %s does not open: %s", row.pk, tenant_schema, error)
        why, is_given_up = f"data key {row.pk} of {tenant_schema}: {error}", row.given_up_at is not None
        raise Unsealable(why, is_given_up=is_given_up) from error


def _wrapping_bound_to(tenant_schema: str, key_id: uuid.UUID) -> bytes:
    return _joined(b"datasynth data key", tenant_schema.encode(), key_id.bytes)


def _bound_to(tenant_schema: str, name: str) -> bytes:
    return _joined(b"datasynth secret", tenant_schema.encode(), name.encode())


def _joined(*parts: bytes) -> bytes:
    """Each part after its length, so that no two lists of parts look alike."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
