"""The phones as the demo's page holds them: what a chat shows, and what may be done in it, over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Any

from aiohttp import web

from sandbox.whatsapp.people import People
from sandbox.whatsapp.state import Chat, Json, Person, State

_LONGEST_WAIT_S = 25.0
_BASE = "/sandbox/whatsapp/numbers"
_ASK_CONTACT = "Поделиться номером"


class Phones:
    """A person is named by the digits of the number; the business-scoped id is made of them."""

    def __init__(self, state: State, people: People) -> None:
        self._state = state
        self._people = people

    def routes(self) -> Sequence[web.RouteDef]:
        """Return the HTTP routes of the people's side."""
        chat = f"{_BASE}/{{number_id}}/chats/{{wa_id}}"
        return [web.get(_BASE, self._numbers), web.get(chat, self._chat), web.post(chat, self._act)]

    async def _numbers(self, _: web.Request) -> web.Response:
        numbers = self._state.numbers.values()
        return web.json_response([{"id": one.id, "display": one.display, "name": one.verified_name} for one in numbers])

    async def _chat(self, request: web.Request) -> web.Response:
        """Show the chat; with `after`, wait a bounded time until something newer is there."""
        number_id, user_id = request.match_info["number_id"], f"RU.{request.match_info['wa_id']}"
        if number_id not in self._state.numbers:
            return web.json_response({"error": "there is no such number"}, status=404)
        after, wait = int(request.query.get("after", "0")), float(request.query.get("wait", "0"))
        if wait:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait, _LONGEST_WAIT_S)), self._state.changed:
                    await self._state.changed.wait_for(lambda: _last_seq(self._people.chat(number_id, user_id)) > after)
        return web.json_response(_shown(self._people.chat(number_id, user_id)))

    async def _act(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
            number_id, wa_id = request.match_info["number_id"], request.match_info["wa_id"]
            person = Person(name=str(body.get("name") or "Гость")[:64], wa_id=wa_id, user_id=f"RU.{wa_id}")
            await self._do(number_id, person, body)
        except (ValueError, KeyError, LookupError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"ok": True})

    async def _do(self, number_id: str, person: Person, body: Json) -> None:
        people = self._people
        match body["do"]:
            case "text":
                await people.send_text(number_id, person, str(body["text"])[:4096])
            case "tap":
                await people.tap(number_id, person, str(body["message_id"]), str(body["id"]))
            case "press":
                await people.press_button(number_id, person, str(body["message_id"]), str(body["id"]))
            case "choose":
                await people.choose_row(number_id, person, str(body["message_id"]), str(body["id"]))
            case "contact":
                await people.share_contact(number_id, person, str(body["phone"]))
            case "react":
                await people.react(number_id, person, str(body["message_id"]), str(body["emoji"]))
            case "read":
                await people.read(number_id, person)
            case other:
                raise LookupError(f"unknown action {other!r}")


def _last_seq(chat: Chat | None) -> int:
    return max((message.seq for message in chat.messages), default=0) if chat else 0


def _shown(chat: Chat | None) -> dict[str, Any]:
    if chat is None:
        return {"seq": 0, "messages": [], "ask_contact": None, "typing": False}
    messages = [
        {
            "id": one.id,
            "from_business": one.from_business,
            "text": one.text,
            "at": one.at,
            "choices": one.choices,
            "list_button": one.list_button,
            "reactions": one.reactions,
            "reply_to": one.reply_to,
            "status": one.status,
        }
        for one in chat.messages
    ]
    is_asked = bool(chat.messages) and chat.messages[-1].asks_contact
    return {
        "seq": _last_seq(chat),
        "messages": messages,
        "ask_contact": _ASK_CONTACT if is_asked else None,
        "typing": chat.typing,
    }
