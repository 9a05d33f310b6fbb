"""Who sent a request: the peer, and behind trusted proxies whom they forward for; never the sender's own tale."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from middlewares.http import client_address

PROXIES = ("10.0.0.0/8", "192.0.2.7")


def address(peer, *forwarded, trusted=PROXIES):
    headers = [("X-Forwarded-For", line) for line in forwarded]
    request = make_mocked_request("POST", "/", headers=headers).clone(remote=peer)
    return client_address(trusted)(request)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["6.6.6.6", "198.51.100.1, 192.0.2.7"], "198.51.100.1"),
        ("10.1.2.3", ["10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", [], "10.1.2.3"),
    ],
)
def test_the_nearest_address_that_is_no_trusted_proxy_counts(peer, forwarded, expected):
    assert address(peer, *forwarded) == expected


def test_without_trusted_proxies_only_the_peer_counts():
    assert address("10.1.2.3", "198.51.100.1", trusted=()) == "10.1.2.3"
