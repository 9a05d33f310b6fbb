"""What is said with a client, shown to staff: in a topic of the client's own, or in one chat where there are none.

A group takes 20 messages a minute: what was said while the last batch was on its way is one message. It goes the way of
every reply: what is on its way is kept with the mark that it is, so that nothing is lost, and nothing shown twice but
where the messenger's own answer was lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from db.dialogues import Dialogues
from db.directory import Directory
from db.engine import Database, Transaction
from db.handovers import Handovers, MirrorItem, Thread
from db.outbox import Outbox
from db.records import Author, Channel, Claim, Dialogue, HistoryMessage
from db.work import Work
from handlers.base import DeliveryDelayed
from handlers.staff_notices import as_shown_in
from handlers.telegram.rooms import TelegramRooms
from locales import Translator
from orchestration.messages import AttachmentKind, Button, OutgoingFile, Reply
from orchestration.ports import Clock
from orchestration.scope import CompanyScope, CompanyScopes
from orchestration.staff_press import phone_button
from orchestration.staff_words import DROP_DRAFT, SEND_DRAFT
from orchestration.trouble import label_of
from orchestration.turns import TurnPostponed
from orchestration.working_hours import is_open

log = structlog.get_logger()

_MOST_ITEMS = 40
_MOST_BEFORE = 10
"""So many of the last messages open a topic."""
_LONGEST = 3500
"""Of one message to staff, in characters: under the messenger's limit, whatever they are."""
_MOST_ON_THE_WAY = 2
_REST, _AGAIN = timedelta(seconds=4), timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorStores:
    database: Database
    work: Work
    directory: Directory
    dialogues: Dialogues
    handovers: Handovers
    outbox: Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    dialogue: Dialogue
    thread: Thread
    staff_chat: Dialogue
    items: Sequence[MirrorItem]
    on_the_way: int
    before: Sequence[HistoryMessage]


