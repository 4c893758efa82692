"""`datasynth verify`: is a dataset as it was sealed, and who signed it?"""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from typing import Any

from cli.console import facts, phase, size
from cli.home import data_folder, trusted_key_ids
from cli.problems import ALTERED, DONE, UNSIGNED, Refused
from compliance.evidence.exception import GrantedException
from compliance.evidence.keys import KeyProblem, key_set, read_key_set
from compliance.evidence.verify import NotADataset, Verification, verify_dataset

_EXIT = {"ok": DONE, "altered": ALTERED, "unsigned": UNSIGNED}


def run(options: Namespace) -> int:
    """Verify with the given keys, or with the key in the envelope and say whether it is one of the user's."""
    quiet = options.quiet or options.json
    try:
        keys = key_set(read_key_set(options.keys).values()) if options.keys else None
    except KeyProblem as problem:
        raise Refused(str(problem)) from problem
    except OSError as error:
        raise Refused(f"{options.keys}: {error.strerror}") from error
    try:
        with phase("Verifying", quiet=quiet) as progress:
            found = verify_dataset(options.dataset, keys, progress=progress)
    except NotADataset as problem:
        raise Refused(str(problem)) from problem
    trusted = found.key_trusted or (keys is None and found.key_id in trusted_key_ids(data_folder(os.environ)))
    if options.json:
        print(json.dumps({**found.to_dict(), "key_trusted": trusted}, ensure_ascii=False))
    else:
        for altered in found.problems:
            print(f"{altered.path}: {altered.reason}", file=sys.stderr)
        if not options.quiet:
            facts(_summary(found, _trust(found, trusted, keys)))
    return _EXIT[found.status]


def _trust(found: Verification, trusted: bool, keys: dict[str, Any] | None) -> str:
    if found.key_id is None:
        return "none" if keys is None else "none by a key of the given set"
    if trusted:
        return f"valid, by {found.key_id}, a {'given key' if keys else 'key of this data folder'}"
    return f"valid for the key inside the envelope ({found.key_id}); trust not checked: give --keys"


def _summary(found: Verification, signature: str) -> list[tuple[str, str]]:
    released = {True: "yes", False: "no", None: "unknown"}[found.released]
    return [
        (
            "status",
            found.status
            if not found.problems
            else f"{found.status}: {len(found.problems):,} file(s), named above",
        ),
        ("files", f"{found.files:,} ({size(found.size_bytes)}, {found.rows:,} rows)"),
        ("marked ids", f"{found.marked_ids:,} of {found.ids:,}"),
        ("signature", signature),
        ("released", released),
        *([("exception", _exception(found.exception))] if found.exception else []),
    ]


def _exception(granted: GrantedException) -> str:
    """Who let the dataset out although its gate failed. Only the platform knows whether that was revoked since."""
    end = (
        "without an end" if granted.valid_until is None else f"until {granted.valid_until:%Y-%m-%d %H:%M %Z}"
    )
    ended = ", which is over" if granted.has_ended() else ""
    text = (
        f"granted by {granted.granted_by} on {granted.granted_at:%Y-%m-%d}, {end}{ended}, for {', '.join(granted.checks)}; "
        f"asked by {granted.asked_by}: {granted.reason}"
    )
    return "".join(
        letter if letter.isprintable() else " " for letter in text
    )  # anybody's words, in a terminal
