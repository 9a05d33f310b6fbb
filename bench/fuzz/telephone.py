"""A telephone channel: signed forms about calls, bodies that are no forms, and frames over a call's stream."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import re
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha1
from typing import Any

import aiohttp

from bench.fuzz import recorded
from bench.fuzz.drive import drive
from bench.fuzz.house import PUBLIC, SECRET, House, side_by_side
from bench.fuzz.near import CLIENT, NUMBER, Chance, body, document, encoded, form
from bench.fuzz.tally import Tally

BATCH = 16
HEARD_WITHIN_S = 20.0
_MOST_PAUSES = 100
_URLENCODED = "application/x-www-form-urlencoded"
_TYPES = (
    "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=b", "text/plain", "",
    f"{_URLENCODED}; charset=nothing", f"{_URLENCODED}; charset=utf-16", f"{_URLENCODED}; charset=\xff",
    "application/json", "multipart/mixed; boundary=b",
)  # fmt: skip
_PART = b'--b\r\nContent-Disposition: form-data; name="CallSid"\r\n\r\nCA1\r\n--b--\r\n'
_NO_FRAMES: Sequence[str | bytes] = (
    b"\x00\xff", "", "{", "[" * 9000, '{"type": "prompt", "voicePrompt": "\\ud800", "last": true}',
)  # fmt: skip
_CLOSED = {1000: "ended", 1008: "refused"}
"""How we close a stream on purpose."""
_ENDINGS = ("spoken", "ended", "silence", "refused")


def signature(url: str, form: Mapping[str, str]) -> str:
    """Sign as Twilio's page on the security of webhooks says."""
    signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return b64encode(hmac.new(SECRET.encode(), signed.encode(), sha1).digest()).decode()


