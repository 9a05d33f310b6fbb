"""The outbox out to the channels: in order within a dialogue, retried until it is taken or can never be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from opentelemetry.trace import SpanKind
from prometheus_client import Counter

from db.companies import Companies
from db.dialogues import Dialogues
from db.directory import Directory
from db.engine import Database, Transaction
from db.errors import DatabaseUnavailable, NotFound
from db.handovers import Handovers, MirrorItem
from db.outbox import Outbox
from db.records import Author, Channel, ChannelId, ChannelStatus, ChannelType, Claim, OutgoingReply
from db.reminders import Reminders
from db.work import Work, retry_delay
from handlers.base import (
    ChannelBroken,
    ChannelDispatch,
    ClientUnreachable,
    DeliveryDelayed,
    Flooded,
    OutcomeUnknown,
    Paced,
    ReplyRefused,
    TopicGone,
    WindowClosed,
)
from handlers.send_pace import SendPace
from handlers.staff_notices import StaffNotices
from locales import Translator
from orchestration.company_figures import COMPANY_FIGURES
from orchestration.errors import MediaTooLarge, MediaUnavailable
from orchestration.messages import Attachment, OutgoingFile
from orchestration.ports import Clock
from orchestration.reminders import TEMPLATE as REMINDER
from orchestration.staff_press import phone_button
from orchestration.stages import span
from orchestration.trouble import too_late_notice

log = structlog.get_logger()

MOST_REPLIES = 50
MOST_FILE_BYTES = 16 * 1024 * 1024
"""What WhatsApp takes of sounds and films (Meta's page "Media"), and Telegram gives bots (20 MB)."""
TRIES = 40
"""With the delays below about five hours; a messenger that is down longer is an outage that staff know of."""
_FIRST_RETRY = timedelta(seconds=1)
_LONGEST_RETRY = timedelta(minutes=10)

REPLIES = Counter("ai_admin_replies", "Replies on their way out.", ["channel", "outcome"])


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryStores:
    """What a delivery reads and writes."""

    database: Database
    outbox: Outbox
    work: Work
    directory: Directory
    companies: Companies
    dialogues: Dialogues


class _TakenOver(Exception):
    """The reply is not to be sent any more."""


class DeliveryJob:
    """Delivers what waits in one dialogue. The head holds up those behind it: order is kept."""

    def __init__(
        self, stores: DeliveryStores, channels: Mapping[ChannelType, ChannelDispatch], send_pace: SendPace, clock: Clock
    ) -> None:
        self._database = stores.database
        self._outbox = stores.outbox
        self._work = stores.work
        self._directory = stores.directory
        self._companies = stores.companies
        self._dialogues = stores.dialogues
        self._handovers = Handovers()
        self._reminders = Reminders()
        self._channels = channels
        self._send_pace = send_pace
        self._clock = clock
        self._staff = StaffNotices(stores.directory, stores.outbox)

    async def __call__(self, claim: Claim) -> None:
        """Deliver, and commit each piece as it is taken. Raises LeaseLost."""
        channel = await self._directory.get_channel(claim.company_id, claim.channel_id)
        COMPANY_FIGURES.named((await self._directory.get_snapshot(claim.company_id)).company)
        async with self._database.company(claim.company_id) as tx:
            dropped = await self._outbox.fail_unreachable(tx, claim.dialogue_id, "the client is marked as unreachable")
            waiting = await self._outbox.list_waiting(tx, claim.dialogue_id, limit=MOST_REPLIES)
            if any(_reminds(reply) for reply in waiting) and await self._reminders.look_again(
                tx, claim.dialogue_id, now=self._clock()
            ):
                waiting = await self._outbox.list_waiting(tx, claim.dialogue_id, limit=MOST_REPLIES)
        if dropped:
            log.info("replies_dropped", replies=dropped)
            self._count(channel, "failed", dropped)
        for reply in waiting:
            tried_at = self._clock()
            ids = {"channel": channel.type.value, "reply_id": str(reply.id)}
            with (
                structlog.contextvars.bound_contextvars(**ids),
                span("reply", kind=SpanKind.PRODUCER, within=reply.trace, company_id=str(claim.company_id), **ids),
            ):
                try:
                    delay = await self._deliver(channel, claim, reply)
                except ClientUnreachable as error:
                    if await self._client_is_gone(channel, claim, reply, error, tried_at):
                        break
                    continue
            if delay is not None:
                async with self._database.company(claim.company_id) as tx:
                    await self._work.done(tx, claim, next_due_at=self._clock() + delay)
                return
        async with self._database.company(claim.company_id) as tx:
            more = len(waiting) == MOST_REPLIES
            await self._work.done(tx, claim, next_due_at=self._clock() if more else None)

    async def failed(self, claim: Claim, error: Exception) -> None:
        """Nothing more to keep: the replies still wait, and the log has the trace."""

    async def give_up(self, claim: Claim) -> None:
        """Give up the reply at the head, whose handling fails again and again; those behind it go on."""
        channel = await self._directory.get_channel(claim.company_id, claim.channel_id)
        async with self._database.company(claim.company_id) as tx:
            waiting = await self._outbox.list_waiting(tx, claim.dialogue_id, limit=2)
            for reply in waiting[:1]:
                await self._outbox.mark_failed(tx, reply.id, "its handling failed again and again")
                self._count(channel, "failed")
            await self._work.done(tx, claim, next_due_at=self._clock() if len(waiting) > 1 else None)

    async def _deliver(self, channel: Channel, claim: Claim, reply: OutgoingReply) -> timedelta | None:
        """Deliver one reply; return how long to rest where it must wait, None where it is settled.

        Raises ClientUnreachable.
        """
        permit, last = partial(self._permit, channel, reply), None
        try:
            carried = await self._with_file(channel, reply)
            async for message_id in self._channels[channel.type].deliver(channel, carried, permit):
                await self._keep_part(channel, claim, reply, message_id)
                last = message_id
        except _TakenOver:
            log.info("reply_dropped", reason="it was taken back before it was sent")
            REPLIES.labels(channel.type.value, "dropped").inc()
        except DeliveryDelayed as error:
            return await self._put_off(channel, claim, reply, error)
        except TopicGone:
            await self._show_again(claim, reply)
        except WindowClosed as error:
            await self._too_late(channel, reply, str(error))
        except ReplyRefused as error:
            await self._give_up(channel, claim, reply, f"ReplyRefused: {error}")
        except ChannelBroken as error:
            await self._companies.set_channel_status(channel.company_id, channel.id, ChannelStatus.BROKEN)
            log.error("channel_broken", channel_id=str(channel.id), error=str(error))
            await self._give_up(channel, claim, reply, f"ChannelBroken: {error}")
        else:
            async with self._database.company(claim.company_id) as tx:
                standing = await self._outbox.mark_sent(tx, reply.id)
                if standing and standing.get("text") != reply.payload.get("text") and last is not None:
                    await self._reword(tx, reply, standing, last)
            self._count(channel, "sent")
        return None

    async def _with_file(self, channel: Channel, reply: OutgoingReply) -> OutgoingReply:
        """Carry the reply's file over from the channel that it came through; where that fails, say that it did."""
        given = reply.payload.get("file")
        if given is None or (given["channel_id"] == str(channel.id) and channel.type is ChannelType.TELEGRAM):
            return reply
        file = OutgoingFile.model_validate(given)
        try:
            source = await self._directory.get_channel(channel.company_id, ChannelId(UUID(file.channel_id)))
            attachment = Attachment(kind=file.kind, ref=file.ref, mime_type=file.mime_type)
            content = await self._channels[source.type].fetch(source, attachment, most_bytes=MOST_FILE_BYTES)
        except (MediaTooLarge, MediaUnavailable, NotFound) as error:
            log.warning("file_not_carried", error=type(error).__name__)
            snapshot = await self._directory.get_snapshot(channel.company_id)
            lost = Translator.for_language(snapshot.agent.language).text("file-not-carried")
            words = "\n".join(filter(None, (str(reply.payload.get("text", "")), lost)))
            return replace(reply, payload={**reply.payload, "text": words, "file": None})
        return replace(reply, file=content)

    async def _permit(self, channel: Channel, reply: OutgoingReply) -> None:
        """Let one piece go out. Raises Paced, and _TakenOver where a person has answered since the reply was read, or
        what it says does not hold any more.

        Asked last, right before each piece: what a person commits after this goes out after it.
        """
        await self._send_pace.take(channel, reply.dialogue_id, self._channels[channel.type].send_limits(reply))
        async with self._database.company(channel.company_id) as tx:
            standing = await self._outbox.find_waiting(tx, reply.id)
        if standing is None:
            raise _TakenOver
        if standing.get("text") != reply.payload.get("text"):
            # It was reworded since it was read: it is read anew.
            raise Paced(timedelta(0))

    async def _reword(
        self, tx: Transaction, reply: OutgoingReply, standing: Mapping[str, Any], message_id: str
    ) -> None:
        """Let the new words take the place of those that were on their way when they were changed."""
        dialogue = await self._dialogues.find_dialogue(tx, reply.dialogue_id)
        if dialogue is not None:
            payload = {**standing, "replaces": message_id}
            await self._outbox.put(tx, dialogue, [payload], turn_id=None, author=Author.PERSON)

    async def _show_again(self, claim: Claim, reply: OutgoingReply) -> None:
        """Let what stood in a topic that staff have deleted be shown in a new one."""
        log.info("topic_gone", about=str(reply.about))
        given = reply.payload.get("file")
        file = {name: given.get(name) for name in ("kind", "ref", "mime_type")} if given else None
        async with self._database.company(claim.company_id) as tx:
            await self._outbox.mark_failed(tx, reply.id, "its topic was deleted; shown in a new one")
            client = await self._dialogues.find_dialogue(tx, reply.about) if reply.about is not None else None
            if client is not None:
                await self._handovers.forget_topic(tx, client.id, int(reply.payload.get("topic") or 0))
                shown = MirrorItem(
                    author=Author.SYSTEM, text=str(reply.payload.get("text", "")), at=self._clock(), file=file
                )
                await self._handovers.show(tx, client.id, client.channel_id, [shown], due_at=self._clock())

    async def _too_late(self, channel: Channel, reply: OutgoingReply, reason: str) -> None:
        """Give up what may not be said any more and tell staff: they may call, or set a template."""
        log.warning("reply_too_late", reason=reason)
        self._count(channel, "too_late")
        snapshot = await self._directory.get_snapshot(channel.company_id)
        texts = Translator.for_language(snapshot.agent.language)
        async with self._database.company(channel.company_id) as tx:
            await self._outbox.mark_failed(tx, reply.id, f"WindowClosed: {reason}")
            dialogue = await self._dialogues.find_dialogue(tx, reply.dialogue_id)
            if dialogue is not None:
                notice, phone = too_late_notice(texts, dialogue, reply.payload), phone_button(texts, dialogue)
                await self._staff.put(tx, channel, snapshot.branches, [notice], turn_id=None, phone=phone)

    async def _keep_part(self, channel: Channel, claim: Claim, reply: OutgoingReply, message_id: str) -> None:
        try:
            async with self._database.company(claim.company_id) as tx:
                await self._outbox.mark_part_sent(tx, reply, message_id)
        except DatabaseUnavailable:
            self._say_uncertain(channel, reply, "taken, and that could not be kept")
            raise

    def _say_uncertain(self, channel: Channel, reply: OutgoingReply, why: str) -> None:
        """Tell people why a client may get a reply twice: they must get an answer, and better twice than never."""
        log.warning("reply_may_come_twice", why=why)
        REPLIES.labels(channel.type.value, OutcomeUnknown.outcome).inc()

    async def _put_off(
        self, channel: Channel, claim: Claim, reply: OutgoingReply, error: DeliveryDelayed
    ) -> timedelta | None:
        """Return how long the reply rests; None where it was given up after its last try."""
        if isinstance(error, OutcomeUnknown):
            self._say_uncertain(channel, reply, str(error))
        else:
            REPLIES.labels(channel.type.value, error.outcome).inc()
        if isinstance(error, Flooded):
            log.warning("messenger_flooded", everyone=error.everyone, rest_s=error.rest.total_seconds())
            limits = self._channels[channel.type].send_limits(reply)
            await self._send_pace.hold(channel, reply.dialogue_id, limits, error.rest, everyone=error.everyone)
        if error.rest is not None:
            # It is known when there will be room: this is no failed try, however often it comes.
            return error.rest
        if reply.attempts + 1 >= TRIES:
            await self._give_up(channel, claim, reply, f"gave up: {error}")
            return None
        async with self._database.company(claim.company_id) as tx:
            await self._outbox.mark_retry(tx, reply.id, str(error))
        return retry_delay(reply.attempts, first=_FIRST_RETRY, longest=_LONGEST_RETRY)

    async def _client_is_gone(
        self, channel: Channel, claim: Claim, reply: OutgoingReply, error: ClientUnreachable, tried_at: datetime
    ) -> bool:
        """Give up the reply and, once the client is marked, all that waits for them; say whether they are.

        What waits for a staff chat, which is no client and has no mark, is tried one by one.
        """
        reason = f"ClientUnreachable: {error}"
        async with self._database.company(claim.company_id) as tx:
            await self._outbox.mark_failed(tx, reply.id, reason)
            marked = await self._dialogues.mark_unreachable(
                tx, claim.dialogue_id, now=self._clock(), unless_heard_since=tried_at
            )
            others = await self._outbox.fail_unreachable(tx, claim.dialogue_id, reason)
        self._count(channel, "failed", 1 + others)
        if marked:
            log.info("client_unreachable", reason=reason, replies=1 + others)
        else:
            log.warning("reply_not_delivered", reason=reason)
        return marked

    async def _give_up(self, channel: Channel, claim: Claim, reply: OutgoingReply, reason: str) -> None:
        log.warning("reply_not_delivered", reason=reason)
        self._count(channel, "failed")
        async with self._database.company(claim.company_id) as tx:
            await self._outbox.mark_failed(tx, reply.id, reason)

    def _count(self, channel: Channel, outcome: str, replies: int = 1) -> None:
        """Count what became of replies, in all and as their company's: it either left, or never will."""
        REPLIES.labels(channel.type.value, outcome).inc(replies)
        COMPANY_FIGURES.reply(channel.company_id, "sent" if outcome == "sent" else "failed", replies)


def _reminds(reply: OutgoingReply) -> bool:
    return (reply.payload.get("template") or {}).get("name") == REMINDER
