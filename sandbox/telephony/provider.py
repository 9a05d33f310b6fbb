"""The provider's side of one call: what it posts, the stream it opens, the frames it takes and refuses.

After https://www.twilio.com/docs/voice/conversationrelay/websocket-messages: a malformed frame is error 64107, the
frame is ignored and the session goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from sandbox.telephony.twiml import Refused, Verb, parse, sign

Json = dict[str, Any]
HTTP_S = 15.0
"""How long an answer is waited for."""
_FRAMES: Mapping[str, Mapping[str, type | tuple[type, ...]]] = {
    "text": {"token": str, "last": bool, "lang": str, "interruptible": bool, "preemptible": bool},
    "play": {"source": str, "loop": int, "preemptible": bool, "interruptible": bool},
    "sendDigits": {"digits": str},
    "language": {"ttsLanguage": str, "transcriptionLanguage": str},
    "end": {"handoffData": str},
}
_NEEDED = {"text": ("token", "last"), "play": ("source",), "sendDigits": ("digits",), "end": ()}


@dataclass(slots=True, kw_only=True)
class Provider:
    """An account. `connect_to` is where the public host is really reached; `dial_status`: how a transfer ends.

    `speed`: how much faster than life people and voices speak.
    """

    auth_token: str
    connect_to: str
    account: str = "AC00000000000000000000000000000001"
    speed: float = 1.0
    dial_status: str = "completed"
    violations: list[str] = field(default_factory=list)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def wait(self, seconds: float) -> None:
        await self.sleep(seconds / self.speed)

    def local(self, url: str) -> str:
        """Return where a public address is reached from here."""
        parts = urlsplit(url)
        return f"{self.connect_to}{parts.path}{f'?{parts.query}' if parts.query else ''}"

    async def post(self, http: aiohttp.ClientSession, url: str, form: Mapping[str, str]) -> tuple[Verb, ...]:
        """Post a signed form, and read the TwiML that comes back. Raises Refused."""
        headers = {"X-Twilio-Signature": sign(self.auth_token, url, form), "User-Agent": "TwilioProxy/1.1"}
        limit = aiohttp.ClientTimeout(total=HTTP_S)
        async with http.post(self.local(url), data=dict(form), headers=headers, timeout=limit) as answer:
            body = await answer.text()
            if answer.status != 200:
                raise Refused(f"11200 HTTP {answer.status}")
            try:
                return parse(answer.headers.get("Content-Type", ""), body)
            except Refused as error:
                self.violations.append(f"{error}: {body[:300]}")
                raise

    def check(self, raw: str) -> Json | None:
        """Return a frame; None for one that is refused."""
        try:
            frame = json.loads(raw)
            kind = _FRAMES[frame["type"]]
            given = {name: value for name, value in frame.items() if name != "type"}
            if any(name not in kind or not isinstance(value, kind[name]) for name, value in given.items()):
                raise ValueError
            if any(name not in given for name in _NEEDED.get(frame["type"], ())):
                raise ValueError
        except (ValueError, KeyError, TypeError):
            self.violations.append(f"64107 malformed: {raw[:300]}")
            return None
        return dict(frame)


def new_sid(kind: str) -> str:
    return f"{kind}{secrets.token_hex(16)}"


@dataclass(slots=True, kw_only=True)
class Playback:
    """What is being spoken to the caller, to the word. Times are the provider's seconds, sped up as it is."""

    speed: float
    pieces: list[tuple[str, float, bool]] = field(default_factory=list)
    """Words, when their speaking begins, and whether the next words may take their place."""
    rate: float = 15.0

    def now(self) -> float:
        return time.monotonic() * self.speed

    @property
    def ends_at(self) -> float:
        if not self.pieces:
            return 0.0
        words, begins, _ = self.pieces[-1]
        return begins + len(words) / self.rate

    def add(self, words: str, *, preemptible: bool) -> None:
        now = self.now()
        if self.pieces and self.pieces[-1][2] and self.ends_at > now:
            self.pieces[-1] = (self.pieces[-1][0], -1e9, False)
            self.pieces.append((words, now, preemptible))
            return
        self.pieces.append((words, max(now, self.ends_at), preemptible))

    def heard(self) -> str:
        """Return the words that were spoken until now, whole ones."""
        now, words = self.now(), []
        for text, begins, _ in self.pieces:
            if begins < -1e8:
                continue
            share = (now - begins) * self.rate
            if share >= len(text):
                words.append(text.strip())
                continue
            cut = text[: max(0, int(share))]
            words.append(cut.rsplit(" ", 1)[0].strip() if " " in cut else "")
            break
        return " ".join(word for word in words if word)

    def clear(self) -> None:
        self.pieces = []


async def closed(socket: aiohttp.ClientWebSocketResponse | None) -> None:
    if socket is not None:
        with contextlib.suppress(ConnectionError):
            await socket.close()
