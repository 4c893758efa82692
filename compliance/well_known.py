"""Well-known addresses (RFC 8615): the public keys, on every host and without sign-in."""

from django.urls import path

from compliance.api import PublicKeys

urlpatterns = [path(".well-known/jwks.json", PublicKeys.as_view(), name="public-keys")]
