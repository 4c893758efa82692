"""Signed statements: an in-toto Statement v1 inside a DSSE envelope.

Source: https://github.com/secure-systems-lab/dsse (protocol v1) and https://in-toto.io/Statement/v1.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import rfc8785

from compliance.evidence.keys import KeyProblem, PublicKey, SigningKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"


class EnvelopeProblem(ValueError):
    """An envelope that cannot be read, or that none of the known keys signed."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One file that a statement speaks of."""

    name: str
    sha256: str
    annotations: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """As an in-toto ResourceDescriptor."""
        return {"name": self.name, "digest": {"sha256": self.sha256}, "annotations": dict(self.annotations)}


def statement(
    subjects: Sequence[Subject], predicate_type: str, predicate: Mapping[str, Any]
) -> dict[str, Any]:
    """An in-toto Statement v1."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [subject.to_dict() for subject in subjects],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: type and payload with their lengths, so that neither runs into the other."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(statement: Mapping[str, Any], key: SigningKey) -> dict[str, Any]:
    """Envelope over the canonical JSON (RFC 8785) of the statement.

    Raises: rfc8785.CanonicalizationError: a number in it is beyond what JSON carries exactly.
    """
    payload = rfc8785.dumps(dict(statement))
    signature = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    return {
        "payload": b64encode(payload).decode("ascii"),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": key.key_id, "sig": b64encode(signature).decode("ascii")}],
    }


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope taken apart, nothing about it believed yet."""

    payload: bytes
    signatures: tuple[tuple[str, bytes], ...]

    @classmethod
    def parse(cls, text: bytes) -> Envelope:
        """Read an envelope's JSON. Raises: EnvelopeProblem: it is malformed or of another type."""
        try:
            raw = json.loads(text)
            payload_type, payload = raw["payloadType"], b64decode(raw["payload"], validate=True)
            signatures = tuple(
                (str(member["keyid"]), b64decode(member["sig"], validate=True))
                for member in raw["signatures"]
            )
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise EnvelopeProblem(f"not a DSSE envelope ({type(error).__name__})") from error
        if payload_type != PAYLOAD_TYPE:
            raise EnvelopeProblem(f"payload type {payload_type!r}, expected {PAYLOAD_TYPE!r}")
        return cls(payload, signatures)

    def signer(self, keys: Mapping[str, PublicKey]) -> PublicKey | None:
        """The first of these keys, by key id, that signed the payload; None when none did."""
        message = pre_authentication_encoding(PAYLOAD_TYPE, self.payload)
        for key_id, signature in self.signatures:
            key = keys.get(key_id)
            if key and key.accepts(signature, message):
                return key
        return None

    def names_one_of(self, keys: Mapping[str, PublicKey]) -> bool:
        """Whether it claims a signature by one of these keys, right or wrong."""
        return any(key_id in keys for key_id, _ in self.signatures)

    def statement(self) -> dict[str, Any]:
        """The payload as an in-toto statement. Raises: EnvelopeProblem: it is not one."""
        try:
            content = dict(json.loads(self.payload))
            has_shape = content["_type"] == STATEMENT_TYPE and isinstance(content["predicate"], dict)
            has_shape = has_shape and isinstance(content["predicateType"], str)
            is_statement = has_shape and all(
                isinstance(subject["name"], str) and isinstance(subject["digest"]["sha256"], str)
                for subject in content["subject"]
            )
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise EnvelopeProblem(f"the payload is no in-toto statement ({type(error).__name__})") from error
        if not is_statement:
            raise EnvelopeProblem("the payload is no in-toto statement")
        return content


def named_key(predicate: Mapping[str, Any]) -> dict[str, PublicKey]:
    """The key that a statement names as its signer. Raises: KeyProblem: it names none."""
    try:
        key = PublicKey.from_jwk(dict(predicate["signer"]))
    except (KeyError, TypeError, ValueError) as error:
        raise KeyProblem("the statement does not name the key it was signed with") from error
    return {key.key_id: key}
