"""Connections that go to no other address than the one that was looked at."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress

import httpcore
import httpx

from crm.addresses import Reach

_MOST_TRIES = 3
"""Of a name's addresses; each but the last gets half of the time that is left."""
_STANDARD_PORTS = {"https": 443, "http": 80}

SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class CheckedBackend(httpcore.AnyIOBackend):
    """Resolves names itself, asks `reach`, and connects to what was found there: no second look-up in between."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 (httpcore's own signature)
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        ends = loop.time() + (timeout or 60)
        try:
            async with asyncio.timeout_at(ends):
                found = (await self._reach.find(host, port))[:_MOST_TRIES]
        except TimeoutError:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from None
        except OSError as error:
            raise httpcore.ConnectError(f"the name cannot be resolved: {error}") from error
        for left, address in zip(range(len(found) - 1, -1, -1), found, strict=True):
            share = max(0.05, ends - loop.time()) / (2 if left else 1)
            try:
                return await super().connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not left:
                    raise
        raise httpcore.ConnectError("the name has no address")


class CheckedTransport(httpx.AsyncHTTPTransport):
    """An httpx transport over `CheckedBackend`. TLS still proves the name, not the address.

    Over a proxy a name is looked at where this machine knows it, and resolved once more by the proxy: what a proxy may
    reach, the proxy has to bound.
    """

    def __init__(
        self, reach: Reach, *, tls: ssl.SSLContext, limits: httpx.Limits, proxy: str | None, local_address: str | None
    ) -> None:
        super().__init__(verify=tls, trust_env=False, limits=limits, proxy=proxy, local_address=local_address)
        self._before_proxy = reach if proxy is not None else None
        if proxy is None:
            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=tls,
                max_connections=limits.max_connections,
                max_keepalive_connections=limits.max_keepalive_connections,
                keepalive_expiry=limits.keepalive_expiry,
                local_address=local_address,
                network_backend=CheckedBackend(reach),
            )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._before_proxy is not None:
            port = request.url.port or _STANDARD_PORTS.get(request.url.scheme, 443)
            with suppress(OSError):
                await self._before_proxy.find(request.url.host, port)
        return await super().handle_async_request(request)
