"""The people with the phones: what they do, and what their chats show. Python for tests, HTTP for the demo's page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from sandbox.telegram.files import ANY_SIGN, SIGNS, keep, photo_sizes
from sandbox.telegram.groups import MEMBER, Group
from sandbox.telegram.state import Bot, Chat, ChatMessage, Json, State, User

Queue = Callable[[Bot, str, Json], int]
_LONGEST_WAIT_S = 25.0


class People:
    """Every action makes the update that Telegram would make, and returns its id."""

    def __init__(self, state: State, queue: Queue) -> None:
        self._state = state
        self._queue = queue

    async def send_text(self, bot_id: int, user: User, text: str) -> int:
        """Write to a bot. The first message opens the chat."""
        return await self._send(bot_id, user, text=text)

    async def send_start(self, bot_id: int, user: User, payload: str = "") -> int:
        """Press "Start"."""
        return await self._send(bot_id, user, text=f"/start {payload}".strip())

    async def share_contact(self, bot_id: int, user: User, phone: str, *, own: bool = True) -> int:
        """Share a contact: one's own by the button, or somebody else's from the address book."""
        contact: Json = {"phone_number": phone, "first_name": user.first_name}
        if own:
            contact["user_id"] = user.id
        chat = self.chat(bot_id, user.id)
        if chat is not None and chat.reply_keyboard and chat.reply_keyboard.get("one_time_keyboard"):
            chat.reply_keyboard = None
        return await self._send(bot_id, user, contact=contact)

    async def press_button(self, bot_id: int, user: User, message_id: int, data: str) -> int:
        """Press an inline button that the message really shows."""
        message = self._message(bot_id, user, message_id)
        if data not in [button.get("callback_data") for button in buttons_of(message)]:
            raise LookupError(f"the message {message_id} shows no button {data!r}")
        return await self.press_stale_button(bot_id, user, message_id, data)

    async def press_stale_button(self, bot_id: int, user: User, message_id: int, data: str) -> int:
        """Press a button that is no longer there, as a client whose screen is behind may do."""
        bot = self._state.bots[bot_id]
        message = self._message(bot_id, user, message_id)
        query_id = str(4_000_000_000 + self._state.seq())
        bot.callbacks[query_id] = "waiting"
        bot.pressed_in[query_id] = bot.chats[user.id]
        event = {
            "id": query_id,
            "from": user.as_json(),
            "chat_instance": str(user.id),
            "data": data,
            "message": self._state.message_json(bot, bot.chats[user.id], message),
        }
        update_id = self._queue(bot, "callback_query", event)
        await self._state.tell()
        return update_id

    def _message(self, bot_id: int, user: User, message_id: int) -> ChatMessage:
        chat = self.chat(bot_id, user.id)
        message = next((one for one in chat.messages if one.message_id == message_id), None) if chat else None
        if message is None:
            raise LookupError(f"there is no message {message_id} in this chat")
        return message

    async def send_voice(self, bot_id: int, user: User, recording: bytes = b"OggS", *, seconds: int = 3) -> int:
        """Send a voice note."""
        file = keep([self._state.bots[bot_id]], "voice", recording, duration=seconds)
        return await self._send(bot_id, user, voice=file)

    async def send_photo(self, bot_id: int, user: User, picture: bytes, caption: str = "") -> int:
        """Send a picture; Telegram makes several sizes of it, the largest last."""
        sizes = photo_sizes([self._state.bots[bot_id]], picture)
        return await self._send(bot_id, user, photo=sizes, **({"caption": caption} if caption else {}))

    async def send_anything(self, bot_id: int, user: User, **content: Any) -> int:
        """Send a message with these fields of the Bot API's Message: a sticker, a location, a reply to something."""
        return await self._send(bot_id, user, **content)

    async def edit_text(self, bot_id: int, user: User, message_id: int, text: str) -> int:
        """Change the words of a message that this person sent."""
        bot, message = self._state.bots[bot_id], self._message(bot_id, user, message_id)
        rewrite(self._state, message, text)
        event = self._state.message_json(bot, bot.chats[user.id], message)
        update_id = self._queue(bot, "edited_message", event)
        await self._state.tell()
        return update_id

    async def send_document(
        self, bot_id: int, user: User, body: bytes, name: str, *, mime_type: str = "application/pdf"
    ) -> int:
        """Send a file."""
        file = keep([self._state.bots[bot_id]], "document", body, file_name=name, mime_type=mime_type)
        return await self._send(bot_id, user, document=file)

    async def send_raw_update(self, bot_id: int, kind: str, event: Json) -> int:
        """Let Telegram bring something unusual."""
        update_id = self._queue(self._state.bots[bot_id], kind, event)
        await self._state.tell()
        return update_id

    async def resend_last(self, bot_id: int) -> None:
        """Bring the last delivered update once more, as Telegram does when an answer got lost."""
        bot = self._state.bots[bot_id]
        bot.updates.appendleft(bot.delivered[-1])
        await self._state.tell()

    async def block_bot(self, bot_id: int, user: User) -> int:
        """Block the bot: it can write no more, and is told so by my_chat_member."""
        return await self._set_blocked(bot_id, user, blocked=True)

    async def unblock_bot(self, bot_id: int, user: User) -> int:
        """Take the block back, without writing anything."""
        return await self._set_blocked(bot_id, user, blocked=False)

    async def _set_blocked(self, bot_id: int, user: User, *, blocked: bool) -> int:
        bot = self._state.bots[bot_id]
        chat = bot.chats[user.id]
        chat.blocked = blocked
        member = {"user": bot.as_json(), "status": "member"}
        kicked = {"user": bot.as_json(), "status": "kicked", "until_date": 0}
        event = {
            "chat": chat.as_json(),
            "from": user.as_json(),
            "date": self._state.now(),
            "old_chat_member": member if blocked else kicked,
            "new_chat_member": kicked if blocked else member,
        }
        return await self.send_raw_update(bot_id, "my_chat_member", event)

    def delete_account(self, bot_id: int, user: User) -> None:
        """Leave Telegram; bots are not told."""
        self._state.bots[bot_id].chats[user.id].deactivated = True

    def add_to_group(self, bot_id: int, group_id: int, title: str) -> Chat:
        """Let the bot be a member of a supergroup with nobody else in it; its id is negative.

        TelegramSandbox.group makes one that people can be in.
        """
        bot = self._state.bots[bot_id]
        group = Group(user=User(id=group_id, first_name=title), bots={bot_id: bot}, standings={bot_id: MEMBER})
        return bot.chats.setdefault(group_id, group)

    def chat(self, bot_id: int, user_id: int) -> Chat | None:
        """Return a chat as it is now."""
        return self._state.bots[bot_id].chats.get(user_id)

    def texts_from_bot(self, bot_id: int, user_id: int) -> list[str]:
        """Return what the bot has said in a chat, in order."""
        chat = self.chat(bot_id, user_id)
        return [one.text for one in chat.messages if one.from_bot and not one.deleted] if chat else []

    async def wait_for(
        self, bot_id: int, user_id: int, predicate: Callable[[Chat], bool], *, within_s: float = 20
    ) -> Chat:
        """Wait until the chat is as wanted. Raises TimeoutError that shows the chat."""

        def wanted() -> bool:
            chat = self.chat(bot_id, user_id)
            return chat is not None and predicate(chat)

        try:
            async with asyncio.timeout(within_s), self._state.changed:
                await self._state.changed.wait_for(wanted)
        except TimeoutError:
            chat = self.chat(bot_id, user_id)
            lines = [f"{'bot' if m.from_bot else 'client'}: {m.text}" for m in chat.messages] if chat else []
            raise TimeoutError("the chat did not become as wanted:\n" + "\n".join(lines)) from None
        found = self.chat(bot_id, user_id)
        assert found is not None  # noqa: S101
        return found

    async def _send(self, bot_id: int, user: User, **content: Any) -> int:
        bot = self._state.bots[bot_id]
        chat = bot.chats.setdefault(user.id, Chat(user=user))
        other = {name: value for name, value in content.items() if name not in ("text", "contact")}
        wordless = bool(other) and "text" not in content
        message = ChatMessage(
            seq=self._state.seq(),
            message_id=chat.take_message_id(bot),
            from_bot=False,
            text=SIGNS.get(next(iter(other)), ANY_SIGN) if wordless else content.get("text", ""),
            date=self._state.now(),
            contact=content.get("contact"),
            content=other,
            wordless=wordless,
        )
        chat.messages.append(message)
        update_id = self._queue(bot, "message", self._state.message_json(bot, chat, message))
        await self._state.tell()
        return update_id

    # ---- the page's side

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the HTTP routes of the people's side."""
        base = "/sandbox/telegram"
        return [
            web.get(f"{base}/bots", self._http_bots),
            web.get(f"{base}/bots/{{bot_id}}/chats/{{user_id}}", self._http_chat),
            web.post(f"{base}/bots/{{bot_id}}/chats/{{user_id}}", self._http_act),
        ]

    async def _http_bots(self, _: web.Request) -> web.Response:
        bots = [{"id": bot.id, "username": bot.username, "name": bot.first_name} for bot in self._state.bots.values()]
        return web.json_response(bots)

    async def _http_chat(self, request: web.Request) -> web.Response:
        """Show the chat; with `after`, wait a bounded time until something newer is there."""
        bot_id, user_id = int(request.match_info["bot_id"]), int(request.match_info["user_id"])
        after = int(request.query.get("after", "0"))
        wait = min(float(request.query.get("wait", "0")), _LONGEST_WAIT_S)
        if wait:
            try:
                async with asyncio.timeout(wait), self._state.changed:
                    await self._state.changed.wait_for(lambda: _last_seq(self.chat(bot_id, user_id)) > after)
            except TimeoutError:
                pass
        return web.json_response(_shown(self.chat(bot_id, user_id)))

    async def _http_act(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
            bot_id = int(request.match_info["bot_id"])
            user = User(
                id=int(request.match_info["user_id"]),
                first_name=str(body.get("first_name") or "Гость")[:64],
                language_code=str(body.get("language_code") or "ru"),
            )
            match body["do"]:
                case "text":
                    await self.send_text(bot_id, user, str(body["text"])[:4096])
                case "contact":
                    await self.share_contact(bot_id, user, str(body["phone"]))
                case "press":
                    await self.press_button(bot_id, user, int(body["message_id"]), str(body["data"]))
                case other:
                    raise LookupError(f"unknown action {other!r}")
        except (ValueError, KeyError, LookupError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"ok": True})


