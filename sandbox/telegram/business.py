"""Telegram Business: an owner connects a bot to their own account, and clients write to the owner (Bot API:
BusinessConnection, BusinessBotRights, Update.business_message)."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.telegram.state import Bot, Chat, ChatMessage, Json, State, User


class Business:
    """What owners and their clients do."""

    def __init__(self, state: State, queue: Callable[[Bot, str, Json], int]) -> None:
        self._state = state
        self._queue = queue

    async def connect(self, bot_id: int, owner: User, *, can_reply: bool = True, enabled: bool = True) -> str:
        """Connect the bot to the owner's account, or change that; return the connection's id."""
        bot = self._state.bots[bot_id]
        connection = {
            "id": f"bc{owner.id}",
            "user": owner.as_json(),
            "user_chat_id": owner.id,
            "date": self._state.now(),
            "rights": {"can_reply": True} if can_reply else {},
            "is_enabled": enabled,
        }
        bot.connections[str(connection["id"])] = connection
        self._queue(bot, "business_connection", connection)
        await self._state.tell()
        return str(connection["id"])

    async def write(self, bot_id: int, connection_id: str, client: User, text: str, *, by_owner: bool = False) -> int:
        """Let the client write to the owner, or the owner to the client; the bot sees both."""
        bot = self._state.bots[bot_id]
        chat = bot.business_chats.setdefault((connection_id, client.id), Chat(user=client))
        message = ChatMessage(
            seq=self._state.seq(),
            message_id=chat.take_message_id(bot),
            from_bot=False,
            text=text,
            date=self._state.now(),
        )
        chat.messages.append(message)
        event = self._state.message_json(bot, chat, message) | {"business_connection_id": connection_id}
        if by_owner:
            event["from"] = bot.connections[connection_id]["user"]
        update_id = self._queue(bot, "business_message", event)
        await self._state.tell()
        return update_id

    def texts_from_bot(self, bot_id: int, connection_id: str, client: User) -> list[str]:
        """Return what the bot has said in the owner's name."""
        chat = self._state.bots[bot_id].business_chats.get((connection_id, client.id))
        return [one.text for one in chat.messages if one.from_bot] if chat else []
