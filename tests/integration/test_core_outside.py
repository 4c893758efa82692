"""Who waits for somebody outside holds nothing that others need, and few of one organisation do."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, ClassVar

import pytest
from django.conf import settings as configured
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connections
from pytest_django import Settings

from core import egress
from core.errors import Busy
from core.mail import send_mail
from core.outside import MOST_OF_ONE, waiting_outside
from core.tenancy import tenant_context
from tenants import queries


class Looks(BaseEmailBackend):
    """Notes whether the sender has a connection meanwhile."""

    seen: ClassVar[list[bool]] = []

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self.seen.append(connections["default"].connection is not None)
        return len(email_messages)


def test_the_connection_goes_back_while_a_provider_or_a_mail_server_takes_its_time(
    out: str, settings: Settings
) -> None:
    settings.HAS_EMAIL = True
    settings.EMAIL_BACKEND = f"{Looks.__module__}.{Looks.__name__}"
    mine, seen = connections["default"], list[bool]()
    Looks.seen.clear()

    def resolve(host: str, port: int) -> list[str]:  # in another thread
        seen.append(mine.connection is not None)
        return []

    with tenant_context(out):
        name = queries.organisation().name
        with pytest.raises(egress.EgressFailed):
            egress.fetch("https://provider.example/", resolve=resolve)
        assert queries.organisation().name == name  # on a new one, as the same role
        assert send_mail(to="ada@out.example", subject="Hello", text="Hello")
        assert queries.organisation().name == name

    assert (seen, Looks.seen) == ([False], [False])


def test_a_transaction_keeps_its_connection(acme: Any) -> None:
    with waiting_outside():
        assert connections["default"].connection is not None


def test_few_of_one_organisation_wait_and_others_are_served(out: str, settings: Settings) -> None:
    settings.HAS_EMAIL = True
    with ExitStack() as others:
        others.enter_context(tenant_context(out))
        for _ in range(MOST_OF_ONE):
            others.enter_context(waiting_outside())

        with pytest.raises(Busy, match="Try again"):
            egress.fetch("https://provider.example/", resolve=lambda host, port: [])
        assert not send_mail(to="ada@out.example", subject="Hello", text="Hello")
        with tenant_context("acme"), waiting_outside():
            pass

    with tenant_context(out), waiting_outside():
        pass
    assert MOST_OF_ONE > configured.DATABASE_POOL_SIZE  # they hold no connection
