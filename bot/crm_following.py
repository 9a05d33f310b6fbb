"""Our appointment brought to what stands in the CRM, and its client told: whoever it was that looked."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from prometheus_client import Counter

from bot.sick_cancellations import CancelledDays
from crm.base import Appointment, BaseCRMAdapter, RecordId
from crm.errors import CRMNotFound
from crm.purpose import Purpose, acting
from db.appointments import Appointments
from db.booking_records import BookedAppointment
from db.care import ask_for_care
from db.dialogues import Dialogues
from db.engine import Transaction
from db.outbox import Outbox
from db.records import Branch
from db.reminders import ask_to_remind, take_back_reminders
from db.waiting_offers import free_visit
from orchestration.crm_changes import as_it_stands, left_its_time, told_to_client
from orchestration.ports import Clock
from orchestration.scope import CompanyScope

log = structlog.get_logger()

CHANGES = Counter("ai_admin_crm_changes", "Appointments of ours that were changed in the CRM.", ["crm", "change"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """Works within the caller's transaction, which should have proved its lease."""

    appointments: Appointments
    dialogues: Dialogues
    outbox: Outbox
    clock: Clock

    async def follow(
        self,
        tx: Transaction,
        scope: CompanyScope,
        branch: Branch,
        crm: BaseCRMAdapter,
        read: BookedAppointment,
        theirs: Appointment | None,
    ) -> None:
        """Follow what was read; nothing where ours was changed since.

        The reminders of a moved visit move with it, and the time that it left is offered to those who wait for one.
        """
        held = await self.appointments.find_by_records(tx, branch.id, [read.crm_record_id], locked=True)
        ours = held[0] if held else None
        if ours is None or ours != read:
            return  # changed by ourselves since it was read: the next sweep looks again
        now = as_it_stands(ours, theirs)
        if now is None:
            await self.appointments.mark_read(tx, [ours.id])
            return
        await self.appointments.save(tx, now)
        await ask_to_remind(tx, now, now=self.clock())
        await ask_for_care(tx, now)
        if now.cancelled or now.starts_at != ours.starts_at:
            await take_back_reminders(tx, ours)
        if left_its_time(ours, theirs):
            await free_visit(tx, ours, now=self.clock())
        if now.cancelled and not ours.cancelled:
            await CancelledDays(self.outbox).saw(tx, scope, branch, ours, now=self.clock())
        change = "cancelled" if now.cancelled else "moved" if now.starts_at != ours.starts_at else "other"
        CHANGES.labels(crm.manifest.type, change).inc()
        log.info("crm_change_followed", change=change, branch_id=str(branch.id))
        # Of what staff made themselves they have told the client too, or not, as they wish.
        if not scope.agent.tell_of_crm_changes or ours.by_staff:
            return
        dialogue = await self.dialogues.find_dialogue(tx, ours.dialogue_id)
        if dialogue is None:
            return
        message = told_to_client(scope, branch, dialogue, ours, now, at=self.clock())
        if message is not None:
            await self.outbox.put(tx, dialogue, [message], turn_id=None)


async def read_record(crm: BaseCRMAdapter, record_id: str) -> Appointment | None:
    """Return the record as it stands; None where the CRM has erased it."""
    try:
        with acting(Purpose.REFRESH):
            return await crm.get_appointment(RecordId(record_id))
    except CRMNotFound:
        return None
