"""A telephone channel's routes: the start of a call, its stream, and what comes after it.

A request is believed only with its proof; a stream moreover only with a ticket, which opens it once. Addresses that the
provider signs are rebuilt from the public address of the settings, as a proxy may have changed them.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta

import structlog
from aiohttp import WSMsgType, web
from prometheus_client import Counter, Gauge, Histogram

from db.calls import CallRecord
from db.directory import Directory
from db.records import Channel, ChannelType
from handlers.voice import frames, twiml
from handlers.voice.call import Call, Pace
from handlers.voice.desk import MOST_CONNECTIONS, CallDesk, VoiceOptions, spoken_of
from handlers.voice.line import Send
from handlers.voice.proof import TWILIO_HEADER, is_scenario, is_twilio
from locales import Translator
from orchestration.identity import find_phones
from orchestration.messages import CallEvent

log = structlog.get_logger()

FORM_LIMIT = 64 * 1024
SETUP_S = 5.0
"""How long an open stream may be silent about whose it is."""
_HEARTBEAT_S = 20.0
TAKEN_UP_WITHIN_S = 15.0

CALLS = Counter("ai_admin_calls", "Telephone calls that ended.", ["outcome"])
CALLS_OPEN = Gauge("ai_admin_calls_open", "Telephone calls on the lines of this process.")
CALL_SECONDS = Histogram(
    "ai_admin_call_seconds",
    "How long telephone calls took.",
    buckets=(5, 15, 30, 60, 120, 180, 300, 600, 900, 1800),
)


class VoiceRoutes:
    """Mounted where a worker runs: the process that holds the line makes the turns itself."""

    def __init__(
        self,
        directory: Directory,
        desk: CallDesk,
        *,
        public_url: str | None,
        address_of: Callable[[web.Request], str | None],
        pace: Pace | None = None,
    ) -> None:
        self._directory = directory
        self._desk = desk
        self._public_url = (public_url or "").rstrip("/")
        self._address_of = address_of
        self._pace = pace or Pace()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, each also without `/api`."""
        found = []
        for prefix in ("/api", ""):
            base = f"{prefix}/v1/voice"
            found += [
                web.post(f"{base}/webhook/{{webhook_token}}", self._on_call),
                web.get(f"{base}/stream/{{webhook_token}}", self._on_stream),
                web.post(f"{base}/action/{{webhook_token}}", self._on_action),
            ]
        return found

    # ---- a call comes in -------------------------------------------------------------------------------------------

    async def _on_call(self, request: web.Request) -> web.Response:
        channel, form = await self._proved_form(request)
        options = VoiceOptions.of(channel)
        snapshot = await self._desk.snapshot(channel)
        spoken, texts = spoken_of(channel, snapshot)
        if await self._lines_are_busy(channel):
            CALLS.labels("lines_busy").inc()
            return _answer(twiml.say_and_hang_up(texts.text("call-lines-busy"), spoken))
        caller = next(iter(find_phones(form.get("From", ""))), None)
        name = await self._desk.name_of(channel, caller)
        greeting = (
            texts.text("call-greeting-known", company=snapshot.company.name, name=name)
            if name
            else texts.text("call-greeting", company=snapshot.company.name)
        )
        if options.recorded:
            greeting = f"{greeting} {texts.text('call-recorded')}"
        return await self._connect(request, channel, form["CallSid"], caller, greeting)

    async def _lines_are_busy(self, channel: Channel) -> bool:
        options = VoiceOptions.of(channel)
        longest = timedelta(minutes=options.longest_minutes + 1)
        return await self._desk.open_lines(channel, longest=longest) >= options.lines

    async def _connect(
        self, request: web.Request, channel: Channel, call: str, caller: str | None, greeting: str, resume: str = ""
    ) -> web.Response:
        spoken, _ = spoken_of(channel, await self._desk.snapshot(channel))
        ticket = await self._desk.begin(channel, call, caller)
        token = request.match_info["webhook_token"]
        stream = twiml.Stream(
            url=f"{self._public_url.replace('http', 'ws', 1)}/api/v1/voice/stream/{token}",
            action=f"{self._public_url}/api/v1/voice/action/{token}",
            spoken=spoken,
            greeting=greeting,
            parameters={"ticket": ticket, "greeting": str(len(greeting)), **({"resume": resume} if resume else {})},
        )
        return _answer(twiml.connect(stream))

    # ---- its stream ------------------------------------------------------------------------------------------------

    async def _on_stream(self, request: web.Request) -> web.StreamResponse:
        channel = await self._channel(request)
        by_twilio = VoiceOptions.of(channel).provider != "voximplant"
        if by_twilio:
            url = self._public_url.replace("http", "ws", 1) + request.path_qs
            token = self._desk.secrets(channel)["auth_token"]
            if not is_twilio(token, url, {}, request.headers.get(TWILIO_HEADER, "")):
                log.warning("voice_proof_failed", remote=self._address_of(request))
                raise web.HTTPForbidden
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=frames.MOST_BYTES)
        await socket.prepare(request)
        fields = {"company_id": str(channel.company_id), "channel_id": str(channel.id)}
        with structlog.contextvars.bound_contextvars(**fields):
            await self._serve(socket, channel, by_twilio=by_twilio)
        return socket

    async def _serve(self, socket: web.WebSocketResponse, channel: Channel, *, by_twilio: bool) -> None:
        setup = await self._setup(socket)
        if setup is None or not (by_twilio or self._scenario_proves(channel, setup)):
            await socket.close(code=1008)
            return
        caller = next(iter(find_phones(setup.caller or "")), None)
        ticket = setup.parameters.get("ticket", "")
        if not by_twilio:
            # The scenario's signature is its ticket: it counts for a minute, and a call is begun by it, or taken up
            # again where its socket was lost or a transfer failed.
            if await self._desk.find(channel, setup.call) is None and await self._lines_are_busy(channel):
                CALLS.labels("lines_busy").inc()
                await socket.close(code=1013)
                return
            ticket = await self._desk.begin(channel, setup.call, caller, again=True)
        record = await self._desk.connect(channel, setup.call, ticket)
        if record is None:
            log.warning("voice_ticket_refused")
            await socket.close(code=1008)
            return
        parameters = setup.parameters
        not_reached = parameters.get("resume") == "not_reached" or parameters.get("transfer") == "failed"
        resumed = CallEvent.NOT_REACHED if not_reached else None
        _, texts = spoken_of(channel, await self._desk.snapshot(channel))
        call = Call(
            self._desk.turns(channel, record),
            texts,
            _sender(socket),
            rules=VoiceOptions.of(channel).rules,
            pace=self._pace,
            greeting=_length(parameters.get("greeting", ""), texts),
        )
        with (
            structlog.contextvars.bound_contextvars(dialogue_id=str(record.dialogue_id)),
            CALLS_OPEN.track_inprogress(),
        ):
            outcome = await call.run(_incoming(socket), resumed)
        await self._ended(socket, channel, record, outcome)

    async def _setup(self, socket: web.WebSocketResponse) -> frames.Setup | None:
        try:
            async with asyncio.timeout(SETUP_S):
                first = await socket.receive()
        except TimeoutError:
            return None
        frame = frames.read(first.data) if first.type is WSMsgType.TEXT else None
        return frame if isinstance(frame, frames.Setup) else None

    def _scenario_proves(self, channel: Channel, setup: frames.Setup) -> bool:
        secret = self._desk.secrets(channel)["secret"]
        return is_scenario(secret, setup.call, setup.caller or "", setup.parameters)

    async def _ended(self, socket: web.WebSocketResponse, channel: Channel, record: CallRecord, outcome: str) -> None:
        torn = outcome == "hung_up" and socket.close_code not in (1000, 1001)
        await socket.close()
        if VoiceOptions.of(channel).provider == "twilio" and (torn or outcome == "transfer"):
            # Whether the caller is still there, or how the transfer went, Twilio tells by asking what comes next.
            return
        if torn:
            # Our scenario connects again within seconds, if the caller is still there.
            await self._pace.sleep(TAKEN_UP_WITHIN_S)
            now = await self._desk.find(channel, record.key)
            if now is None or now.connections != record.connections:
                return
        event = CallEvent.DROPPED if torn else CallEvent.ENDED
        await self._finish(channel, record.key, "dropped" if torn else outcome, event)

    async def _finish(self, channel: Channel, call: str, outcome: str, event: CallEvent) -> None:
        ended = await self._desk.finish(channel, call, outcome, event)
        if ended is not None and ended.length is not None:
            CALLS.labels(outcome).inc()
            CALL_SECONDS.observe(ended.length.total_seconds())

    # ---- what comes after it -----------------------------------------------------------------------------------------

    async def _on_action(self, request: web.Request) -> web.Response:
        """Say what becomes of a call whose stream, or whose transfer, has ended."""
        channel, form = await self._proved_form(request)
        call = form["CallSid"]
        record = await self._desk.find(channel, call)
        if record is None:
            raise web.HTTPNotFound
        _, texts = spoken_of(channel, await self._desk.snapshot(channel))
        if "DialCallStatus" in form:
            if form["DialCallStatus"] in ("completed", "answered"):
                await self._finish(channel, call, "transfer", CallEvent.ENDED)
                return _answer(twiml.hang_up())
            return await self._connect(request, channel, call, record.caller, "", "not_reached")
        number = _transfer(form.get("HandoffData", ""))
        if number is not None:
            token = request.match_info["webhook_token"]
            action = f"{self._public_url}/api/v1/voice/action/{token}"
            return _answer(twiml.dial(number, action=action))
        still_there = form.get("CallStatus") == "in-progress"
        failed = form.get("SessionStatus") == "failed"
        if failed and still_there and record.ended_at is None and record.connections < MOST_CONNECTIONS:
            return await self._connect(request, channel, call, record.caller, texts.text("call-again"))
        await self._finish(channel, call, "dropped" if failed else "hung_up", _event(failed))
        return _answer(twiml.hang_up())

    # ---- who knocks --------------------------------------------------------------------------------------------------

    async def _channel(self, request: web.Request) -> Channel:
        channel = await self._directory.find_channel(request.match_info["webhook_token"])
        if channel is None or channel.type is not ChannelType.VOICE or not self._public_url:
            raise web.HTTPNotFound
        return channel

    async def _proved_form(self, request: web.Request) -> tuple[Channel, Mapping[str, str]]:
        if (request.content_length or 0) > FORM_LIMIT:
            raise web.HTTPRequestEntityTooLarge(max_size=FORM_LIMIT, actual_size=request.content_length or 0)
        channel = await self._channel(request)
        secrets = self._desk.secrets(channel)
        form = {name: str(value) for name, value in (await request.post()).items()}
        given = request.headers.get(TWILIO_HEADER, "")
        url = self._public_url + request.path_qs
        if "auth_token" not in secrets or not is_twilio(secrets["auth_token"], url, form, given):
            log.warning("voice_proof_failed", remote=self._address_of(request))
            raise web.HTTPForbidden
        if not form.get("CallSid"):
            raise web.HTTPBadRequest(reason="CallSid is missing")
        return channel, form


