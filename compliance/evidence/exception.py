"""A signed exception: lets a dataset out that its gate refused, in a statement of its own beside the manifest.

The manifest stays what it is: not released, gate failed. The statement names it by its digest and says which checks are
excepted, why, who asked, who granted it and until when.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from compliance.evidence.dsse import Envelope, Subject, named_key, sign, statement
from compliance.evidence.keys import PublicKey, SigningKey
from compliance.evidence.manifest import MANIFEST

EXCEPTION = "exception.dsse.json"
EXCEPTION_TYPE = "urn:datasynth:release-exception:v1"


class ExceptionProblem(ValueError):
    """A statement that does not except this dataset, with the reason."""


@dataclass(frozen=True, slots=True)
class GrantedException:
    """What an exception says. `valid_until` is None for one without an end; whether it was revoked, no file can tell."""

    checks: tuple[str, ...]
    reason: str
    asked_by: str
    granted_by: str
    granted_at: datetime
    comment: str
    valid_until: datetime | None

    def has_ended(self, now: datetime | None = None) -> bool:
        return self.valid_until is not None and self.valid_until <= (now or datetime.now(UTC))

    def to_dict(self) -> dict[str, Any]:
        """As the statement says it, and whether its time is over."""
        return {**self._said(), "ended": self.has_ended()}

    def _said(self) -> dict[str, Any]:
        return {
            "checks": list(self.checks),
            "reason": self.reason,
            "askedBy": self.asked_by,
            "grantedBy": self.granted_by,
            "grantedAt": self.granted_at.isoformat(),
            "comment": self.comment,
            "validUntil": self.valid_until.isoformat() if self.valid_until else None,
        }

    def write(self, root: Path, *, manifest_sha256: str, key: SigningKey) -> dict[str, Any]:
        """Sign it for the manifest of this digest, write exception.dsse.json into `root`, return the envelope."""
        predicate = {**self._said(), "signer": key.public.jwk()}
        envelope = sign(statement([Subject(MANIFEST, manifest_sha256, {})], EXCEPTION_TYPE, predicate), key)
        text = json.dumps(envelope, ensure_ascii=False, indent=1) + "\n"
        (root / EXCEPTION).write_text(text, encoding="utf-8")
        return envelope


def granted_exception(
    envelope: Envelope,
    manifest: Mapping[str, Any],
    *,
    manifest_sha256: str,
    key_id: str,
    trusted: Mapping[str, PublicKey] | None,
) -> GrantedException:
    """What the envelope excepts of this manifest.

    Args: key_id: the key that signed the dataset. trusted: keys that may sign exceptions; None: only that key, since
    otherwise anybody could put an exception of their own beside a dataset of somebody else.
    Raises: ExceptionProblem: it is no exception of this dataset; EnvelopeProblem, KeyProblem: it is malformed.
    """
    content = envelope.statement()
    signer = envelope.signer(named_key(content["predicate"]) if trusted is None else trusted)
    if signer is None:
        raise ExceptionProblem("the signature does not fit the statement, or is by a key that is not trusted")
    if trusted is None and signer.key_id != key_id:
        raise ExceptionProblem("it is signed by another key than the dataset")
    if content["predicateType"] != EXCEPTION_TYPE:
        raise ExceptionProblem(f"it is a statement of type {content['predicateType']!r}")
    if {"name": MANIFEST, "sha256": manifest_sha256} not in [
        {"name": subject["name"], "sha256": subject["digest"]["sha256"]} for subject in content["subject"]
    ]:
        raise ExceptionProblem("it is an exception of another dataset (SHA-256 of the manifest differs)")
    if manifest.get("released") is not False:
        raise ExceptionProblem("its dataset was not held back, so there is nothing to except")
    granted = _read(content["predicate"])
    gate = manifest.get("gate")
    failures = gate.get("failures") if isinstance(gate, Mapping) else None
    if not isinstance(failures, list) or set(map(str, failures)) != set(granted.checks):
        raise ExceptionProblem("it is not about the checks that failed")
    return granted


def _read(predicate: Mapping[str, Any]) -> GrantedException:
    try:
        until = predicate["validUntil"]
        return GrantedException(
            checks=tuple(str(one) for one in predicate["checks"]),
            reason=str(predicate["reason"]),
            asked_by=str(predicate["askedBy"]),
            granted_by=str(predicate["grantedBy"]),
            granted_at=_time(predicate["grantedAt"]),
            comment=str(predicate["comment"]),
            valid_until=None if until is None else _time(until),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ExceptionProblem(f"it does not say what an exception says ({error})") from error


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return time
