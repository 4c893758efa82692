"""What is taken over from a provider's metadata."""

import pytest

from core.errors import InvalidInput
from tenants.sso.saml import read_metadata
from tests.sso.saml_idp import Idp


def with_certificates(certificates: list[str]) -> bytes:
    idp = Idp()
    key = idp.metadata().partition("<md:KeyDescriptor")[2].partition("</md:KeyDescriptor>")[0]
    keys = "</md:KeyDescriptor><md:KeyDescriptor".join(
        key.replace(idp.certificate, one) for one in certificates
    )
    return idp.metadata().replace(key, keys).encode()


def test_a_certificate_that_is_repeated_counts_once() -> None:
    """Each is asked whether it signed a message, and each time the whole message is canonicalised."""
    old, new = Idp().certificate, Idp("next").certificate

    _, endpoints = read_metadata(with_certificates([old, new] * 80))

    assert endpoints.certificates == (old, new)


def test_more_than_ten_certificates_are_refused() -> None:
    many = [Idp(f"provider-{number}").certificate for number in range(11)]

    assert len(read_metadata(with_certificates(many[:10]))[1].certificates) == 10
    with pytest.raises(InvalidInput, match="has 11 signing certificates; 10 are enough"):
        read_metadata(with_certificates(many))
