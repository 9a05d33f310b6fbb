"""Outgoing addresses: which one a company's calls leave by, and the connections of each."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Self
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import httpx
from pydantic import SecretStr

from crm.addresses import Reach
from crm.transport import CheckedTransport


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A way out: a proxy, an address of this machine, or neither. Its `name` is all that may be shown or logged."""

    name: str
    proxy: SecretStr | None = None
    local_address: str | None = None

    @classmethod
    def of(cls, text: SecretStr) -> Self:
        """Read a proxy's address or one of this machine's. Raises ValueError, which does not show what was read."""
        value = text.get_secret_value().strip()
        name = f"line-{sha256(value.encode()).hexdigest()[:8]}"
        try:
            return cls(name=name, local_address=str(ipaddress.ip_address(value)))
        except ValueError:
            pass
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise ValueError("must be http:// or https:// addresses of proxies, or addresses of this machine") from None
        return cls(name=name, proxy=SecretStr(value))


DIRECT = Line(name="direct")


def line_of(lines: Sequence[Line], company: str) -> Line:
    """Return the company's line: always the same, and for most companies also when the list has changed."""
    return max(lines, key=lambda line: sha256(f"{line.name}\n{company}".encode()).digest())


class Gates:
    """What lets so many callers through at once, by name; one that nobody holds is forgotten."""

    def __init__(self) -> None:
        self._gates: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def get(self, name: str, *, at_once: int) -> asyncio.Semaphore:
        gate = self._gates.get(name)
        if gate is None:
            gate = self._gates[name] = asyncio.Semaphore(at_once)
        return gate


class Pool:
    """The connections of one line. Keeps no cookies: one company's must never reach another's call.

    A host that hangs holds a part of the connections at most, so that other CRMs are not waited for behind it.
    """

    def __init__(
        self, line: Line, *, reach: Reach, timeout: httpx.Timeout, tls: ssl.SSLContext, most: int, per_host: int
    ) -> None:
        self._per_host = per_host
        self._patience = timeout.pool
        self._gates = Gates()
        self.client = httpx.AsyncClient(
            transport=CheckedTransport(
                reach,
                tls=tls,
                limits=httpx.Limits(max_connections=most, max_keepalive_connections=most // 4),
                proxy=line.proxy.get_secret_value() if line.proxy else None,
                local_address=line.local_address,
            ),
            timeout=timeout,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "AI-Admin"},
        )

    @asynccontextmanager
    async def place(self, url: str) -> AsyncIterator[None]:
        """Hold one of the places that the URL's host may have. Raises TimeoutError where none comes free in time."""
        gate = self._gates.get(httpx.URL(url).netloc.decode(), at_once=self._per_host)
        async with asyncio.timeout(self._patience):
            await gate.acquire()
        try:
            yield
        finally:
            gate.release()
