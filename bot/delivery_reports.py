"""What messengers tell of our messages after they took them: kept with the reply, and acted on where it was lost."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from db.dialogues import Dialogues
from db.engine import Transaction
from db.outbox import Outbox
from db.records import Channel, DeliveryEvent, DeliveryReport, DeliveryStatus, OutgoingReply
from handlers.staff_notices import StaffNotices
from locales import Translator
from orchestration.ports import Clock
from orchestration.scope import CompanyScope
from orchestration.staff_press import phone_button
from orchestration.trouble import lost_reply_notice

log = structlog.get_logger()


class DeliveryReports:
    """Every method works within the caller's transaction; a report that is known already changes nothing."""

    def __init__(self, outbox: Outbox, dialogues: Dialogues, staff: StaffNotices, clock: Clock) -> None:
        self._outbox = outbox
        self._dialogues = dialogues
        self._staff = staff
        self._clock = clock

    async def keep(
        self, tx: Transaction, channel: Channel, scope: CompanyScope, reports: Sequence[DeliveryReport]
    ) -> None:
        """Keep what is new. What came too late for free words waits again, for the channel's template; of what is lost
        for good staff are told."""
        for report in reports:
            reply = await self._outbox.keep_report(tx, channel.id, report)
            if reply is not None and reply.status is DeliveryStatus.FAILED:
                await self._lost(tx, channel, scope, reply, report)

    async def _lost(
        self, tx: Transaction, channel: Channel, scope: CompanyScope, reply: OutgoingReply, report: DeliveryReport
    ) -> None:
        log.warning("reply_lost", reply_id=str(reply.id), report=report.event.value, code=report.code)
        if report.event is DeliveryEvent.WINDOW_CLOSED and not reply.window_closed:
            await self._outbox.send_again(tx, reply)
            return
        if report.event is DeliveryEvent.UNREACHABLE:
            await self._dialogues.mark_unreachable(tx, reply.dialogue_id, now=self._clock())
        dialogue = await self._dialogues.find_dialogue(tx, reply.dialogue_id)
        if dialogue is not None:
            texts = Translator.for_language(scope.agent.language)
            notice, phone = lost_reply_notice(texts, dialogue, reply.payload), phone_button(texts, dialogue)
            await self._staff.put(tx, channel, scope.branches, [notice], turn_id=None, phone=phone)
