"""A local Telegram: the Bot API as its documentation has it, with the people who write to the bots.

Written after the Bot API 10.1 description, and where that is silent after the server's own source. It refuses what
Telegram refuses; every refusal for a broken limit is kept in `violations`, so that a suite can assert that our client
broke none. One thing is looser: a webhook's address may be http:// on a loopback address, where the real one demands
https.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox.telegram.access import Refused
from sandbox.telegram.business import Business
from sandbox.telegram.delivery import Delivery
from sandbox.telegram.files import Upload
from sandbox.telegram.group_life import GroupLife
from sandbox.telegram.groups import Group, GroupPost, Room, Standing
from sandbox.telegram.methods import Methods
from sandbox.telegram.people import People
from sandbox.telegram.rates import GROUP_PER_MINUTE, Rates
from sandbox.telegram.state import Bot, Json, State, User
from sandbox.telegram.text import BadRequest

_TOKEN = re.compile(r"\d+:[\w-]{30,}")
_DESCRIPTIONS = {"setwebhook": "Webhook was set", "deletewebhook": "Webhook was deleted"}
_LARGEST_REQUEST = 60 * 1024 * 1024
_JSON_PARAMETERS = frozenset(
    [
        "reply_markup",
        "allowed_updates",
        "commands",
        "entities",
        "caption_entities",
        "reply_parameters",
        "scope",
        "reaction",
    ]
)
_UPDATE_TYPES_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass(slots=True)
class Fault:
    """What the next calls of a method meet: an error, a wait, or a connection cut after the effect."""

    times: int
    code: int = 500
    retry_after: int | None = None
    hang_s: float = 0
    cut_after: bool = False


class TelegramSandbox:
    """The server. `people` are those who write to the bots."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] | None = None,
        retry_base_s: float = 1.0,
        chat_burst: int = 20,
        chat_per_s: float = 1.0,
        bot_per_s: float = 30.0,
        group_per_minute: int = GROUP_PER_MINUTE,
    ) -> None:
        self.state = State(clock)
        self.people = People(self.state, self._queue)
        self.business = Business(self.state, self._queue)
        self.groups: dict[int, GroupLife] = {}
        self.violations: list[Json] = []
        self.floods = 0
        """How many messages were refused because too many had come."""
        self.calls: deque[Json] = deque(maxlen=5000)
        self.url = ""
        self._faults: dict[str, Fault] = {}
        self._delivery = Delivery(self.state, self._execute, retry_base_s=retry_base_s)
        rates = Rates(
            chat_burst=chat_burst, chat_per_s=chat_per_s, bot_per_s=bot_per_s, group_per_minute=group_per_minute
        )
        self._post = GroupPost(self.state, self._queue)
        self._methods = Methods(self.state, rates, self._post)
        self._runner: web.AppRunner | None = None

    def add_bot(
        self, token: str, *, username: str = "sandbox_bot", first_name: str = "Бот", privacy: bool = True
    ) -> Bot:
        """Register a bot, as BotFather does; with its privacy mode on, as for every new one."""
        if not _TOKEN.fullmatch(token):
            raise ValueError("a bot token is <digits>:<35 letters>")
        bot = Bot(id=int(token.split(":")[0]), token=token, username=username, first_name=first_name)
        bot.privacy = privacy
        self.state.bots[bot.id] = bot
        return bot

    def group(
        self, title: str, *, owner: User, forum: bool = False, basic: bool = False, group_id: int | None = None
    ) -> GroupLife:
        """Found a group: a supergroup, with topics if `forum`; a small group of the old kind if `basic`."""
        if forum and basic:
            raise ValueError("a basic group has no topics")
        default = -(500 + len(self.groups)) if basic else -(1_000_000_000_500 + len(self.groups))
        number = default if group_id is None else group_id
        if number >= 0 or number in self.groups:
            raise ValueError("a group's id is negative and its own")
        group = Group(user=User(id=number, first_name=title), basic=basic, forum=forum)
        group.people[owner.id] = owner
        group.standings[owner.id] = Standing(status="creator")
        self.groups[number] = GroupLife(Room(group, self.state, self._post, self._queue))
        return self.groups[number]

    def fail_next(self, method: str, *, times: int = 1, **fault: Any) -> None:
        """Let the next calls of a method fail (see Fault)."""
        self._faults[method.lower()] = Fault(times, **fault)

    def clear_faults(self) -> None:
        """Forget the failures still waiting."""
        self._faults.clear()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; return the base address that clients of the Bot API are given."""
        application = web.Application(client_max_size=_LARGEST_REQUEST)
        self.add_routes(application)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"
        await self._delivery.start()
        return self.url

    async def stop(self) -> None:
        await self._delivery.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def add_routes(self, application: web.Application) -> None:
        """Mount the Bot API, and the people's side under /sandbox/telegram."""
        application.router.add_route("*", "/bot{token}/{method}", self._call)
        application.router.add_get("/file/bot{token}/files/{file_id}", self._file)
        application.add_routes(self.people.routes())

    # ---- one call

    async def _call(self, request: web.Request) -> web.StreamResponse:
        token, method = request.match_info["token"], request.match_info["method"].lower()
        if not _TOKEN.fullmatch(token):
            return _failure(Refused(404, "Not Found"))
        bot = self.state.find_bot(token)
        if bot is None:
            return _failure(Refused(401, "Unauthorized"))
        try:
            parameters = await _parameters(request)
        except ValueError as error:
            return _failure(Refused(400, f"Bad Request: {error}"))
        except web.HTTPRequestEntityTooLarge:
            return _failure(Refused(413, "Request Entity Too Large"))
        self.calls.append({"bot": bot.id, "method": method, "parameters": _without_bodies(parameters)})
        fault = self._faults.get(method)
        if fault is not None and fault.times > 0:
            fault.times -= 1
            if fault.hang_s:
                await asyncio.sleep(fault.hang_s)
            if not fault.cut_after and not fault.hang_s:
                extra = {"retry_after": fault.retry_after} if fault.retry_after else None
                return _failure(Refused(fault.code, _reason(fault), extra))
        try:
            result = await self._execute(bot, method, parameters)
        except Refused as refused:
            return _failure(refused)
        if fault is not None and fault.cut_after and request.transport is not None:
            fault.cut_after = fault.times > 0
            request.transport.close()
        words = {"description": _DESCRIPTIONS[method]} if method in _DESCRIPTIONS else {}
        return web.json_response({"ok": True, "result": result, **words})

    async def _file(self, request: web.Request) -> web.Response:
        bot = self.state.find_bot(request.match_info["token"])
        body = bot.files.get(request.match_info["file_id"]) if bot else None
        if body is None:
            return _failure(Refused(404, "Not Found"))
        return web.Response(body=body, content_type="application/octet-stream")

    async def _execute(self, bot: Bot, method: str, parameters: Json) -> Any:
        """Run a method; a refusal for a broken limit is remembered."""
        try:
            result = await self._methods.call(bot, method, parameters)
        except BadRequest as error:
            self.violations.append({"method": method, "why": str(error)})
            raise Refused(400, f"Bad Request: {error}") from error
        except Refused as refused:
            self.floods += refused.code == 429
            raise
        await self.state.tell()
        return result

    def _queue(self, bot: Bot, kind: str, event: Json) -> int:
        """Put an update in the bot's queue, if the bot asked for its kind; return its id."""
        update_id = bot.next_update
        bot.next_update += 1
        wanted = kind in bot.allowed_updates if bot.allowed_updates else kind not in _UPDATE_TYPES_NOT_BY_DEFAULT
        if wanted:
            bot.updates.append({"update_id": update_id, kind: event})
        return update_id


