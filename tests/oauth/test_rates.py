"""How often an application gets a token: an honest one keeps it, so a flood is refused before it costs anything."""

from collections import Counter
from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings

from core.models import AuditEvent
from tenants.models import Tenant
from tests.oauth.conftest import App, code_for, redeem, token_of

Apps = Callable[..., App]

pytestmark = pytest.mark.usefixtures("no_tries_counted")


def _own(caller: Client, app: App) -> object:
    return token_of(caller, app, grant_type="client_credentials")


def test_a_service_gets_so_many_tokens_and_is_told_when_to_come_back(
    app: Apps, caller: Client, acme: Tenant
) -> None:
    """60 a minute, a third of them at once; the next one is there after a second."""
    service, other = app(), app()

    answers = [_own(caller, service) for _ in range(40)]

    statuses = [one.status_code for one in answers]  # type: ignore[attr-defined]
    assert statuses[:20] == [200] * 20
    assert 429 in statuses[20:]
    refused = answers[statuses.index(429)]
    assert refused["Content-Type"] == "application/problem+json"  # type: ignore[index]
    assert refused.json()["code"] == "rate_limited"  # type: ignore[attr-defined]
    assert int(refused["Retry-After"]) == 1  # type: ignore[index]
    assert refused["RateLimit-Policy"] == '"tokens";q=60;w=60'  # type: ignore[index]
    assert refused["RateLimit"].startswith('"tokens";r=0;')  # type: ignore[index]
    assert answers[0]["RateLimit"].startswith('"tokens";r=19;')  # type: ignore[index]
    taken = AuditEvent.objects.filter(action="tenants.application.take_token").count()
    assert taken == Counter(statuses)[200]
    assert _own(caller, other).status_code == 200  # type: ignore[attr-defined]


def test_an_organisation_has_a_limit_over_all_applications(
    app: Apps, caller: Client, settings: Settings
) -> None:
    """Five times one application's; with 3 a minute one token at once, and five of the organisation."""
    settings.OAUTH_TOKENS_PER_MINUTE = 3

    statuses = [_own(caller, app()).status_code for _ in range(6)]  # type: ignore[attr-defined]

    assert statuses == [200] * 5 + [429]


def test_a_refused_code_is_not_used_up(
    app: Apps, caller: Client, client_for: Callable[..., Client], settings: Settings
) -> None:
    settings.OAUTH_TOKENS_PER_MINUTE = 3
    web = app("web")
    browser, other = client_for("admin"), client_for("operator")
    first, second = code_for(browser, web), code_for(browser, web)

    assert redeem(caller, web, first).status_code == 200
    assert redeem(caller, web, second).status_code == 429
    assert redeem(caller, web, code_for(other, web)).status_code == 200  # another person does not wait
    settings.OAUTH_TOKENS_PER_MINUTE = 100_000  # less than a millisecond to wait, which has gone by
    assert redeem(caller, web, second).status_code == 200
