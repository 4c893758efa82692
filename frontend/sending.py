"""Forms that have one effect however often they are sent: a double click, a reload, a slow answer sent again."""

import re
from collections.abc import Callable

from django.http import HttpRequest

from core.idempotency import once

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


def sent_once(request: HttpRequest, content: str, act: Callable[[], str]) -> str:
    """What `act` answered the first time that the form's hidden token came with this content."""
    token = request.POST.get("token", "")
    if not _TOKEN.fullmatch(token):
        return act()
    return once(request, token, f"{request.path}\n{content}", act)
