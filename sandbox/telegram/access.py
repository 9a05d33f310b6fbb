"""What every method looks up first: the chat, the message, the topic, and whether the bot may.

The refusals are in the words of the Bot API server (check_chat, check_message_topic, check_reply_parameters in its
source) and of TDLib. [likely]: QUOTE_TEXT_INVALID, TOPIC_CLOSED come from Telegram's own servers, as bots report them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.telegram.groups import GENERAL_TOPIC, Group, Topic, thread_of_reply
from sandbox.telegram.rates import Rates, TooManyMessages
from sandbox.telegram.state import Bot, Chat, ChatMessage, Json, State
from sandbox.telegram.text import BadRequest, units

_PERMISSION_OF = {
    "text": ("can_send_messages", "text messages"),
    "photo": ("can_send_photos", "photos"),
    "voice": ("can_send_voice_notes", "voice notes"),
    "video": ("can_send_videos", "videos"),
    "document": ("can_send_documents", "documents"),
}


class Refused(Exception):
    """A failure as the Bot API answers it."""

    def __init__(self, code: int, description: str, parameters: Json | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a new message goes: its thread, what it answers, what else its JSON tells of that."""

    thread_id: int | None = None
    in_topic: bool = False
    reply_to: ChatMessage | None = None
    extra: Json


def is_true(value: Any) -> bool:
    """Read a Boolean as forms and JSON bring it."""
    return value is True or str(value).lower() in ("true", "1")


def number(parameters: Json, name: str) -> int:
    """Return an integer parameter; 0 where it is missing or none, as the server reads it."""
    try:
        return int(parameters.get(name) or 0)
    except (TypeError, ValueError):
        return 0


