"""The second factor at the sign-in: allauth's page, with who can help somebody who lost theirs."""

from typing import Any

from allauth.mfa.base.views import AuthenticateView
from django.http import HttpRequest, HttpResponse

from tenants.people import factors
from tenants.queries import members
from tenants.roles import Role
from tenants.sign_in import refuse_old_password


class SecondStep(AuthenticateView):  # type: ignore[misc]  # allauth is untyped
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        refuse_old_password(request, self.stage.login.user)
        with factors.second_step(self.stage.login.user):
            answer: HttpResponse = super().post(request, *args, **kwargs)
        return answer

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """With who may reset the factors of this person, whom the password has shown already."""
        member = members().filter(user=self.stage.login.user).first()  # none: removed since
        known = {
            "is_owner": member is not None and member.role == Role.OWNER,
            "resets": factors.who_resets(member) if member else Role.ADMIN,
        }
        return {**super().get_context_data(**more), **known}