class MirrorJob:
    def __init__(self, stores: MirrorStores, scopes: CompanyScopes, rooms: TelegramRooms, clock: Clock) -> None:
        self._stores = stores
        self._scopes = scopes
        self._rooms = rooms
        self._clock = clock

    async def __call__(self, claim: Claim) -> None:
        """Put what is new on its way to staff. Raises LeaseLost, or TurnPostponed where no topic can be made now."""
        waiting = await self._read(claim)
        if waiting is None:
            await self._rest(claim, until=None)
            return
        if waiting.on_the_way > _MOST_ON_THE_WAY:
            await self._rest(claim, until=self._clock() + _REST)
            return
        scope = await self._scopes.open(claim.company_id)
        channel = await self._stores.directory.get_channel(claim.company_id, claim.channel_id)
        topic_id, is_new = await self._topic(claim, scope, waiting)
        texts = Translator.for_language(scope.agent.language)
        quiet = not is_open(next(iter(scope.branches), None), self._clock())
        replies = [_header(texts, channel, waiting, topic_id)] if is_new else []
        replies += _batches(texts, waiting, topic_id, silent=quiet)
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.hold(tx, claim)
            if is_new:
                await self._stores.handovers.keep_topic(tx, waiting.thread, topic_id)
            await self._put(tx, waiting, replies)
            await self._stores.handovers.mark_shown(tx, waiting.items)
            more = len(waiting.items) == _MOST_ITEMS
            await self._stores.work.done(tx, claim, next_due_at=self._clock() + _REST if more else None)

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Nothing to keep: the items still wait."""

    async def give_up(self, claim: Claim) -> None:
        """Try again later: what a client said must not stay unseen."""
        await self._rest(claim, until=self._clock() + timedelta(minutes=5))

    async def _read(self, claim: Claim) -> _Waiting | None:
        stores = self._stores
        async with stores.database.company(claim.company_id) as tx:
            dialogue = await stores.dialogues.find_dialogue(tx, claim.dialogue_id)
            thread = await stores.handovers.find(tx, claim.dialogue_id)
            items = await stores.handovers.list_to_show(tx, claim.dialogue_id, limit=_MOST_ITEMS)
            if dialogue is None or thread is None or not items:
                return None
            if thread.staff_chat is None:
                # They answer on the business's own phone, and see it there.
                await stores.handovers.mark_shown(tx, items)
                return None
            first = thread.topic_id is None
            before = (
                await stores.dialogues.list_recent_messages(tx, [claim.dialogue_id], limit=_MOST_BEFORE)
                if first
                else ()
            )
            return _Waiting(
                dialogue=dialogue,
                thread=thread,
                staff_chat=thread.staff_chat,
                items=items,
                on_the_way=await stores.outbox.count_waiting(tx, thread.staff_chat.id),
                before=before,
            )

    async def _topic(self, claim: Claim, scope: CompanyScope, waiting: _Waiting) -> tuple[int | None, bool]:
        """Return the client's topic, and whether it was made just now.

        Made, and then kept: who is killed in between leaves an empty topic behind.
        """
        thread = waiting.thread
        if thread.topic_id is not None or thread.topicless:
            return thread.topic_id, False
        bot = await self._stores.directory.get_channel(claim.company_id, waiting.staff_chat.channel_id)
        chat = _chat(waiting)
        name = as_shown_in(chat, label_of(waiting.dialogue, Translator.for_language(scope.agent.language)))
        try:
            return await self._rooms.open_topic(bot, chat, name), True
        except DeliveryDelayed as error:
            raise TurnPostponed(error.rest or _AGAIN, f"no topic: {error}") from error

    async def _put(self, tx: Transaction, waiting: _Waiting, replies: Sequence[Reply]) -> None:
        shown = [one.model_copy(update={"text": as_shown_in(_chat(waiting), one.text)}) for one in replies]
        payloads = [reply.model_dump(mode="json", exclude_defaults=True) for reply in shown]
        await self._stores.outbox.put(
            tx, waiting.staff_chat, payloads, turn_id=None, author=Author.SYSTEM, about=waiting.dialogue.id
        )

    async def _rest(self, claim: Claim, *, until: datetime | None) -> None:
        async with self._stores.database.company(claim.company_id) as tx:
            await self._stores.work.done(tx, claim, next_due_at=until)


def _chat(waiting: _Waiting) -> str:
    return waiting.staff_chat.key.partition(":")[0]


def _header(texts: Translator, channel: Channel, waiting: _Waiting, topic_id: int | None) -> Reply:
    """Say who the client is, where they write, and what was said last."""
    lines = [texts.text("staff-topic-opened", client=label_of(waiting.dialogue, texts), channel=channel.type.value)]
    lines += [_line(texts, waiting.dialogue, one.author, one.text) for one in waiting.before]
    known = waiting.dialogue.proved_phone or waiting.dialogue.typed_phone
    masked = known is not None and as_shown_in(_chat(waiting), known) != known
    return Reply(
        text="\n".join(lines)[:_LONGEST],
        buttons=((phone_button(texts, waiting.dialogue),),) if masked else (),
        topic=topic_id,
        pinned=topic_id is not None,
        silent=True,
    )


def _batches(texts: Translator, waiting: _Waiting, topic_id: int | None, *, silent: bool) -> list[Reply]:
    """Return as few messages as hold what is new."""
    found: list[str] = []
    spoken = [one for one in waiting.items if one.draft_id is None]
    for one in spoken:
        line = _line(texts, waiting.dialogue, one.author, one.text, _kind(one))
        for part in (line[start : start + _LONGEST] for start in range(0, max(len(line), 1), _LONGEST)):
            if found and len(found[-1]) + len(part) < _LONGEST:
                found[-1] += f"\n{part}"
            else:
                found.append(part)
    if topic_id is None and found:
        # In a chat of all clients every message says whose it is.
        found = [f"{label_of(waiting.dialogue, texts)}\n{one}" for one in found]
    files = [_file_of(waiting, one) for one in spoken if one.file is not None and one.file.get("ref")]
    drafts = [one for one in waiting.items if one.draft_id is not None]
    return [
        *(Reply(text=one, topic=topic_id, silent=silent) for one in found),
        *(Reply(file=one, topic=topic_id, silent=True) for one in files),
        # Only the last can still be sent.
        *(_draft(texts, one, one.draft_id, topic_id, silent=silent) for one in drafts[-1:] if one.draft_id),
    ]


def _draft(texts: Translator, one: MirrorItem, draft_id: UUID, topic_id: int | None, *, silent: bool) -> Reply:
    row = (
        Button(text=texts.text("button-draft-send"), action=f"{SEND_DRAFT}:{draft_id.hex}"),
        Button(text=texts.text("button-draft-drop"), action=f"{DROP_DRAFT}:{draft_id.hex}"),
    )
    text = texts.text("staff-draft", text=one.text[:_LONGEST])
    return Reply(text=text, buttons=(row,), topic=topic_id, silent=silent)


def _file_of(waiting: _Waiting, one: MirrorItem) -> OutgoingFile:
    given = one.file or {}
    return OutgoingFile(
        kind=AttachmentKind(given["kind"]),
        ref=str(given["ref"]),
        channel_id=str(waiting.dialogue.channel_id),
        mime_type=given.get("mime_type"),
    )


def _line(texts: Translator, client: Dialogue, author: Author, words: str, kind: str | None = None) -> str:
    shown = " ".join(filter(None, (texts.text("staff-mirror-file", kind=kind) if kind else "", words)))
    if author is Author.CLIENT:
        name = client.client_name or texts.text("staff-unnamed-client")
        return texts.text("staff-mirror-client", name=name, text=shown)
    if author is Author.AGENT:
        return texts.text("staff-mirror-agent", text=words)
    if author is Author.PERSON:
        return texts.text("staff-mirror-person", text=shown)
    return words


def _kind(one: MirrorItem) -> str | None:
    return None if one.file is None else AttachmentKind(one.file["kind"]).value
