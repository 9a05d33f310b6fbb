"""A telephone channel's routes: the start of a call, its stream, and what comes after it.

A request is believed only with its proof; a stream moreover only with a ticket, which opens it once. Addresses that the
provider signs are rebuilt from the public address of the settings, as a proxy may have changed them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import parse_qsl

import structlog
from aiohttp import web
from prometheus_client import Counter, Gauge, Histogram

from db.calls import CallRecord
from db.directory import Directory
from db.errors import TooManyUpdates
from db.limits import Budget, RateLimits
from db.records import Channel, ChannelType
from handlers.body import read_body, refuse_large
from handlers.voice import frames, twiml
from handlers.voice.call import Call, Pace
from handlers.voice.desk import MOST_CONNECTIONS, CallDesk, VoiceOptions, spoken_of
from handlers.voice.gather import Asked, Gathering
from handlers.voice.proof import TWILIO_HEADER, is_scenario, is_twilio
from handlers.voice.wire import incoming, read_setup, sender
from locales import Translator
from orchestration.identity import find_phones
from orchestration.messages import CallEvent
from orchestration.ports import Clock
from orchestration.privacy_notice import Notice
from orchestration.turns import CallEnd

log = structlog.get_logger()

FORM_LIMIT = 64 * 1024
MOST_FIELDS = 200
PER_NUMBER = Budget(rate=20, per=timedelta(seconds=1), burst=200)
"""Requests about a number's calls: far more than its lines can make."""
LONGEST_SID = 128
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
        clock: Clock,
        limits: RateLimits,
        pace: Pace | None = None,
    ) -> None:
        self._directory = directory
        self._desk = desk
        self._public_url = (public_url or "").rstrip("/")
        self._address_of = address_of
        self._pace = pace or Pace()
        self._clock = clock
        self._limits = limits
        self._gathering = Gathering(self._pace)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, each also without `/api`."""
        found = []
        for prefix in ("/api", ""):
            base = f"{prefix}/v1/voice"
            found += [
                web.post(f"{base}/webhook/{{webhook_token}}", self._on_call),
                web.get(f"{base}/stream/{{webhook_token}}", self._on_stream),
                web.post(f"{base}/action/{{webhook_token}}", self._on_action),
                web.post(f"{base}/turn/{{webhook_token}}", self._on_turn),
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
        notice = await self._desk.find_notice(channel, form["CallSid"], caller, texts)
        if notice is not None:
            greeting = f"{greeting} {notice.text}"
        return await self._connect(request, channel, form["CallSid"], caller, greeting, notice=notice)

    async def _lines_are_busy(self, channel: Channel) -> bool:
        options = VoiceOptions.of(channel)
        longest = timedelta(minutes=options.longest_minutes + 1)
        return await self._desk.open_lines(channel, longest=longest) >= options.lines

    async def _connect(
        self,
        request: web.Request,
        channel: Channel,
        call: str,
        caller: str | None,
        greeting: str,
        resume: str = "",
        notice: Notice | None = None,
    ) -> web.Response:
        spoken, _ = spoken_of(channel, await self._desk.snapshot(channel))
        ticket = await self._desk.begin(channel, call, caller, notice=notice)
        if not VoiceOptions.of(channel).streams:
            return await self._without_stream(request, channel, call, greeting, resume)
        stream = twiml.Stream(
            url=self._address(request, "stream").replace("http", "ws", 1),
            action=self._address(request, "action"),
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
        fields = {"company_id": str(channel.company_id), "channel": channel.type.value, "channel_id": str(channel.id)}
        structlog.contextvars.bind_contextvars(**fields)
        await self._serve(socket, channel, by_twilio=by_twilio)
        return socket

    async def _serve(self, socket: web.WebSocketResponse, channel: Channel, *, by_twilio: bool) -> None:
        setup = await read_setup(socket)
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
            sender(socket),
            rules=VoiceOptions.of(channel).rules,
            pace=self._pace,
            greeting=_length(parameters.get("greeting", ""), texts),
        )
        with (
            structlog.contextvars.bound_contextvars(dialogue_id=str(record.dialogue_id)),
            CALLS_OPEN.track_inprogress(),
        ):
            outcome = await call.run(incoming(socket), resumed)
        await self._ended(socket, channel, record, outcome)

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
            return _answer(twiml.dial(number, action=self._address(request, "action")))
        still_there = form.get("CallStatus") == "in-progress"
        failed = form.get("SessionStatus") == "failed"
        if failed and still_there and record.ended_at is None and record.connections < MOST_CONNECTIONS:
            return await self._connect(request, channel, call, record.caller, texts.text("call-again"))
        await self._finish(channel, call, "dropped" if failed else "hung_up", _event(failed))
        return _answer(twiml.hang_up())

    # ---- without a stream ------------------------------------------------------------------------------------------

    async def _on_turn(self, request: web.Request) -> web.Response:
        """Answer what was said, where each thing said is a request of its own."""
        channel, form = await self._proved_form(request)
        record = await self._desk.find(channel, form["CallSid"])
        if record is None or (record.ended_at is not None and not self._gathering.knows(record, request.query)):
            return _answer(twiml.hang_up())
        call = await self._asked(request, channel, record)
        if self._clock() - record.started_at > timedelta(minutes=VoiceOptions.of(channel).longest_minutes):
            return await self._said(
                request, channel, call, call.texts.text("call-too-long"), CallEnd(reason="too_long")
            )
        return await self._said(request, channel, call, *await self._gathering.take(call, request.query, form))

    async def _without_stream(
        self, request: web.Request, channel: Channel, key: str, greeting: str, resume: str
    ) -> web.Response:
        record = await self._desk.find(channel, key)
        if record is None:
            raise web.HTTPNotFound
        call = await self._asked(request, channel, record)
        if resume:
            return await self._said(request, channel, call, *await self._gathering.tell(call, CallEvent(resume)))
        return _answer(call.ask(greeting))

    async def _asked(self, request: web.Request, channel: Channel, record: CallRecord) -> Asked:
        spoken, texts = spoken_of(channel, await self._desk.snapshot(channel))
        return Asked(
            record=record,
            turns=self._desk.turns(channel, record),
            action=self._address(request, "turn"),
            spoken=spoken,
            texts=texts,
        )

    async def _said(
        self, request: web.Request, channel: Channel, call: Asked, document: str, ending: CallEnd | None
    ) -> web.Response:
        """Return the document, or the call's last words and what ends it."""
        if ending is None:
            return _answer(document)
        if ending.transfer_to is not None:
            after = self._address(request, "action")
            return _answer(twiml.dial(ending.transfer_to, action=after, first=document, spoken=call.spoken))
        await self._finish(channel, call.record.key, ending.reason, CallEvent.ENDED)
        return _answer(twiml.say_and_hang_up(document, call.spoken))

    def _address(self, request: web.Request, what: str) -> str:
        """Return the public address of one of this channel's routes."""
        return f"{self._public_url}/api/v1/voice/{what}/{request.match_info['webhook_token']}"

    # ---- who knocks --------------------------------------------------------------------------------------------------

    async def _channel(self, request: web.Request) -> Channel:
        channel = await self._directory.find_channel(
            request.match_info["webhook_token"], asked_by=self._address_of(request)
        )
        if channel is None or channel.type is not ChannelType.VOICE or not self._public_url:
            raise web.HTTPNotFound
        return channel

    async def _proved_form(self, request: web.Request) -> tuple[Channel, Mapping[str, str]]:
        """Return who is called and what is told. The order at the door: size, token, the provider's proof, rate."""
        refuse_large(request, most=FORM_LIMIT)
        channel = await self._channel(request)
        secrets = self._desk.secrets(channel)
        form = _form(request, await read_body(request, most=FORM_LIMIT))
        given = request.headers.get(TWILIO_HEADER, "")
        url = self._public_url + request.path_qs
        if "auth_token" not in secrets or not is_twilio(secrets["auth_token"], url, form, given):
            log.warning("voice_proof_failed", remote=self._address_of(request))
            raise web.HTTPForbidden
        wait = await self._limits.spend(f"calls:{channel.id}", PER_NUMBER)
        if wait is not None:
            raise TooManyUpdates(wait)
        if not _is_sid(form.get("CallSid", "")):
            raise web.HTTPBadRequest(reason="CallSid is missing")
        return channel, form


def _form(request: web.Request, body: bytes) -> Mapping[str, str]:
    """Read a form as Twilio sends it; what is none has no fields, and so no signature that fits.

    Nothing else is read before it is proved, least of all parts and files.
    """
    if request.content_type != "application/x-www-form-urlencoded":
        return {}
    try:
        # A name that comes twice counts once: the last.
        return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        return {}


def _is_sid(name: str) -> bool:
    return name.isascii() and name.isprintable() and 0 < len(name) <= LONGEST_SID


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
