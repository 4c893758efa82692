"""`manage.py dispatcher`: run the dispatcher until SIGTERM. A second one stands by."""

import signal
from typing import Any, Final

from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from core.jobs.broker import CeleryBroker
from core.jobs.dispatcher import Dispatcher
from core.jobs.tuning import tuning

_GRACE_SECONDS: Final = 15  # a pass takes less; a database that is gone would be waited for twice as long


class Command(BaseCommand):
    help = "Hands ready units of jobs to the workers and takes back lost ones. Several may run; one works."
    requires_system_checks = ()  # they would load all pages

    def handle(self, *_: Any, **__: Any) -> None:
        broker = CeleryBroker(import_string(tuning().celery_app))
        dispatcher = Dispatcher(broker)

        def stop(*_: object) -> None:
            dispatcher.stop()
            signal.alarm(_GRACE_SECONDS)  # ends the process; whatever a pass does is a transaction

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        try:
            dispatcher.run()
        finally:
            broker.close()
