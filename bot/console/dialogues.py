"""The dialogues: the list, one of them with what the agent did between the words, and a person's part in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from aiohttp import web

from bot.console.desk import LONGEST_ANSWER, ConsoleDesk
from bot.console.phones import written_out
from bot.console.rights import Page
from bot.console.screens import live, page
from bot.console.visitor import Visitor, visitor_of
from db.audit import Action
from db.dialogues import Dialogues
from db.drafts import Draft, Drafts
from db.engine import Transaction
from db.records import Author, CompanyId, DialogueId, HistoryMessage, InCharge, ToolCallRecord, new_id
from db.shown_dialogues import ShownDialogue, ShownDialogues
from orchestration.identity import mask_phone, mask_phones
from orchestration.ports import Content, ResultPart
from orchestration.staff_rules import Right

if TYPE_CHECKING:
    from bot.app import Core

_MOST_SHOWN, _MOST_MESSAGES = 100, 200
_WAITING, _ALL = "waiting", "all"
_GLIMPSE = 120
_LONGEST_JSON = 4000
_When = Callable[[datetime], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """Something that stands in a dialogue: what was said, or what the agent called. `kind`: who, or `call`."""

    kind: str
    at: str
    text: str = ""
    name: str = ""
    arguments: str = ""
    result: str = ""
    outcome: str = ""
    took_ms: int = 0


class DialoguePages:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._desk = ConsoleDesk(core)

    def routes(self) -> list[web.RouteDef]:
        one = "/dialogues/{dialogue_id}"
        return [
            web.get("/dialogues", self._list),
            web.get("/dialogues/live", self._list_again),
            web.get(one, self._show),
            web.get(f"{one}/live", self._show_again),
            web.post(f"{one}/take", self._take_over),
            web.post(f"{one}/answer", self._answer),
            web.post(f"{one}/back", self._hand_back),
            web.post(f"{one}/draft", self._settle_draft),
            web.post(f"{one}/phone", self._show_phone),
        ]

    # ---- the list

    async def _list(self, request: web.Request) -> web.Response:
        visitor, wanted = _allowed(request), _wanted(request)
        inner, seen = await self._draw_list(request, visitor, wanted)
        title = visitor.texts.text("console-dialogues")
        return page(request, "dialogues.html", title=title, wanted=wanted, inner=inner, seen=seen)

    async def _list_again(self, request: web.Request) -> web.Response:
        visitor, wanted = _allowed(request), _wanted(request)
        inner, seen = await self._draw_list(request, visitor, wanted)
        if request.query.get("seen") == seen:
            return web.Response(status=204)
        return page(request, "_list.html", wanted=wanted, inner=inner, seen=seen)

    async def _draw_list(self, request: web.Request, visitor: Visitor, wanted: str) -> tuple[str, str]:
        async with self._core.database.reading(visitor.company_id) as tx:
            found = await ShownDialogues().list_latest(
                tx, branches=visitor.only_branches, waiting_only=wanted == _WAITING, limit=_MOST_SHOWN
            )
        return live(request, "_dialogues.html", rows=[self._row(visitor, one) for one in found], wanted=wanted)

    def _row(self, visitor: Visitor, one: ShownDialogue) -> Mapping[str, Any]:
        words = mask_phones(" ".join((one.last_text or "").split()))
        return {
            "url": f"/console/dialogues/{one.dialogue.id}",
            "name": _name(visitor, one),
            "channel": one.channel.value,
            "words": words if len(words) <= _GLIMPSE else f"{words[:_GLIMPSE]}…",
            "ours": one.last_author is not None and one.last_author is not Author.CLIENT,
            "at": visitor.when(one.last_at, self._core.clock()) if one.last_at else "",
            "waits": one.waits,
            "person": one.dialogue.in_charge is InCharge.PERSON,
            "since": visitor.when(one.waits_since, self._core.clock()) if one.waits_since else "",
        }

    # ---- one of them

    async def _show(self, request: web.Request) -> web.Response:
        visitor = _allowed(request)
        one = await self._find(request, visitor)
        inner, seen = await self._draw(request, visitor, one)
        return page(
            request,
            "dialogue.html",
            title=_name(visitor, one),
            id=str(one.dialogue.id),
            inner=inner,
            seen=seen,
            phones=[mask_phone(phone) for phone in _phones(one)],
            may_see_phones=visitor.may(Right.SEE_PHONES),
            can_answer=self._desk.can_answer(one.channel),
            longest=LONGEST_ANSWER,
            once=new_id(),
        )

    async def _show_again(self, request: web.Request) -> web.Response:
        visitor = _allowed(request)
        one = await self._find(request, visitor)
        inner, seen = await self._draw(request, visitor, one)
        if request.query.get("seen") == seen:
            return web.Response(status=204)
        return page(request, "_live.html", id=str(one.dialogue.id), inner=inner, seen=seen)

    async def _draw(
        self, request: web.Request, visitor: Visitor, one: ShownDialogue, *, fresh: bool = False
    ) -> tuple[str, str]:
        async with self._open(fresh)(visitor.company_id) as tx:
            said = await Dialogues().list_recent_messages(tx, [one.dialogue.id], limit=_MOST_MESSAGES)
            calls = await Dialogues().list_tool_calls(tx, list({message.turn_id for message in said}))
            draft = await Drafts().find_open_in(tx, one.dialogue.id)
        entries = list(_entries(visitor, said, calls, lambda at: visitor.when(at, self._core.clock())))
        person = one.dialogue.in_charge is InCharge.PERSON
        return live(
            request,
            "_talk.html",
            # The newest first: the page is drawn from its end, so that it stays there.
            entries=entries[::-1],
            draft=_drafted(draft),
            id=str(one.dialogue.id),
            person=person,
            waits=one.waits,
            since=visitor.when(one.waits_since, self._core.clock()) if one.waits_since else "",
            can_answer=self._desk.can_answer(one.channel),
            unreachable=one.dialogue.unreachable_at is not None,
        )

    # ---- a person's part

    async def _take_over(self, request: web.Request) -> web.Response:
        visitor = _allowed(request)
        one = await self._answerable(request, visitor)
        await self._desk.take_over(visitor, one.dialogue)
        return await self._changed(request, visitor)

    async def _answer(self, request: web.Request) -> web.Response:
        visitor = _allowed(request)
        one = await self._answerable(request, visitor)
        form = await request.post()
        text = str(form.get("text", "")).strip()
        try:
            once = UUID(str(form.get("once", "")))
        except ValueError:
            raise web.HTTPBadRequest from None
        if text:
            await self._desk.answer(visitor, one.dialogue, text, once=once)
        return await self._changed(request, visitor, answered=True)

    async def _hand_back(self, request: web.Request) -> web.Response:
        visitor = _allowed(request)
        visitor.demand(Right.ANSWER_CLIENTS)
        one = await self._find(request, visitor)
        await self._desk.hand_back(visitor, one.dialogue)
        return await self._changed(request, visitor)

    async def _settle_draft(self, request: web.Request) -> web.Response:
        visitor = _allowed(request)
        one = await self._answerable(request, visitor)
        form = await request.post()
        try:
            draft_id = UUID(str(form.get("draft", "")))
        except ValueError:
            raise web.HTTPBadRequest from None
        await self._desk.settle_draft(visitor, one.dialogue, draft_id, send=form.get("act") == "send")
        return await self._changed(request, visitor)

    async def _show_phone(self, request: web.Request) -> web.Response:
        """Show the client's numbers whole, and write down who looked."""
        visitor = _allowed(request)
        visitor.demand(Right.SEE_PHONES)
        one = await self._find(request, visitor)
        phones = _phones(one)
        async with self._core.database.company(visitor.company_id) as tx:
            subject = f"dialogue {one.dialogue.id}"
            await self._core.audit.record(
                tx, Action.PHONE_VIEW, subject=subject, after={"shown": "phone"}, actor=visitor.actor
            )
        told = written_out(phones)
        back = f"/console/dialogues/{one.dialogue.id}"
        return page(request, "phone.html", title=_name(visitor, one), phones=told, back=back, whole=_is_whole(request))

    async def _changed(self, request: web.Request, visitor: Visitor, *, answered: bool = False) -> web.Response:
        """Show the dialogue as it is now; a browser without scripts is sent to its page."""
        dialogue_id = request.match_info["dialogue_id"]
        if _is_whole(request):
            raise web.HTTPSeeOther(f"/console/dialogues/{dialogue_id}")
        one = await self._find(request, visitor, fresh=True)
        inner, seen = await self._draw(request, visitor, one, fresh=True)
        return page(
            request, "_answered.html", id=dialogue_id, inner=inner, seen=seen, once=new_id(), answered=answered,
            longest=LONGEST_ANSWER,
        )  # fmt: skip

    async def _answerable(self, request: web.Request, visitor: Visitor) -> ShownDialogue:
        visitor.demand(Right.ANSWER_CLIENTS)
        one = await self._find(request, visitor)
        if not self._desk.can_answer(one.channel):
            raise web.HTTPBadRequest
        return one

    async def _find(self, request: web.Request, visitor: Visitor, *, fresh: bool = False) -> ShownDialogue:
        """Return the dialogue that the address names. Raises 404 where there is none for this visitor to see."""
        try:
            wanted = DialogueId(UUID(request.match_info["dialogue_id"]))
        except ValueError:
            raise web.HTTPNotFound from None
        async with self._open(fresh)(visitor.company_id) as tx:
            found = await ShownDialogues().find(tx, wanted, branches=visitor.only_branches)
        if found is None:
            raise web.HTTPNotFound
        return found

    def _open(self, fresh: bool) -> Callable[[CompanyId], AbstractAsyncContextManager[Transaction]]:
        """Return where to read: what was just written may not be on the copy for reading yet."""
        return self._core.database.company if fresh else self._core.database.reading


