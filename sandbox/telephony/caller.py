"""A person with a telephone, who says what a script tells them to and hears what is answered."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import aiohttp

from sandbox.telephony.provider import Json, Playback, Provider, closed, new_sid
from sandbox.telephony.twiml import Refused, Verb, sign

_ANSWER_S = 30.0


@dataclass(slots=True, kw_only=True)
class Phone:
    """One call, from ringing to its end."""

    provider: Provider
    webhook_url: str
    number: str
    to: str = "+74951234567"
    sid: str = field(default_factory=lambda: new_sid("CA"))
    transcript: list[tuple[str, str]] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    """From the end of each thing said to the first word out."""
    dialled: list[str] = field(default_factory=list)
    handoff: str | None = None
    ended_by: str | None = None
    languages: list[str] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)
    _stream_url: str = ""
    _gather: str = ""
    twice: bool = False
    """The provider posts what was said twice, as where the first answer was lost."""
    _http: aiohttp.ClientSession | None = None
    _socket: aiohttp.ClientWebSocketResponse | None = None
    _reading: asyncio.Task[None] | None = None
    _playback: Playback = field(default_factory=lambda: Playback(speed=1.0))
    _said: list[str] = field(default_factory=list)
    _turn: str = ""
    _action: str = ""
    _spoke_at: float | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _last: Json = field(default_factory=dict)
    _odd: bool = False
    _began: float = field(default_factory=time.monotonic)

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        self._playback = Playback(speed=self.provider.speed)
        try:
            await self._follow(await self._post(self.webhook_url, {"CallStatus": "ringing"}))
        except BaseException:
            await self._http.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.hang_up()
        if self._http is not None:
            await self._http.close()

    @property
    def socket(self) -> aiohttp.ClientWebSocketResponse:
        if self._socket is None:
            raise RuntimeError("there is no stream")
        return self._socket

    @property
    def http(self) -> aiohttp.ClientSession:
        if self._http is None:
            raise RuntimeError("the telephone is not in use")
        return self._http

    # ---- what the person does ----------------------------------------------------------------------------------------

    async def say(self, words: str, *, last: bool = True) -> None:
        """Say something, at a person's speed; recognition tells the words when they have been said."""
        await self.provider.wait(len(words) / 15)
        if self._socket is None and self._gather:
            self.transcript.append(("caller", words))
            await self._gathered({"SpeechResult": words, "Confidence": "0.93"})
            return
        await self.send({"type": "prompt", "voicePrompt": words, "lang": "ru-RU", "last": last})

    async def asks(self, words: str) -> str:
        """Say something, and return what is answered."""
        await self.say(words)
        return await self.hears()

    async def hears(self, *, within_s: float = _ANSWER_S) -> str:
        """Listen until an answer is complete and spoken to its end; return it."""
        async with asyncio.timeout(within_s):
            while not self._said and self.ended_by is None:
                self._news.clear()
                await self._news.wait()
        await self.provider.wait(max(0.0, self._playback.ends_at - self._playback.now()))
        said, self._said = self._said, []
        return " ".join(said)

    async def hears_first(self, words: int, *, within_s: float = _ANSWER_S) -> str:
        """Listen until so many words were spoken; return them."""
        async with asyncio.timeout(within_s):
            while len(self._playback.heard().split()) < words and self.ended_by is None:
                await self.provider.wait(0.05)
        return self._playback.heard()

    async def barges_in(self, words: str, *, after: int) -> str:
        """Speak over the answer once so many words of it were heard; return what was."""
        heard = " ".join((await self.hears_first(after)).split())
        await self.interrupts(heard)
        await self.say(words)
        return heard

    async def interrupts(self, heard: str) -> None:
        """Make a sound over what is being spoken; its length comes as a number or as text, as documents differ."""
        self._playback.clear()
        self._said, self._turn = [], ""
        self._odd = not self._odd
        length: int | str = "460" if self._odd else 460
        await self.send({"type": "interrupt", "utteranceUntilInterrupt": heard, "durationUntilInterruptMs": length})

    async def keys(self, digits: str) -> None:
        for digit in digits:
            await self.send({"type": "dtmf", "digit": digit})
            await self.provider.wait(0.3)

    async def is_silent(self, seconds: float) -> None:
        await self.provider.wait(seconds)

    async def hears_of(self, words: str) -> None:
        """Wait until these words have been part of an answer."""
        async with asyncio.timeout(_ANSWER_S):
            while not any(words in text for who, text in self.transcript if who == "agent"):
                self._news.clear()
                await self._news.wait()

    async def is_hung_up_on(self) -> None:
        """Wait until the other side ends the call."""
        async with asyncio.timeout(_ANSWER_S):
            while self.ended_by is None:
                self._news.clear()
                await self._news.wait()

    async def says_nothing(self) -> str:
        """Be silent until the provider, which gathers, tells that nothing was said; return what is answered."""
        await self._gathered({})
        return await self.hears()

    async def _gathered(self, result: Mapping[str, str]) -> None:
        """Let the provider post what was said; `twice`: as it does where it got no answer in time."""
        action, self._said = self._gather, []
        if self.twice:
            await self._post(action, result)
        await self._follow(await self._post(action, result))

    async def repeats(self) -> None:
        """Let the provider send the last frame again."""
        await self.socket.send_json(self._last)

    async def send(self, frame: Json) -> None:
        """Send a frame, whatever it is."""
        self._last = frame
        if frame["type"] == "prompt":
            self.transcript.append(("caller", frame["voicePrompt"]))
            self._spoke_at, self._said = time.monotonic(), []
            if self._playback.ends_at <= self._playback.now():
                self._playback.clear()
        await self.socket.send_json(frame)

    async def hang_up(self) -> None:
        """Put the receiver down: the stream is closed, and the action is told."""
        if self.ended_by is not None:
            return
        self.ended_by = "caller"
        await self._close_stream()
        with contextlib.suppress(Refused):
            # Without a stream it is the number's status callback that tells.
            action = self._action or self._gather.partition("?")[0].replace("/turn/", "/action/")
            if action:
                await self._post(
                    action, self._ended("ended", "completed") if self._action else {"CallStatus": "completed"}
                )

    async def drops(self, *, call_stands: bool) -> None:
        """Tear the stream; `call_stands`: the caller is still there, and the provider does what it is told next."""
        if self._reading is not None:
            self._reading.cancel()
        self.socket._writer.transport.abort()
        await self._close_stream()
        status = "in-progress" if call_stands else "completed"
        form = {**self._ended("failed", status), "ErrorCode": "64105", "ErrorMessage": "WebSocket Ended"}
        verbs = await self._post(self._action, form)
        if call_stands:
            await self._follow(verbs)
        else:
            self.ended_by = "dropped"

    # ---- what the provider does --------------------------------------------------------------------------------------

    async def _post(self, url: str, more: Mapping[str, str]) -> tuple[Verb, ...]:
        form = {
            "CallSid": self.sid, "AccountSid": self.provider.account, "From": self.number, "To": self.to,
            "CallStatus": "in-progress", "Direction": "inbound", "ApiVersion": "2010-04-01", **more,
        }  # fmt: skip
        return await self.provider.post(self.http, url, form)

    def _ended(self, session: str, status: str) -> dict[str, str]:
        seconds = str(int(time.monotonic() - self._began))
        return {
            "SessionId": new_sid("VX"), "SessionStatus": session, "SessionDuration": seconds, "CallStatus": status,
        }  # fmt: skip

    async def _follow(self, verbs: tuple[Verb, ...]) -> None:
        """Do what TwiML says, to its end."""
        for verb in verbs:
            match verb.name:
                case "Say":
                    self._hear(verb.text, last=True)
                case "Connect":
                    self._action = verb.attributes.get("action", "")
                    await self._connect(verb.find("ConversationRelay")[0])
                    return
                case "Dial":
                    number = verb.find("Number")[0].text
                    self.dialled.append(number)
                    form = {"DialCallStatus": self.provider.dial_status, "DialCallSid": new_sid("CA")}
                    await self._follow(await self._post(verb.attributes["action"], form))
                    return
                case "Gather":
                    for one in verb.find("Say"):
                        self._hear(one.text, last=True)
                    self._gather = verb.attributes["action"]
                    return
                case "Redirect":
                    await self._follow(await self._post(verb.text, {}))
                    return
                case "Pause":
                    await self.provider.wait(float(verb.attributes.get("length", "1")))
                case "Hangup":
                    self._end("business")
                    return
        self._end("business")

    async def _connect(self, relay: Verb) -> None:
        url = relay.attributes["url"]
        headers = {"X-Twilio-Signature": sign(self.provider.auth_token, url)}
        local = self.provider.local(url).replace("http", "ws", 1)
        try:
            self._socket = await self.http.ws_connect(local, headers=headers)
        except aiohttp.WSServerHandshakeError as error:
            raise Refused(f"64102 Unable to connect to WebSocket: {error.status}") from error
        self._stream_url = url
        self.parameters = {one.attributes["name"]: one.attributes["value"] for one in relay.find("Parameter")}
        await self.socket.send_json(self._setup())
        if greeting := relay.attributes.get("welcomeGreeting"):
            self._hear(greeting, last=True)
        self._reading = asyncio.create_task(self._read())

    def _setup(self) -> Json:
        return {
            "type": "setup", "sessionId": new_sid("VX"), "accountSid": self.provider.account, "callSid": self.sid,
            "parentCallSid": "", "from": self.number, "to": self.to, "forwardedFrom": "", "callType": "PSTN",
            "callerName": "", "direction": "inbound", "callStatus": "IN-PROGRESS",
            "customParameters": self.parameters,
        }  # fmt: skip

    async def replays(self) -> int | None:
        """Open the same stream once more, as whoever overheard it would; return how it is closed."""
        headers = {"X-Twilio-Signature": sign(self.provider.auth_token, self._stream_url)}
        local = self.provider.local(self._stream_url).replace("http", "ws", 1)
        async with self.http.ws_connect(local, headers=headers) as socket:
            await socket.send_json(self._setup())
            await socket.receive(timeout=_ANSWER_S)
            return socket.close_code

    async def _read(self) -> None:
        async for message in self.socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            frame = self.provider.check(message.data)
            if frame is None:
                continue
            match frame["type"]:
                case "text":
                    if self._spoke_at is not None and frame["token"]:
                        self.latencies_ms.append((time.monotonic() - self._spoke_at) * 1000)
                        self._spoke_at = None
                    self._hear(frame["token"], last=frame["last"], preemptible=frame.get("preemptible", False))
                case "language":
                    self.languages.append(frame["ttsLanguage"])
                case "end":
                    self.handoff = frame.get("handoffData", "")
                    await self._end_stream()
                    return
        if self.ended_by is None and not self.socket.closed:
            self._end("business")

    async def _end_stream(self) -> None:
        await closed(self._socket)
        form = {**self._ended("ended", "in-progress"), "HandoffData": self.handoff or ""}
        await self._follow(await self._post(self._action, form))

    def _hear(self, token: str, *, last: bool, preemptible: bool = False) -> None:
        if token:
            self._playback.add(token, preemptible=preemptible)
        if preemptible:
            self.transcript.append(("bridge", token))
            return
        self._turn += token
        if last and self._turn.strip():
            self._said.append(self._turn.strip())
            self.transcript.append(("agent", self._turn.strip()))
            self._turn = ""
            self._news.set()

    def _end(self, whose: str) -> None:
        self.ended_by = self.ended_by or whose
        self._news.set()

    async def _close_stream(self) -> None:
        await closed(self._socket)
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
