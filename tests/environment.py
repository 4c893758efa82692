"""Loaded by pytest before Django's settings: a data folder of its own for every test session, never the real one.

DATABASE_URL and VALKEY_URL switch to real servers; the tests then make and drop a database `test_<name>` there.
"""

import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from core.embedded.home import claim_home

HOME = Path(tempfile.mkdtemp(prefix="ds-test-", dir="/tmp"))  # short: socket paths have a limit
HAS_OWN_DATABASE_SERVER = not os.environ.get("DATABASE_URL")
HAS_OWN_VALKEY = not os.environ.get("VALKEY_URL")


def _test_database(url: str) -> str:
    parts = urlsplit(url)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    return urlunsplit(parts._replace(path=f"/test_{parts.path.strip('/')}{worker}"))


def _prepare() -> None:
    claim_home(HOME)
    (HOME / "static").mkdir()  # WhiteNoise looks for it when the application is made
    os.environ["DATASYNTH_HOME"] = str(HOME)
    os.environ["SECRET_KEY"] = "tests only: signs nothing that leaves this machine"
    os.environ["BASE_HOST"] = "localhost"
    os.environ["PAGE_REQUESTS_PER_MINUTE"] = "10000000"  # tests load pages faster than anybody reads
    os.environ.pop("STORAGE_URL", None)
    if not HAS_OWN_DATABASE_SERVER:
        owner = os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"]
        os.environ["DATABASE_OWNER_URL"] = _test_database(owner)
        os.environ["DATABASE_URL"] = _test_database(os.environ["DATABASE_URL"])


_prepare()
