"""The Bot API's methods, each with its own refusals in Telegram's words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from sandbox.telegram.rates import Rates, TooManyMessages
from sandbox.telegram.state import Bot, Chat, ChatMessage, Json, State
from sandbox.telegram.text import BadRequest, check_markup, check_text, units

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
_ONLY_IN_GET_ME = (
    "can_join_groups",
    "can_read_all_group_messages",
    "supports_guest_queries",
    "supports_inline_queries",
    "can_connect_to_business",
    "has_main_web_app",
    "has_topics_enabled",
    "allows_users_to_create_topics",
    "can_manage_bots",
    "supports_join_request_queries",
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Refused(Exception):
    """A failure as the Bot API answers it."""

    def __init__(self, code: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


class Methods:
    """What a bot may ask for."""

    def __init__(self, state: State, rates: Rates) -> None:
        self.state = state
        self._rates = rates
        self._by_name: dict[str, Callable[[Bot, Json], Awaitable[Any]]] = {
            name.removeprefix("_on_").lower(): getattr(self, name) for name in dir(self) if name.startswith("_on_")
        }

    async def call(self, bot: Bot, method: str, parameters: Json) -> Any:
        """Run a method by its name, whatever its case. Raises Refused, BadRequest."""
        handler = self._by_name.get(method.lower())
        if handler is None:
            raise Refused(404, "Not Found: method not found")
        return await handler(bot, parameters)

    async def _on_getBusinessConnection(self, bot: Bot, parameters: Json) -> Json:
        connection = bot.connections.get(str(parameters.get("business_connection_id", "")))
        if connection is None:
            raise Refused(400, "Bad Request: BUSINESS_CONNECTION_INVALID")
        return connection

    async def _on_getMe(self, bot: Bot, _: Json) -> Json:
        return {**bot.as_json(), **dict.fromkeys(_ONLY_IN_GET_ME, False), "can_join_groups": True}

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
        if bot.webhook.url:
            info["ip_address"] = "127.0.0.1"
        if bot.allowed_updates:
            info["allowed_updates"] = bot.allowed_updates
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
        markup = check_markup(parameters.get("reply_markup"), chat.type)
        try:
            self._rates.take(bot, chat)
        except TooManyMessages as error:
            wait = error.retry_after
            raise Refused(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait}) from error
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
        markup = check_markup(parameters.get("reply_markup"), chat.type)
        return self._edit(bot, chat, message, text, markup)

    async def _on_editMessageReplyMarkup(self, bot: Bot, parameters: Json) -> Json:
        chat = self._chat(bot, parameters)
        message = self._own_message(chat, parameters)
        return self._edit(bot, chat, message, message.text, check_markup(parameters.get("reply_markup"), chat.type))

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
        return {**self._chat(bot, parameters).as_json(), "accent_color_id": 0}

    # ---- what they share

    def _chat(self, bot: Bot, parameters: Json) -> Chat:
        try:
            chat_id = int(parameters["chat_id"])
        except (KeyError, ValueError) as error:
            raise BadRequest("chat_id is empty" if "chat_id" not in parameters else "chat not found") from error
        if parameters.get("business_connection_id"):
            return self._business_chat(bot, str(parameters["business_connection_id"]), chat_id)
        chat = bot.chats.get(chat_id)
        if chat is None:
            known = any(chat_id in other.chats for other in self.state.bots.values())
            if known:
                raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
            raise Refused(400, "Bad Request: chat not found")
        if chat.deactivated:
            raise Refused(403, "Forbidden: user is deactivated")
        if chat.blocked and chat.type == "private":
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat.blocked:
            raise Refused(403, "Forbidden: bot was kicked from the supergroup chat")
        return chat

    def _business_chat(self, bot: Bot, connection_id: str, chat_id: int) -> Chat:
        """Return the owner's chat with a client, where the bot may write."""
        connection = bot.connections.get(connection_id)
        if connection is None or not connection["is_enabled"]:
            raise Refused(400, "Bad Request: BUSINESS_CONNECTION_INVALID")
        if not connection["rights"].get("can_reply"):
            raise Refused(403, "Forbidden: BUSINESS_CONNECTION_NOT_ALLOWED")
        chat = bot.business_chats.get((connection_id, chat_id))
        if chat is None:
            raise Refused(400, "Bad Request: BUSINESS_PEER_INVALID")
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
        message.rewritten += text != message.text
        message.text, message.markup, message.seq = text, markup, self.state.seq()
        message.edited_at = self.state.now()
        return self.state.message_json(bot, chat, message)

    def _allow(self, bot: Bot, parameters: Json) -> None:
        if isinstance(parameters.get("allowed_updates"), list):
            bot.allowed_updates = [str(one) for one in parameters["allowed_updates"]]

    async def _on_getFile(self, bot: Bot, parameters: Json) -> Json:
        """Tell where a file that a client sent can be fetched; the Bot API gives no more than 20 MB."""
        file_id = str(parameters.get("file_id", ""))
        if file_id not in bot.files:
            raise BadRequest("invalid file_id" if file_id else "file_id not specified")
        size = len(bot.files[file_id])
        if size > 20 * 1024 * 1024:
            raise BadRequest("file is too big")
        return {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_size": size, "file_path": f"files/{file_id}"}

    async def _on_setMyDescription(self, bot: Bot, parameters: Json) -> bool:
        if units(str(parameters.get("description", ""))) > 512:
            raise BadRequest("BOT_DESCRIPTION_TOO_LONG")
        bot.descriptions[str(parameters.get("language_code", ""))] = str(parameters.get("description", ""))
        return True

    async def _on_setMyShortDescription(self, bot: Bot, parameters: Json) -> bool:
        if units(str(parameters.get("short_description", ""))) > 120:
            raise BadRequest("BOT_SHORT_DESCRIPTION_TOO_LONG")
        return True
