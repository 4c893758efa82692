"""Changing one's own password: allauth's page, for those who have one."""

from typing import Any

from allauth.account.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from tenants.people import passwords, throttle
from tenants.people.person import me, membership_of


class PasswordChange(PasswordChangeView):  # type: ignore[misc]  # allauth is untyped
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Whoever has no password is told how they sign in; allauth would lead them to a page that is not here."""
        passwords.refuse_without(membership_of(me(request)))
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A wrong present password counts like one at /me/confirm, which asks for the same."""
        self.counted = throttle.count_confirmation(me(request))
        answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def form_valid(self, form: Any) -> HttpResponse:
        self.counted.rollback()
        answer: HttpResponse = super().form_valid(form)
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        if "oldpassword" not in form.errors:
            self.counted.rollback()
        answer: HttpResponse = super().form_invalid(form)
        return answer
