"""What allauth.mfa tells while somebody signs in with a second factor."""

from typing import Any

from allauth.mfa.signals import authentication_failed
from django.dispatch import receiver
from django.http import HttpRequest

from tenants.models import User
from tenants.people import throttle


@receiver(authentication_failed)
def note_wrong_code(request: HttpRequest, user: User, **_: Any) -> None:
    throttle.note_failed_factor(request, user)
