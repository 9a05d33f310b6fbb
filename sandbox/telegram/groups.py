"""Groups and supergroups: who is in them with which rights, their topics, and what a bot in one is told of.

After the Bot API 10.1 (Chat, ChatMember*, ChatPermissions, ForumTopic) and the source of its server and TDLib (2026):
a topic's id is that of the service message that made it; the General topic has none; in a supergroup without
topics a chain of replies is a thread too. Of privacy mode (Bots FAQ, "What messages will my bot get?") two points are
only [likely]: a mention of the bot is brought to it, and a general command also where no bot has written yet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.state import Bot, Chat, ChatMessage, Json, State, User

GENERAL_TOPIC = 1
ANONYMOUS: Json = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
"""Whom the Bot API names as the sender of what an anonymous administrator writes (Message.sender_chat)."""
ICON_COLORS = (7322096, 16766590, 13338331, 9367192, 16749490, 16478047)
ADMINISTRATOR_RIGHTS = (
    "can_manage_chat",
    "can_change_info",
    "can_delete_messages",
    "can_invite_users",
    "can_restrict_members",
    "can_pin_messages",
    "can_manage_topics",
    "can_promote_members",
    "can_manage_video_chats",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_manage_tags",
    "can_send_welcome_messages",
    "is_anonymous",
)
PERMISSIONS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)
_RESERVED_TO_ADMINISTRATORS = frozenset({"can_change_info", "can_pin_messages", "can_manage_topics"})
_GENERAL_COMMAND = re.compile(r"/[A-Za-z0-9_]{1,64}(@[A-Za-z0-9_]+)?(?!\w)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What somebody is in a group. `status`: creator, administrator, member, left or kicked, as in ChatMember."""

    status: str
    rights: frozenset[str] = frozenset()

    @property
    def is_present(self) -> bool:
        return self.status not in ("left", "kicked")

    @property
    def is_administrator(self) -> bool:
        return self.status in ("creator", "administrator")

    def may(self, right: str) -> bool:
        """Say whether an administrator has this right; the owner has all of them."""
        return self.status == "creator" or (self.status == "administrator" and right in self.rights)

    def as_json(self, user: Json, *, topics: bool = True) -> Json:
        """Return the ChatMember object. `topics`: in a supergroup, where administrators may have rights over topics."""
        member: Json = {"user": user, "status": self.status}
        match self.status:
            case "creator":
                member["is_anonymous"] = "is_anonymous" in self.rights
            case "administrator":
                rights = [name for name in ADMINISTRATOR_RIGHTS if topics or name != "can_manage_topics"]
                member |= {"can_be_edited": False, **{name: name in self.rights for name in rights}}
            case "kicked":
                member["until_date"] = 0
        return member


MEMBER = Standing(status="member")
LEFT = Standing(status="left")
KICKED = Standing(status="kicked")


def administrator(rights: Mapping[str, bool]) -> Standing:
    """Return an administrator's standing. Raises LookupError for a right that the Bot API does not know."""
    if unknown := set(rights) - set(ADMINISTRATOR_RIGHTS):
        raise LookupError(f"no such rights: {sorted(unknown)}")
    granted = frozenset(name for name, given in rights.items() if given)
    return Standing(status="administrator", rights=granted | {"can_manage_chat"})


@dataclass(slots=True, kw_only=True)
class Topic:
    """A topic of a forum."""

    id: int
    name: str
    icon_color: int
    creator_id: int
    root: ChatMessage = field(repr=False)
    """The service message that made it."""
    closed: bool = False

    def as_json(self) -> Json:
        return {"message_thread_id": self.id, "name": self.name, "icon_color": self.icon_color}


@dataclass(slots=True, kw_only=True)
class Group(Chat):
    """A group as everybody in it sees it: one and the same for all its bots."""

    basic: bool = False
    """A small group of the old kind ("group"); it has no topics and becomes a supergroup for many reasons."""
    forum: bool = False
    people: dict[int, User] = field(default_factory=dict)
    """Everybody who is or was in it."""
    standings: dict[int, Standing] = field(default_factory=dict)
    """By the person's or the bot's id."""
    bots: dict[int, Bot] = field(default_factory=dict)
    permissions: dict[str, bool] = field(
        default_factory=lambda: {name: name not in _RESERVED_TO_ADMINISTRATORS for name in PERMISSIONS}
    )
    """What members who are no administrators may do."""
    topics: dict[int, Topic] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)
    next_message: int = 2
    """The first one says that the group was founded; no topic has its id, which is that of General."""
    moved_to: int | None = None
    """The supergroup that this basic group has become."""

    @property
    def type(self) -> str:
        return "group" if self.basic else "supergroup"

    def as_json(self) -> Json:
        shown: Json = {"id": self.user.id, "type": self.type, "title": self.user.first_name}
        return {**shown, "is_forum": True} if self.forum else shown

    def take_message_id(self, bot: Bot | None = None) -> int:
        """Return the next message's id. A supergroup counts for itself; that a basic group does too is looser."""
        self.next_message += 1
        return self.next_message - 1

    def topic_root(self, message: ChatMessage) -> ChatMessage | None:
        topic = self.topics.get(message.thread_id or 0) if message.in_topic else None
        return topic.root if topic is not None and topic.root is not message else None

    def standing(self, user_id: int) -> Standing:
        if self.blocked and user_id in self.bots:
            return KICKED
        return self.standings.get(user_id, LEFT)

    def present_bots(self) -> Iterator[Bot]:
        return (bot for bot in self.bots.values() if self.standing(bot.id).is_present)

    def pinned_message(self) -> ChatMessage | None:
        """Return the newest of the pinned messages, by when they were sent."""
        return next((found for one in sorted(self.pinned, reverse=True) if (found := self.find(one))), None)

    def tells(self, bot: Bot, message: ChatMessage) -> bool:
        """Say whether a bot is told of a message (see above). Of what bots write, it is of service messages only."""
        if message.from_bot:
            return message.service
        if message.service or not bot.privacy or self.standing(bot.id).is_administrator:
            return True
        answered = message.reply_to.author if message.reply_to is not None else None
        if answered is not None and answered["is_bot"]:
            return bool(answered["id"] == bot.id)
        words = str(message.content.get("caption", "") if message.wordless else message.text)
        if command := _GENERAL_COMMAND.match(words):
            if command.group(1):
                return str(command.group(1))[1:].lower() == bot.username.lower()
            last = next((one for one in reversed(self.messages) if one.from_bot and not one.service), None)
            return last is None or last.author is None or bool(last.author["id"] == bot.id)
        return bool(re.search(rf"(?<![\w@/])@{re.escape(bot.username)}\b", words, re.IGNORECASE))


