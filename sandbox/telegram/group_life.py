"""What happens in a group: people and bots come and go, write, answer, press, and what it shows. Python for tests.

group = telegram.group("Смена", owner=OLGA, forum=True)
await group.add_bot(bot_id, administrator=True, can_manage_topics=True, can_pin_messages=True)
anna = await group.join(ANNA)
message = await anna.write("Возьму", topic=group.topic("Мария"))
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from sandbox.telegram.groups import KICKED, LEFT, MEMBER, Group, Room, Standing, Topic, administrator
from sandbox.telegram.members import Member, Where
from sandbox.telegram.state import ChatMessage, Json, User


class GroupLife:
    """A group with everybody in it."""

    def __init__(self, room: Room) -> None:
        self._room = room

    @property
    def chat(self) -> Group:
        """Return the group as the server knows it."""
        return self._room.group

    @property
    def id(self) -> int:
        return self.chat.user.id

    @property
    def owner(self) -> Member:
        """Return who owns it."""
        owner_id = next(one for one, standing in self.chat.standings.items() if standing.status == "creator")
        return Member(self._room, self.chat.people[owner_id])

    # ---- who is in it

    async def add_bot(self, bot_id: int, *, administrator: bool = False, **rights: bool) -> None:
        """Let the owner add a bot, or give it another standing: a member, or an administrator with these rights."""
        bot = self._room.state.bots[bot_id]
        was_here = self.chat.standing(bot_id).is_present
        self.chat.bots[bot_id] = bot
        bot.chats[self.id] = self.chat
        self.chat.blocked = False
        self._stand(bot_id, bot.as_json(), _standing(administrator, rights))
        if not was_here:
            self._room.post.put_service(self.chat, self.owner.user.as_json(), new_chat_members=[bot.as_json()])
        await self._room.state.tell()

    async def remove_bot(self, bot_id: int) -> None:
        """Throw a bot out. It is told so, and may do nothing here any more."""
        bot = self._room.state.bots[bot_id]
        self._room.post.put_service(self.chat, self.owner.user.as_json(), left_chat_member=bot.as_json())
        self._stand(bot_id, bot.as_json(), KICKED)
        await self._room.state.tell()

    async def leave_bot(self, bot_id: int) -> None:
        """Let a bot leave by itself."""
        self._stand(bot_id, self._room.state.bots[bot_id].as_json(), LEFT)
        await self._room.state.tell()

    async def join(self, user: User, *, administrator: bool = False, **rights: bool) -> Member:
        """Let somebody join, or give somebody another standing."""
        was_here = self.chat.standing(user.id).is_present
        self.chat.people[user.id] = user
        self._stand(user.id, user.as_json(), _standing(administrator, rights))
        if not was_here:
            self._room.post.put_service(self.chat, user.as_json(), new_chat_members=[user.as_json()])
        await self._room.state.tell()
        return Member(self._room, user)

    async def leave(self, user: User, *, kicked: bool = False) -> None:
        """Let somebody leave, or be thrown out by the owner."""
        self._stand(user.id, user.as_json(), KICKED if kicked else LEFT)
        by = self.owner.user if kicked else user
        self._room.post.put_service(self.chat, by.as_json(), left_chat_member=user.as_json())
        await self._room.state.tell()

    def _stand(self, somebody: int, shown: Json, new: Standing) -> None:
        old = self.chat.standing(somebody)
        self.chat.standings[somebody] = new
        if old != new:
            by = shown if new == LEFT else self.owner.user.as_json()
            self._room.post.tell_standing(self.chat, by, shown, old, new)

    # ---- what it is

    def set_forum(self, *, forum: bool) -> None:
        """Turn topics on or off; bots are told nothing. What stood in topics stays where it was."""
        if forum and self.chat.basic:
            raise PermissionError("a basic group has no topics: see upgrade()")
        self.chat.forum = forum

    async def upgrade(self) -> GroupLife:
        """Let a basic group become a supergroup, as it does when topics are turned on; return that."""
        old = self.chat
        title = old.user.first_name
        new = Group(user=User(id=-1_000_000_000_000 + self.id, first_name=title), people=dict(old.people))
        new.standings, new.bots, new.permissions = dict(old.standings), dict(old.bots), dict(old.permissions)
        for bot in new.bots.values():
            bot.chats[new.user.id] = new
        life = GroupLife(replace(self._room, group=new))
        owner = self.owner.user.as_json()
        self._room.post.put_service(old, owner, migrate_to_chat_id=new.user.id)
        old.moved_to = new.user.id
        self._room.post.put_service(new, owner, migrate_from_chat_id=old.user.id)
        await self._room.state.tell()
        return life

    # ---- what it shows

    @property
    def topics(self) -> list[Topic]:
        """Return the topics as they were made, without General."""
        return list(self.chat.topics.values())

    def topic(self, wanted: str | int) -> Topic:
        """Return a topic by its name or id."""
        for topic in self.chat.topics.values():
            if wanted in (topic.name, topic.id):
                return topic
        raise LookupError(f"no topic {wanted!r}; there are {[topic.name for topic in self.topics]}")

    def messages(self, topic: Where = None) -> list[ChatMessage]:
        """Return what stands in a topic, or beside all topics; no service messages."""
        thread_id = topic.id if isinstance(topic, Topic) else topic
        return [one for one in self.all_messages() if (one.thread_id if one.in_topic else None) == thread_id]

    def all_messages(self) -> list[ChatMessage]:
        """Return everything that stands in the group, in all topics; no service messages."""
        return [one for one in self.chat.messages if not one.deleted and not one.service]

    def texts(self, topic: Where = None) -> list[str]:
        """Return the words in a topic, by bots and people alike; a caption or a sign for what has no words."""
        return [one.text for one in self.messages(topic)]

    def texts_from_bot(self, topic: Where = None) -> list[str]:
        """Return what bots have said in a topic."""
        return [one.text for one in self.messages(topic) if one.from_bot]

    def pinned(self, topic: Where = None) -> list[ChatMessage]:
        """Return the pinned messages of a topic, as they were pinned."""
        here = {one.message_id: one for one in self.messages(topic)}
        return [here[one] for one in self.chat.pinned if one in here]

    async def wait_for(self, predicate: Callable[[GroupLife], bool], *, within_s: float = 20) -> None:
        """Wait until the group is as wanted. Raises TimeoutError that shows it."""
        try:
            async with asyncio.timeout(within_s), self._room.state.changed:
                await self._room.state.changed.wait_for(lambda: predicate(self))
        except TimeoutError:
            names: dict[int | None, str] = {None: "-", **{topic.id: topic.name for topic in self.topics}}
            lines = [
                f"[{names.get(one.thread_id if one.in_topic else None, '?')}] "
                f"{one.author['first_name'] if one.author else '?'}: {one.text}"
                for one in self.all_messages()
            ]
            raise TimeoutError("the group did not become as wanted:\n" + "\n".join(lines)) from None


def _standing(is_administrator: bool, rights: dict[str, bool]) -> Standing:
    if not is_administrator and rights:
        raise LookupError("only administrators have rights of their own")
    return administrator(rights) if is_administrator else MEMBER
