"""Requests to let a held run out."""

from typing import Any

from compliance import exception_queries as queries
from compliance import exception_services as services
from compliance.models import ReleaseException
from generation.models import Run
from tests.builders import make_principal

REASON = "The difference is the one that we planted for the course."


def failed(run: Run) -> list[str]:
    return [check["id"] for check in queries.askable(run).checks]


def asked(run: Run, role: str = "operator", **changes: Any) -> ReleaseException:
    values = {"checks": failed(run), "reason": REASON} | changes
    return services.ask(principal=make_principal(role), run_id=run.pk, **values)
