"""Methods for a forum's topics and for pinned messages (Bot API: createForumTopic and those after it, pinChatMessage).

The refusals are TDLib's (ForumTopicManager, DialogManager::can_pin_messages). [likely], as Telegram's own servers
answer them and bots report them: TOPIC_NOT_MODIFIED, TOPIC_ID_INVALID, and that a topic's making counts as a message.
[likely] too is the refusal of another icon color than the six that are documented.
"""

from __future__ import annotations

from sandbox.telegram.access import Access, Refused, is_true, number
from sandbox.telegram.groups import ICON_COLORS, Group, GroupPost, Topic
from sandbox.telegram.state import Bot, Json
from sandbox.telegram.text import BadRequest

_LONGEST_NAME = 128


class Forum:
    """Topics and pins. Methods are called by the names that follow `_on_`."""

    def __init__(self, access: Access, post: GroupPost) -> None:
        self._access = access
        self._post = post

    async def _on_createForumTopic(self, bot: Bot, parameters: Json) -> Json:
        group = self._forum(bot, parameters)
        if not group.standing(bot.id).may("can_manage_topics"):
            raise Refused(400, "Bad Request: not enough rights to create a topic")
        name = _name(parameters)
        if not name:
            raise BadRequest("name must be non-empty")
        color = number(parameters, "icon_color") or ICON_COLORS[0]
        if color not in ICON_COLORS:
            raise BadRequest("invalid icon color specified")
        self._access.take(bot, group)
        return self._post.create_topic(group, bot.as_json(), name, color).as_json()

    async def _on_editForumTopic(self, bot: Bot, parameters: Json) -> bool:
        group = self._forum(bot, parameters)
        topic = self._topic(bot, group, parameters, "edit the topic")
        name = _name(parameters)
        if parameters.get("name") and not name:
            raise BadRequest("name must be non-empty")
        if not name:
            return True
        if name == topic.name:
            raise Refused(400, "Bad Request: TOPIC_NOT_MODIFIED")
        topic.name = name
        self._post.put_service(group, bot.as_json(), thread_id=topic.id, forum_topic_edited={"name": name})
        return True

    async def _on_closeForumTopic(self, bot: Bot, parameters: Json) -> bool:
        return self._set_closed(bot, parameters, closed=True)

    async def _on_reopenForumTopic(self, bot: Bot, parameters: Json) -> bool:
        return self._set_closed(bot, parameters, closed=False)

    async def _on_deleteForumTopic(self, bot: Bot, parameters: Json) -> bool:
        group = self._forum(bot, parameters)
        topic = self._topic(bot, group, parameters, "delete the topic", right="can_delete_messages")
        self._post.delete_topic(group, topic)
        return True

    async def _on_pinChatMessage(self, bot: Bot, parameters: Json) -> bool:
        chat = self._access.chat(bot, parameters)
        message = self._access.message(chat, parameters, "message to pin")
        if isinstance(chat, Group):
            _check_may_pin(bot, chat)
        if message.service:
            raise Refused(400, "Bad Request: service messages can't be pinned")
        if isinstance(chat, Group):
            silent = is_true(parameters.get("disable_notification"))
            self._post.pin(chat, bot.as_json(), message, silent=silent)
        return True

    async def _on_unpinChatMessage(self, bot: Bot, parameters: Json) -> bool:
        """Without message_id the newest of the pinned messages is meant."""
        chat = self._access.chat(bot, parameters)
        if not isinstance(chat, Group):
            self._access.message(chat, parameters, "message to unpin")
            return True
        if number(parameters, "message_id"):
            message = self._access.message(chat, parameters, "message to unpin")
        elif (newest := chat.pinned_message()) is not None:
            message = newest
        else:
            raise Refused(400, "Bad Request: message to unpin not found")
        _check_may_pin(bot, chat)
        if message.message_id in chat.pinned:
            chat.pinned.remove(message.message_id)
        return True

    # ---- what they share

    def _forum(self, bot: Bot, parameters: Json) -> Group:
        chat = self._access.chat(bot, parameters)
        if not isinstance(chat, Group) or not chat.forum:
            raise Refused(400, "Bad Request: the chat is not a forum")
        return chat

    def _topic(
        self, bot: Bot, group: Group, parameters: Json, purpose: str, *, right: str = "can_manage_topics"
    ) -> Topic:
        """Return the topic that is named, where the bot may change it: by right, or as its creator."""
        topic_id = number(parameters, "message_thread_id")
        if topic_id <= 0:
            raise BadRequest("invalid forum topic identifier specified")
        topic = group.topics.get(topic_id)
        own = topic is not None and topic.creator_id == bot.id
        if not own and not group.standing(bot.id).may(right):
            raise Refused(400, f"Bad Request: not enough rights to {purpose}")
        if topic is None:
            raise Refused(400, "Bad Request: TOPIC_ID_INVALID")
        return topic

    def _set_closed(self, bot: Bot, parameters: Json, *, closed: bool) -> bool:
        group = self._forum(bot, parameters)
        topic = self._topic(bot, group, parameters, "close or open the topic")
        if topic.closed == closed:
            raise Refused(400, "Bad Request: TOPIC_NOT_MODIFIED")
        topic.closed = closed
        said = "forum_topic_closed" if closed else "forum_topic_reopened"
        self._post.put_service(group, bot.as_json(), thread_id=topic.id, **{said: {}})
        return True


def _name(parameters: Json) -> str:
    """Return the topic's name as TDLib cleans it: one line, and cut where it is too long."""
    return " ".join(str(parameters.get("name", "")).split())[:_LONGEST_NAME].strip()


def _check_may_pin(bot: Bot, group: Group) -> None:
    standing = group.standing(bot.id)
    by_permission = standing.status == "member" and group.permissions["can_pin_messages"]
    if not standing.may("can_pin_messages") and not by_permission:
        raise Refused(400, "Bad Request: not enough rights to manage pinned messages in the chat")