@dataclass(slots=True)
class Forms:
    """Calls without a stream: after whatever is posted about one, the next call is answered and can be spoken in."""

    house: House
    tally: Tally

    async def play(self, chance: Chance) -> None:
        house = self.house
        house.clock.advance(timedelta(minutes=1))
        began, call = house.clock(), f"CA{house.new_number()}"
        await self._post("webhook", self._about(call, recorded.forms()[0]))
        sent = [self._made(chance, call) for _ in range(BATCH)]
        await side_by_side([self._post(*one) for one in sent], most=8)
        self.tally.inputs += len(sent)
        await self._look_after(began, of=sent)

    def _made(self, chance: Chance, call: str) -> tuple[str, Any, Mapping[str, str]]:
        what = chance.of(("webhook", "turn", "turn", "action"))
        if chance.one_in(5):
            made = chance.of((_PART, _PART[:-6], chance.bytes(64), body(chance, recorded.forms())))
            return what, made, {"Content-Type": chance.of(_TYPES)}
        fields = [(name, value.replace(f"CA{NUMBER}", call)) for name, value in form(chance, recorded.forms())]
        query = chance.of(("", "?turn=a", "?turn=b", "?turn=%00", "?turn=a&wait=1", "?silent=2&turn=c", "?turn=%ff"))
        headers = {"X-Twilio-Signature": "\xff"} if chance.one_in(20) else {}
        return f"{what}{query}", fields, headers

    def _about(self, call: str, fields: Mapping[str, str]) -> list[tuple[str, str]]:
        return [(name, value.replace(f"CA{NUMBER}", call)) for name, value in fields.items()]

    async def _post(self, what: str, made: Any, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        name, _, query = what.partition("?")
        path = f"/v1/voice/{name}/{self.house.doors['gather'].token}" + (f"?{query}" if query else "")
        own = dict(headers or {})
        if isinstance(made, list):
            # A name that comes twice counts once: the last.
            own = {"X-Twilio-Signature": signature(PUBLIC + path, dict(made)), "Content-Type": _URLENCODED, **own}
        status, answer = await self.house.post(path, encoded(made) if isinstance(made, list) else made, own)
        if status >= 500:
            self.tally.server_error(str(status), of=(what, own, made))
        return status, answer

    async def _look_after(self, began: Any, *, of: object) -> None:
        """A new call is answered, what is said in it is stored once, and answered."""
        call = f"CA{self.house.new_number()}"
        first, _ = await self._post("webhook", self._about(call, recorded.forms()[0]))
        status, answer = await self._post("turn?turn=x", self._about(call, recorded.forms()[1]))
        for _ in range(_MOST_PAUSES):
            if b"<Redirect" not in answer:
                break
            # The answer takes longer than a request is kept waiting: it is asked for again.
            status, answer = await self._post("turn?turn=x&wait=1", self._about(call, recorded.forms()[0]))
        again, same = await self._post("turn?turn=x", self._about(call, recorded.forms()[1]))
        if (first, status, again) != (200, 200, 200) or b"<Gather" not in answer or _said(same) != _said(answer):
            self.tally.stick(f"the next call is not answered: {first}, {status}, {again}: {answer[:300]!r}", of=of)
        rows, _ = await self.house.stored_since(self.house.doors["gather"].channel, began)
        if (count := [row["update_key"] for row in rows].count(f"{call}:x")) != 1:
            self.tally.lose(f"what was said stands there {count} times", of=of)
        await self.house.settle()
        for failure in self.house.take_failures():
            self.tally.stick("the worker fails", of=failure)


def _said(answer: bytes) -> list[bytes]:
    """Return the words of a document; the address of what comes next differs each time."""
    return re.findall(rb"<Say[^>]*>([^<]*)<", answer)


@dataclass(slots=True)
class Frames:
    """Calls over a stream: whatever frames come, the line speaks on, or ends the call with a word of its own."""

    house: House
    tally: Tally

    async def play(self, chance: Chance) -> None:
        house = self.house
        house.clock.advance(timedelta(minutes=1))
        began, call, marker = house.clock(), f"CA{house.new_number()}", f"слово{house.new_number()}"
        ticket = await self._begin(call)
        setup = {"type": "setup", "callSid": call, "from": "+79160000001", "customParameters": {"ticket": ticket}}
        odd_setup = chance.one_in(6)
        first = document(chance, [setup]) if odd_setup else setup
        sent: list[Any] = [self._made(chance, call) for _ in range(BATCH)]
        prompt = {"type": "prompt", "voicePrompt": marker, "lang": "ru-RU", "last": True}
        self.tally.inputs += BATCH + odd_setup
        of = (first, sent)
        try:
            async with asyncio.timeout(HEARD_WITHIN_S):
                how, kept = await self._talk([_text(first), *sent, json.dumps(prompt)], marker, began)
        except TimeoutError:
            self.tally.stick("nothing is said, and the line stands", of=of)
            how, kept = "ended", 1
        if how not in _ENDINGS:
            self.tally.server_error(f"the stream was torn: {how}", of=of)
        if how == "spoken" and kept != 1:
            self.tally.lose(f"what was said stands there {kept} times", of=of)
        if how == "silence" or (how == "refused" and not odd_setup):
            self.tally.stick(f"the line hears nothing: {how}", of=of)
        await house.settle()
        for failure in house.take_failures():
            self.tally.stick("the worker fails", of=failure)

    async def _begin(self, call: str) -> str:
        """Let a call come in, and return the ticket of its stream."""
        path = f"/v1/voice/webhook/{self.house.doors['stream'].token}"
        fields = {"CallSid": call, "From": "+79160000001"}
        headers = {"X-Twilio-Signature": signature(PUBLIC + path, fields), "Content-Type": _URLENCODED}
        status, answer = await self.house.post(path, encoded(list(fields.items())), headers)
        found = re.search(rb'name="ticket" value="([^"]+)"', answer)
        if status != 200 or found is None:
            self.tally.stick(f"a call is not taken: {status}", of=answer[:300])
            return ""
        return found[1].decode()

    def _made(self, chance: Chance, call: str) -> str | bytes:
        if chance.one_in(10):
            return chance.of(_NO_FRAMES)
        return _text(document(chance, recorded.frames())).replace(str(NUMBER), call[2:]).replace(str(CLIENT), "1")

    async def _talk(self, frames: Sequence[str | bytes], marker: str, began: Any) -> tuple[str, int]:
        """Send frames; return how it went on, and how often the last thing said (`marker`) is stored."""
        path = f"/v1/voice/stream/{self.house.doors['stream'].token}"
        headers = {"X-Twilio-Signature": signature(PUBLIC.replace("http", "ws", 1) + path, {})}
        async with self.house.http.ws_connect(f"{self.house.url}{path}", headers=headers) as socket:
            # Where it is closed by us already, the code says why.
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                for frame in frames:
                    await (socket.send_str(frame) if isinstance(frame, str) else socket.send_bytes(frame))
            async for message in socket:
                told = json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else {}
                if told.get("type") == "end":
                    reason = json.loads(told["handoffData"])["reason"]
                    return "silence" if reason == "silence" and not await self._kept(marker, began) else "ended", 1
                if told.get("last") and (kept := await self._kept(marker, began)):
                    return "spoken", kept
            return _CLOSED.get(socket.close_code or 1006, str(socket.close_code)), 0

    async def _kept(self, marker: str, began: Any) -> int:
        rows, _ = await self.house.stored_since(self.house.doors["stream"].channel, began)
        return sum(marker.encode() in bytes(row["payload"]) for row in rows)


def _text(frame: Any) -> str:
    try:
        written = json.dumps(frame, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "{}"
    return written.encode(errors="replace").decode()


async def fuzz_forms(house: House, *, inputs: int, seed: int) -> Tally:
    return await _fuzz("voice webhooks", Forms, house, inputs, seed)


async def fuzz_frames(house: House, *, inputs: int, seed: int) -> Tally:
    return await _fuzz("voice frames", Frames, house, inputs, seed)


async def _fuzz(name: str, player: Any, house: House, inputs: int, seed: int) -> Tally:
    tally, began = Tally(target=name), time.monotonic()
    await drive(player(house, tally).play, count=max(1, inputs // BATCH), seed=seed)
    tally.seconds = time.monotonic() - began
    return tally
