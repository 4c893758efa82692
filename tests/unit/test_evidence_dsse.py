"""Signed statements: the encoding of the specification, and no acceptance of anything else."""

import json
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence.dsse import (
    PAYLOAD_TYPE,
    Envelope,
    EnvelopeProblem,
    Subject,
    pre_authentication_encoding,
    sign,
    statement,
)
from compliance.evidence.keys import SigningKey

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
STATEMENT = statement(
    [Subject("a.parquet", "00" * 32, {"rows": 3})], "https://example.com/p/v1", {"released": True}
)


def envelope_bytes(**changes: object) -> bytes:
    return json.dumps(sign(STATEMENT, KEY) | changes).encode()


def test_the_encoding_equals_the_vector_of_the_dsse_protocol() -> None:
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")

    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_lengths_count_bytes_and_not_letters() -> None:
    assert pre_authentication_encoding("é", "ü".encode()) == b"DSSEv1 2 \xc3\xa9 2 \xc3\xbc"


def test_a_signed_statement_names_its_signer_and_comes_back() -> None:
    envelope = Envelope.parse(envelope_bytes())

    signer = envelope.signer({KEY.key_id: KEY.public})
    assert signer is not None
    assert signer.key_id == KEY.key_id
    assert envelope.statement() == STATEMENT


def test_the_same_statement_gives_the_same_bytes_whatever_the_order_of_its_keys() -> None:
    shuffled = dict(reversed(STATEMENT.items()))

    assert json.dumps(sign(STATEMENT, KEY)) == json.dumps(sign(shuffled, KEY))


def test_a_changed_payload_has_no_signer() -> None:
    payload = b64encode(json.dumps(STATEMENT | {"predicate": {"released": False}}).encode()).decode()

    assert Envelope.parse(envelope_bytes(payload=payload)).signer({KEY.key_id: KEY.public}) is None


def test_another_key_under_the_same_id_has_not_signed() -> None:
    assert Envelope.parse(envelope_bytes()).signer({KEY.key_id: SigningKey.generate().public}) is None


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"[]", b"null", b"[" * 100_000, b"{}", b"\xff",
        envelope_bytes(payloadType="text/plain"), envelope_bytes(payload="*"), envelope_bytes(payload=None),
        envelope_bytes(signatures=[{}]), envelope_bytes(signatures=None),
    ],
)  # fmt: skip
def test_a_malformed_envelope_is_refused(text: bytes) -> None:
    with pytest.raises(EnvelopeProblem):
        Envelope.parse(text)


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{}", b'{"_type": "x"}', json.dumps({**STATEMENT, "subject": [{}]}).encode(),
                json.dumps({**STATEMENT, "predicate": []}).encode()],
)  # fmt: skip
def test_a_payload_that_is_no_statement_is_refused(payload: bytes) -> None:
    with pytest.raises(EnvelopeProblem):
        Envelope(payload, ()).statement()


def test_the_payload_type_is_that_of_in_toto() -> None:
    assert sign(STATEMENT, KEY)["payloadType"] == PAYLOAD_TYPE == "application/vnd.in-toto+json"
