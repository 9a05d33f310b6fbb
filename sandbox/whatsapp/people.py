"""The people with the phones: what they do, as the webhooks that Meta makes of it.

After Meta's pages "Messages webhook" (one for each kind) and "Business-scoped user ids". Not verified with Meta: that a
contact shared in answer to a request carries `context` with the request's id beside its `origin: contact_request` and
has no vCard; that reactions, edits and what is taken back do not open the window; and that a business which was blocked
is told so at all (here: "failed", 131026).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from sandbox.whatsapp import payloads
from sandbox.whatsapp.events import Events
from sandbox.whatsapp.state import Chat, ChatMessage, Json, Number, Person, State

_KEPT = timedelta(days=7)
"""Meta keeps a file that came by a webhook so long (page "Media")."""
_OPENS_NO_WINDOW = frozenset({"reaction", "edit", "revoke"})


class People:
    """Every action makes the webhook that Meta would make, and returns the message's id."""

    def __init__(self, state: State, events: Events) -> None:
        self._state = state
        self._events = events

    # ---- they write

    async def send_text(self, number_id: str, person: Person, text: str, *, reply_to: str | None = None) -> str:
        """Write to a number. The first message opens the chat; `reply_to`: the message that this one quotes."""
        return await self._send(number_id, person, text, {"type": "text", "text": {"body": text}}, reply_to)

    async def tap(self, number_id: str, person: Person, message_id: str, choice_id: str) -> str:
        """Tap a button, or choose a row of a list, that the message really shows. Raises LookupError."""
        message = self._message(number_id, person, message_id)
        choice = next((one for one in message.choices if one["id"] == choice_id), None)
        if choice is None:
            raise LookupError(f"the message shows no choice {choice_id!r}")
        if message.type == "template":
            # A quick reply of a template comes back as a kind of its own.
            content: Json = {"type": "button", "button": {"payload": choice["id"], "text": choice["title"]}}
        else:
            kind = "list_reply" if message.list_button else "button_reply"
            reply = {name: choice[name] for name in ("id", "title", "description") if choice.get(name)}
            content = {"type": "interactive", "interactive": {"type": kind, kind: reply}}
        return await self._send(number_id, person, choice["title"], content, message_id)

    async def press_button(self, number_id: str, person: Person, message_id: str, button_id: str) -> str:
        """Tap one of the message's buttons. Raises LookupError where it has a list instead."""
        if self._message(number_id, person, message_id).list_button:
            raise LookupError("the message has a list, not buttons")
        return await self.tap(number_id, person, message_id, button_id)

    async def choose_row(self, number_id: str, person: Person, message_id: str, row_id: str) -> str:
        """Open the message's list and choose a row. Raises LookupError where it has none."""
        if not self._message(number_id, person, message_id).list_button:
            raise LookupError("the message has no list")
        return await self.tap(number_id, person, message_id, row_id)

    async def send_voice(
        self, number_id: str, person: Person, recording: bytes, *, mime_type: str = "audio/ogg; codecs=opus"
    ) -> str:
        """Send a voice note. How long it lasts, Meta does not tell."""
        return await self._send_file(number_id, person, "audio", recording, mime_type, "🎤", voice=True)

    async def send_image(
        self, number_id: str, person: Person, picture: bytes, caption: str = "", *, mime_type: str = "image/png"
    ) -> str:
        """Send a picture."""
        return await self._send_file(number_id, person, "image", picture, mime_type, "🖼", caption=caption)

    async def send_document(
        self, number_id: str, person: Person, body: bytes, *, filename: str, mime_type: str, caption: str = ""
    ) -> str:
        """Send a file as a document."""
        named = {"filename": filename, "caption": caption}
        return await self._send_file(number_id, person, "document", body, mime_type, f"📎 {filename}", **named)

    async def send_sticker(self, number_id: str, person: Person, body: bytes, *, animated: bool = False) -> str:
        """Send a sticker."""
        return await self._send_file(number_id, person, "sticker", body, "image/webp", "🙂", animated=animated)

    async def send_location(self, number_id: str, person: Person, latitude: float, longitude: float) -> str:
        """Send a place on the map, in answer to the request for one where one stands in the chat."""
        asked = self._last(number_id, person, lambda one: one.asks_location)
        location = {"latitude": latitude, "longitude": longitude}
        return await self._send(number_id, person, "📍", {"type": "location", "location": location}, asked)

    async def share_contact(self, number_id: str, person: Person, phone: str, *, own: bool = True) -> str:
        """Share a contact; `own`: one's own, in answer to the request that stands last in the chat.

        One from the address book, even one's own, has a vCard, and may be sent as a reply to anything.
        """
        asked = self._last(number_id, person, lambda one: one.asks_contact)
        contact: Json = {
            "name": {"formatted_name": person.name, "first_name": person.name},
            "phones": [{"phone": phone, "wa_id": phone.lstrip("+"), "type": "CELL"}],
        }
        origin = "contact_request" if own and asked else "other"
        if origin == "other":
            contact["vcard"] = f"BEGIN:VCARD\nVERSION:3.0\nTEL:{phone}\nEND:VCARD"
        content = {"type": "contacts", "origin": origin, "contacts": [contact]}
        return await self._send(number_id, person, f"☎ {phone}", content, asked)

    async def react(self, number_id: str, person: Person, message_id: str, emoji: str) -> str:
        """Put an emoji under a message; "": take it away again."""
        message = self._message(number_id, person, message_id)
        message.reactions.pop("person", None)
        if emoji:
            message.reactions["person"] = emoji
        reaction = {"message_id": message_id, **({"emoji": emoji} if emoji else {})}
        return await self._send(number_id, person, None, {"type": "reaction", "reaction": reaction})

    async def send_unsupported(self, number_id: str, person: Person) -> str:
        """Send what the Cloud API cannot show: a poll, a picture that may be seen once."""
        return await self._send(number_id, person, "[unsupported]", payloads.unsupported())

    async def send_order(self, number_id: str, person: Person, catalog_id: str, items: list[Json]) -> str:
        """Order from the business's catalogue; an item: product_retailer_id, quantity, item_price, currency."""
        order = {"catalog_id": catalog_id, "text": "", "product_items": items}
        return await self._send(number_id, person, "🛒", {"type": "order", "order": order})

    async def request_welcome(self, number_id: str, person: Person) -> str:
        """Open the chat for the first time, where the business asked to be told of that."""
        return await self._send(number_id, person, None, {"type": "request_welcome"})

    async def send_anything(self, number_id: str, person: Person, content: Json, *, reply_to: str | None = None) -> str:
        """Send a message of this content: `{"type": "video", "video": {...}}`."""
        return await self._send(number_id, person, f"[{content.get('type')}]", content, reply_to)

    async def edit_text(self, number_id: str, person: Person, message_id: str, text: str) -> str:
        """Change the words of a message of one's own.

        Only a number that is used with the Business app too is told of it (page "Edit messages webhook"); to others an
        edited message comes as an unsupported one.
        """
        message = self._message(number_id, person, message_id)
        message.text, message.seq = text, self._state.seq()
        if not self._state.numbers[number_id].coexistence:
            return await self._send(number_id, person, None, payloads.unsupported())
        edit = {"original_message_id": message_id, "message": {"type": "text", "text": {"body": text}}}
        return await self._send(number_id, person, None, {"type": "edit", "edit": edit})

    async def take_back(self, number_id: str, person: Person, message_id: str) -> str | None:
        """Delete a message of one's own for everybody. None: nobody is told, as the Business app is not used."""
        chat = self.open_chat(number_id, person)
        chat.messages.remove(self._message(number_id, person, message_id))
        if not self._state.numbers[number_id].coexistence:
            return None
        return await self._send(
            number_id, person, None, {"type": "revoke", "revoke": {"original_message_id": message_id}}
        )

    # ---- they look, and they block

    async def read(self, number_id: str, person: Person) -> None:
        """Look at the chat: what the business sent is read."""
        number, chat = self._state.numbers[number_id], self.open_chat(number_id, person)
        for message in list(chat.messages):
            if message.from_business and message.status not in ("read", "failed"):
                self._events.report(number, chat, message, "read")
        await self._state.tell()

    def report(self, number: Number, chat: Chat, message: ChatMessage, status: str, *, code: int | None = None) -> None:
        """Tell the business what became of its message, whether or not it did."""
        self._events.report(number, chat, message, status, code=code)

    def block(self, number_id: str, person: Person) -> None:
        """Block the number: what it sends fails from now on."""
        self.open_chat(number_id, person).blocked = True

    def unblock(self, number_id: str, person: Person) -> None:
        self.open_chat(number_id, person).blocked = False

    # ---- how it is brought

    def batch(self, *, merged: bool = False) -> AbstractAsyncContextManager[None]:
        """Bring all that happens inside as one webhook to each address (see Events.batch)."""
        return self._events.batch(merged=merged)

    async def bring_again(self, *, last: int = 1) -> None:
        """Bring the last webhooks once more, as Meta does when an answer got lost."""
        self._events.bring_again(last=last)

    def bring_event(self, number_id: str, field: str, value: Json) -> None:
        """Let Meta tell of something else: news of the account, of a template's quality."""
        self._events.bring(self._state.numbers[number_id], value, field=field)

    # ---- what the phone shows

    def add_person(self, person: Person) -> None:
        """Let somebody have WhatsApp who has not written to anybody yet."""
        self._state.people[person.user_id] = person

    def open_chat(self, number_id: str, person: Person) -> Chat:
        """Return the chat, begun now where it is not there yet."""
        return self._state.open_chat(self._state.numbers[number_id], person)

    def chat(self, number_id: str, user_id: str) -> Chat | None:
        """Return a chat as it is now."""
        return self._state.numbers[number_id].chats.get(user_id)

    def texts_from_business(self, number_id: str, user_id: str) -> list[str]:
        """Return what the business has said in a chat, in order."""
        chat = self.chat(number_id, user_id)
        return [one.text for one in chat.messages if one.from_business] if chat else []

    async def wait_for(
        self, number_id: str, user_id: str, predicate: Callable[[Chat], bool], *, within_s: float = 20
    ) -> Chat:
        """Wait until the chat is as wanted. Raises TimeoutError that shows the chat."""

        def wanted() -> bool:
            chat = self.chat(number_id, user_id)
            return chat is not None and predicate(chat)

        try:
            async with asyncio.timeout(within_s), self._state.changed:
                await self._state.changed.wait_for(wanted)
        except TimeoutError:
            chat = self.chat(number_id, user_id)
            lines = [f"{'business' if m.from_business else 'person'}: {m.text}" for m in chat.messages] if chat else []
            raise TimeoutError("the chat did not become as wanted:\n" + "\n".join(lines)) from None
        found = self.chat(number_id, user_id)
        assert found is not None  # noqa: S101
        return found

    # ---- what they share

    async def _send(
        self, number_id: str, person: Person, shown: str | None, content: Json, reply_to: str | None = None
    ) -> str:
        """Bring a message; `shown` None: nothing new stands in the chat."""
        number, chat = self._state.numbers[number_id], self.open_chat(number_id, person)
        id_, at, type_ = self._state.new_message_id(), self._state.timestamp(), str(content.get("type"))
        message = payloads.incoming(person, id_, at, content)
        if reply_to is not None:
            message["context"] = {"from": number.digits, "id": reply_to}
        if type_ not in _OPENS_NO_WINDOW:
            chat.wrote_at = self._state.now()
        if shown is not None:
            chat.messages.append(
                ChatMessage(
                    seq=self._state.seq(),
                    id=id_,
                    from_business=False,
                    type=type_,
                    text=shown,
                    at=at,
                    reply_to=reply_to,
                )
            )
        self._events.bring(number, {"contacts": [payloads.contact(person)], "messages": [message]})
        await self._state.tell()
        return id_

    async def _send_file(
        self, number_id: str, person: Person, kind: str, body: bytes, mime_type: str, shown: str, **more: str | bool
    ) -> str:
        media = self._state.add_media(self._state.numbers[number_id], body, mime_type, kept=_KEPT)
        file = payloads.media(media.id, body, mime_type) | {name: one for name, one in more.items() if one != ""}
        return await self._send(number_id, person, str(more.get("caption") or shown), {"type": kind, kind: file})

    def _last(self, number_id: str, person: Person, is_wanted: Callable[[ChatMessage], bool]) -> str | None:
        chat = self.open_chat(number_id, person)
        return next((one.id for one in reversed(chat.messages) if is_wanted(one)), None)

    def _message(self, number_id: str, person: Person, message_id: str) -> ChatMessage:
        message = self.open_chat(number_id, person).find(message_id)
        if message is None:
            raise LookupError(f"there is no message {message_id} in this chat")
        return message
