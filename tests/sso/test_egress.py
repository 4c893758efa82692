"""What leaves the platform goes where the rules allow, to the address that was checked, and comes back in time."""

import ipaddress
import time

import pytest
from pytest_django import Settings

from core import egress
from tests.sso.loopback import Asked, Reply, drip_server, http_server


def _hello(asked: Asked) -> Reply:
    return 200, {"Content-Type": "text/plain"}, b"hello"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",  # not https
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com/",
        "https://",
        "https:///path",
        "https://example.com:22/",
        "https://example.com:99999/",
        "https://example.com:x/",
        "https://user@example.com/",
        "https://user:secret@example.com/",
        "https://example.com@127.0.0.1/",
        "https://exa mple.com/",
        "https://example.com/a\r\nHost: inside",
        "https://example.com\\@127.0.0.1/",
        "https://127.0.0.1/",
        "https://127.0.0.1./",
        "https://127.1/",
        "https://2130706433/",  # 127.0.0.1 in decimal
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://134744072/",  # 8.8.8.8 in decimal: public, but programs disagree on how to read it
        "https://１２７.０.０.１/",  # full-width digits
        "https://①②⑦.0.0.1/",
        "https://0/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://172.16.0.1/",
        "https://192.168.0.1/",
        "https://198.18.0.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::7f00:1]/",  # NAT64
        "https://[64:ff9b:1::1]/",
        "https://[2002:7f00:1::]/",  # 6to4
        "https://[2001:0:1::1]/",  # Teredo
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fc00::1]/",
        "https://[fec0::1]/",
        "https://[ff02::1]/",
        "https://-example.com/",
        "https://exa$mple.com/",
        "https://example.com[2606:4700::1111]/",
        "https://[2606:4700::1111]example.com/",
        "https://example..com/",
        f"https://{'a' * 64}.com/",
        f"https://example.com/{'a' * 2048}",
    ],
)
def test_an_address_against_the_rules_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(egress.EgressRefused):
        egress.fetch(url, resolve=lambda host, port: pytest.fail("a name was looked up"))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/",
        "https://example.com:8443/x?y=z",
        "https://EXAMPLE.com./",
        "https://bücher.example/",
    ],
)
def test_a_public_https_address_passes_the_rules(url: str) -> None:
    target = egress.target_of(url)

    assert target.host.isascii()
    assert not target.host.endswith(".")


def test_a_name_with_other_letters_is_the_one_that_browsers_ask() -> None:
    """RFC 5894, section 7.2: straße.example is another domain than strasse.example, of another owner maybe."""
    assert egress.target_of("https://login.straße.example/").host == "login.xn--strae-oqa.example"
    assert egress.target_of("https://LOGIN.Bücher.example/").host == "login.xn--bcher-kva.example"


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are_public_however_they_are_written(address: str) -> None:
    assert egress.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::a9fe:a9fe"],
        ["fe80::1%eth0"],
        [],
    ],
)
def test_a_name_that_leads_inside_is_not_asked_and_the_message_does_not_tell_why(
    addresses: list[str],
) -> None:
    with pytest.raises(egress.EgressFailed, match="did not give an answer that can be used"):
        egress.fetch("https://inside.example/", resolve=lambda host, port: addresses)


def test_the_connection_goes_to_the_address_that_was_checked_and_the_name_is_looked_up_once(
    settings: Settings,
) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])  # a name server that changes its mind

    with http_server(_hello) as server:
        settings.EGRESS_ALLOW = frozenset({f"idp.example:{server.port}"})
        answer = egress.fetch(
            f"http://idp.example:{server.port}/a?b=c", resolve=lambda host, port: next(answers)
        )

    assert answer.body == b"hello"
    assert next(answers) == ["127.0.0.2"]
    assert server.asked[0].path == "/a?b=c"
    assert server.asked[0].headers["host"] == f"idp.example:{server.port}"


def test_a_listed_place_is_open_on_its_port_alone(settings: Settings) -> None:
    with http_server(_hello) as server:
        settings.EGRESS_ALLOW = frozenset({server.place})

        assert egress.fetch(f"http://{server.place}/").status == 200
        for other in (f"http://127.0.0.1:{server.port + 1}/", f"http://127.0.0.2:{server.port}/"):
            with pytest.raises(egress.EgressRefused):
                egress.fetch(other)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_answers_and_nobody_follows_them(settings: Settings, status: int) -> None:
    def elsewhere(asked: Asked) -> Reply:
        return status, {"Location": "http://169.254.169.254/latest/meta-data/"}, b""

    with http_server(elsewhere) as server:
        settings.EGRESS_ALLOW = frozenset({server.place, "169.254.169.254:80"})
        answer = egress.fetch(f"http://{server.place}/")

    assert answer.status == status
    assert len(server.asked) == 1


def test_a_proxy_of_the_environment_is_not_used(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    with http_server(_hello) as server:
        settings.EGRESS_ALLOW = frozenset({server.place})

        assert egress.fetch(f"http://{server.place}/").status == 200


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_not_taken(settings: Settings, declared: bool) -> None:
    def long(asked: Asked) -> Reply:
        return 200, {} if declared else {"Connection": "close"}, b"x" * 1001

    with http_server(long) as server:
        settings.EGRESS_ALLOW = frozenset({server.place})

        assert len(egress.fetch(f"http://{server.place}/", max_bytes=1001).body) == 1001
        with pytest.raises(egress.EgressFailed):
            egress.fetch(f"http://{server.place}/", max_bytes=1000)


@pytest.mark.parametrize("piece", [b"", b"H", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nx"])
def test_dripping_bytes_do_not_stretch_the_time(settings: Settings, piece: bytes) -> None:
    began = time.monotonic()

    with drip_server(piece, every_seconds=0.1) as port:
        settings.EGRESS_ALLOW = frozenset({f"127.0.0.1:{port}"})
        with pytest.raises(egress.EgressFailed):
            egress.fetch(f"http://127.0.0.1:{port}/", timeout_seconds=0.5)

    assert time.monotonic() - began < 2


def test_a_slow_name_server_does_not_stretch_the_time() -> None:
    def slow(host: str, port: int) -> list[str]:
        time.sleep(1)
        return ["8.8.8.8"]

    began = time.monotonic()
    with pytest.raises(egress.EgressFailed):
        egress.fetch("https://slow.example/", timeout_seconds=0.2, resolve=slow)

    assert time.monotonic() - began < 0.9


def test_nothing_at_the_other_end_reads_the_same_as_a_wrong_answer(settings: Settings) -> None:
    settings.EGRESS_ALLOW = frozenset({"127.0.0.1:9"})

    with pytest.raises(egress.EgressFailed, match="did not give an answer that can be used"):
        egress.fetch("http://127.0.0.1:9/")


def test_a_body_is_posted_with_its_headers(settings: Settings) -> None:
    with http_server(_hello) as server:
        settings.EGRESS_ALLOW = frozenset({server.place})
        egress.fetch(f"http://{server.place}/", method="POST", body=b"a=b", headers={"X-Name": "value"})

    assert (server.asked[0].method, server.asked[0].body) == ("POST", b"a=b")
    assert server.asked[0].headers["x-name"] == "value"
    assert server.asked[0].headers["connection"] == "close"