def _length(told: str, texts: Translator) -> int:
    """Return how many characters are spoken first; a scenario says its own greeting, about as long as ours."""
    return int(told) if told.isdecimal() and len(told) < 6 else len(texts.text("call-greeting", company=""))


def _event(failed: bool) -> CallEvent:
    return CallEvent.DROPPED if failed else CallEvent.ENDED


def _answer(document: str) -> web.Response:
    return web.Response(text=document, content_type=twiml.CONTENT_TYPE)


def _transfer(handoff: str) -> str | None:
    """Return the number that our own `end` frame asked to dial."""
    try:
        data = json.loads(handoff)
    except ValueError:
        return None
    number = data.get("transfer") if isinstance(data, dict) else None
    return next(iter(find_phones(number)), None) if isinstance(number, str) else None


def _sender(socket: web.WebSocketResponse) -> Send:
    async def send(frame: frames.Frame) -> None:
        # A line that is gone hears nothing: its end is noticed where frames are read.
        if not socket.closed:
            try:
                await socket.send_json(dict(frame))
            except ConnectionError:
                log.info("line_is_gone")

    return send


async def _incoming(socket: web.WebSocketResponse) -> AsyncIterator[frames.Incoming]:
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        frame = frames.read(message.data)
        if frame is None:
            log.warning("frame_unreadable", size=len(message.data))
        elif not isinstance(frame, frames.Setup):
            yield frame
