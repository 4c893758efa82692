"""An exception lets one dataset out, whose gate failed, for what failed; whatever else lies there is named."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence.exception import EXCEPTION, GrantedException
from compliance.evidence.keys import SigningKey, key_set
from compliance.evidence.seal import seal
from compliance.evidence.verify import verify_dataset
from tests.integration.command_line import CommandLine
from tests.unit.sealed_dataset import KEY, make_dataset, manifest_of, sealed

TRUSTED = key_set([KEY.public])
OTHER = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
FAILED = ("journal.balanced", "bank.reconciled")
GRANTED = GrantedException(
    checks=FAILED,
    reason="The difference is the planted one.",
    asked_by="operator@acme.example",
    granted_by="approver@acme.example",
    granted_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    comment="For the training of March only.",
    valid_until=None,
)


def held(root: Path, **changes: Any) -> str:
    """A sealed dataset that its gate refused; the digest of its manifest."""
    gate = {"profile": "strict", "verdict": "fail", "failures": list(FAILED)}
    make_dataset(root)
    return seal(root, manifest_of(root, gate=gate, released=False, **changes), KEY).manifest_sha256


def reason(root: Path, keys: Any = TRUSTED) -> str:
    """What is said of the exception of this dataset, which must not count."""
    found = verify_dataset(root, keys)
    assert (found.status, found.exception) == ("altered", None)
    assert [problem.path for problem in found.problems] == [EXCEPTION]
    return found.problems[0].reason


@pytest.mark.parametrize("keys", [TRUSTED, None])
def test_an_exception_verifies_beside_an_unchanged_manifest(tmp_path: Path, keys: Any) -> None:
    digest = held(tmp_path)
    GRANTED.write(tmp_path, manifest_sha256=digest, key=KEY)

    found = verify_dataset(tmp_path, keys)

    assert (found.status, found.released, found.exception) == ("ok", False, GRANTED)
    assert found.to_dict()["exception"]["grantedBy"] == "approver@acme.example"


def test_without_an_exception_a_held_dataset_verifies_as_not_released(tmp_path: Path) -> None:
    held(tmp_path)

    found = verify_dataset(tmp_path, TRUSTED)

    assert (found.status, found.released, found.exception) == ("ok", False, None)


def test_the_end_of_an_exception_is_told_and_is_no_alteration(tmp_path: Path) -> None:
    ended = datetime.now(UTC) - timedelta(seconds=1)
    granted = GrantedException(**{**_fields(), "valid_until": ended})
    granted.write(tmp_path, manifest_sha256=held(tmp_path), key=KEY)

    found = verify_dataset(tmp_path, TRUSTED)

    assert found.status == "ok"
    assert found.exception is not None
    assert found.exception.has_ended()
    assert not found.exception.has_ended(ended - timedelta(seconds=1))
    assert found.to_dict()["exception"]["ended"] is True


def test_an_exception_of_another_dataset_does_not_count(tmp_path: Path) -> None:
    held(tmp_path)
    GRANTED.write(tmp_path, manifest_sha256="0" * 64, key=KEY)

    assert "another dataset" in reason(tmp_path)


@pytest.mark.parametrize("checks", [FAILED[:1], (*FAILED, "one.more"), ()])
def test_an_exception_is_for_exactly_what_failed(tmp_path: Path, checks: tuple[str, ...]) -> None:
    granted = GrantedException(**{**_fields(), "checks": checks})
    granted.write(tmp_path, manifest_sha256=held(tmp_path), key=KEY)

    assert "not about the checks that failed" in reason(tmp_path)


def test_nobody_adds_an_exception_of_their_own(tmp_path: Path) -> None:
    GRANTED.write(tmp_path, manifest_sha256=held(tmp_path), key=OTHER)

    assert "not trusted" in reason(tmp_path)
    assert "another key than the dataset" in reason(tmp_path, None)


def test_another_trusted_key_may_sign_it(tmp_path: Path) -> None:
    GRANTED.write(tmp_path, manifest_sha256=held(tmp_path), key=OTHER)

    found = verify_dataset(tmp_path, key_set([KEY.public, OTHER.public]))

    assert (found.status, found.exception) == ("ok", GRANTED)


def test_a_released_dataset_needs_none(tmp_path: Path) -> None:
    GRANTED.write(tmp_path, manifest_sha256=sealed(tmp_path).manifest_sha256, key=KEY)

    assert "nothing to except" in reason(tmp_path)


def test_another_signed_statement_is_no_exception(tmp_path: Path) -> None:
    held(tmp_path)
    (tmp_path / EXCEPTION).write_bytes((tmp_path / "manifest.dsse.json").read_bytes())

    assert "statement of type" in reason(tmp_path)


def test_an_edited_exception_is_found(tmp_path: Path) -> None:
    GRANTED.write(tmp_path, manifest_sha256=held(tmp_path), key=KEY)
    envelope = json.loads((tmp_path / EXCEPTION).read_text())
    first = "A" if envelope["signatures"][0]["sig"][0] != "A" else "B"
    envelope["signatures"][0]["sig"] = first + envelope["signatures"][0]["sig"][1:]
    (tmp_path / EXCEPTION).write_text(json.dumps(envelope))

    assert "signature does not fit" in reason(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"payload": 1}'])
def test_what_is_no_envelope_is_named(tmp_path: Path, text: str) -> None:
    held(tmp_path)
    (tmp_path / EXCEPTION).write_text(text)

    assert "not a DSSE envelope" in reason(tmp_path)


def test_beside_a_dataset_that_nobody_signed_an_exception_says_nothing(tmp_path: Path) -> None:
    GRANTED.write(tmp_path, manifest_sha256=held(tmp_path), key=KEY)
    (tmp_path / "manifest.dsse.json").unlink()

    found = verify_dataset(tmp_path, TRUSTED)

    assert (found.status, found.exception) == ("unsigned", None)


def _fields() -> dict[str, Any]:
    return {name: getattr(GRANTED, name) for name in GrantedException.__slots__}


def test_the_command_shows_who_let_a_dataset_out(tmp_path: Path) -> None:
    line = CommandLine(tmp_path)
    (tmp_path / "out").mkdir()
    changes = {
        "valid_until": datetime(2026, 3, 31, tzinfo=UTC),
        "comment": "x",
        "reason": "The\x1b[2J difference\nis",
    }
    granted = GrantedException(**{**_fields(), **changes})
    granted.write(tmp_path / "out", manifest_sha256=held(tmp_path / "out"), key=KEY)
    (tmp_path / "keys.json").write_text(json.dumps(TRUSTED))

    told = line.run("verify", "out", "--keys", "keys.json")
    data = json.loads(line.run("verify", "out", "--keys", "keys.json", "--json").stdout)

    assert told.returncode == 0
    shown = " ".join(told.stdout.split())
    assert "released no" in shown
    assert "granted by approver@acme.example on 2026-03-01, until 2026-03-31 00:00 UTC" in shown
    assert (
        "for journal.balanced, bank.reconciled; asked by operator@acme.example: The [2J difference is"
        in shown
    )
    assert "\x1b" not in told.stdout
    assert (data["released"], data["exception"]["validUntil"]) == (False, "2026-03-31T00:00:00+00:00")
