"""A client's personal data for an admin: exported whole, or erased so that no work in flight brings it back."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from bot.app import Core
from bot.erasure_acts import Erased, Reason, act_of, canonical, check_signature, record_of, signed
from db.audit import Action
from db.dialogue_state import StateKey
from db.dialogues import Dialogues
from db.engine import Transaction
from db.errors import Conflict, NotFound
from db.personal_data import PersonalData, Subject
from db.privacy_models import erasures
from db.records import CompanyId, DialogueId, new_id
from db.redis_traces import RedisTraces
from db.signing import SigningKeys
from orchestration.identity import find_phones

log = structlog.get_logger()

FORMAT, VERSION = "ai-admin.client-export", 1
_HELD = timedelta(minutes=2)
_TRIES = 3
_DEADLOCK = "40P01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an erasure would do. `rows`: how many, by table."""

    company_id: CompanyId
    subject: Subject
    rows: Mapping[str, int]
    crm: str | None
    records: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`redis_keys` None: Redis did not answer; what stands there ends by itself within two days."""

    act: Mapping[str, Any]
    redis_keys: int | None


class ClientData:
    """`who` is a phone number in any writing, or a dialogue's id. Each method raises NotFound where nobody is found."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._data = PersonalData()
        self._signing = SigningKeys(core.keys)
        self._redis = RedisTraces(core.redis, core.redis_prefix)

    async def export(self, company_id: CompanyId, who: str, *, proved_only: bool = False) -> dict[str, Any]:
        """Return everything that is kept of the client (docs/privacy.md says in which shape)."""
        snapshot = await self._core.companies.get_snapshot(company_id)
        async with self._core.database.company(company_id) as tx:
            subject = await self._find(tx, who, proved_only=proved_only)
            rows = await self._data.collect(tx, subject)
            records = await self._data.list_crm_records(tx, subject)
            counts = {name: len(found) for name, found in rows.items() if found}
            await self._core.audit.record_client(tx, Action.CLIENT_EXPORT, client=_id_of(subject), counts=counts)
        channels = {one.id: one.type.value for one in await self._core.companies.list_channels(company_id)}
        return {
            "format": FORMAT,
            "version": VERSION,
            "exported_at": self._core.clock().isoformat(),
            "company": {"id": str(company_id), "slug": snapshot.company.slug, "name": snapshot.company.name},
            "subject": {
                "phone": subject.phone,
                "dialogues": [
                    {"id": str(row["id"]), "channel": channels.get(row["channel_id"]), "key": row["key"]}
                    for row in rows["sessions"]
                ],
                "found_by": {str(id_): how for id_, how in subject.found_by.items()},
            },
            "data": {name: [_plain(row) for row in found] for name, found in rows.items()},
            "kept_in_crm": {
                "type": snapshot.crm.type if snapshot.crm else None,
                "records": [{"record": one.record_id, "external_id": one.external_id} for one in records],
            },
        }

    async def plan(self, company_id: CompanyId, who: str, *, proved_only: bool = False) -> Plan:
        """Return what an erasure would do."""
        snapshot = await self._core.companies.get_snapshot(company_id)
        async with self._core.database.company(company_id) as tx:
            subject = await self._find(tx, who, proved_only=proved_only)
            return Plan(
                company_id=company_id,
                subject=subject,
                rows=await self._data.count(tx, subject),
                crm=snapshot.crm.type if snapshot.crm else None,
                records=tuple(one.record_id for one in await self._data.list_crm_records(tx, subject)),
            )

    async def erase(
        self, plan: Plan, *, reason: Reason = Reason.REQUEST, by: str | None = None, processor: str | None = None
    ) -> Outcome:
        """Erase the client, and return the signed act.

        The work of each dialogue is taken from whoever holds it, so that the commit of a turn in flight is refused.
        Raises Conflict while a write to the CRM is under way: its record would be nobody's.
        """
        core, company_id, subject = self._core, plan.company_id, plan.subject
        snapshot = await core.companies.get_snapshot(company_id)
        now = core.clock()
        async with core.database.company(company_id) as tx:
            await core.work.take_from_all(tx, subject.received_in, owner="erasure", ttl=_HELD)
            if await self._data.is_being_written(tx, subject):
                raise Conflict("a booking of this client is being written into the CRM; try again in ten minutes")
        states = await self._states(company_id, subject)
        for tries_left in reversed(range(_TRIES)):
            try:
                async with core.database.company(company_id) as tx:
                    erased = await self._delete(tx, subject, now, reason=reason, by=by, processor=processor)
                    document = act_of(erased, snapshot)
                    values = {
                        "company_id": company_id,
                        "id": erased.id,
                        "subject": erased.identifier,
                        "erased_at": now,
                        "record": record_of(document),
                    }
                    await tx.connection.execute(insert(erasures).values(values))
                    act = signed(document, await self._signing.sign(tx, canonical(document)))
                    # By the act's id: of the client's own ids nothing is kept.
                    await core.audit.record_client(tx, Action.CLIENT_ERASE, client=erased.id, counts=erased.rows)
                break
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) != _DEADLOCK or not tries_left:
                    raise
        names = {str(one) for one in subject.dialogue_ids}
        names |= {f"{company_id}:{subject.phone}"} if subject.phone else set()
        keys = await self._redis.delete(names, states)
        log.info("client_erased", act=str(erased.id), rows=sum(erased.rows.values()), redis_keys=keys)
        return Outcome(act=act, redis_keys=keys)

    async def verify(self, document: Mapping[str, Any]) -> datetime | None:
        """Check an act against the company's own key; return when its erasure is recorded, None where it is not.

        Raises BadAct, or NotFound where this installation has no such key.
        """
        company_id = CompanyId(UUID(document["act"]["company"]["id"]))
        async with self._core.database.company(company_id) as tx:
            public_key = await self._signing.find_public(tx, document["signature"]["key"])
            if public_key is None:
                raise NotFound("the key that signed it is not this installation's; give --public-key")
            check_signature(document, public_key)
            found = await tx.connection.execute(
                erasures.select().where(
                    erasures.c.company_id == company_id, erasures.c.id == UUID(document["act"]["act"])
                )
            )
            row = found.mappings().one_or_none()
        return None if row is None or row["record"]["sha256"] != _digest(document) else row["erased_at"]

    async def _find(self, tx: Transaction, who: str, *, proved_only: bool) -> Subject:
        try:
            subject = await self._data.find_by_dialogue(tx, DialogueId(UUID(who)))
        except ValueError:
            phones = find_phones(who)
            if len(phones) != 1:
                raise NotFound(f"{who!r} is neither a phone number nor a dialogue's id") from None
            subject = await self._data.find_by_phone(tx, phones[0], proved_only=proved_only)
        if not subject.dialogue_ids and not subject.client_ids:
            raise NotFound("nothing is kept of this client")
        return subject

    async def _delete(
        self,
        tx: Transaction,
        subject: Subject,
        now: datetime,
        *,
        reason: Reason,
        by: str | None,
        processor: str | None,
    ) -> Erased:
        records = await self._data.list_crm_records(tx, subject)
        named = subject.phone or str(subject.dialogue_ids[0])
        return Erased(
            id=new_id(),
            at=now,
            phone=subject.phone,
            identifier=await self._signing.identify(tx, named),
            rows=await self._data.delete(tx, subject, accepted_until=now),
            reason=reason,
            by=by,
            processor=processor,
            records=records,
        )

    async def _states(self, company_id: CompanyId, subject: Subject) -> Collection[StateKey]:
        """Return the names of the dialogues' states in Redis, which are those of the chats."""
        channels = {one.id: one for one in await self._core.companies.list_channels(company_id)}
        found = []
        async with self._core.database.company(company_id) as tx:
            for dialogue_id in subject.dialogue_ids:
                dialogue = await Dialogues().find_dialogue(tx, dialogue_id)
                channel = channels.get(dialogue.channel_id) if dialogue else None
                if dialogue is not None and channel is not None:
                    found.append(
                        StateKey(
                            company_id=company_id,
                            channel=channel.type.value,
                            bot=channel.external_id,
                            dialogue=dialogue.key,
                        )
                    )
        return found


def _id_of(subject: Subject) -> UUID:
    return UUID(str((*subject.client_ids, *subject.dialogue_ids)[0]))


def _digest(document: Mapping[str, Any]) -> str:
    return str(record_of(document)["sha256"])


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    """Return what JSON can say. Bytes are the messenger's own JSON nearly always, else base64."""
    if isinstance(value, bytes | memoryview):
        raw = bytes(value)
        try:
            return json.loads(raw)
        except ValueError:
            return {"base64": base64.b64encode(raw).decode()}
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
