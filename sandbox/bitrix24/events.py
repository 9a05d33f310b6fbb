"""The portal's events: forms that its queue server sends to a handler's address, each once.

After "Events: Overview of Methods and Events" and "Event on Booking Creation onBookingAdd" of the REST documentation:
`application/x-www-form-urlencoded`, only ids of what changed, `application_token` to know the sender by, no retries.
An application's handler gets the tokens of the user who acted too; an outbound webhook does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

import aiohttp

from sandbox.bitrix24.calling import Json

MEMBER_ID = "60133c09d1f5d0fd6d7884a11fad4585"
SIGNED_WITH = "sandboxapplicationtoken000000000"
_PATIENCE = aiohttp.ClientTimeout(total=5)


@dataclass(slots=True)
class Events:
    """`handler` None: nobody has subscribed. `token` is what the portal signs with. `delivered` tells what the handler
    answered to each, 0 for one that was not reached: such an event is lost."""

    domain: str = "sandbox.bitrix24.ru"
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    handler: str | None = None
    token: str = SIGNED_WITH
    to_application: bool = False
    delivered: list[int] = field(default_factory=list)
    _waiting: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)
    _sender: asyncio.Task[None] | None = None

    def tell(self, event: str, data: Json) -> None:
        """Put an event into the queue; `data` may nest."""
        if self.handler is not None:
            self._waiting.put_nowait(urlencode(form_of(self._body(event, data))).encode())

    def start(self) -> None:
        self._sender = asyncio.create_task(self._send())

    async def stop(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.gather(self._sender, return_exceptions=True)

    async def settled(self) -> None:
        """Return once everything that was told has been sent."""
        await self._waiting.join()

    def _body(self, event: str, data: Json) -> Json:
        auth = {
            "domain": self.domain,
            "client_endpoint": f"https://{self.domain}/rest/",
            "server_endpoint": "https://oauth.bitrix.info/rest/",
            "member_id": MEMBER_ID,
            "application_token": self.token,
        }
        if self.to_application:
            auth |= {"access_token": "tokenoftheuserwhoacted", "expires_in": "3600", "scope": "booking", "status": "L"}
        moment = str(int(self.clock().timestamp()))
        return {"event": event, "event_handler_id": "7", "data": data, "ts": moment, "auth": auth}

    async def _send(self) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
            while True:
                body = await self._waiting.get()
                try:
                    async with session.post(str(self.handler), data=body, headers=headers) as response:
                        self.delivered.append(response.status)
                except (aiohttp.ClientError, TimeoutError):
                    self.delivered.append(0)
                finally:
                    self._waiting.task_done()


def form_of(value: Json, prefix: str = "") -> list[tuple[str, str]]:
    """Flatten nested values as PHP's `http_build_query` does: `data[FIELDS][ID]`."""
    pairs: list[tuple[str, str]] = []
    for key, one in value.items():
        name = f"{prefix}[{key}]" if prefix else str(key)
        pairs += form_of(one, name) if isinstance(one, dict) else [(name, str(one))]
    return pairs
