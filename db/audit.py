"""What admins and staff did: chains of entries, one for each company and one for the platform.

An entry's hash is taken over the hash before it and the entry itself as canonical JSON, so that whoever changes, takes
out or puts in an entry breaks the chain there. It is written in the transaction of the change that it tells of: neither
is there without the other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, text

from db.audit_models import audit_entries
from db.engine import Transaction
from db.records import CompanyId

PLATFORM = CompanyId(UUID(int=0))
"""The chain of what belongs to no company."""

_GENESIS = bytes(32)
_PAGE = 500
_LONGEST = 300
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:chain, 0))")
# PostgreSQL's JSON takes neither NUL nor half a surrogate pair; what is hashed must be what is stored.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Action(StrEnum):
    """Everything that is written down."""

    SCHEMA_UPGRADE = "schema.upgrade"
    SCHEMA_DISTRIBUTE = "schema.distribute"
    KEYS_ROTATE = "keys.rotate"
    COMPANY_CREATE = "company.create"
    COMPANY_REPLACE = "company.replace"
    COMPANY_DISABLE = "company.disable"
    COMPANY_ENABLE = "company.enable"
    COMPANY_LOGS = "company.logs"
    COMPANY_PAUSE = "company.pause"
    COMPANY_RESUME = "company.resume"
    AGENT_SET = "agent.set"
    CRM_SET = "crm.set"
    CRM_HOOK = "crm.hook"
    CHANNEL_ADD = "channel.add"
    CHANNEL_ROTATE = "channel.rotate"
    CHANNEL_RENEW = "channel.renew"
    CHANNEL_TEMPLATE = "channel.template"
    CHANNEL_DISABLE = "channel.disable"
    CHANNEL_ENABLE = "channel.enable"
    DEAD_RETRY = "dead.retry"
    DEAD_DROP = "dead.drop"
    CLIENT_EXPORT = "client.export"
    CLIENT_ERASE = "client.erase"
    DIALOGUE_TAKE_OVER = "dialogue.take_over"
    DIALOGUE_HAND_BACK = "dialogue.hand_back"
    DIALOGUE_REPLY = "dialogue.reply"
    CONSOLE_LINK = "console.link"
    CONSOLE_SIGN_IN = "console.sign_in"
    STAFF_INVITE = "staff.invite"
    STAFF_ENROL = "staff.enrol"
    STAFF_REMOVE = "staff.remove"
    NOTE_PROPOSE = "note.propose"
    NOTE_ADMIT = "note.admit"
    NOTE_UNDO = "note.undo"
    PHONE_VIEW = "phone.view"
    LATE_ANSWER = "late.answer"
    SICK_APPROVE = "sick.approve"
    SICK_DROP = "sick.drop"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `admin` with their name, `staff` with their messenger's id, `system` for what a process does itself."""

    kind: str
    name: str

    @classmethod
    def staff(cls, messenger: str, user_id: str | int) -> Actor:
        """A company's employee, known by a messenger's own id of them."""
        return cls("staff", f"{messenger}:{user_id}")

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


SYSTEM = Actor("system", "ai-admin")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    company_id: CompanyId
    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    previous: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainVerdict:
    """What became of looking through a chain. `broken_at`: the number of the first entry that does not fit, and why."""

    company_id: CompanyId
    entries: int
    head: bytes
    """The hash of the last entry that fits: kept elsewhere, it tells later whether the chain's end was cut off."""
    broken_at: int | None = None
    fault: str | None = None


class _Clock(Protocol):
    def __call__(self) -> datetime: ...


