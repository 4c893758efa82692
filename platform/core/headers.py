"""What every answer tells browsers beyond what Django and django-csp do: who may embed it, use devices, keep it."""

from collections.abc import Callable

from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Handler = Callable[[HttpRequest], HttpResponseBase]

_NO_DEVICES = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation", "gyroscope",
    "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock", "usb", "xr-spatial-tracking",
)  # fmt: skip
_OWN_PAGES_ONLY = ("publickey-credentials-create", "publickey-credentials-get")  # security keys at sign-in
ALWAYS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(
        [*(f"{name}=()" for name in _NO_DEVICES), *(f"{name}=(self)" for name in _OWN_PAGES_ONLY)]
    ),
    "X-Frame-Options": "DENY",
    "X-Permitted-Cross-Domain-Policies": "none",
    "Cache-Control": "no-store",  # static files and downloads say otherwise themselves
}


def outside_of_django() -> dict[str, str]:
    """The whole set, with what Django's and django-csp's middleware would add, for an answer that none of them sees."""
    seconds = settings.SECURE_HSTS_SECONDS
    transport = {"Strict-Transport-Security": f"max-age={seconds}; includeSubDomains"} if seconds else {}
    return {
        **ALWAYS,
        "Content-Security-Policy": build_policy(),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        **transport,
    }


def for_browsers(get_response: Handler) -> Handler:
    """Set what the view has not set itself."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        for name, value in ALWAYS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware
