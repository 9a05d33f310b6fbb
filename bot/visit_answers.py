"""The VisitAnswers port: what clients answer to reminders is kept with their appointments, and the CRM told later."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from db.appointments import Appointments
from db.booking_records import BookedAppointment
from db.clients import Clients
from db.engine import Database, Transaction
from db.records import Dialogue
from db.reminders import Reminders, ask_to_remind
from orchestration.ports import Clock
from orchestration.writes import visit_of


class KeptVisitAnswers:
    """Every method is a transaction of its own, and safe to repeat."""

    def __init__(
        self, database: Database, clients: Clients, appointments: Appointments, reminders: Reminders, clock: Clock
    ) -> None:
        self._database = database
        self._clients = clients
        self._appointments = appointments
        self._reminders = reminders
        self._clock = clock

    async def find_visit(self, dialogue: Dialogue, appointment_id: UUID | None) -> Sequence[BookedAppointment]:
        """Return the visit that this appointment of the client's own belongs to, by time."""
        if appointment_id is None:
            return ()
        async with self._database.company(dialogue.company_id) as tx:
            return await self._find(tx, dialogue, appointment_id)

    async def find_reminded(self, dialogue: Dialogue, turn_id: UUID) -> Sequence[BookedAppointment]:
        """Return the visit of which this message of the history reminded."""
        async with self._database.company(dialogue.company_id) as tx:
            theirs = await self._clients.list_dialogues(tx, dialogue)
            appointment_id = await self._reminders.find_by_turn(tx, theirs, turn_id)
            return await self._find(tx, dialogue, appointment_id) if appointment_id is not None else ()

    async def keep_coming(self, dialogue: Dialogue, visit: Sequence[BookedAppointment]) -> None:
        """Keep that the client comes, and ask that the CRM is told."""
        async with self._database.company(dialogue.company_id) as tx:
            for one in visit:
                if await self._appointments.mark_confirmed(tx, one):
                    await ask_to_remind(tx, one, now=self._clock())

    async def _find(self, tx: Transaction, dialogue: Dialogue, appointment_id: UUID) -> Sequence[BookedAppointment]:
        booked = await self._appointments.find(tx, appointment_id)
        if booked is None or booked.dialogue_id not in await self._clients.list_dialogues(tx, dialogue):
            return ()
        return await self._appointments.list_visit(tx, booked, visit_of(booked.external_id))
