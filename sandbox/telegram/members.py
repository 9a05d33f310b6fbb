"""A person in a group, and what their app lets them do there. Python for tests, by way of GroupLife.

What the app would not let them do raises PermissionError; what is not there, LookupError.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.telegram.files import ANY_SIGN, SIGNS, keep, photo_sizes
from sandbox.telegram.groups import ANONYMOUS, ICON_COLORS, Room, Standing, Topic, thread_of_reply
from sandbox.telegram.people import buttons_of, rewrite
from sandbox.telegram.state import Bot, ChatMessage, Json, User

Where = Topic | int | None
"""A topic or its id; None: the group itself, in a forum its General topic."""


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a group. Every action returns the message that the group then shows, where there is one."""

    room: Room
    user: User

    @property
    def standing(self) -> Standing:
        return self.room.group.standing(self.user.id)

    async def write(self, text: str, *, topic: Where = None) -> ChatMessage:
        """Write into the group or into a topic."""
        return await self._send("text", topic=topic, text=text)

    async def reply(self, message: ChatMessage, text: str) -> ChatMessage:
        """Answer a message, where it stands."""
        return await self._send("text", reply_to=message, text=text)

    async def edit(self, message: ChatMessage, text: str) -> None:
        """Change a message of one's own, or its caption."""
        if message.author is None or message.author["id"] != self.user.id:
            raise PermissionError("only one's own messages can be edited")
        self._check_present()
        rewrite(self.room.state, message, text)
        self.room.post.tell_edited(self.room.group, message)
        await self.room.state.tell()

    async def delete(self, message: ChatMessage) -> None:
        """Delete a message; bots are told nothing."""
        own = message.author is not None and message.author["id"] == self.user.id
        if not own and not self.standing.may("can_delete_messages"):
            raise PermissionError("only one's own messages can be deleted")
        message.deleted, message.seq = True, self.room.state.seq()
        await self.room.state.tell()

    async def press(self, message: ChatMessage, data: str) -> str:
        """Press an inline button that the message really shows; return the query's id."""
        if message.deleted or data not in [button.get("callback_data") for button in buttons_of(message)]:
            raise LookupError(f"the message {message.message_id} shows no button {data!r}")
        return await self.press_stale(message, data)

    async def press_stale(self, message: ChatMessage, data: str) -> str:
        """Press a button that is no longer there, as somebody whose screen is behind may do."""
        self._check_present()
        group, state = self.room.group, self.room.state
        if message.author is None or message.author["id"] not in group.bots:
            raise LookupError("only a bot's messages have buttons")
        bot = group.bots[message.author["id"]]
        query_id = str(4_000_000_000 + state.seq())
        bot.callbacks[query_id] = "waiting"
        bot.pressed_in[query_id] = group
        event = {
            "id": query_id,
            "from": self.user.as_json(),
            "chat_instance": str(group.user.id),
            "data": data,
            "message": state.message_json(bot, group, message),
        }
        if group.standing(bot.id).is_present:
            self.room.queue(bot, "callback_query", event)
        await state.tell()
        return query_id

    async def send_photo(
        self, picture: bytes, caption: str = "", *, topic: Where = None, reply_to: ChatMessage | None = None
    ) -> ChatMessage:
        """Send a picture."""
        sizes = photo_sizes(self._holders(), picture)
        return await self._send("photo", topic=topic, reply_to=reply_to, photo=sizes, caption=caption)

    async def send_album(
        self, pictures: Sequence[bytes], caption: str = "", *, topic: Where = None
    ) -> list[ChatMessage]:
        """Send pictures together: a message each, held together by media_group_id; the first has the caption."""
        album = str(13_000_000_000 + self.room.state.seq())
        sent: list[ChatMessage] = []
        for picture in pictures:
            sizes = photo_sizes(self._holders(), picture)
            words = caption if not sent else ""
            content: Json = {"photo": sizes, "media_group_id": album, "caption": words}
            sent.append(await self._send("photo", topic=topic, **content))
        return sent

    async def send_voice(
        self, recording: bytes, *, seconds: int = 3, topic: Where = None, reply_to: ChatMessage | None = None
    ) -> ChatMessage:
        """Send a voice note."""
        file = keep(self._holders(), "voice", recording, duration=seconds)
        return await self._send("voice", topic=topic, reply_to=reply_to, voice=file)

    async def send_document(
        self,
        body: bytes,
        name: str,
        caption: str = "",
        *,
        mime_type: str = "application/pdf",
        topic: Where = None,
        reply_to: ChatMessage | None = None,
    ) -> ChatMessage:
        """Send a file."""
        file = keep(self._holders(), "document", body, file_name=name, mime_type=mime_type)
        return await self._send("document", topic=topic, reply_to=reply_to, document=file, caption=caption)

    async def send_video(
        self, body: bytes, caption: str = "", *, topic: Where = None, reply_to: ChatMessage | None = None
    ) -> ChatMessage:
        """Send a film."""
        file = keep(self._holders(), "video", body)
        return await self._send("video", topic=topic, reply_to=reply_to, video=file, caption=caption)

    async def send_anything(
        self, *, topic: Where = None, reply_to: ChatMessage | None = None, **content: Any
    ) -> ChatMessage:
        """Send a message with these fields of the Bot API's Message."""
        return await self._send(next(iter(content)), topic=topic, reply_to=reply_to, **content)

    async def react(self, message: ChatMessage, emoji: str | None) -> None:
        """Put a reaction under a message, or take one's own away."""
        self._check_present()
        group = self.room.group
        old = message.reactions.pop(self.user.id, None)
        if emoji is not None:
            message.reactions[self.user.id] = emoji
        message.seq = self.room.state.seq()
        lists = [[{"type": "emoji", "emoji": one}] if one else [] for one in (old, emoji)]
        event = {
            "chat": group.as_json(),
            "message_id": message.message_id,
            "user": self.user.as_json(),
            "date": self.room.state.now(),
            "old_reaction": lists[0],
            "new_reaction": lists[1],
        }
        for bot in group.present_bots():
            if group.standing(bot.id).is_administrator:
                self.room.queue(bot, "message_reaction", event)
        await self.room.state.tell()

    async def pin(self, message: ChatMessage) -> None:
        """Pin a message."""
        if not self.standing.may("can_pin_messages") and not self.room.group.permissions["can_pin_messages"]:
            raise PermissionError("not enough rights to pin")
        self.room.post.pin(self.room.group, self.user.as_json(), message)
        await self.room.state.tell()

    # ---- topics

    async def create_topic(self, name: str) -> Topic:
        """Make a topic."""
        if not self.room.group.forum:
            raise PermissionError("there are no topics here")
        if not self.standing.may("can_manage_topics") and not self.room.group.permissions["can_manage_topics"]:
            raise PermissionError("not enough rights to make a topic")
        topic = self.room.post.create_topic(self.room.group, self.user.as_json(), name, ICON_COLORS[0])
        await self.room.state.tell()
        return topic

    async def rename_topic(self, topic: Topic, name: str) -> None:
        self._check_manages(topic)
        topic.name = name
        await self._tell_topic(topic, forum_topic_edited={"name": name})

    async def close_topic(self, topic: Topic) -> None:
        self._check_manages(topic)
        topic.closed = True
        await self._tell_topic(topic, forum_topic_closed={})

    async def reopen_topic(self, topic: Topic) -> None:
        self._check_manages(topic)
        topic.closed = False
        await self._tell_topic(topic, forum_topic_reopened={})

    async def delete_topic(self, topic: Topic) -> None:
        """Delete a topic with all that stands in it; bots are told nothing."""
        if topic.creator_id != self.user.id and not self.standing.may("can_delete_messages"):
            raise PermissionError("not enough rights to delete the topic")
        self.room.post.delete_topic(self.room.group, topic)
        await self.room.state.tell()

    # ---- what they share

    async def _tell_topic(self, topic: Topic, **content: Json) -> None:
        self.room.post.put_service(self.room.group, self.user.as_json(), thread_id=topic.id, **content)
        await self.room.state.tell()

    def _check_manages(self, topic: Topic) -> None:
        if topic.creator_id != self.user.id and not self.standing.may("can_manage_topics"):
            raise PermissionError("not enough rights to change the topic")

    def _check_present(self) -> None:
        if not self.standing.is_present or self.room.group.moved_to is not None:
            raise PermissionError(f"{self.user.first_name} is not in this group")

    def _holders(self) -> list[Bot]:
        return list(self.room.group.bots.values())

    async def _send(
        self, kind: str, *, topic: Where = None, reply_to: ChatMessage | None = None, **content: Any
    ) -> ChatMessage:
        self._check_present()
        group = self.room.group
        thread_id, in_topic = self._place(topic, reply_to)
        written_in = group.topics.get(thread_id or 0) if in_topic else None
        if written_in is not None and written_in.closed:
            self._check_manages(written_in)
        text = content.pop("text", None)
        shown = {name: value for name, value in content.items() if value not in ("", None)}
        if "is_anonymous" in self.standing.rights:
            shown |= {"from": ANONYMOUS, "sender_chat": group.as_json()}
        message = self.room.post.put(
            group,
            self.user.as_json(),
            text=text if text is not None else shown.get("caption") or SIGNS.get(kind, ANY_SIGN),
            content=shown,
            wordless=text is None,
            thread_id=thread_id,
            in_topic=in_topic,
            reply_to=reply_to,
        )
        await self.room.state.tell()
        return message

    def _place(self, topic: Where, reply_to: ChatMessage | None) -> tuple[int | None, bool]:
        if reply_to is not None:
            if reply_to.deleted:
                raise LookupError("the message to answer is not there any more")
            return thread_of_reply(self.room.group, reply_to)
        if topic is None:
            return None, False
        thread_id = topic.id if isinstance(topic, Topic) else topic
        if thread_id not in self.room.group.topics or not self.room.group.forum:
            raise LookupError(f"there is no topic {thread_id}")
        return thread_id, True
