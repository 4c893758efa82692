"""Which names somebody may take for themselves; an operator may give any that fits.

Slugs are plain ASCII, so punycode and foreign letters cannot occur in them; what is left are names of the
platform's own, and letters that look alike. Source of the idea of a skeleton: Unicode Technical Standard 39, section 4.
`core.lookalikes` compares with every other name in this process; organisations may be many, so here the database compares.
"""

import unicodedata

from django.conf import settings
from django.db.models import F, Func, QuerySet, Value
from django.db.models.functions import Replace

from core.errors import InvalidInput
from tenants import naming
from tenants.founding.models import OrganisationRequest
from tenants.models import DeletionCertificate, Domain, Tenant

SHORTEST, LONGEST = 3, 40
State = OrganisationRequest.State

# Separators vanish, and each of these letters is read as the one below it.
_FROM, _TO, _NOTHING = "01i58", "ollsb", "-_"
_PAIRS = (("rn", "m"), ("vv", "w"))
# Mailboxes of RFC 2142, hosts that the internet expects of a domain, and pages that people would believe.
_RESERVED = """
    abuse account accounts acme-challenge admin administrator api app apps assets auth autoconfig autodiscover
    billing blog bootstrap broadcasthost cdn certificate console contact dashboard datasynth demo-login dev dns docs
    download downloads email example feedback ftp git guest health help home hostmaster imap info internal invalid
    invoice isatap jobs ldap legal live local localhost login logout mail marketing metrics mobile mta-sts mysql
    news noc noreply no-reply ns1 ns2 ns3 ns4 nobody oauth operator owner password payment payments ping pop pop3
    portal postgres postmaster privacy proxy ready register root sales saml scim search secure security server
    service services settings setup shop signin sign-in signup sign-up smtp ssh ssl sso staff staging start static
    status store support sysadmin system team terms test tls token update updates usenet uucp verify vpn webmail
    webmaster wiki wpad www www1 www2
"""
# Scripts whose letters are mistaken for each other's; one word has letters of one of them.
_CONFUSED = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"})


def skeleton_of(slug: str) -> str:
    """Equal for two slugs that a hurried reader takes for each other."""
    text = slug.translate(str.maketrans(_FROM, _TO, _NOTHING))
    for pair, letter in _PAIRS:
        text = text.replace(pair, letter)
    return text


RESERVED = frozenset(skeleton_of(word) for word in _RESERVED.split())


def checked_name(name: str) -> str:
    """The name in its plain form. Raises InvalidInput."""
    naming.refuse_endless(name)
    name = naming.checked_name(unicodedata.normalize("NFKC", name))
    for word in name.split():
        scripts = {unicodedata.name(letter, "").split(" ")[0] for letter in word if letter.isalpha()}
        if len(scripts & _CONFUSED) > 1:
            raise InvalidInput(
                f"“{word}” mixes letters of different scripts that look alike.",
                errors=[{"pointer": "/name", "code": "mixed_scripts", "detail": "mixes scripts in one word"}],
            )
    return name


def check_slug(slug: str) -> None:
    """Form and reserved names. Raises InvalidInput."""
    if not SHORTEST <= len(slug) <= LONGEST:
        raise _refused(
            f"A short name has {SHORTEST} to {LONGEST} characters, this has {len(slug)}.", "length"
        )
    naming.schema_of(slug)
    if skeleton_of(slug) in RESERVED:
        raise _refused(f"“{slug}” is kept for the platform. Choose another short name.", "reserved")


def check_free(slug: str, *, through: str = "default", but: OrganisationRequest | None = None) -> None:
    """Neither taken nor like a name that is or was. Raises InvalidInput. Call in the shared schema.

    Names of deleted organisations stay closed: their addresses are still in other people's links and mails.
    """
    look = skeleton_of(slug)
    held = OrganisationRequest.objects.using(through).filter(
        skeleton=look, state__in=(State.QUEUED, State.MAKING)
    )
    if but is not None:
        held = held.exclude(pk=but.pk)
    taken: tuple[QuerySet[Tenant] | QuerySet[DeletionCertificate] | QuerySet[OrganisationRequest], ...] = (
        Tenant.objects.using(through).alias(look=_skeleton("schema_name")).filter(look=look),
        DeletionCertificate.objects.using(through).alias(look=_skeleton("slug")).filter(look=look),
        held,
    )
    is_host = Domain.objects.using(through).filter(domain=host_of(slug)).exists()
    if is_host or any(rows.exists() for rows in taken):
        raise _refused(f"“{slug}” is taken, or is too much like a name that is. Choose another.", "taken")


def host_of(slug: str) -> str:
    return f"{slug}.{settings.BASE_HOST}".lower()


def _skeleton(column: str) -> Func | Replace:
    """`skeleton_of` in SQL."""
    text: Func | Replace = Func(F(column), Value(_FROM + _NOTHING), Value(_TO), function="translate")
    for pair, letter in _PAIRS:
        text = Replace(text, Value(pair), Value(letter))
    return text


def _refused(message: str, code: str) -> InvalidInput:
    return InvalidInput(message, errors=[{"pointer": "/slug", "code": code, "detail": message}])
