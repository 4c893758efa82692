"""The HTTP protocol of the web process: `uvicorn config.asgi:application --http config.http_protocol:HttpProtocol`."""

import config.asgi  # noqa: F401  # uvicorn asks for the protocol first, and what is asked at the door needs Django
from core import http_protocol
from tenants import flood


class HttpProtocol(http_protocol.HttpProtocol):
    refusal = staticmethod(flood.refusal)
