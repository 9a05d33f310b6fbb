"""The Bot API's methods, each with its own refusals in Telegram's words: those that any bot needs are here, what is
done in chats stands in sending.py, forum.py and membership.py, what is shown of a bot in commands.py.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from sandbox.telegram.access import Access, Refused, is_true
from sandbox.telegram.commands import Commands
from sandbox.telegram.forum import Forum
from sandbox.telegram.groups import GroupPost
from sandbox.telegram.membership import Membership
from sandbox.telegram.rates import Rates
from sandbox.telegram.sending import Sending
from sandbox.telegram.state import Bot, Json, State
from sandbox.telegram.text import BadRequest, units

_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
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


class Methods:
    """What a bot may ask for."""

    def __init__(self, state: State, rates: Rates, post: GroupPost) -> None:
        self.state = state
        access = Access(state, rates)
        parts = (
            self,
            Sending(state, access, post),
            Forum(access, post),
            Membership(state, access, post),
            Commands(access),
        )
        self._by_name: dict[str, Callable[[Bot, Json], Awaitable[Any]]] = {
            name.removeprefix("_on_").lower(): getattr(part, name)
            for part in parts
            for name in dir(part)
            if name.startswith("_on_")
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
        can = {"can_join_groups": True, "can_read_all_group_messages": not bot.privacy}
        return {**bot.as_json(), **dict.fromkeys(_ONLY_IN_GET_ME, False), **can}

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
        if is_true(parameters.get("drop_pending_updates")):
            bot.updates.clear()
        return True

    async def _on_deleteWebhook(self, bot: Bot, parameters: Json) -> bool:
        bot.webhook.url = ""
        if is_true(parameters.get("drop_pending_updates")):
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

    async def _on_answerCallbackQuery(self, bot: Bot, parameters: Json) -> bool:
        query_id = str(parameters.get("callback_query_id", ""))
        text = str(parameters.get("text", ""))
        if units(text) > 200:
            raise BadRequest("MESSAGE_TOO_LONG")
        if bot.callbacks.get(query_id) != "waiting":
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        bot.callbacks[query_id] = "answered"
        chat = bot.pressed_in.pop(query_id, None)
        if chat is not None:
            alert = is_true(parameters.get("show_alert"))
            chat.answered.append({"callback_query_id": query_id, "text": text, "show_alert": alert})
        return True

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
