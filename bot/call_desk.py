"""Calls over the engine: the process that holds a caller's line stores what they say, claims their dialogue and makes
the turn itself, under the same lease and with the same one commit as any worker."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from hashlib import sha256
from uuid import UUID

import structlog
from pydantic import SecretStr

from bot.attempts import Attempt, Attempts
from bot.lane import LEASE
from bot.tasks import end
from bot.turn_commit import CALL_GRACE, TurnStores
from bot.turn_job import TurnJob
from db.calls import CallRecord, Calls
from db.errors import DatabaseUnavailable
from db.intake import Intake
from db.records import Accepted, Channel, Claim, CompanySnapshot, new_id
from handlers.voice.call import TurnFailed
from handlers.voice.desk import VoiceOptions
from locales import Translator
from orchestration.messages import CallEvent, Message, Sender
from orchestration.ports import Clock
from orchestration.privacy_notice import Notice, spoken_notice
from orchestration.speech import Speech
from orchestration.turns import TurnAbandoned, TurnResult

log = structlog.get_logger()

MOST_TRIES = 3
_LONGEST_WAIT_S = 5.0


class Desk:
    """The CallDesk of handlers/voice."""

    def __init__(
        self,
        stores: TurnStores,
        calls: Calls,
        intake: Intake,
        job: TurnJob,
        open_secrets: Callable[[Channel], Mapping[str, SecretStr]],
        clock: Clock,
        *,
        owner: str,
    ) -> None:
        self._stores = stores
        self._calls = calls
        self._intake = intake
        self._job = job
        self._open_secrets = open_secrets
        self._clock = clock
        self._owner = owner
        self._attempts = Attempts(job, stores.work, clock, grace=CALL_GRACE)

    async def open_lines(self, channel: Channel, *, longest: timedelta) -> int:
        async with self._stores.database.company(channel.company_id) as tx:
            return await self._calls.count_open(tx, channel.id, since=self._clock() - longest)

    async def find_notice(self, channel: Channel, key: str, caller: str | None, texts: Translator) -> Notice | None:
        """Return what the caller has to be told of their data; None: nothing, or they were told in an earlier call."""
        notice = spoken_notice((await self.snapshot(channel)).agent, texts)
        if notice is None or caller is None:
            return notice
        async with self._stores.database.company(channel.company_id) as tx:
            return None if await self._stores.notices.was_told(tx, channel.id, caller, call=key) else notice

    async def begin(
        self, channel: Channel, key: str, caller: str | None, *, again: bool = False, notice: Notice | None = None
    ) -> str:
        """Keep a call, and return the ticket that opens its stream once. `notice`: what it begins by telling."""
        ticket, now = secrets.token_urlsafe(24), self._clock()
        async with self._stores.database.company(channel.company_id) as tx:
            version = notice.version if notice else None
            if notice is not None:
                await self._stores.notices.keep_wording(tx, version=notice.version, text=notice.text, now=now)
            await self._calls.begin(
                tx,
                channel,
                key,
                caller=caller,
                ticket=_digest(ticket),
                now=now,
                again=again,
                notice_version=version,
            )
        return ticket

    async def connect(self, channel: Channel, key: str, ticket: str) -> CallRecord | None:
        async with self._stores.database.company(channel.company_id) as tx:
            return await self._calls.connect(tx, channel, key, ticket=_digest(ticket))

    async def find(self, channel: Channel, key: str) -> CallRecord | None:
        async with self._stores.database.company(channel.company_id) as tx:
            return await self._calls.find(tx, channel.id, key)

    async def finish(self, channel: Channel, key: str, outcome: str, event: CallEvent) -> CallRecord | None:
        """Keep the end, and store it as what the dialogue is told last: any worker sees to the rest.

        Returns the call; None where it had ended before.
        """
        record = await self.find(channel, key)
        if record is None or record.ended_at is not None:
            return None
        # A call that was taken up again ends again.
        id_ = f"{key}:end:{record.connections}"
        await self._store(channel, key, id_, Message(id=id_, sent_at=self._clock(), call_event=event))
        async with self._stores.database.company(channel.company_id) as tx:
            ended = await self._calls.finish(tx, channel.id, key, outcome=outcome, now=self._clock())
        if ended is not None:
            log.info("call_ended", outcome=outcome)
        return ended

    async def name_of(self, channel: Channel, caller: str | None) -> str | None:
        """Return the name of the number's owner, where a messenger has proved it: it is only a greeting."""
        if caller is None:
            return None
        channels = [one.id for one in await self._stores.directory.list_channels(channel.company_id)]
        async with self._stores.database.company(channel.company_id) as tx:
            known = await self._stores.clients.find_messenger(tx, caller, channels)
        return known.client_name if known is not None else None

    def turns(self, channel: Channel, record: CallRecord) -> CallTurns:
        return CallTurns(self, channel, record)

    async def snapshot(self, channel: Channel) -> CompanySnapshot:
        return await self._stores.directory.get_snapshot(channel.company_id)

    def secrets(self, channel: Channel) -> Mapping[str, SecretStr]:
        return self._open_secrets(channel)

    # ---- what a call's turns do --------------------------------------------------------------------------------------

    async def store(
        self, channel: Channel, record: CallRecord, words: str, event: CallEvent | None, *, key: str | None = None
    ) -> None:
        """Store what a caller said, left to this process for a while: nobody else can answer them."""
        accepts = VoiceOptions.of(channel).accept_caller_id
        sender = Sender(caller=record.caller, phone=record.caller if accepts else None)
        key = key or f"{record.key}:{new_id()}"
        message = Message(id=key, sent_at=self._clock(), text=words, call_event=event, sender=sender)
        await self._store(channel, record.key, key, message, quiet=CALL_GRACE)

    async def answer(self, record: CallRecord, channel: Channel, speech: Speech) -> TurnResult | None:
        """Claim and make the turn; what cannot be decided yet is tried again while the caller waits.

        Raises TurnAbandoned, or TurnFailed after the last try.
        """
        for tried in range(1, MOST_TRIES + 1):
            claim = await self._take(channel, record)
            if claim is None:
                return None
            attempt = await self._attempt(claim, speech)
            if attempt.outcome == "abandoned":
                raise TurnAbandoned
            if attempt.again_in is None:
                return attempt.result
            await asyncio.sleep(min(_LONGEST_WAIT_S, attempt.again_in.total_seconds() * tried))
        raise TurnFailed

    async def cut(self, channel: Channel, record: CallRecord, turn_id: UUID, heard: str, *, asked: bool) -> None:
        async with self._stores.database.company(channel.company_id) as tx:
            await self._stores.dialogues.cut_answer(tx, record.dialogue_id, turn_id, heard)
            if not asked:
                await self._stores.outbox.mark_unheard(tx, turn_id)

    async def _store(
        self, channel: Channel, dialogue_key: str, key: str, message: Message, *, quiet: timedelta = timedelta(0)
    ) -> None:
        payload = message.model_dump_json(exclude_defaults=True).encode()
        accepted = Accepted(update_key=key, dialogue_key=dialogue_key, payload=payload)
        await self._intake.accept(channel, [accepted], quiet=quiet)

    async def _take(self, channel: Channel, record: CallRecord) -> Claim | None:
        try:
            return await self._stores.work.take(channel.company_id, record.dialogue_id, self._owner, ttl=LEASE)
        except DatabaseUnavailable as error:
            log.error("database_unavailable", error=str(error))
            raise TurnFailed from error

    async def _attempt(self, claim: Claim, speech: Speech) -> Attempt[TurnResult | None]:
        """Make the turn under a lease that is renewed."""
        renewing = asyncio.create_task(self._renew(claim))
        try:
            return await self._attempts.make(claim, partial(self._job.make, claim, speech))
        finally:
            await end(renewing)

    async def _renew(self, claim: Claim) -> None:
        """Keep the lease. Where it is lost all the same, every step of a write and the commit are refused."""
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            try:
                await self._stores.work.renew([claim], ttl=LEASE)
            except DatabaseUnavailable as error:
                log.error("leases_not_renewed", error=str(error))


class CallTurns:
    """The Turns of one call (handlers/voice/call.py)."""

    def __init__(self, desk: Desk, channel: Channel, record: CallRecord) -> None:
        self._desk = desk
        self._channel = channel
        self._record = record

    async def hear(self, words: str, event: CallEvent | None = None, *, key: str | None = None) -> None:
        await self._desk.store(self._channel, self._record, words, event, key=key)

    async def answer(self, speech: Speech) -> TurnResult | None:
        return await self._desk.answer(self._record, self._channel, speech)

    async def cut(self, turn_id: UUID, heard: str, *, asked: bool) -> None:
        await self._desk.cut(self._channel, self._record, turn_id, heard, asked=asked)


def _digest(ticket: str) -> bytes:
    return sha256(ticket.encode()).digest()
