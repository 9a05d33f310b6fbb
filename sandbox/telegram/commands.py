"""Methods for what a bot's profile shows: its commands (for all, or for a BotCommandScope), its descriptions."""

from __future__ import annotations

import re
from typing import Any

from sandbox.telegram.access import Access
from sandbox.telegram.state import Bot, Json
from sandbox.telegram.text import BadRequest, units

_FOR_ALL = frozenset({"all_private_chats", "all_group_chats", "all_chat_administrators"})
_OF_A_CHAT = frozenset({"chat", "chat_administrators", "chat_member"})


class Commands:
    """What is shown of a bot. Methods are called by the names that follow `_on_`."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def _on_setMyCommands(self, bot: Bot, parameters: Json) -> bool:
        commands = parameters.get("commands")
        if not isinstance(commands, list) or len(commands) > 100:
            raise BadRequest("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command", ""))):
                raise BadRequest("BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise BadRequest("BOT_COMMAND_DESCRIPTION_INVALID")
        self._shelf(bot, parameters)[str(parameters.get("language_code", ""))] = commands
        return True

    async def _on_getMyCommands(self, bot: Bot, parameters: Json) -> list[Json]:
        """Return the commands of exactly this scope and language."""
        return list(self._shelf(bot, parameters).get(str(parameters.get("language_code", "")), []))

    async def _on_deleteMyCommands(self, bot: Bot, parameters: Json) -> bool:
        self._shelf(bot, parameters).pop(str(parameters.get("language_code", "")), None)
        return True

    async def _on_setMyDescription(self, bot: Bot, parameters: Json) -> bool:
        if units(str(parameters.get("description", ""))) > 512:
            raise BadRequest("BOT_DESCRIPTION_TOO_LONG")
        bot.descriptions[str(parameters.get("language_code", ""))] = str(parameters.get("description", ""))
        return True

    async def _on_setMyShortDescription(self, bot: Bot, parameters: Json) -> bool:
        if units(str(parameters.get("short_description", ""))) > 120:
            raise BadRequest("BOT_SHORT_DESCRIPTION_TOO_LONG")
        return True

    def _shelf(self, bot: Bot, parameters: Json) -> Json:
        """Return where the commands of a scope are kept, by language."""
        scope = parameters.get("scope")
        if scope is None:
            return bot.commands
        if not isinstance(scope, dict):
            raise BadRequest("can't parse BotCommandScope: BotCommandScope must be an Object")
        key = self._key(bot, scope)
        shelf: dict[str, Any] = bot.commands if key == "default" else bot.scoped_commands.setdefault(key, {})
        return shelf

    def _key(self, bot: Bot, scope: Json) -> str:
        kind = str(scope.get("type", ""))
        if kind == "default" or kind in _FOR_ALL:
            return kind
        if kind not in _OF_A_CHAT:
            raise BadRequest("can't parse BotCommandScope: Unsupported type specified")
        chat = self._access.chat(bot, scope, to_read=True)
        if kind != "chat_member":
            return f"{kind}:{chat.user.id}"
        if int(scope.get("user_id") or 0) <= 0:
            raise BadRequest("can't parse BotCommandScope: Invalid user_id specified")
        return f"{kind}:{chat.user.id}:{scope['user_id']}"
