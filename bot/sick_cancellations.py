"""Several of a master's visits of one day, cancelled in the CRM one after the other, are a day that cannot be held: the
list that /sick makes is put before staff by itself. Its clients know already that the visit is off; they are offered
others after the same tap."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from bot.sick_watch import buttons_of, text_of, visits_now
from db.booking_records import BookedAppointment
from db.company_rows import read_channels
from db.engine import Transaction
from db.outbox import Outbox
from db.records import Author, Branch, ChannelStatus, ChannelType, Dialogue
from db.sick_days import SickCause, SickDays, SickState
from handlers.staff_notices import chat_with
from locales import Translator
from orchestration.messages import Reply
from orchestration.scope import CompanyScope

log = structlog.get_logger()

SEVERAL, WITHIN = 3, timedelta(minutes=15)


class CancelledDays:
    """Works within the transaction that follows a cancellation of the CRM's."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._sick = SickDays()

    async def saw(
        self, tx: Transaction, scope: CompanyScope, branch: Branch, visit: BookedAppointment, *, now: datetime
    ) -> None:
        """Note a visit of ours that staff have just cancelled; propose the list once there are several."""
        chat = await _staff_chat(tx, scope, branch)
        if visit.starts_at <= now or chat is None:
            return
        day = visit.starts_at.astimezone(ZoneInfo(branch.time_zone)).date()
        sick = await self._sick.find_standing(tx, branch.id, visit.staff_name, day)
        if sick is None:
            sick = await self._sick.create(
                tx,
                branch_id=branch.id,
                master=visit.staff_name,
                day=day,
                cause=SickCause.CANCELLED,
                state=SickState.GATHERING,
                chat=chat,
                now=now,
            )
        if sick.cause is not SickCause.CANCELLED or sick.state is SickState.APPROVED:
            # Staff know of this day, and their clients were asked.
            return
        await self._sick.add_visits(tx, sick, [visit], now=now)
        if sick.state is not SickState.GATHERING:
            return
        if await self._sick.count_noted(tx, sick, since=now - WITHIN) < SEVERAL:
            return
        await self._sick.set_state(tx, sick, SickState.PROPOSED, now=now)
        proposed = await self._sick.find(tx, sick.id) or sick
        texts = Translator.for_language(scope.agent.language)
        text = text_of(scope, branch, proposed, await visits_now(tx, self._sick, proposed, now=now), None, now=now)
        payload = Reply(text=text, buttons=buttons_of(texts, proposed)).model_dump(mode="json", exclude_defaults=True)
        await self._outbox.put(tx, proposed.chat, [payload], turn_id=proposed.id, author=Author.SYSTEM)
        log.info("sick_day_seen", branch_id=str(branch.id))


async def _staff_chat(tx: Transaction, scope: CompanyScope, branch: Branch) -> Dialogue | None:
    """Return where the branch's staff are rung; None where nobody can be told."""
    bots = [
        one
        for one in await read_channels(tx)
        if one.type is ChannelType.TELEGRAM and one.status is ChannelStatus.ACTIVE
    ]
    chat = branch.staff_chat or next((one.staff_chat for one in scope.branches if one.staff_chat), None)
    return chat_with(bots[0], chat) if bots and chat else None
