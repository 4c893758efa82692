"""Master keys in the transit engine of OpenBao or Vault, asked over its HTTP API: the key never leaves it.

SECRETS_KMS_URL is `transit+https://host:port/<mount>/<key>`; the key is of type aes256-gcm96, and the token may
update `<mount>/encrypt/<key>`, `<mount>/decrypt/<key>` and, to rotate, `<mount>/keys/<key>/rotate`.
"""

import base64
import json
import re
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import quote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from core.kms import DATA_KEY_BYTES, KeyManagementAway, KeyUnreadable

_TIMEOUT_SECONDS = 5.0
_ANSWER_LIMIT_BYTES = 64 << 10
_NOT_TRANSIT = "The key management answered something else than a transit engine does."


class Transit:
    """Follows no redirect and reads no proxy variable: the address is the operator's, and the token goes nowhere else."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        steps = parts.path.strip("/").split("/")
        try:
            port = parts.port
        except ValueError:
            port = 0
        is_more = parts.query or parts.fragment or "@" in parts.netloc
        if not parts.hostname or len(steps) < 2 or not all(steps) or port == 0 or is_more:
            raise ImproperlyConfigured("SECRETS_KMS_URL must be transit+https://host:port/mount/key")
        if not re.fullmatch(r"[!-~]+", token):  # what may stand in a header; the message does not show it
            raise ImproperlyConfigured(
                "SECRETS_KMS_TOKEN (or SECRETS_KMS_TOKEN_FILE) must be set for transit: a token of one line, without spaces."
            )
        self._is_https = parts.scheme == "transit+https"
        self._host, self._port = parts.hostname, port or 8200
        self._mount, self._key, self._token = quote("/".join(steps[:-1])), quote(steps[-1]), token

    def wrap(self, key: bytes, bound_to: bytes) -> bytes:
        try:
            answer = self._ask("encrypt", plaintext=_text(key), associated_data=_text(bound_to))
        except (
            KeyUnreadable
        ):  # a key that does not encrypt, or takes no associated data: the operator's to mend
            raise KeyManagementAway(
                "The key management does not wrap: its key must be of type aes256-gcm96."
            ) from None
        return _said(answer, "ciphertext").encode("utf-8", "replace")

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        answer = self._ask(
            "decrypt", ciphertext=wrapped.decode("ascii", "replace"), associated_data=_text(bound_to)
        )
        try:
            key = base64.b64decode(_said(answer, "plaintext"), validate=True)
        except ValueError:
            raise KeyManagementAway(_NOT_TRANSIT) from None
        if len(key) != DATA_KEY_BYTES:
            raise KeyManagementAway(_NOT_TRANSIT)
        return key

    def rotate(self) -> None:
        try:
            self._post(f"{self._mount}/keys/{self._key}/rotate", {})
        except KeyUnreadable:
            raise KeyManagementAway("The key management does not rotate this key.") from None

    def _ask(self, act: str, **body: str) -> dict[str, Any]:
        answer = self._post(f"{self._mount}/{act}/{self._key}", body)
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict):
            raise KeyManagementAway(_NOT_TRANSIT)
        return data

    def _post(self, path: str, body: dict[str, str]) -> Any:
        kind = HTTPSConnection if self._is_https else HTTPConnection
        connection = kind(self._host, self._port, timeout=_TIMEOUT_SECONDS)
        try:
            headers = {
                "X-Vault-Token": self._token,
                "X-Vault-Request": "true",
                "Content-Type": "application/json",
            }
            connection.request("POST", f"/v1/{path}", json.dumps(body), headers)
            response = connection.getresponse()
            status, text = response.status, response.read(_ANSWER_LIMIT_BYTES)
        except (OSError, HTTPException, ValueError) as error:
            raise KeyManagementAway("The key management does not answer.") from error
        finally:
            connection.close()
        if status == 400:
            raise KeyUnreadable("the key management refused it")
        if status not in (
            200,
            204,
        ):  # 403: our token; 404: our key; 5xx: sealed or down. The operator's to mend
            raise KeyManagementAway(f"The key management answered {status}.")
        try:
            return json.loads(text or "{}")
        except (ValueError, RecursionError):
            raise KeyManagementAway(_NOT_TRANSIT) from None


def _said(answer: dict[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str):
        raise KeyManagementAway(_NOT_TRANSIT)
    return value


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
