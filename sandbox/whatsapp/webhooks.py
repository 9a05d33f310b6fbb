"""How Meta brings webhooks: signed with the app's secret, at least once, again and again until 200 comes back.

Meta promises no order between webhooks, and here there is none: each is brought by a task of its own. The body is JSON
with everything outside ASCII escaped, and the signature is over those bytes (Meta's page "Webhooks, getting started":
"we generate the signature using an escaped unicode version of the payload"). Meta gives up after seven days; here
nothing lasts so long.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections import deque
from dataclasses import dataclass
from hashlib import sha256

import aiohttp

from sandbox.whatsapp.state import App, Json, Number, State

SIGNATURE = "X-Hub-Signature-256"
_ANSWER_LIMIT = aiohttp.ClientTimeout(total=20)
_LONGEST_DELAY_S = 60.0
_MOST_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Question:
    """What came of asking an address the challenge."""

    answered: bool
    why: str = ""


class Webhooks:
    """A task for each webhook, a bounded number of which post at a time; all are ended by `stop`."""

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
        # A task that was ended before it began has counted nothing down.
        self.waiting = 0
        if self._session is not None:
            await self._session.close()

    @staticmethod
    def find_address(number: Number) -> str | None:
        """Say where a number's webhooks go: its own address, else its account's, else its app's.

        None: nowhere, and what happens is lost, because there is no address or the app did not ask for them.
        """
        if not number.account.subscribed or "messages" not in number.app.fields:
            return None
        return number.webhook_url or None

    def bring(self, number: Number, body: Json) -> None:
        url = self.find_address(number)
        if url is not None:
            self.bring_raw(url, number.app, json.dumps(body).encode())

    def bring_raw(self, url: str, app: App, body: bytes) -> None:
        """Bring these bytes, signed."""
        self.waiting += 1
        task = asyncio.create_task(self._bring(url, app, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bring(self, url: str, app: App, body: bytes) -> None:
        failures = 0
        try:
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
            async with self._places, self._session.post(url, data=body, headers=headers) as response:
                await response.read()
                self.answers.append(response.status)
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False


def sign(secret: str, body: bytes) -> str:
    """Return the header's value: HMAC-SHA256 over the raw body."""
    return "sha256=" + hmac.new(secret.encode(), body, sha256).hexdigest()


async def ask(url: str, token: str) -> Question:
    """Ask an address the question that Meta asks before it takes it: hub.mode, hub.verify_token, hub.challenge."""
    challenge = "1158201444"
    query = {"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": challenge}
    try:
        async with aiohttp.ClientSession(timeout=_ANSWER_LIMIT) as session, session.get(url, params=query) as response:
            if response.status != 200:
                return Question(False, f"HTTP Status Code = {response.status}; HTTP Message = {response.reason}")
            if await response.text() != challenge:
                return Question(False, "the challenge did not come back")
            return Question(True)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Question(False, type(error).__name__)