class Access:
    """Finds what a request is about. Every refusal is a Refused, or a BadRequest for what could never be right."""

    def __init__(self, state: State, rates: Rates) -> None:
        self._state = state
        self._rates = rates

    def chat(self, bot: Bot, parameters: Json, field: str = "chat_id", *, to_read: bool = False) -> Chat:
        """Return the chat that a request names, where the bot may write in it, or at least read."""
        try:
            chat_id = int(parameters[field])
        except (KeyError, ValueError) as error:
            raise BadRequest(f"{field} is empty" if field not in parameters else "chat not found") from error
        if parameters.get("business_connection_id"):
            return self._business_chat(bot, str(parameters["business_connection_id"]), chat_id)
        chat = bot.chats.get(chat_id)
        if chat is None:
            known = chat_id > 0 and any(chat_id in other.chats for other in self._state.bots.values())
            if known:
                raise Refused(403, "Forbidden: bot can't initiate conversation with a user")
            raise Refused(400, "Bad Request: chat not found")
        if isinstance(chat, Group):
            _check_standing(bot, chat, to_read=to_read)
        elif to_read:
            return chat
        elif chat.deactivated:
            raise Refused(403, "Forbidden: user is deactivated")
        elif chat.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
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

    def message(self, chat: Chat, parameters: Json, purpose: str) -> ChatMessage:
        """Return the message that a request names. `purpose`: "message to edit", as the refusal calls it."""
        message = chat.find(number(parameters, "message_id"))
        if message is None:
            raise Refused(400, f"Bad Request: {purpose} not found")
        return message

    def own_message(self, bot: Bot, chat: Chat, parameters: Json) -> ChatMessage:
        """Return a message that the bot itself sent and may change."""
        message = self.message(chat, parameters, "message to edit")
        if message.service or not is_own(bot, message):
            raise Refused(400, "Bad Request: message can't be edited")
        return message

    def place(self, bot: Bot, chat: Chat, parameters: Json) -> Place:
        """Return where a message that the bot sends goes."""
        topic = self._topic_to_write_in(chat, parameters)
        target, extra = self._answered(bot, chat, parameters, topic)
        thread_id, in_topic = (topic.id, True) if topic is not None else (None, False)
        if topic is None and target is not None and isinstance(chat, Group):
            thread_id, in_topic = thread_of_reply(chat, target)
            topic = chat.topics.get(thread_id or 0) if in_topic else None
        if topic is not None and topic.closed and isinstance(chat, Group):
            may = topic.creator_id == bot.id or chat.standing(bot.id).may("can_manage_topics")
            if not may:
                raise Refused(400, "Bad Request: TOPIC_CLOSED")
        return Place(thread_id=thread_id, in_topic=in_topic, reply_to=target, extra=extra)

    def _topic_to_write_in(self, chat: Chat, parameters: Json) -> Topic | None:
        """Return the topic that is named. One that is named where there are no topics is passed over in a group."""
        thread_id = number(parameters, "message_thread_id")
        if not thread_id or parameters.get("business_connection_id"):
            return None
        if isinstance(chat, Group) and not chat.forum:
            return None
        topic = chat.topics.get(thread_id) if isinstance(chat, Group) and thread_id != GENERAL_TOPIC else None
        if topic is None:
            raise Refused(400, "Bad Request: message thread not found")
        return topic

    def _answered(self, bot: Bot, chat: Chat, parameters: Json, topic: Topic | None) -> tuple[ChatMessage | None, Json]:
        """Return the message that is answered; one of another chat or topic is told of by external_reply only."""
        wanted = parameters.get("reply_parameters")
        if wanted is None and parameters.get("reply_to_message_id"):
            names = {"message_id": "reply_to_message_id", "allow_sending_without_reply": "allow_sending_without_reply"}
            wanted = {new: parameters.get(old) for new, old in names.items()}
        if wanted is None:
            return None, {}
        if not isinstance(wanted, dict):
            raise BadRequest("object expected as reply parameters")
        elsewhere = chat
        if wanted.get("chat_id") not in (None, chat.user.id, str(chat.user.id)):
            elsewhere = self.chat(bot, wanted, to_read=True)
        target = elsewhere.find(number(wanted, "message_id"))
        if target is None:
            if is_true(wanted.get("allow_sending_without_reply")) or number(wanted, "message_id") <= 0:
                return None, {}
            raise Refused(400, "Bad Request: message to be replied not found")
        extra: Json = {}
        if quote := wanted.get("quote"):
            if str(quote) not in target.text:
                raise Refused(400, "Bad Request: QUOTE_TEXT_INVALID")
            position = units(target.text[: target.text.index(str(quote))])
            extra["quote"] = {"text": str(quote), "position": position, "is_manual": True}
        in_other_topic = topic is not None and target.thread_id != topic.id
        if elsewhere is chat and not in_other_topic:
            return target, extra
        sender = self._state.message_json(bot, elsewhere, target)["from"]
        origin = {"type": "user", "sender_user": sender, "date": target.date}
        shown = {"origin": origin, "chat": elsewhere.as_json(), "message_id": target.message_id}
        return None, {**extra, "external_reply": shown}

    def check_may_send(self, bot: Bot, chat: Chat, kind: str) -> None:
        """Refuse where the members of a group, and with them the bot, may not send this kind of message.

        [likely]: the refusal of kinds that have no permission of their own speaks of stickers.
        """
        if isinstance(chat, Group) and not chat.standing(bot.id).is_administrator:
            permission, words = _PERMISSION_OF.get(kind, ("can_send_other_messages", "stickers"))
            if not chat.permissions[permission]:
                raise Refused(400, f"Bad Request: not enough rights to send {words} to the chat")

    def take(self, bot: Bot, chat: Chat) -> None:
        """Count one message against the limits."""
        try:
            self._rates.take(bot, chat)
        except TooManyMessages as error:
            wait = error.retry_after
            raise Refused(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait}) from error


def is_own(bot: Bot, message: ChatMessage) -> bool:
    """Say whether the bot sent a message."""
    return message.from_bot and (message.author is None or message.author["id"] == bot.id)


def _check_standing(bot: Bot, group: Group, *, to_read: bool) -> None:
    """What a basic group once showed may be read for ever; a supergroup is closed to who is not in it."""
    if group.basic and to_read:
        return
    if group.moved_to is not None:
        told = {"migrate_to_chat_id": group.moved_to}
        raise Refused(400, "Bad Request: group chat was upgraded to a supergroup chat", told)
    standing = group.standing(bot.id)
    if standing.status == "kicked":
        raise Refused(403, f"Forbidden: bot was kicked from the {group.type} chat")
    if not standing.is_present:
        raise Refused(403, f"Forbidden: bot is not a member of the {group.type} chat")
