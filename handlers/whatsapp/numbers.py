"""pywa's clients, one a number, made on demand and kept in a bounded cache over one shared connection pool.

pywa writes the access token into its session, so that a session serves one client only; what costs memory is the pool
with its TLS context, and that is shared. The Graph API's address is changed beneath pywa, which always sets its own.
"""

from __future__ import annotations

import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
from pydantic import SecretStr
from pywa_async import WhatsApp
from pywa_async.handlers import Handler

from db.records import Channel

GRAPH_VERSION = "23.0"
GRAPH_HOST = "graph.facebook.com"
_TIMEOUT = httpx.Timeout(20, connect=5)
_CONNECTIONS = httpx.Limits(max_connections=200, max_keepalive_connections=50)


class Numbers:
    """`open_secrets` decrypts a channel's secrets; a client keeps its token in this process's memory only.

    `handlers`: what is registered at each client. `api_url`: another address of the Graph API (the sandbox, a proxy).
    """

    def __init__(
        self,
        open_secrets: Callable[[Channel], Mapping[str, SecretStr]],
        handlers: Sequence[Callable[[], Handler[Any]]] = (),
        *,
        api_url: str | None = None,
        most: int = 10_000,
    ) -> None:
        self._open_secrets = open_secrets
        self._handlers = handlers
        self.api_url = httpx.URL(api_url) if api_url else None
        context = ssl.create_default_context()
        self._pool = httpx.AsyncHTTPTransport(verify=context, limits=_CONNECTIONS, retries=0)
        self._most = most
        self._clients: OrderedDict[tuple[object, str], WhatsApp] = OrderedDict()

    def get(self, channel: Channel) -> WhatsApp:
        """Return the number's client. A changed token changes the ciphertext, and with it the key."""
        key = (channel.id, channel.secrets)
        client = self._clients.get(key)
        if client is None:
            client = self.open(channel.external_id, self._open_secrets(channel)["token"])
            self._clients[key] = client
            if len(self._clients) > self._most:
                # Its session holds nothing of its own: the pool is everybody's.
                self._clients.popitem(last=False)
        self._clients.move_to_end(key)
        return client

    def open(self, phone_number_id: str, token: SecretStr) -> WhatsApp:
        """Make a client for a number that belongs to no channel yet (the command line checks it)."""
        client = WhatsApp(
            phone_id=phone_number_id,
            token=token.get_secret_value(),
            server=None,
            session=self.session(),
            # The signature was checked before the update was stored, and repeats were left out there.
            validate_updates=False,
            skip_duplicate_updates=False,
            api_version=GRAPH_VERSION,
        )
        client.add_handlers(*(make() for make in self._handlers))
        return client

    def session(self) -> httpx.AsyncClient:
        """Return a session over the shared pool; it needs no closing."""
        return httpx.AsyncClient(transport=_Shared(self._pool, self.api_url), timeout=_TIMEOUT, follow_redirects=False)

    def token(self, channel: Channel) -> SecretStr:
        return self._open_secrets(channel)["token"]

    async def close(self) -> None:
        await self._pool.aclose()


class _Shared(httpx.AsyncBaseTransport):
    """The shared pool as a session sees it: closing the session leaves it open; the Graph API may be elsewhere."""

    def __init__(self, pool: httpx.AsyncBaseTransport, api_url: httpx.URL | None) -> None:
        self._pool = pool
        self._api_url = api_url

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._api_url is not None and request.url.host == GRAPH_HOST:
            elsewhere: dict[str, Any] = {
                "scheme": self._api_url.scheme,
                "host": self._api_url.host,
                "port": self._api_url.port,
            }
            request.url = request.url.copy_with(**elsewhere)
            request.headers["Host"] = request.url.netloc.decode()
        return await self._pool.handle_async_request(request)

    async def aclose(self) -> None:
        """The pool is closed by whoever opened it."""
