"""The people with the phones: what they do, and what their chats show. Python for tests, HTTP for the demo's page.

Payloads after Meta's pages "Webhooks: components" and "Business-scoped user ids". Not verified with Meta: how a shared
contact answers a request for it (here: a `contacts` message whose `context` names the request, and whose contact has
the sender's own number and no vCard), and what is left out for a person who shows a user name (here: `wa_id`, `from`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from sandbox.whatsapp.state import Chat, ChatMessage, Json, Number, Person, State
from sandbox.whatsapp.webhooks import Webhooks

_LONGEST_WAIT_S = 25.0
_FAILURES = {131047: "Re-engagement message", 131026: "Message undeliverable"}


class People:
    """Every action makes the webhook that Meta would make, and returns the message's id."""

    def __init__(self, state: State, webhooks: Webhooks) -> None:
        self._state = state
        self._webhooks = webhooks
        self._batch: list[tuple[Number, Json]] | None = None
        self.last: tuple[Number, Json] | None = None
        """The last webhook that was brought, with its number."""

    async def send_text(self, number_id: str, person: Person, text: str, *, reply_to: str | None = None) -> str:
        """Write to a number. The first message opens the chat."""
        return await self._send(number_id, person, text, {"type": "text", "text": {"body": text}}, reply_to)

    async def tap(self, number_id: str, person: Person, message_id: str, choice_id: str) -> str:
        """Tap a button, or choose a row of a list, that the message really shows."""
        message = self._message(number_id, person, message_id)
        choice = next((one for one in message.choices if one["id"] == choice_id), None)
        if choice is None:
            raise LookupError(f"the message shows no choice {choice_id!r}")
        kind = "list_reply" if message.list_button else "button_reply"
        reply = {name: choice[name] for name in ("id", "title", "description") if choice.get(name)}
        content = {"type": "interactive", "interactive": {"type": kind, kind: reply}}
        return await self._send(number_id, person, choice["title"], content, message_id)

    async def send_voice(self, number_id: str, person: Person, recording: bytes) -> str:
        """Send a voice note."""
        mime = "audio/ogg; codecs=opus"
        media_id = self._upload(number_id, recording, mime)
        audio = {"id": media_id, "mime_type": mime, "sha256": "x", "voice": True}
        return await self._send(number_id, person, "🎤", {"type": "audio", "audio": audio}, None)

    async def send_image(self, number_id: str, person: Person, picture: bytes, caption: str = "") -> str:
        """Send a picture."""
        image = {"id": self._upload(number_id, picture, "image/png"), "mime_type": "image/png", "sha256": "x"}
        if caption:
            image["caption"] = caption
        return await self._send(number_id, person, caption or "🖼", {"type": "image", "image": image}, None)

    async def share_contact(self, number_id: str, person: Person, phone: str, *, own: bool = True) -> str:
        """Share a contact; `own`: one's own, in answer to the request that stands last in the chat."""
        digits = phone.lstrip("+")
        contact: Json = {
            "name": {"formatted_name": person.name, "first_name": person.name},
            "phones": [{"phone": phone, "wa_id": digits, "type": "CELL"}],
        }
        asked = next((one for one in reversed(self._chat(number_id, person).messages) if one.asks_contact), None)
        if not own:
            # From the address book it comes with a vCard, and may be sent as a reply to anything.
            contact["vcard"] = f"BEGIN:VCARD\nVERSION:3.0\nTEL:{phone}\nEND:VCARD"
        reply_to = asked.id if asked is not None else None
        return await self._send(number_id, person, f"☎ {phone}", {"type": "contacts", "contacts": [contact]}, reply_to)

    async def send_anything(self, number_id: str, person: Person, content: Json) -> str:
        """Send a message of this content: `{"type": "sticker", "sticker": {...}}`."""
        return await self._send(number_id, person, f"[{content.get('type')}]", content, None)

    async def read(self, number_id: str, person: Person) -> None:
        """Look at the chat: what the business sent is read."""
        number, chat = self._state.numbers[number_id], self._chat(number_id, person)
        for message in chat.messages:
            if message.from_business and message.status != "read":
                self.report(number, chat, message, "read")
        await self._state.tell()

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[None]:
        """Bring all that happens inside as one webhook to each address."""
        self._batch = []
        try:
            yield
        finally:
            batch, self._batch = self._batch, None
            by_address: dict[str, list[tuple[Number, Json]]] = {}
            for number, body in batch:
                by_address.setdefault(number.callback_url or number.app.callback_url, []).append((number, body))
            for together in by_address.values():
                body = {**together[0][1], "entry": [entry for _, one in together for entry in one["entry"]]}
                self._webhooks.bring(together[0][0], body)

    async def bring_again(self) -> None:
        """Bring the last webhook once more, as Meta does when an answer got lost."""
        url, app, body = self._webhooks.delivered[-1]
        self._webhooks.bring_raw(url, app, body)

    def report(self, number: Number, chat: Chat, message: ChatMessage, status: str, *, code: int | None = None) -> None:
        """Tell the business what became of its message."""
        message.status = status
        told: Json = {
            "id": message.id,
            "status": status,
            "timestamp": str(int(self._state.now().timestamp())),
            "recipient_id": chat.person.wa_id or chat.person.user_id,
        }
        if code is not None:
            details = {"details": _FAILURES.get(code, "failed")}
            title = _FAILURES.get(code, "Error")
            told["errors"] = [{"code": code, "title": title, "message": title, "error_data": details}]
        self._bring(number, {"statuses": [told]})

    def open_chat(self, number_id: str, person: Person) -> Chat:
        """Return the chat, begun now where it is not there yet."""
        return self._state.numbers[number_id].chats.setdefault(person.user_id, Chat(person=person))

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

    async def _send(self, number_id: str, person: Person, shown: str, content: Json, reply_to: str | None) -> str:
        number, chat = self._state.numbers[number_id], self.open_chat(number_id, person)
        now = self._state.now()
        id_ = self._state.new_message_id()
        message: Json = {"id": id_, "timestamp": str(int(now.timestamp())), "from_user_id": person.user_id, **content}
        contact: Json = {"profile": {"name": person.name}, "user_id": person.user_id}
        if person.wa_id:
            message["from"] = contact["wa_id"] = person.wa_id
        if reply_to is not None:
            message["context"] = {"from": number.display, "id": reply_to}
        chat.wrote_at = now
        chat.messages.append(
            ChatMessage(
                seq=self._state.seq(),
                id=id_,
                from_business=False,
                type=str(content.get("type")),
                text=shown,
                at=int(now.timestamp()),
            )
        )
        self._bring(number, {"contacts": [contact], "messages": [message]})
        await self._state.tell()
        return id_

    def _bring(self, number: Number, told: Json) -> None:
        digits = "".join(one for one in number.display if one.isdigit())
        metadata = {"display_phone_number": digits, "phone_number_id": number.id}
        value = {"messaging_product": "whatsapp", "metadata": metadata, **told}
        entry = {"id": number.waba_id, "changes": [{"field": "messages", "value": value}]}
        body: Json = {"object": "whatsapp_business_account", "entry": [entry]}
        self.last = (number, body)
        if self._batch is not None:
            self._batch.append((number, body))
        else:
            self._webhooks.bring(number, body)

    def _upload(self, number_id: str, body: bytes, mime_type: str) -> str:
        media = self._state.numbers[number_id].media
        media_id = str(7_000_000 + self._state.seq())
        media[media_id] = (body, mime_type)
        return media_id

    def _chat(self, number_id: str, person: Person) -> Chat:
        return self.open_chat(number_id, person)

    def _message(self, number_id: str, person: Person, message_id: str) -> ChatMessage:
        for message in self._chat(number_id, person).messages:
            if message.id == message_id:
                return message
        raise LookupError(f"there is no message {message_id} in this chat")

    # ---- the page's side

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the HTTP routes of the people's side."""
        base = "/sandbox/whatsapp/numbers/{number_id}/chats/{wa_id}"
        return [web.get(base, self._http_chat), web.post(base, self._http_act)]

    async def _http_chat(self, request: web.Request) -> web.Response:
        """Show the chat; with `after`, wait a bounded time until something newer is there."""
        number_id, user_id = request.match_info["number_id"], f"RU.{request.match_info['wa_id']}"
        after, wait = int(request.query.get("after", "0")), float(request.query.get("wait", "0"))
        if wait:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait, _LONGEST_WAIT_S)), self._state.changed:
                    await self._state.changed.wait_for(lambda: _last_seq(self.chat(number_id, user_id)) > after)
        return web.json_response(_shown(self.chat(number_id, user_id)))

    async def _http_act(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
            number_id, wa_id = request.match_info["number_id"], request.match_info["wa_id"]
            person = Person(name=str(body.get("name") or "Гость")[:64], wa_id=wa_id, user_id=f"RU.{wa_id}")
            match body["do"]:
                case "text":
                    await self.send_text(number_id, person, str(body["text"])[:4096])
                case "tap":
                    await self.tap(number_id, person, str(body["message_id"]), str(body["id"]))
                case other:
                    raise LookupError(f"unknown action {other!r}")
        except (ValueError, KeyError, LookupError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"ok": True})


def _last_seq(chat: Chat | None) -> int:
    return max((message.seq for message in chat.messages), default=0) if chat else 0


def _shown(chat: Chat | None) -> dict[str, Any]:
    if chat is None:
        return {"seq": 0, "messages": []}
    messages = [
        {
            "id": one.id,
            "from_business": one.from_business,
            "text": one.text,
            "choices": one.choices,
            "list_button": one.list_button,
            "status": one.status,
        }
        for one in chat.messages
    ]
    return {"seq": _last_seq(chat), "messages": messages}
