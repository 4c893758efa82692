"""Every route: pages at the root, the API under /api/v1. The organisation is the host, not part of the path."""

from allauth.account import views as account
from django.urls import URLPattern, URLResolver, include, path

from core.api import OpenApiDocument, ProblemTypeDetail
from core.permissions import Permission, requires, step_up
from frontend.views import sso
from frontend.views.password import PasswordChange
from frontend.views.second_step import SecondStep
from tenants import key_api

_open_form = requires(GET=Permission.PUBLIC, POST=Permission.PUBLIC)
_member_form = requires(GET=Permission.MEMBER, POST=Permission.MEMBER)

api_v1: list[URLPattern | URLResolver] = [
    path("openapi.json", OpenApiDocument.as_view(), name="openapi"),
    path("problems/<slug:code>", ProblemTypeDetail.as_view(), name="problem_type"),
    path("", include("tenants.api")),
    path("", include("tenants.role_api")),
    path("", include("tenants.vault.api")),
    path("", include("tenants.people.api")),
    path("", include("tenants.responsibility_api")),
    path("", include(key_api.urlpatterns_v1)),
    path("", include("generation.api.urls")),
    path("", include("evaluation.api")),
    path("", include("compliance.api")),
    path("", include("compliance.exception_api")),
]
api_v2: list[URLPattern | URLResolver] = [
    path("", include(key_api.urlpatterns_v2)),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include(api_v1)),
    path("api/v2/", include(api_v2)),
    path("login", _open_form(account.login), name="account_login"),
    path("logout", sso.sign_out, name="account_logout"),
    path("login/factor", _open_form(SecondStep.as_view()), name="mfa_authenticate"),
    path(
        "me/password",
        step_up("GET", "POST")(_member_form(PasswordChange.as_view())),
        name="account_change_password",
    ),
    path("", include("compliance.well_known")),
    path("", include("tenants.oauth.urls")),
    path("scim/v2/", include("tenants.scim.urls")),
    path("", include("frontend.urls")),
]

handler400 = "core.pages.bad_request"
handler403 = "core.pages.forbidden"
handler404 = "core.pages.not_found"
handler500 = "core.pages.server_error"
