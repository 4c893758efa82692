"""E-mail, where the operator configured a server. It never decides anything: every link can be handed over by hand."""

import logging
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection

from core.errors import Busy
from core.outside import waiting_outside
from core.postgres.names import SHARED_SCHEMA
from core.tenancy import current_schema, shared_context, tenant_context

logger = logging.getLogger(__name__)

_THREADS = 2
_MOST_WAITING = 100
_pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="mail")
_waiting = threading.BoundedSemaphore(_MOST_WAITING)


# What stands before the @: no quotes, and no encoded word (RFC 2047), which becomes another address on its way.
_NAME = re.compile(r"(?!.*=\?)[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-zA-Z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def goes_where_it_says(address: str) -> bool:
    """Whether a mail to the address goes to its domain, by name, and no other spelling of what stands before it does."""
    name, at, domain = address.rpartition("@")
    return bool(at and domain and _NAME.fullmatch(name)) and not domain.startswith("[")


def send_mail(*, to: str, subject: str, text: str) -> bool:
    """True when the server took it. Any other end is logged; the text, which may hold a link, is not."""
    if not settings.HAS_EMAIL:
        return False
    if not goes_where_it_says(to):  # stored by a version that took such
        logger.warning("A mail was not sent: its address could become another one on its way.")
        return False
    try:
        with waiting_outside():
            EmailMessage(subject=subject, body=text, to=[to]).send()
    # smtplib's errors are OSErrors; ValueError: what no header can hold
    except (OSError, ValueError, Busy) as error:
        logger.warning("A mail could not be sent: %s", error.__class__.__name__)
        return False
    return True


def later(act: Callable[[], object]) -> None:
    """Do it after the answer, in this organisation or in none: how long the answer takes must tell nothing about `act`.

    What waits when the process ends is lost, and so is what comes while a hundred others wait.
    """
    schema = current_schema()
    if not _waiting.acquire(blocking=False):
        logger.warning("Too many mails are waiting; one was dropped.")
        return

    def run() -> None:
        try:
            with shared_context() if schema == SHARED_SCHEMA else tenant_context(schema):
                act()
        except Exception:
            logger.exception("A mail could not be prepared.")
        finally:
            connection.close()
            _waiting.release()

    _pool.submit(run)