class GroupPost:
    """Brings what happens in groups to the bots in them."""

    def __init__(self, state: State, queue: Callable[[Bot, str, Json], int]) -> None:
        self._state = state
        self._queue = queue

    def put(self, group: Group, author: Json, **fields: Any) -> ChatMessage:
        """Let the group show a new message, and tell the bots that may know of it."""
        message = ChatMessage(
            seq=self._state.seq(),
            message_id=group.take_message_id(),
            from_bot=author["is_bot"],
            author=author,
            date=self._state.now(),
            **fields,
        )
        group.messages.append(message)
        for bot in group.present_bots():
            if group.tells(bot, message):
                message.seen_by.add(bot.id)
                self._queue(bot, "message", self._state.message_json(bot, group, message))
        return message

    def put_service(self, group: Group, author: Json, thread_id: int | None = None, **content: Any) -> ChatMessage:
        """Let the group show a service message; all its bots are told of it, also the one that caused it."""
        return self.put(
            group,
            author,
            text=f"[{next(iter(content))}]",
            content=content,
            wordless=True,
            service=True,
            thread_id=thread_id,
            in_topic=thread_id is not None,
        )

    def tell_edited(self, group: Group, message: ChatMessage) -> None:
        """Tell of a person's change to a message, those who knew it or would know it now."""
        for bot in group.present_bots():
            if bot.id in message.seen_by or group.tells(bot, message):
                message.seen_by.add(bot.id)
                self._queue(bot, "edited_message", self._state.message_json(bot, group, message))

    def tell_standing(self, group: Group, by: Json, user: Json, old: Standing, new: Standing) -> None:
        """Tell a bot of its own new standing; of others', the administrators among the bots that asked for it."""
        for bot in group.bots.values():
            own = bot.id == user["id"]
            if not own and not group.standing(bot.id).is_administrator:
                continue
            event = {
                "chat": group.as_json(),
                "from": by,
                "date": self._state.now(),
                "old_chat_member": old.as_json(user, topics=not group.basic),
                "new_chat_member": new.as_json(user, topics=not group.basic),
            }
            self._queue(bot, "my_chat_member" if own else "chat_member", event)

    def create_topic(self, group: Group, author: Json, name: str, icon_color: int) -> Topic:
        """Make a topic; its id is that of its service message."""
        content = {"name": name, "icon_color": icon_color}
        root = self.put_service(group, author, thread_id=group.next_message, forum_topic_created=content)
        topic = Topic(id=root.message_id, name=name, icon_color=icon_color, creator_id=author["id"], root=root)
        group.topics[topic.id] = topic
        return topic

    def delete_topic(self, group: Group, topic: Topic) -> None:
        """Delete a topic with everything in it; bots are told nothing."""
        del group.topics[topic.id]
        for message in group.messages:
            if message.in_topic and message.thread_id == topic.id:
                message.deleted, message.seq = True, self._state.seq()

    def pin(self, group: Group, author: Json, message: ChatMessage, *, silent: bool = False) -> None:
        """Pin a message: a service message says so, in the message's topic."""
        if message.message_id not in group.pinned:
            group.pinned.append(message.message_id)
            if not group.bots:
                return
            # Who reads it makes no difference: a message of a group names its author.
            reader = next(iter(group.bots.values()))
            shown = self._state.message_json(reader, group, message, with_reply=False)
            thread = message.thread_id if message.in_topic else None
            self.put_service(group, author, thread_id=thread, pinned_message=shown).silent = silent


def thread_of_reply(group: Group, target: ChatMessage) -> tuple[int | None, bool]:
    """Return the thread that an answer falls into, and whether that is a topic."""
    if target.in_topic or target.thread_id is not None:
        return target.thread_id, target.in_topic
    return (None, False) if group.basic else (target.message_id, False)


@dataclass(frozen=True, slots=True)
class Room:
    """A group, with what the people in it need of the server."""

    group: Group
    state: State
    post: GroupPost
    queue: Callable[[Bot, str, Json], int]
