"""Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): the same request twice has one effect."""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial, wraps
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import Conflict, DomainError
from core.models import IdempotencyRecord
from core.permissions import principal_of
from core.tenancy import tenant_key

Method = Callable[..., Response]

KEPT_FOR = timedelta(hours=24)
_PRINTABLE_ASCII = range(0x21, 0x7F)
_KEPT_HEADERS = ("Location", "ETag")
_FORGET_AT_ONCE = 100  # old records removed by one request


class IdempotencyKeyMissing(DomainError):
    """The request needs an Idempotency-Key header of 1 to 255 printable characters."""

    code = "idempotency_key_missing"
    http_status = 400
    title = "Idempotency-Key required"


class IdempotencyKeyReused(DomainError):
    """The Idempotency-Key was used for another request."""

    code = "idempotency_key_reused"
    http_status = 422
    title = "Idempotency-Key used before"


class SecretShownOnce(Conflict):
    """The request with this Idempotency-Key was carried out; its answer held a secret, which is not kept."""

    code = "secret_shown_once"
    title = "Carried out before"


class RequestInProgress(Conflict):
    """The first request with this Idempotency-Key is still being carried out."""

    code = "request_in_progress"
    title = "Still in progress"


class Unfinished(Response):
    """An answer to complete once what it tells of is stored: with what takes long, or must not be done for nothing."""

    def __init__(self, data: Mapping[str, Any], rest: Callable[[], Mapping[str, Any]], status: int) -> None:
        super().__init__(dict(data), status=status)
        self._rest = rest

    def finish(self) -> None:
        self.data |= self._rest()


def repeatable(*, is_needed: bool = False, shows_secret: bool = False) -> Callable[[Method], Method]:
    """A POST that takes an Idempotency-Key: `is_needed` refuses a request without one.

    An answer that shows a secret is not kept; the same request again has no effect and is told so (409).
    """

    def decorated(post: Method) -> Method:
        @wraps(post)
        def once_for_each_key(view: Any, request: Request, *arguments: Any, **named: Any) -> Response:
            handler = partial(post, view, request, *arguments, **named)
            if not is_needed and "Idempotency-Key" not in request.headers:
                response = handler()
            else:
                response = idempotent(request, handler, shows_secret=shows_secret)
            if isinstance(response, Unfinished):
                response.finish()
            return response

        once_for_each_key.repeatable = "needed" if is_needed else "taken"  # type: ignore[attr-defined]
        return once_for_each_key

    return decorated


def idempotent(request: Request, handler: Callable[[], Response], *, shows_secret: bool = False) -> Response:
    """Run `handler` once per (organisation, credential, key); give its answer again for 24 hours.

    Effect and record are written in one transaction, so neither exists without the other. An answer that is an
    error is not kept: nothing happened, the caller may try again. Of an answer that shows a secret the id is kept.
    Raises: IdempotencyKeyMissing 400, RequestInProgress and SecretShownOnce 409, IdempotencyKeyReused 422.
    """
    key = request.headers.get("Idempotency-Key", "").strip()
    if not 1 <= len(key) <= 255 or any(ord(character) not in _PRINTABLE_ASCII for character in key):
        raise IdempotencyKeyMissing("Send an Idempotency-Key header of 1 to 255 printable ASCII characters.")
    credential, fingerprint = principal_of(request).credential, _fingerprint(request)
    with transaction.atomic():
        if not _lock(credential, key):
            raise RequestInProgress("The first request with this Idempotency-Key has not ended yet.")
        if (kept := _kept(credential, key)) is not None:
            return _again(kept, fingerprint)
        response = handler()
        if response.status_code >= 400:
            transaction.set_rollback(True)
            return response
        IdempotencyRecord.objects.create(
            credential=credential,
            key=key,
            fingerprint=fingerprint,
            status=response.status_code,
            headers={name: response[name] for name in _KEPT_HEADERS if response.has_header(name)},
            body=_without_secret(response.data) if shows_secret else json.dumps(response.data, default=str),
        )
        return response


def one_time_token() -> str:
    """For a hidden field of a form that must have one effect however often it is sent."""
    return secrets.token_urlsafe(16)


def once(request: HttpRequest, token: str, content: str, act: Callable[[], str]) -> str:
    """What `act` answered when this caller first sent this content with this one-time token; kept for 24 hours.

    A second request waits for the first one. An error is not kept: nothing happened, the caller may try again.
    """
    credential = principal_of(request).credential
    key = "form:" + hashlib.sha256(f"{token}\n{content}".encode()).hexdigest()
    with transaction.atomic():
        _wait_for(credential, key)
        if (kept := _kept(credential, key)) is not None:
            return str(kept.body)
        answer = act()
        IdempotencyRecord.objects.create(
            credential=credential, key=key, fingerprint="", status=200, headers={}, body=answer
        )
        return answer


def _fingerprint(request: Request) -> str:
    """Keyed: a body may hold a secret, which a bare hash in a dump would let somebody guess."""
    body = json.dumps(request.data, sort_keys=True, default=str)
    text = f"{request.method} {request.get_full_path()}\n{body}"
    return salted_hmac("core.idempotency", text, algorithm="sha256").hexdigest()


def _lock(credential: str, key: str) -> bool:
    """Take the key until the transaction ends; False when another request holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_lock_number(credential, key)])
        row: tuple[Any, ...] = cursor.fetchone()
    return bool(row[0])


def _wait_for(credential: str, key: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_lock_number(credential, key)])


def _lock_number(credential: str, key: str) -> int:
    name = hashlib.sha256(tenant_key("idempotency").encode() + f"\0{credential}\0{key}".encode()).digest()
    return int.from_bytes(name[:8], "big", signed=True)


def _kept(credential: str, key: str) -> IdempotencyRecord | None:
    old = IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - KEPT_FOR)
    some = old.order_by("created_at").values("pk")[:_FORGET_AT_ONCE]
    IdempotencyRecord.objects.filter(pk__in=some).delete()
    old.filter(credential=credential, key=key).delete()
    return IdempotencyRecord.objects.filter(credential=credential, key=key).first()


def _without_secret(data: Any) -> dict[str, str]:
    """What is kept of an answer that shows a secret. Other answers are kept as text: jsonb would reorder their keys."""
    return {"id": str(data["id"])} if "id" in data else {}


def _again(kept: IdempotencyRecord, fingerprint: str) -> Response:
    if kept.fingerprint != fingerprint:
        raise IdempotencyKeyReused("This Idempotency-Key was used for a request with other content.")
    if isinstance(kept.body, dict):
        made = f" ({kept.body['id']})" if "id" in kept.body else ""
        raise SecretShownOnce(
            f"The first request with this Idempotency-Key was carried out{made}. Its answer held a secret that is shown once "
            "and not kept: ask for a new one with another Idempotency-Key."
        )
    return Response(
        json.loads(kept.body), status=kept.status, headers={**kept.headers, "Idempotent-Replayed": "true"}
    )
