"""Which keys of identity providers are too weak to believe what they sign."""

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

LEAST_RSA_BITS = 2048  # NIST SP 800-131A; RFC 7518, 3.3 and 3.5


def is_soon_broken(key: object) -> bool:
    """Whether a public key is of RSA and too short. The shortest curves that the libraries take are long enough."""
    return isinstance(key, RSAPublicKey) and key.key_size < LEAST_RSA_BITS