class AuditTrail:
    """Writes down what `actor` does, who is whoever runs this process unless a call names another."""

    def __init__(self, clock: _Clock, actor: Actor = SYSTEM) -> None:
        self._clock = clock
        self._actor = actor

    async def record(
        self,
        tx: Transaction,
        action: Action,
        *,
        subject: str,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        actor: Actor | None = None,
    ) -> None:
        """Add an entry to the chain of the transaction's company (PLATFORM: the platform's).

        Call it last in the transaction: writers of one chain wait for each other from here to the commit. `before` and
        `after` must hold no secret and nothing of a client's: of such fields the names alone.
        """
        await tx.connection.execute(_LOCK, {"chain": f"audit:{tx.company}"})
        last = await _last(tx)
        number, previous = (last["number"] + 1, bytes(last["hash"])) if last is not None else (1, _GENESIS)
        values = {
            "company_id": tx.company,
            "number": number,
            "at": self._clock(),
            "actor": _word(actor or self._actor)[:_LONGEST],
            "action": action.value,
            "subject": _word(subject)[:_LONGEST],
            "before": _fields(before),
            "after": _fields(after),
        }
        linked = {"previous": previous, "hash": entry_hash(previous, values)}
        await tx.connection.execute(insert(audit_entries).values({**values, **linked}))

    async def record_client(
        self, tx: Transaction, action: Action, *, client: UUID, counts: Mapping[str, int], actor: Actor | None = None
    ) -> None:
        """Write down that a client's data were given out or erased: their id and how many rows of what, no words."""
        await self.record(tx, action, subject=f"client {client}", after=dict(counts), actor=actor)

    async def list_entries(
        self, tx: Transaction, *, since: datetime | None = None, limit: int = 1000
    ) -> list[AuditEntry]:
        """Return the latest entries of the transaction's company since then, the oldest of them first."""
        statement = select(audit_entries).where(audit_entries.c.company_id == tx.company)
        if since is not None:
            statement = statement.where(audit_entries.c.at >= since)
        rows = await tx.connection.execute(statement.order_by(audit_entries.c.number.desc()).limit(limit))
        return [_entry(row) for row in rows.mappings()][::-1]

    async def verify(self, tx: Transaction, *, anchors: Mapping[int, bytes] | None = None) -> ChainVerdict:
        """Follow the chain of the transaction's company from its first entry; stop at the first link that is broken.

        `anchors`: hashes by number that were noted down at other times and must still stand there.
        """
        number, head = 0, _GENESIS
        known = {at: noted for at, noted in (anchors or {}).items() if at > 0}
        async for entry in _chain(tx):
            fault = _fault(entry, number + 1, head, known.pop(entry.number, None))
            if fault is not None:
                at = min(entry.number, number + 1)
                return ChainVerdict(company_id=tx.company, entries=number, head=head, broken_at=at, fault=fault)
            number, head = entry.number, entry.hash
        if known:
            fault = f"the chain ends before entry {max(known)}, which was noted down: its end was cut off"
            return ChainVerdict(company_id=tx.company, entries=number, head=head, broken_at=number + 1, fault=fault)
        return ChainVerdict(company_id=tx.company, entries=number, head=head)


def entry_hash(previous: bytes, values: Mapping[str, Any]) -> bytes:
    """Return the hash of an entry: of the hash before it and the entry as canonical JSON."""
    told = {
        "company_id": str(values["company_id"]),
        "number": values["number"],
        "at": values["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        **{name: values[name] for name in ("actor", "action", "subject", "before", "after")},
    }
    canonical = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(previous + canonical.encode()).digest()


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what differs, as it was and as it is."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}


def _fault(entry: AuditEntry, number: int, head: bytes, noted: bytes | None) -> str | None:
    if entry.number != number:
        return f"entry {number} is missing" if entry.number > number else f"entry {entry.number} has no place here"
    if entry.previous != head:
        return f"entry {number} does not follow from the one before it"
    values = {name: getattr(entry, name) for name in AuditEntry.__slots__}
    if entry_hash(head, values) != entry.hash:
        return f"entry {number} was altered"
    if noted is not None and noted != entry.hash:
        return f"entry {number} is not the one that was noted down: the chain was written anew"
    return None


async def _last(tx: Transaction) -> RowMapping | None:
    table = audit_entries
    found = await tx.connection.execute(
        select(table.c.number, table.c.hash)
        .where(table.c.company_id == tx.company)
        .order_by(table.c.number.desc())
        .limit(1)
    )
    return found.mappings().first()


async def _chain(tx: Transaction) -> AsyncIterator[AuditEntry]:
    """Read a chain in order, a bounded number of entries at a time."""
    table, reached = audit_entries, None
    while True:
        statement = select(table).where(table.c.company_id == tx.company)
        if reached is not None:
            statement = statement.where(table.c.number > reached)
        rows = (await tx.connection.execute(statement.order_by(table.c.number).limit(_PAGE))).mappings().all()
        for row in rows:
            yield _entry(row)
        if len(rows) < _PAGE:
            return
        reached = rows[-1]["number"]


def _entry(row: RowMapping) -> AuditEntry:
    return AuditEntry(
        company_id=CompanyId(row["company_id"]),
        number=row["number"],
        at=row["at"],
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        before=row["before"],
        after=row["after"],
        previous=bytes(row["previous"]),
        hash=bytes(row["hash"]),
    )


def _fields(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return what reads back from the database as it was written; of a long value its digest and length alone."""
    if told is None:
        return None
    fields = {}
    for name, value in told.items():
        plain = _plain(value)
        written = json.dumps(plain, ensure_ascii=False, sort_keys=True)
        if len(written) > _LONGEST:
            plain = {"sha256": hashlib.sha256(written.encode()).hexdigest(), "length": len(written)}
        fields[_word(name)] = plain
    return fields


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {_word(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return _word(value)


def _word(value: object) -> str:
    return _UNSTORABLE.sub("\ufffd", str(value))
