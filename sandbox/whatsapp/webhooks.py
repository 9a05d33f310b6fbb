"""How Meta brings webhooks: signed with the app's secret, at least once, again and again until 200 comes back.

Meta promises no order between webhooks; here each number's are brought one after the other unless one has to be
repeated, then those behind it go past it.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections import deque
from hashlib import sha256

import aiohttp

from sandbox.whatsapp.state import App, Json, Number, State

SIGNATURE = "X-Hub-Signature-256"
_ANSWER_LIMIT = aiohttp.ClientTimeout(total=20)
_LONGEST_DELAY_S = 60.0
_MOST_AT_ONCE = 50


class Webhooks:
    """A bounded number of tasks bring what waits; all are ended by `stop`."""

    def __init__(self, state: State, *, retry_base_s: float) -> None:
        self._state = state
        self._base = retry_base_s
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)
        self.delivered: deque[tuple[str, App, bytes]] = deque(maxlen=1000)
        """Address, app and body of what was taken, the newest last."""
        self.answers: deque[int] = deque(maxlen=1000)
        self.waiting = 0

    async def start(self) -> None:
        self._session = aiohttp.ClientSession(timeout=_ANSWER_LIMIT)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def bring(self, number: Number, body: Json) -> None:
        """Bring a webhook to the number's own address, else to its app's; without either it is lost, as with Meta."""
        url = number.callback_url or number.app.callback_url
        if url:
            self.bring_raw(url, number.app, json.dumps(body, ensure_ascii=False).encode())

    def bring_raw(self, url: str, app: App, body: bytes) -> None:
        """Bring these bytes, signed."""
        self.waiting += 1
        task = asyncio.create_task(self._bring(url, app, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bring(self, url: str, app: App, body: bytes) -> None:
        failures = 0
        try:
            async with self._places:
                while not await self._post(url, app, body):
                    failures += 1
                    await asyncio.sleep(min(_LONGEST_DELAY_S, self._base * 2 ** (failures - 1)))
                self.delivered.append((url, app, body))
        finally:
            self.waiting -= 1
            await self._state.tell()

    async def _post(self, url: str, app: App, body: bytes) -> bool:
        assert self._session is not None  # noqa: S101
        headers = {SIGNATURE: sign(app.secret, body), "Content-Type": "application/json"}
        try:
            async with self._session.post(url, data=body, headers=headers) as response:
                await response.read()
                self.answers.append(response.status)
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False


def sign(secret: str, body: bytes) -> str:
    """Return the header's value: HMAC-SHA256 over the raw body."""
    return "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()


async def verify_callback(url: str, token: str) -> bool:
    """Ask an address the question that Meta asks before it takes it: hub.mode, hub.verify_token, hub.challenge."""
    challenge = "1158201444"
    query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
    try:
        async with aiohttp.ClientSession(timeout=_ANSWER_LIMIT) as session, session.get(url, params=query) as response:
            return response.status == 200 and (await response.text()) == challenge
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
