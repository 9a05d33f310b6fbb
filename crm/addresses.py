"""Addresses that a company typed: where they may lead. A company's settings must open no door into our own network.

Names are resolved here and the connection goes to the very address that was looked at: a name that answers with another
one a moment later (DNS rebinding) gains nothing. Redirects are not followed at all (crm/lines.py).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from crm.errors import CRMNotConfigured

LOOPBACK = ("localhost", "127.0.0.1", "::1")
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

_IPV6_GLOBAL = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")
_NOBODYS = tuple(
    ip_network(text)
    for text in (
        # IANA's special-purpose registries, as Python's own list differs from version to version.
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
        # Looks public, and is the cloud's own side of a machine (Azure's WireServer).
        "168.63.129.16/32",
    )
)


class AddressRefused(CRMNotConfigured):
    """The address leads where a company's settings may not."""


def require_safe(url: str, *, crm: str, field: str) -> str:
    """Return the address without a slash at its end. Raises CRMNotConfigured where it is not https, or holds more than
    a place: credentials, a query, a fragment. Where it leads is looked at when it is connected to (`Reach`)."""
    try:
        parts = urlsplit(url)
        known = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        plain = parts.port != 0 and not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        known = plain = False
    if not (known and plain and parts.hostname):
        raise CRMNotConfigured(f"{crm}: the field {field} must be an https address without credentials")
    return url.rstrip("/")


def is_public(text: str) -> bool:
    """Say whether an IP address is a machine of the public internet: not private, loopback, link-local, shared (CGNAT),
    multicast or reserved, nor an IPv6 one that stands for such an IPv4 one."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = _carried(address)
        if inner is None:
            return address in _IPV6_GLOBAL and not any(address in network for network in _NOBODYS)
        address = inner
    return not any(address in network for network in _NOBODYS)


def _carried(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 one stands for: mapped, 6to4, Teredo, NAT64."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


async def resolve_by_system(host: str, port: int) -> Sequence[str]:
    """Return a name's addresses as this machine's resolver knows them. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where a company's addresses may lead: the public internet, and what an admin has named.

    `allowed`: names or IP addresses, as companies write them, that may be private (a 1C server in the office).
    `loopback`: this very machine under its own names, for the sandboxes of development.
    """

    allowed: frozenset[str] = field(default_factory=frozenset)
    loopback: bool = False
    resolve: Resolve = resolve_by_system

    async def find(self, host: str, port: int) -> Sequence[str]:
        """Return the IP addresses to connect to, IPv4 first.

        Raises AddressRefused where even one of them is not public: who mixes both is up to something. Raises OSError
        where the name is not known.
        """
        name = host.lower().rstrip(".").removeprefix("[").removesuffix("]")
        found = await self.resolve(name, port)
        if not found:
            raise OSError("the name has no address")
        if not self._is_named(name) and not all(is_public(one) for one in found):
            raise AddressRefused(
                "the address leads into a private network; where that is meant, an admin allows it by name in "
                "AI_ADMIN_ALLOWED_PRIVATE_HOSTS"
            )
        return sorted(found, key=lambda one: ":" in one)

    def _is_named(self, name: str) -> bool:
        return name in self.allowed or (self.loopback and name in LOOPBACK)
