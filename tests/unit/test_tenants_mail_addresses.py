"""One address has one spelling, and no letter that only looks like another."""

import pytest
from django.core.mail.message import sanitize_address
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from tenants.mail_addresses import LONGEST, as_kept, checked_address, mail_address
from tests.work import work_of_at_most


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Anna@Example.COM", "anna@example.com"),
        ("  anna@example.com\n", "anna@example.com"),
        ("anna@münchen.de", "anna@xn--mnchen-3ya.de"),  # RFC 3492 has the punycode of such words
        ("anna@MÜNCHEN.DE", "anna@xn--mnchen-3ya.de"),
        ("anna@xn--mnchen-3ya.de", "anna@xn--mnchen-3ya.de"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),  # RFC 5894, section 7.2: not strasse.example
        ("anna@ｅxample.com", "anna@example.com"),  # a wide letter (UTS 46)
        ("anna@exаmple.com", "anna@xn--exmple-4nf.com"),  # a Cyrillic а is seen
        ("a.b+c_d@example.com", "a.b+c_d@example.com"),
    ],
)
def test_an_address_is_kept_in_one_spelling(typed: str, kept: str) -> None:
    assert mail_address(typed) == checked_address(typed) == as_kept(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "ſam@example.com",  # long s, which upper case makes an S
        "аnna@example.com",  # a Cyrillic а
        "jürgen@example.com",
        "ａnna@example.com",  # a wide a
        "mar\u212a@example.com",  # the sign of Kelvin, which lower case makes a k
        "anna",
        "@example.com",
        "anna@",
        "anna@a_b.example",
        "anna@example.com\x00",
        "anna@ex\ud800mple.com",
        f"{'a' * LONGEST}@example.com",
        "=?utf-8?q?=61=40=65=76=69=6c=2e=65=78=61=6d=70=6c=65=28?=.z@acme.example",  # a@evil.example on its way
        "=?utf-8?q?=61nna?=@acme.example",
        "=?utf-8?q?=0a?=@acme.example",
        '"anna"@example.com',
        '"an\\na"@example.com',
        "anna@[10.0.0.1]",
        "",
    ],
)
def test_what_is_no_plain_address_is_refused(typed: str) -> None:
    assert mail_address(typed) == ""
    with pytest.raises(InvalidInput) as refusal:
        checked_address(typed)
    assert refusal.value.errors[0]["pointer"] == "/email"


@given(name=st.text("ab.=?_-+'\"q@()<>\\ ", max_size=30), encoded=st.binary(max_size=8))
def test_a_kept_address_is_what_the_mail_server_is_told(name: str, encoded: bytes) -> None:
    """Django decodes words in addresses (RFC 2047) and parses them again before it hands them on."""
    word = "=?utf-8?q?" + "".join(f"={one:02x}" for one in encoded) + "?="
    for typed in (f"{name}@acme.example", f"{word}{name}@acme.example", f"{name}{word}@acme.example"):
        if kept := mail_address(typed):
            assert sanitize_address(kept, "utf-8") == kept


def test_any_text_can_be_looked_for() -> None:
    assert as_kept(" Jürgen@München.de ") == "jürgen@xn--mnchen-3ya.de"
    assert [as_kept(text) for text in ("", "@", "Anna", "a@b..c")] == ["", "@", "anna", "a@b..c"]


def test_a_domain_of_accents_is_refused_unread() -> None:
    with work_of_at_most(0.2):
        assert mail_address("anna@" + "\u0301" * 200_000 + "\u0327" * 200_000 + ".example") == ""
