"""What a turn has decided about messages that go out unasked, kept with the turn's own commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from bot.outreach_figures import RATINGS, WAITING_LIST
from db.care import ring_care
from db.clients import Clients
from db.consents import Consents
from db.engine import Transaction
from db.notices import Notices
from db.outreach_records import Consent, ConsentKind, OfferOutcome, WaitingEntry, WaitingStatus
from db.ratings import Ratings
from db.records import BranchId, Channel, Dialogue, DialogueId, new_id
from db.waiting_list import WaitingList
from db.waiting_offers import WaitingOffers, ring_waiting
from orchestration.outreach_acts import (
    ConsentAnswered,
    NextWanted,
    OfferAnswered,
    OutreachAct,
    RatingExplained,
    Stopped,
    VisitRated,
    WaitingJoined,
    WaitingLeft,
)

_OF_THE_LIST = (Stopped, WaitingJoined, WaitingLeft, NextWanted, OfferAnswered)


class OutreachCommit:
    def __init__(self) -> None:
        self._clients = Clients()
        self._consents = Consents()
        self._notices = Notices()
        self._waiting = WaitingList()
        self._offers = WaitingOffers()
        self._ratings = Ratings()

    async def keep(
        self, tx: Transaction, channel: Channel, dialogue: Dialogue, acts: Sequence[OutreachAct], *, now: datetime
    ) -> None:
        """Keep the acts. To be called before anything else of a turn is written: the job that offers times locks its
        work first, then entries and offers, then what is delivered, and so must whoever else touches them."""
        if any(isinstance(act, _OF_THE_LIST) for act in acts):
            await ring_waiting(tx, due_at=now)
        for act in acts:
            await self._keep(tx, channel, dialogue, act, now)

    async def _keep(
        self, tx: Transaction, channel: Channel, dialogue: Dialogue, act: OutreachAct, now: datetime
    ) -> None:
        match act:
            case ConsentAnswered():
                await self._answered(tx, channel, dialogue, act, now)
            case Stopped():
                await self._stopped(tx, channel, dialogue, now)
            case WaitingJoined():
                await self._waiting.add(tx, _entry(dialogue.id, act, now))
            case WaitingLeft():
                await self._leave(tx, [act.entry_id], now)
            case NextWanted():
                await self._waiting.ask_again(tx, act.entry_id, now=now)
            case OfferAnswered():
                await self._offers.settle(tx, act.offer_id, act.outcome, until=act.until)
            case VisitRated():
                await self._ratings.rate(tx, act.rating_id, act.stars, now=now)
            case RatingExplained():
                await self._ratings.explain(tx, act.rating_id, act.words)

    async def _answered(
        self, tx: Transaction, channel: Channel, dialogue: Dialogue, act: ConsentAnswered, now: datetime
    ) -> None:
        words = act.words
        await self._notices.keep_wording(tx, version=words.version, text=words.text, now=now)
        consent = Consent(
            kind=act.kind,
            channel=channel.type.value,
            wording_version=words.version,
            given_at=now if act.given else None,
            refused_at=None if act.given else now,
        )
        await self._consents.add(tx, dialogue.id, consent)
        if act.kind is ConsentKind.WIN_BACK and act.given:
            await ring_care(tx, dialogue.id, due_at=now)

    async def _stopped(self, tx: Transaction, channel: Channel, dialogue: Dialogue, now: datetime) -> None:
        """Withdraw whatever they agreed to, in all their channels, and keep that they want nothing.

        The jobs look at that while they hold their work: what one of them is just deciding waits for this, or this for
        it.
        """
        theirs = await self._clients.list_dialogues(tx, dialogue)
        for one in sorted(theirs):
            await ring_care(tx, one, due_at=now)
        waiting = await self._waiting.list_of(tx, theirs)
        await self._leave(tx, [entry.id for entry in waiting], now)
        await self._consents.withdraw(tx, theirs, now=now)
        refused = Consent(kind=ConsentKind.ALL, channel=channel.type.value, refused_at=now)
        await self._consents.add(tx, dialogue.id, refused)

    async def _leave(self, tx: Transaction, entries: Sequence[UUID], now: datetime) -> None:
        await self._offers.settle_of(tx, entries, OfferOutcome.DECLINED)
        await self._waiting.close(tx, WaitingStatus.LEFT, now=now, entries=entries)


def count(acts: Sequence[OutreachAct]) -> None:
    """Count what was kept, once it is committed."""
    for act in acts:
        match act:
            case WaitingJoined():
                WAITING_LIST.labels("joined").inc()
            case WaitingLeft():
                WAITING_LIST.labels("left").inc()
            case OfferAnswered():
                WAITING_LIST.labels(act.outcome.value).inc()
            case Stopped():
                WAITING_LIST.labels("stopped").inc()
            case VisitRated():
                RATINGS.labels(str(act.stars)).inc()


def _entry(dialogue_id: DialogueId, act: WaitingJoined, now: datetime) -> WaitingEntry:
    wish = act.wish
    return WaitingEntry(
        # Of the moment at which they agreed: whoever agreed first is first.
        id=new_id(),
        branch_id=BranchId(wish.branch_id),
        dialogue_id=dialogue_id,
        service_ids=wish.service_ids,
        service_names=wish.service_names,
        staff_id=wish.staff_id,
        staff_name=wish.staff_name,
        first_day=wish.first_day,
        last_day=wish.last_day,
        earliest=wish.earliest,
        latest=wish.latest,
        created_at=now,
        asked_at=now,
    )
