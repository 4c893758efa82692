"""Whose requests count together where nobody has said who they are."""

import pytest

from core.ratelimit import machine_of


@pytest.mark.parametrize(
    ("address", "machine"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("local", "local"),
        # RFC 4291, 2.5.4: the last 64 bits name an interface, and a machine chooses them itself
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::"),
        ("2001:db8:1:3::1", "2001:db8:1:3::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        (":no:address", ":no:address"),
    ],
)
def test_a_machine_is_its_address_or_its_ipv6_network(address: str, machine: str) -> None:
    assert machine_of(address) == machine
