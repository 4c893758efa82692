"""Addresses of the OAuth 2.0 endpoints. The page where people agree is frontend's."""

from django.urls import path

from tenants.oauth import views

urlpatterns = [
    path(".well-known/oauth-authorization-server", views.metadata, name="oauth-metadata"),
    path("oauth/jwks.json", views.keys, name="oauth-keys"),
    path("oauth/token", views.token, name="oauth-token"),
    path("oauth/revoke", views.revoke, name="oauth-revoke"),
    path("oauth/introspect", views.introspect, name="oauth-introspect"),
]
