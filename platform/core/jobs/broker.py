"""Celery as the carrier of messages. Swappable: anything with a depth and a send will do."""

from typing import Any

from celery import Celery
from kombu import Connection
from kombu.exceptions import KombuError

from core.jobs.dispatcher import BrokerDown, Message
from core.jobs.tasks import run_unit


class CeleryBroker:
    """One connection of its own, opened anew after every fault."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection: Connection = app.connection_for_write()
        self._faults: tuple[type[BaseException], ...] = (
            *self._connection.connection_errors,
            *self._connection.channel_errors,
            KombuError,
            OSError,
        )

    def depth(self, queue: str) -> int:
        try:
            return int(self._channel().queue_declare(queue=queue, durable=True).message_count)
        except self._faults as error:
            raise self._down(error) from error

    def send(self, queue: str, message: Message) -> None:
        try:
            producer = self._app.amqp.Producer(self._channel(), auto_declare=False)
            arguments = (str(message.job_id), message.unit_id, message.attempt)
            run_unit.apply_async(arguments, queue=queue, producer=producer, retry=False)
        except self._faults as error:
            raise self._down(error) from error

    def close(self) -> None:
        self._connection.release()

    def _channel(self) -> Any:
        return self._connection.default_channel

    def _down(self, error: BaseException) -> BrokerDown:
        self._connection.release()
        self._connection = self._app.connection_for_write()
        return BrokerDown(str(error))