async def _parameters(request: web.Request) -> Json:
    """Read parameters from the query, a form or JSON; in forms, objects come as JSON strings."""
    parameters: Json = {name: _decoded(name, value) for name, value in request.query.items()}
    if request.method == "POST" and request.can_read_body:
        if request.content_type == "application/json":
            body = await request.json()
            if not isinstance(body, dict):
                raise ValueError("object expected")
            return {**parameters, **body}
        form = await request.post()
        for name, value in form.items():
            if isinstance(value, str):
                parameters[name] = _decoded(name, value)
            elif isinstance(value, web.FileField):
                parameters[name] = Upload(value.filename, value.file.read(), value.content_type)
            else:
                parameters[name] = Upload(name, bytes(value))
    return parameters


def _without_bodies(parameters: Json) -> Json:
    """Return what is remembered of a call: of files, the names and sizes."""
    return {
        name: {"file": value.name, "size": len(value.body)} if isinstance(value, Upload) else value
        for name, value in parameters.items()
    }


def _decoded(name: str, value: str) -> Any:
    if name in _JSON_PARAMETERS:
        with contextlib.suppress(ValueError):
            return json.loads(value)
        raise ValueError(f"can't parse {name} JSON object")
    return value


def _reason(fault: Fault) -> str:
    known = {
        429: f"Too Many Requests: retry after {fault.retry_after}",
        502: "Bad Gateway",
        500: "Internal Server Error",
    }
    return known.get(fault.code, "Forbidden: bot was blocked by the user" if fault.code == 403 else "Error")


def _failure(refused: Refused) -> web.Response:
    body: Json = {"ok": False, "error_code": refused.code, "description": refused.description}
    if refused.parameters:
        body["parameters"] = refused.parameters
    return web.json_response(body, status=refused.code)
