"""A comment in the CRM that is meant for the client: who has no other window open answers from there.

Only where the company has set a phrase, and only where a comment starts with it. Only visits that the agent wrote
itself: its own comment begins with who wrote it, whatever the client wished follows, and so what stands before it was
put there by staff. The comment of any other record may be a client's own, from an online booking page, with somebody
else's number: nothing of it goes out in the salon's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid5

import structlog

from bot.handover_desk import WRITTEN, HandoverDesk, HandoverStores
from crm.base import Appointment
from db.booking_records import BookedAppointment
from db.engine import Transaction
from db.records import Author, Branch, Channel, ChannelId
from handlers.staff_notices import StaffNotices
from locales import Translator, languages
from orchestration.messages import Reply
from orchestration.ports import Clock
from orchestration.scope import CompanyScope

log = structlog.get_logger()

_COUNTS_UNTIL = timedelta(days=1)
"""After a visit: until then there may be something to say about it."""
_LONGEST = 3500


class CrmComments:
    """Works within the caller's transaction, which should have proved its lease."""

    def __init__(self, stores: HandoverStores, handovers: HandoverDesk, notices: StaffNotices, clock: Clock) -> None:
        self._stores = stores
        self._handovers = handovers
        self._notices = notices
        self._clock = clock

    async def heed(
        self,
        tx: Transaction,
        scope: CompanyScope,
        branch: Branch,
        channels: Mapping[ChannelId, Channel],
        ours: BookedAppointment,
        theirs: Appointment | None,
    ) -> None:
        """Send the client what a comment says to them, once, and let the agent be silent; staff are told why.

        What is read again changes nothing; a comment that was changed is another. `channels`: the company's.
        """
        phrase = scope.agent.people.crm_phrase
        if phrase is None or theirs is None or theirs.cancelled or ours.by_staff:
            return
        words = said_to_client(theirs.comment, phrase)
        if not words or theirs.starts_at + _COUNTS_UNTIL < self._clock():
            return
        stores = self._stores
        client = await stores.dialogues.find_dialogue(tx, ours.dialogue_id)
        channel = channels.get(client.channel_id) if client is not None else None
        turn_id = uuid5(ours.id, f"comment:{words}")
        if (
            client is None
            or channel is None
            or channel.type not in WRITTEN
            or await stores.outbox.has_turn(tx, turn_id)
        ):
            return
        thread = await stores.handovers.find(tx, client.id)
        staff_chat = thread.staff_chat if thread is not None else None
        if staff_chat is None and await stores.staff.has_any(tx):
            staff_chat = await self._notices.chat_of(channel, scope.branches, branch.id)
        await self._handovers.take_over(tx, scope, client, staff_chat=staff_chat, words=words, at=self._clock())
        payload = Reply(text=words).model_dump(mode="json", exclude_defaults=True)
        await stores.outbox.put(tx, client, [payload], turn_id=turn_id, author=Author.PERSON)
        texts = Translator.for_language(scope.agent.language)
        await self._handovers.show(tx, client, texts.text("staff-crm-comment", words=words))
        log.info("person_answered", dialogue_id=str(client.id), where="a comment in the CRM")


def said_to_client(comment: str, phrase: str) -> str:
    """Return what of a comment is for the client: what follows the phrase, down to what we wrote there; "": nothing."""
    given = comment.lstrip()
    if given[: len(phrase)].casefold() != phrase.casefold():
        return ""
    ours = {Translator.for_language(language).text("comment-source") for language in languages()}
    if given.splitlines()[0].strip() in ours:
        # The phrase is how we ourselves begin.
        return ""
    lines = []
    for line in given[len(phrase) :].splitlines():
        if line.strip() in ours:
            break
        lines.append(line.rstrip())
    return "\n".join(lines).strip()[:_LONGEST]
