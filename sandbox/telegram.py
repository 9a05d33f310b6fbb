"""A local Telegram: the Bot API as its documentation has it, with the people who write to the bots.

Written after the Bot API 10.1 description. It refuses what Telegram refuses; every refusal for a broken limit is kept
in `violations`, so that a suite can assert that our client broke none. One thing is looser: a webhook's address may be
http:// on a loopback address, where the real one demands https.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from sandbox.telegram_delivery import Delivery
from sandbox.telegram_people import People
from sandbox.telegram_state import Bot, Chat, ChatMessage, Json, State
from sandbox.telegram_text import BadRequest, check_markup, check_text, units

_TOKEN = re.compile(r"\d+:[\w-]{30,}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_ACTIONS = frozenset(
    [
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    ]
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_UPDATE_TYPES_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


class Refused(Exception):
    """A failure as the Bot API answers it."""

    def __init__(self, code: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


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
    ) -> None:
        self.state = State(clock)
        self.people = People(self.state, self._queue)
        self.violations: list[Json] = []
        self.calls: deque[Json] = deque(maxlen=5000)
        self.url = ""
        self._faults: dict[str, Fault] = {}
        self._delivery = Delivery(self.state, self._execute, retry_base_s=retry_base_s)
        self._buckets: dict[tuple[int, int], tuple[float, float]] = {}
        self._burst = chat_burst
        self._per_s = chat_per_s
        self._runner: web.AppRunner | None = None
        self._methods: dict[str, Callable[[Bot, Json], Awaitable[Any]]] = {
            name.removeprefix("_on_").lower(): getattr(self, name) for name in dir(self) if name.startswith("_on_")
        }

    def add_bot(self, token: str, *, username: str = "sandbox_bot", first_name: str = "Бот") -> Bot:
        """Register a bot, as BotFather does."""
        if not _TOKEN.fullmatch(token):
            raise ValueError("a bot token is <digits>:<35 letters>")
        bot = Bot(id=int(token.split(":")[0]), token=token, username=username, first_name=first_name)
        self.state.bots[bot.id] = bot
        return bot

    def fail_next(self, method: str, *, times: int = 1, **fault: Any) -> None:
        """Let the next calls of a method fail (see Fault)."""
        self._faults[method.lower()] = Fault(times, **fault)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; return the base address that clients of the Bot API are given."""
        application = web.Application(client_max_size=60 * 1024 * 1024)
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
        self.calls.append({"bot": bot.id, "method": method, "parameters": parameters})
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
        return web.json_response({"ok": True, "result": result})

    async def _execute(self, bot: Bot, method: str, parameters: Json) -> Any:
        """Run a method; a refusal for a broken limit is remembered."""
        handler = self._methods.get(method)
        if handler is None:
            raise Refused(404, "Not Found: method not found")
        try:
            result = await handler(bot, parameters)
        except BadRequest as error:
            self.violations.append({"method": method, "why": str(error)})
            raise Refused(400, f"Bad Request: {error}") from error
        await self.state.tell()
        return result

    # ---- methods

    async def _on_getMe(self, bot: Bot, _: Json) -> Json:
        return {**bot.as_json(), "can_join_groups": True, "can_read_all_group_messages": False}

    async def _on_setWebhook(self, bot: Bot, parameters: Json) -> bool:
        url = str(parameters.get("url", ""))
        secret = parameters.get("secret_token")
        if url:
            parts = urlsplit(url)
            if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
                raise BadRequest("bad webhook: An HTTPS URL must be provided for webhook")
            if secret is not None and not _SECRET.fullmatch(str(secret)):
                raise BadRequest("secret token contains unallowed characters")
        most = int(parameters.get("max_connections", 40))
        if not 1 <= most <= 100:
            raise BadRequest("max_connections must be between 1 and 100")
        self._allow(bot, parameters)
        bot.webhook.url, bot.webhook.secret_token, bot.webhook.max_connections = url, secret, most
        bot.webhook.last_error_date = bot.webhook.last_error_message = None
        if parameters.get("drop_pending_updates") in (True, "true", "True"):
            bot.updates.clear()
        return True

    async def _on_deleteWebhook(self, bot: Bot, parameters: Json) -> bool:
        bot.webhook.url = ""
        if parameters.get("drop_pending_updates") in (True, "true", "True"):
            bot.updates.clear()
        return True

    async def _on_getWebhookInfo(self, bot: Bot, _: Json) -> Json:
        info: Json = {
            "url": bot.webhook.url,
            "has_custom_certificate": False,
            "pending_update_count": len(bot.updates),
            "max_connections": bot.webhook.max_connections,
        }
        if bot.webhook.last_error_date:
            info["last_error_date"] = bot.webhook.last_error_date
            info["last_error_message"] = bot.webhook.last_error_message
        return info

    async def _on_getUpdates(self, bot: Bot, parameters: Json) -> list[Json]:
        """Forget what lies before the offset, then wait for something at most `timeout` seconds."""
        if bot.webhook.url:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first")
        if bot.polling:
            raise Refused(409, "Conflict: terminated by other getUpdates request; only one bot instance may run")
        self._allow(bot, parameters)
        offset = int(parameters.get("offset") or 0)
        while bot.updates and offset > 0 and bot.updates[0]["update_id"] < offset:
            bot.delivered.append(bot.updates.popleft())
        bot.polling = True
        try:
            async with asyncio.timeout(min(float(parameters.get("timeout") or 0), 50)), self.state.changed:
                await self.state.changed.wait_for(lambda: bool(bot.updates))
        except TimeoutError:
            pass
        finally:
            bot.polling = False
        return list(bot.updates)[: max(1, min(int(parameters.get("limit") or 100), 100))]

    async def _on_sendMessage(self, bot: Bot, parameters: Json) -> Json:
        chat = self._chat(bot, parameters)
        if "text" not in parameters:
            raise BadRequest("message text is empty")
        text = check_text(str(parameters["text"]), parameters.get("parse_mode"))
        markup = check_markup(parameters.get("reply_markup"), "private")
        self._take_turn(bot, chat)
        if markup is not None and "keyboard" in markup:
            chat.reply_keyboard = markup
        elif markup is not None and "remove_keyboard" in markup:
            chat.reply_keyboard = None
        message = ChatMessage(
            seq=self.state.seq(),
            message_id=bot.next_message,
            from_bot=True,
            text=text,
            date=self.state.now(),
            markup=markup,
        )
        bot.next_message += 1
        chat.typing_at = None
        chat.messages.append(message)
        return self.state.message_json(bot, chat, message)

    async def _on_editMessageText(self, bot: Bot, parameters: Json) -> Json:
        chat = self._chat(bot, parameters)
        message = self._own_message(chat, parameters)
        text = check_text(str(parameters.get("text", "")), parameters.get("parse_mode"))
        markup = check_markup(parameters.get("reply_markup"), "private")
        return self._edit(bot, chat, message, text, markup)

    async def _on_editMessageReplyMarkup(self, bot: Bot, parameters: Json) -> Json:
        chat = self._chat(bot, parameters)
        message = self._own_message(chat, parameters)
        return self._edit(bot, chat, message, message.text, check_markup(parameters.get("reply_markup"), "private"))

    async def _on_deleteMessage(self, bot: Bot, parameters: Json) -> bool:
        chat = self._chat(bot, parameters)
        wanted = int(parameters.get("message_id", 0))
        message = next((one for one in chat.messages if one.message_id == wanted and not one.deleted), None)
        if message is None:
            raise Refused(400, "Bad Request: message to delete not found")
        message.deleted, message.seq = True, self.state.seq()
        return True

    async def _on_answerCallbackQuery(self, bot: Bot, parameters: Json) -> bool:
        query_id = str(parameters.get("callback_query_id", ""))
        if units(str(parameters.get("text", ""))) > 200:
            raise BadRequest("MESSAGE_TOO_LONG")
        if bot.callbacks.get(query_id) != "waiting":
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        bot.callbacks[query_id] = "answered"
        return True

    async def _on_sendChatAction(self, bot: Bot, parameters: Json) -> bool:
        chat = self._chat(bot, parameters)
        if parameters.get("action") not in _ACTIONS:
            raise BadRequest("wrong parameter action in request")
        chat.typing_at = float(self.state.now())
        return True

    async def _on_setMyCommands(self, bot: Bot, parameters: Json) -> bool:
        commands = parameters.get("commands")
        if not isinstance(commands, list) or len(commands) > 100:
            raise BadRequest("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", ""))):
                raise BadRequest("BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise BadRequest("BOT_COMMAND_DESCRIPTION_INVALID")
        bot.commands[str(parameters.get("language_code", ""))] = commands
        return True

    async def _on_getChat(self, bot: Bot, parameters: Json) -> Json:
        person = self._chat(bot, parameters).user
        return {"id": person.id, "type": "private", "first_name": person.first_name, "accent_color_id": 0}

    # ---- what they share

    def _chat(self, bot: Bot, parameters: Json) -> Chat:
        try:
            chat_id = int(parameters["chat_id"])
        except (KeyError, ValueError) as error:
            raise BadRequest("chat_id is empty" if "chat_id" not in parameters else "chat not found") from error
        chat = bot.chats.get(chat_id)
        if chat is None:
            known = any(chat_id in other.chats for other in self.state.bots.values())
            if known:
                raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
            raise Refused(400, "Bad Request: chat not found")
        if chat.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        return chat

    def _own_message(self, chat: Chat, parameters: Json) -> ChatMessage:
        wanted = int(parameters.get("message_id", 0))
        message = next((one for one in chat.messages if one.message_id == wanted and not one.deleted), None)
        if message is None:
            raise Refused(400, "Bad Request: message to edit not found")
        if not message.from_bot:
            raise Refused(400, "Bad Request: message can't be edited")
        return message

    def _edit(self, bot: Bot, chat: Chat, message: ChatMessage, text: str, markup: Any) -> Json:
        if text == message.text and (markup or None) == (message.markup or None):
            raise Refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the "
                "same as a current content and reply markup of the message",
            )
        message.text, message.markup, message.edited, message.seq = text, markup, True, self.state.seq()
        return self.state.message_json(bot, chat, message)

    def _take_turn(self, bot: Bot, chat: Chat) -> None:
        """Keep the chat's pace: a burst, then about one message a second (Telegram's FAQ; never a contract)."""
        now = asyncio.get_running_loop().time()
        tokens, at = self._buckets.get((bot.id, chat.user.id), (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - at) * self._per_s)
        if tokens < 1:
            wait = max(1, round((1 - tokens) / self._per_s))
            raise Refused(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})
        self._buckets[(bot.id, chat.user.id)] = (tokens - 1, now)

    def _allow(self, bot: Bot, parameters: Json) -> None:
        if isinstance(parameters.get("allowed_updates"), list):
            bot.allowed_updates = [str(one) for one in parameters["allowed_updates"]]

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
        parameters |= {name: _decoded(name, value) for name, value in form.items() if isinstance(value, str)}
    return parameters


def _decoded(name: str, value: str) -> Any:
    if name in ("reply_markup", "allowed_updates", "commands", "entities", "reply_parameters", "scope"):
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
