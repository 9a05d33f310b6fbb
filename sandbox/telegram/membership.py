"""Methods that tell of a chat and of who is in it, and that put somebody out of it (Bot API: getChat, getChatMember,
getChatAdministrators, banChatMember).

[likely]: the refusals of banChatMember, in the words that TDLib and the Bot API server give to what Telegram's own
servers answer (CHAT_ADMIN_REQUIRED, USER_ADMIN_INVALID, PARTICIPANT_ID_INVALID), as bots report them.
"""

from __future__ import annotations

from sandbox.telegram.access import Access, Refused, number
from sandbox.telegram.groups import KICKED, Group, GroupPost
from sandbox.telegram.state import Bot, Json, State, User
from sandbox.telegram.text import BadRequest

_GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")


class Membership:
    """What a bot may ask about a chat. Methods are called by the names that follow `_on_`."""

    def __init__(self, state: State, access: Access, post: GroupPost) -> None:
        self._state = state
        self._access = access
        self._post = post

    async def _on_getChat(self, bot: Bot, parameters: Json) -> Json:
        chat = self._access.chat(bot, parameters, to_read=True)
        full: Json = {
            **chat.as_json(),
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(_GIFTS, False),
        }
        if isinstance(chat, Group):
            full["permissions"] = dict(chat.permissions)
            if (pinned := chat.pinned_message()) is not None:
                full["pinned_message"] = self._state.message_json(bot, chat, pinned, with_reply=False)
        return full

    async def _on_getChatMember(self, bot: Bot, parameters: Json) -> Json:
        """Tell what somebody is in a chat; of somebody whom nobody here has ever met, nothing."""
        chat = self._access.chat(bot, parameters, to_read=True)
        user_id = number(parameters, "user_id")
        if user_id <= 0:
            raise BadRequest("invalid user_id specified")
        if not isinstance(chat, Group):
            if user_id not in (bot.id, chat.user.id):
                raise Refused(400, "Bad Request: member not found")
            return {"user": bot.as_json() if user_id == bot.id else chat.user.as_json(), "status": "member"}
        user = self._person(bot, chat, user_id)
        if user is None:
            raise Refused(400, "Bad Request: member not found")
        return chat.standing(user_id).as_json(user, topics=not chat.basic)

    async def _on_getChatAdministrators(self, bot: Bot, parameters: Json) -> list[Json]:
        """List the administrators; of bots, this one only."""
        chat = self._access.chat(bot, parameters, to_read=True)
        if not isinstance(chat, Group):
            raise Refused(400, "Bad Request: there are no administrators in the private chat")
        known = {user.id: user.as_json() for user in chat.people.values()} | {bot.id: bot.as_json()}
        return [
            standing.as_json(known[user_id], topics=not chat.basic)
            for user_id, standing in chat.standings.items()
            if user_id in known and standing.is_administrator
        ]

    async def _on_banChatMember(self, bot: Bot, parameters: Json) -> bool:
        """Put somebody out; who was not in the group any more cannot come back to it either."""
        chat = self._access.chat(bot, parameters)
        user_id = number(parameters, "user_id")
        if user_id <= 0:
            raise BadRequest("invalid user_id specified")
        if not isinstance(chat, Group):
            raise Refused(400, "Bad Request: can't ban members in private chats")
        if not chat.standing(bot.id).may("can_restrict_members"):
            raise Refused(400, "Bad Request: not enough rights to restrict/unrestrict chat member")
        user, old = self._person(bot, chat, user_id), chat.standing(user_id)
        if user is None:
            raise Refused(400, "Bad Request: PARTICIPANT_ID_INVALID")
        if old.status == "creator":
            raise Refused(400, "Bad Request: can't remove chat owner")
        if old.is_administrator:
            raise Refused(400, "Bad Request: user is an administrator of the chat")
        chat.standings[user_id] = KICKED
        if old != KICKED:
            self._post.tell_standing(chat, bot.as_json(), user, old, KICKED)
        if old.is_present:
            self._post.put_service(chat, bot.as_json(), left_chat_member=user)
        return True

    def _person(self, bot: Bot, group: Group, user_id: int) -> Json | None:
        """Return somebody whom the bot has met: in this group, or in a chat of its own."""
        person: User | Bot | None = group.people.get(user_id) or group.bots.get(user_id)
        if person is None and (chat := bot.chats.get(user_id)) is not None:
            person = chat.user
        return person.as_json() if person is not None else None
