"""Where a client's personal data stands, place by place: found, read out, deleted. A test holds the list of places
against PostgreSQL's own catalogue, so that a new table cannot be forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, cast, delete, exists, func, or_, select, update

from db.booking_models import appointments, intents, reminders, slot_claims
from db.booking_records import IntentStatus
from db.call_models import calls
from db.engine import Transaction
from db.models import accepted_updates, clients, dialogue_memory, handovers, messages, sessions, tool_calls, turns, work
from db.outbox_models import replies, sent_messages
from db.outreach_models import consents, outreach_log, ratings, waiting_list, waiting_offers
from db.past_us import list_past_us
from db.records import DialogueId
from db.role_models import late_answers
from db.sick_models import sick_visits
from db.staff_models import drafts, handover_threads, mirror_items, staff_messages


class Category(StrEnum):
    """What kind of data it is, as an act of erasure names it."""

    CONTACTS = "contacts"
    CORRESPONDENCE = "correspondence"
    RECEIVED = "received"
    NOTES = "notes"
    BOOKINGS = "bookings"
    CALLS = "calls"
    TECHNICAL = "technical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose data it is. `phone` None: a client who is known by a dialogue only."""

    phone: str | None
    dialogue_ids: tuple[DialogueId, ...]
    client_ids: tuple[UUID, ...] = ()
    found_by: Mapping[DialogueId, str] = field(default_factory=dict)
    """`proved`, `typed` (the client wrote the number), `caller` (the network told it) or `dialogue` (it was named)."""
    past_us: tuple[DialogueId, ...] = ()
    """Where it is kept what the business's own people wrote to the client past us."""

    @property
    def received_in(self) -> tuple[DialogueId, ...]:
        return (*self.dialogue_ids, *self.past_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrmRecord:
    """What stands in the CRM, which is the business's own."""

    branch_id: UUID
    record_id: str
    external_id: str


# In the order of deletion: what others are found by goes after them. Last goes the work, which a turn's commit locks
# last too, so that the two never wait for each other; appointments, which the watch on the CRM locks, before replies.
_PLACES = (
    (accepted_updates, "dialogue_id", Category.RECEIVED),
    (slot_claims, "intent_id", Category.BOOKINGS),
    (intents, "dialogue_id", Category.BOOKINGS),
    (sick_visits, "dialogue_id", Category.BOOKINGS),
    (appointments, "dialogue_id", Category.BOOKINGS),
    (reminders, "dialogue_id", Category.BOOKINGS),
    (waiting_offers, "dialogue_id", Category.BOOKINGS),
    (waiting_list, "dialogue_id", Category.BOOKINGS),
    (ratings, "dialogue_id", Category.CORRESPONDENCE),
    (outreach_log, "dialogue_id", Category.TECHNICAL),
    (consents, "dialogue_id", Category.CONTACTS),
    (sent_messages, "reply_id", Category.TECHNICAL),
    (replies, "dialogue_id", Category.CORRESPONDENCE),
    (drafts, "dialogue_id", Category.CORRESPONDENCE),
    (mirror_items, "dialogue_id", Category.CORRESPONDENCE),
    (staff_messages, "dialogue_id", Category.TECHNICAL),
    (handover_threads, "dialogue_id", Category.TECHNICAL),
    (handovers, "dialogue_id", Category.CORRESPONDENCE),
    (tool_calls, "dialogue_id", Category.CORRESPONDENCE),
    (messages, "dialogue_id", Category.CORRESPONDENCE),
    (dialogue_memory, "dialogue_id", Category.NOTES),
    (late_answers, "dialogue_id", Category.TECHNICAL),
    (calls, "dialogue_id", Category.CALLS),
    (turns, "dialogue_id", Category.TECHNICAL),
    (sessions, "id", Category.CONTACTS),
    (clients, "id", Category.CONTACTS),
    (work, "dialogue_id", Category.TECHNICAL),
)
CATEGORIES: Mapping[str, Category] = {table.name: category for table, _, category in _PLACES}
PLACES = frozenset(CATEGORIES)
_NOT_EXPORTED = {("calls", "ticket"), ("work", "owner"), ("work", "fence"), ("work", "wake")}
_MENTIONS = "mentions"
UNDER_WAY = IntentStatus.CALLED.value


class PersonalData:
    """Every method works within the caller's transaction."""

    async def find_by_phone(self, tx: Transaction, phone: str, *, proved_only: bool = False) -> Subject:
        """Return whose this number (E.164) is, over all channels.

        A number that was only typed, or told by the network, counts too unless `proved_only`, but never in a dialogue
        whose client has proved another one.
        """
        known = tuple(
            await tx.connection.scalars(
                select(clients.c.id).where(clients.c.company_id == tx.company, clients.c.phone == phone)
            )
        )
        row = sessions.c
        proved = or_(row.proved_phone == phone, row.client_id.in_(known))
        found = dict.fromkeys(await self._sessions(tx, proved), "proved")
        if not proved_only:
            unproved = row.proved_phone.is_(None) & row.client_id.is_(None)
            for one in await self._sessions(tx, and_(row.typed_phone == phone, unproved)):
                found.setdefault(one, "typed")
            rung = select(calls.c.dialogue_id).where(calls.c.company_id == tx.company, calls.c.caller == phone)
            others = exists().where(row.company_id == tx.company, row.id == calls.c.dialogue_id, ~unproved)
            for one in await tx.connection.scalars(rung.where(~others)):
                found.setdefault(DialogueId(one), "caller")
        past_us = await list_past_us(tx, tuple(found))
        return Subject(phone=phone, dialogue_ids=tuple(found), client_ids=known, found_by=found, past_us=past_us)

    async def find_by_dialogue(self, tx: Transaction, dialogue_id: DialogueId) -> Subject:
        """Return whose dialogue it is: with a proved phone, all of that person's."""
        row = sessions.c
        this = (
            (
                await tx.connection.execute(
                    select(row.id, row.proved_phone).where(row.company_id == tx.company, row.id == dialogue_id)
                )
            )
            .mappings()
            .one_or_none()
        )
        if this is None:
            return Subject(phone=None, dialogue_ids=())
        if this["proved_phone"] is None:
            return Subject(
                phone=None,
                dialogue_ids=(dialogue_id,),
                found_by={dialogue_id: "dialogue"},
                past_us=await list_past_us(tx, (dialogue_id,)),
            )
        return await self.find_by_phone(tx, this["proved_phone"], proved_only=True)

    async def count(self, tx: Transaction, subject: Subject) -> Mapping[str, int]:
        """Return how many rows there are, by table; those without any are left out."""
        counted = {}
        for table, _, _ in _PLACES:
            mine = select(func.count()).select_from(table).where(*_of(tx, subject, table.name))
            counted[table.name] = int(await tx.connection.scalar(mine) or 0)
        return {name: number for name, number in counted.items() if number}

    async def collect(self, tx: Transaction, subject: Subject) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return all rows by table, as they stand; what only our machinery needs is left out."""
        found: dict[str, Sequence[Mapping[str, Any]]] = {}
        for table, _, _ in _PLACES:
            columns = [
                column
                for column in table.c
                if column.name != "company_id" and (table.name, column.name) not in _NOT_EXPORTED
            ]
            rows = await tx.connection.execute(select(*columns).where(*_of(tx, subject, table.name)))
            found[table.name] = [dict(row) for row in rows.mappings()]
        return found

    async def list_crm_records(self, tx: Transaction, subject: Subject) -> Sequence[CrmRecord]:
        """Return what the client's dialogues wrote into the CRM, as far as it is known."""
        made = select(appointments.c.branch_id, appointments.c.crm_record_id, appointments.c.external_id).where(
            *_of(tx, subject, "appointments")
        )
        written = select(intents.c.branch_id, intents.c.crm_record_id, intents.c.external_id).where(
            *_of(tx, subject, "intents"), intents.c.crm_record_id.is_not(None)
        )
        rows = [*(await tx.connection.execute(made)), *(await tx.connection.execute(written))]
        records = {(row[0], row[1]): CrmRecord(branch_id=row[0], record_id=row[1], external_id=row[2]) for row in rows}
        return list(records.values())

    async def is_being_written(self, tx: Transaction, subject: Subject) -> bool:
        """Say whether a write to the CRM was called whose outcome is not known yet."""
        mine = select(intents.c.id).where(*_of(tx, subject, "intents"), intents.c.status == UNDER_WAY)
        return (await tx.connection.execute(mine.limit(1))).first() is not None

    async def delete(self, tx: Transaction, subject: Subject, *, accepted_until: Any) -> Mapping[str, int]:
        """Delete all rows; return how many, by table.

        What was accepted after that moment is the client's again: it stays, with the work that it needs.
        """
        gone: dict[str, int] = {}
        later = accepted_updates.c.accepted_at > accepted_until
        for table, _, _ in _PLACES[:-1]:
            conditions = list(_of(tx, subject, table.name))
            if table is accepted_updates:
                conditions.append(~later)
            gone[table.name] = (await tx.connection.execute(delete(table).where(*conditions))).rowcount
        mine = _of(tx, subject, "work")
        # Whoever is storing an update holds this row until it is seen.
        await tx.connection.execute(select(work.c.dialogue_id).where(*mine).with_for_update())
        waits = exists().where(
            accepted_updates.c.company_id == tx.company, accepted_updates.c.dialogue_id == work.c.dialogue_id, later
        )
        gone["work"] = (await tx.connection.execute(delete(work).where(*mine, ~waits))).rowcount
        await tx.connection.execute(
            update(work).where(*mine).values(lease_until=None, owner=None, due_at=accepted_until, attempts=0)
        )
        gone[_MENTIONS] = await self._blank_mentions(tx, subject)
        return {name: number for name, number in gone.items() if number}

    async def _blank_mentions(self, tx: Transaction, subject: Subject) -> int:
        """Take the number out of what others left: an appointment made for this client, a notice to staff."""
        if subject.phone is None:
            return 0
        blanked = await tx.connection.execute(
            update(appointments)
            .where(appointments.c.company_id == tx.company, appointments.c.phone == subject.phone)
            .values(client_name="", visitor_name=None, phone="")
        )
        named = cast(replies.c.payload, Text).contains(subject.phone, autoescape=True)
        told = await tx.connection.execute(delete(replies).where(replies.c.company_id == tx.company, named))
        return blanked.rowcount + told.rowcount

    async def _sessions(self, tx: Transaction, condition: ColumnElement[bool]) -> Sequence[DialogueId]:
        found = await tx.connection.scalars(
            select(sessions.c.id).where(sessions.c.company_id == tx.company, condition).order_by(sessions.c.id)
        )
        return [DialogueId(one) for one in found]


def _of(tx: Transaction, subject: Subject, name: str) -> Sequence[ColumnElement[bool]]:
    """Return what makes a row of this table the client's."""
    table, column, _ = next(place for place in _PLACES if place[0].name == name)
    mine: list[ColumnElement[bool]] = [table.c.company_id == tx.company]
    if table is clients:
        return [*mine, table.c.id.in_(subject.client_ids)]
    if table is slot_claims:
        theirs = select(intents.c.id).where(*_of(tx, subject, "intents"))
        return [*mine, table.c.intent_id.in_(theirs)]
    if table is sent_messages:
        theirs = select(replies.c.id).where(*_of(tx, subject, "replies"))
        return [*mine, table.c.reply_id.in_(theirs)]
    if table is replies:
        # Notices to staff went out with the client's turns, and name them; what staff were shown says whom it is about.
        of_turns = select(turns.c.id).where(*_of(tx, subject, "turns"))
        about = table.c.about.in_(subject.dialogue_ids)
        return [*mine, or_(table.c.dialogue_id.in_(subject.dialogue_ids), table.c.turn_id.in_(of_turns), about)]
    if table in (accepted_updates, work):
        return [*mine, table.c[column].in_(subject.received_in)]
    return [*mine, table.c[column].in_(subject.dialogue_ids)]
