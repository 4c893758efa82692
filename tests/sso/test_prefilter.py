"""What the pre-filter lets through and what not, by itself; the attack table tests it in its place."""

import base64
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.sso import prefilter
from tests.sso.saml_idp import DS, SAML, SAMLP, Idp, Wanted, deflated, posted, xml_of
from tests.work import work_of_at_most

WANTED = Wanted(acs="https://us.example/acs", audience="https://us.example/")


def test_what_a_careful_provider_sends_passes() -> None:
    message = xml_of(Idp().response(WANTED))

    prefilter.check_response(prefilter.decode(posted(message)))
    prefilter.check_metadata(Idp().metadata().encode())


def test_as_many_elements_as_there_may_be_may_name_the_same_namespaces() -> None:
    """Providers write those of types into each value of an attribute."""
    value = '<b xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/>'

    prefilter.check_metadata(f"<a>{value * 2000}</a>".encode())


def test_line_breaks_in_base64_are_no_fault() -> None:
    assert prefilter.decode("aGVs\r\nbG8=\n") == b"hello"


@pytest.mark.parametrize("text", ["", "%%%", "a", "aGVsbG8=!", "é"])
def test_what_is_not_base64_or_empty_is_refused(text: str) -> None:
    with pytest.raises(prefilter.BadMessage):
        prefilter.check_response(prefilter.decode(text))


def test_a_message_has_256_kibibytes_at_most_before_and_after_it_is_unpacked() -> None:
    limit = prefilter.LONGEST_MESSAGE

    assert len(prefilter.decode(base64.b64encode(b"x" * limit).decode())) == limit
    assert len(prefilter.inflate(deflated("x" * limit))) == limit
    with pytest.raises(prefilter.BadMessage):
        prefilter.decode(base64.b64encode(b"x" * (limit + 1)).decode())
    with pytest.raises(prefilter.BadMessage):
        prefilter.inflate(deflated("x" * (limit + 1)))


def test_two_deflated_messages_in_one_or_half_of_one_are_refused() -> None:
    whole = base64.b64decode(deflated("<x/>"))

    for packed in (whole + whole, whole[:-2], b"", zlib.compress(b"<x/>")):
        with pytest.raises(prefilter.BadMessage):
            prefilter.inflate(base64.b64encode(packed).decode())


def test_depth_elements_and_attributes_are_bounded_at_once() -> None:
    shapes = (
        "<a>" * 41 + "</a>" * 41,
        "<a>" + "<b/>" * 5000 + "</a>",
        "<a " + " ".join(f'b{index}="1"' for index in range(33)) + "/>",
        "<a " + " ".join(f'xmlns:b{index}="1"' for index in range(41)) + "/>",
        "".join(f'<a xmlns="{index}" xmlns:b="{index}">' for index in range(21)) + "</a>" * 21,
        f'<a xmlns="{"x" * 301}"/>',
        f'<a PrefixList="{"b " * 21}"/>',
    )

    with work_of_at_most(0.5):
        for shape in shapes:
            with pytest.raises(prefilter.BadMessage):
                prefilter.check_metadata(shape.encode())


@pytest.mark.parametrize("inner", ["<saml:Assertion/>", "<ds:Signature/>", "<b><ds:Signature/></b>", "<b/>"])
def test_paths_of_endless_names_are_not_kept(inner: str) -> None:
    """They once were for each assertion and signature: 700 characters of a deflated message took 2 GB."""
    names = "".join(f"<б{'a' * 5000}>" for _ in range(36))
    start = f'<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" xmlns:ds="{DS}">'

    tracemalloc.start()
    with work_of_at_most(0.5):
        for message in (start + names + inner * 4000, start + "<b>" * 36 + inner * 2400 + "</b>" * 36):
            with pytest.raises(prefilter.BadMessage):
                prefilter.check_response(message.encode())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


@pytest.mark.parametrize(
    "message",
    [
        b'<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
        '<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16"),
        "<a/>".encode("utf-16"),
        b"<!DOCTYPE a><a/>",
        b"<?php ?><a/>",
        b"<a>",
        b"<a/><b/>",
        b"\xff",
        b"",
    ],
)
def test_metadata_with_tricks_is_refused(message: bytes) -> None:
    with pytest.raises(prefilter.BadMessage):
        prefilter.check_metadata(message)


def test_a_logout_message_carries_no_assertion() -> None:
    assertion = xml_of(Idp().response(WANTED)).decode()
    message = f'<samlp:LogoutRequest xmlns:samlp="{SAMLP}">{assertion}</samlp:LogoutRequest>'

    with pytest.raises(prefilter.BadMessage):
        prefilter.check_logout(message.encode())


@given(st.binary(max_size=300))
def test_bytes_at_random_are_refused_and_nothing_else_happens(message: bytes) -> None:
    for check in (prefilter.check_response, prefilter.check_logout):
        with pytest.raises(prefilter.BadMessage):
            check(message)


@given(st.text(max_size=300))
def test_texts_at_random_are_refused_and_nothing_else_happens(text: str) -> None:
    for unpack in (prefilter.decode, prefilter.inflate):
        try:
            message = unpack(text)
        except prefilter.BadMessage:
            continue
        with pytest.raises(prefilter.BadMessage):
            prefilter.check_response(message)
