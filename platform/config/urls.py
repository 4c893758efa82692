"""Every route: pages at the root, the API under /api/v1. The organisation is the host, not part of the path."""

from collections.abc import Iterator
from importlib import import_module

from allauth.account import views as account
from django.urls import URLPattern, URLResolver, include, path

from core.api import OpenApiDocument, ProblemTypeDetail
from core.permissions import Permission, requires

_open_form = requires(GET=Permission.PUBLIC, POST=Permission.PUBLIC)
_member_form = requires(GET=Permission.MEMBER, POST=Permission.MEMBER)


def _routes_of(*modules: str) -> Iterator[URLResolver]:
    """Routes of the parts that are there."""
    for module in modules:
        try:
            import_module(module)
        except ImportError:
            continue
        yield path("", include(module))


api_v1: list[URLPattern | URLResolver] = [
    path("openapi.json", OpenApiDocument.as_view(), name="openapi"),
    path("problems/<slug:code>", ProblemTypeDetail.as_view(), name="problem_type"),
    *_routes_of("tenants.api", "generation.api.urls", "evaluation.api", "compliance.api"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include(api_v1)),
    path("login", _open_form(account.login), name="account_login"),
    path("logout", _open_form(account.logout), name="account_logout"),
    path("me/password", _member_form(account.password_change), name="account_change_password"),
    *_routes_of("compliance.well_known", "frontend.urls"),
]

handler400 = "core.pages.bad_request"
handler403 = "core.pages.forbidden"
handler404 = "core.pages.not_found"
handler500 = "core.pages.server_error"