def _allowed(request: web.Request) -> Visitor:
    return visitor_of(request).opens(Page.DIALOGUES)


def _wanted(request: web.Request) -> str:
    return _WAITING if request.query.get("show") == _WAITING else _ALL


def _is_whole(request: web.Request) -> bool:
    """Say whether a whole page is asked for, not a part for one that is there."""
    return "HX-Request" not in request.headers


def _name(visitor: Visitor, one: ShownDialogue) -> str:
    return one.dialogue.client_name or visitor.texts.text("staff-unnamed-client")


def _phones(one: ShownDialogue) -> list[str]:
    known = (one.dialogue.proved_phone, one.dialogue.typed_phone)
    return list(dict.fromkeys(phone for phone in known if phone))


def _drafted(draft: Draft | None) -> Mapping[str, str] | None:
    """Return what the agent would say, if somebody lets it."""
    if draft is None:
        return None
    words = "\n\n".join(str(reply["text"]) for reply in draft.replies if reply.get("text"))
    return {"id": str(draft.id), "text": mask_phones(words)}


def _entries(
    visitor: Visitor, said: Sequence[HistoryMessage], calls: Sequence[ToolCallRecord], when: _When
) -> Iterator[_Entry]:
    """Put what was called in a turn between the client's words and the answer to them."""
    by_turn: dict[UUID, list[HistoryMessage]] = {}
    for message in said:
        by_turn.setdefault(message.turn_id, []).append(message)
    for turn_id, messages in by_turn.items():
        results = _results(messages)
        told = [
            _Entry(
                kind="call",
                at=when(call.at),
                name=call.name,
                arguments=_shown(call.arguments),
                result=_result_of(results, call.name),
                outcome=call.outcome,
                took_ms=round(call.took.total_seconds() * 1000),
            )
            for call in calls
            if call.turn_id == turn_id
        ]
        asked = [one for one in messages if one.author is Author.CLIENT]
        answered = [one for one in messages if one.author is not Author.CLIENT]
        yield from (_said(one, when) for one in asked)
        yield from told
        yield from (_said(one, when) for one in answered)


def _results(messages: Sequence[HistoryMessage]) -> list[ResultPart]:
    contents = [Content.model_validate(part) for one in messages for part in one.parts]
    return [part for one in contents for part in one.parts if isinstance(part, ResultPart)]


def _result_of(results: list[ResultPart], name: str) -> str:
    """Take the first answer of this tool; a call that was cut short has none."""
    place = next((place for place, one in enumerate(results) if one.name == name), None)
    return "" if place is None else _shown(results.pop(place).response)


def _said(message: HistoryMessage, when: _When) -> _Entry:
    return _Entry(kind=message.author.value, at=when(message.at), text=mask_phones(message.text))


def _shown(value: Mapping[str, Any]) -> str:
    written = mask_phones(json.dumps(value, ensure_ascii=False, indent=1, default=str))
    return written if len(written) <= _LONGEST_JSON else f"{written[:_LONGEST_JSON]}…"
