"""Mail domains: how they are written, and the proof by DNS that one is the organisation's: a TXT record with a token of ours."""

import re

import dns.exception
import dns.resolver
from django.conf import settings
from dns.nameserver import Do53Nameserver

from core.errors import InvalidInput
from core.outside import waiting_outside
from tenants.mail_addresses import in_ascii

_LABEL = "_datasynth"
_PREFIX = "datasynth-verification="
_SECONDS = 5.0
_DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


class LookupFailed(Exception):
    """The name servers gave no answer, which proves nothing either way."""


def domain_name(text: str) -> str:
    """The domain as name servers have it, in ASCII and lower case; an @ before it may stay. Raises: InvalidInput."""
    name = in_ascii(text.strip().removeprefix("@").removesuffix("."))
    if not _DOMAIN.fullmatch(name):
        raise InvalidInput(f"“{text.strip()}” is not a mail domain, such as example.com.")
    return name


def record_name(domain: str) -> str:
    return f"{_LABEL}.{domain}"


def record_value(token: str) -> str:
    return f"{_PREFIX}{token}"


def has_record(domain: str, token: str) -> bool:
    """True when the domain publishes the token now. Raises: LookupFailed, Busy."""
    try:
        with waiting_outside():
            answer = _resolver().resolve(record_name(domain), "TXT", lifetime=_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return False
    except dns.exception.DNSException as error:
        raise LookupFailed(type(error).__name__) from error
    texts = {b"".join(record.strings).decode("ascii", "replace") for record in answer}
    return record_value(token) in texts


def _resolver() -> dns.resolver.Resolver:
    """The system's name servers, or those of DNS_RESOLVERS. Nothing is cached: “check now” means now."""
    if not settings.DNS_RESOLVERS:
        return dns.resolver.Resolver()
    resolver = dns.resolver.Resolver(configure=False)
    places = [place.rpartition(":") for place in sorted(settings.DNS_RESOLVERS)]
    resolver.nameservers = [Do53Nameserver(host.strip("[]"), int(port)) for host, _, port in places]
    return resolver