def rewrite(state: State, message: ChatMessage, text: str) -> None:
    """Change the words of a message, or the caption of one that has no words."""
    if message.wordless:
        message.content = {**message.content, "caption": text}
    message.text, message.edited_at, message.seq = text, state.now(), state.seq()


def buttons_of(message: ChatMessage) -> list[Json]:
    """Return the inline buttons that a message shows."""
    rows = (message.markup or {}).get("inline_keyboard", [])
    return [button for row in rows for button in row]


def _last_seq(chat: Chat | None) -> int:
    return max((message.seq for message in chat.messages), default=0) if chat else 0


def _shown(chat: Chat | None) -> Json:
    if chat is None:
        return {"seq": 0, "messages": [], "ask_contact": None, "typing": False}
    ask = next(
        (
            button["text"]
            for row in (chat.reply_keyboard or {}).get("keyboard", [])
            for button in row
            if isinstance(button, dict) and button.get("request_contact")
        ),
        None,
    )
    messages = [
        {
            "message_id": one.message_id,
            "from_bot": one.from_bot,
            "text": one.text,
            "contact": one.contact and one.contact["phone_number"],
            "date": one.date,
            "buttons": (one.markup or {}).get("inline_keyboard", []),
        }
        for one in chat.messages
        if not one.deleted
    ]
    return {"seq": _last_seq(chat), "messages": messages, "ask_contact": ask, "typing": chat.typing_at is not None}
