"""An outside checker of RFC 7643 and 7644 finds nothing to complain about."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from pytest_django import Settings
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from tests.scim.conftest import make_directory

_WRONG = (Status.DEVIATION, Status.ERROR, Status.CRITICAL)


@pytest.fixture
def in_one_transaction() -> Iterator[None]:
    """A server closes its connections between requests; here the test's transaction would end with them."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def report(db: None, settings: Settings, in_one_transaction: None) -> Any:
    settings.API_REQUESTS_PER_MINUTE = 1_000_000
    directory = make_directory("acme", anybody=True)
    headers = {"Authorization": f"Bearer {directory.token}"}
    client = WSGISCIMClient(get_wsgi_application(), base_url="http://acme.localhost/scim/v2", headers=headers)
    return check_server(client)


def test_the_checker_of_scim_finds_nothing_wrong(report: Any) -> None:
    wrong = [f"{one.title} of {one.resource_type}: {one.reason}" for one in report if one.status in _WRONG]

    assert not wrong, "\n".join(wrong)
    assert sum(one.status is Status.SUCCESS for one in report) > 40
