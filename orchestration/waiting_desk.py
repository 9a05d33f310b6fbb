"""Pressed buttons of the waiting list: the yes to being told, and what a client makes of a time that is offered."""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from crm.base import Slot
from crm.errors import CRMError, CRMNotFound
from db.outreach_records import ConsentKind, OfferOutcome, WaitingOffer
from orchestration.booking_flow import BookingFlow
from orchestration.catalogue import find_services
from orchestration.conversation import PROPOSAL_LIFETIME
from orchestration.freed_slots import read_slots, same_slot
from orchestration.menu import menu_rows
from orchestration.messages import Button, Reply
from orchestration.offers import remember
from orchestration.outreach_acts import ConsentAnswered, NextWanted, OfferAnswered, WaitingJoined, WaitingLeft
from orchestration.ports import OutreachView
from orchestration.trouble import crm_failed, stale_button
from orchestration.turns import Turn
from orchestration.waiting_list import LEAVE, NEXT, NO, PASS, TAKE, WAIT, YES, may_wait, waiting_words, wish_text

MOST_WISHES = 3
"""What one client may wait for at once."""


class WaitingDesk:
    """Whoever takes a time is asked to confirm it as any other: nothing is booked by a press here."""

    def __init__(self, outreach: OutreachView, flow: BookingFlow) -> None:
        self._outreach = outreach
        self._flow = flow

    async def press(self, turn: Turn, rest: str) -> None:
        """Act on a press."""
        verb, _, named = rest.partition(":")
        id_ = _uuid(named)
        match verb:
            case _ if id_ is None:
                stale_button(turn)
            case _ if verb in (YES, NO):
                await self._answer(turn, id_, agreed=verb == YES)
            case _ if verb in (NEXT, LEAVE):
                await self._go_on(turn, id_, waits=verb == NEXT)
            case _ if verb in (TAKE, PASS):
                await self._on_offer(turn, id_, wanted=verb == TAKE)
            case _:
                stale_button(turn)

    async def _answer(self, turn: Turn, id_: UUID, *, agreed: bool) -> None:
        wish = turn.conversation.waits
        if wish is None or wish.id != id_ or not may_wait(turn):
            stale_button(turn)
            return
        turn.conversation = turn.conversation.at_rest()
        words = waiting_words(turn)
        if not agreed:
            if not await self._outreach.list_waiting(turn.dialogue):
                # Who waits for something else already says no to this wish alone.
                turn.outreach.append(ConsentAnswered(kind=ConsentKind.WAITING_LIST, words=words, given=False))
            turn.replies.append(Reply(text=turn.texts.text("waiting-refused"), buttons=menu_rows(turn)))
            turn.outcome = "waiting_refused"
            return
        if len(await self._outreach.list_waiting(turn.dialogue)) >= MOST_WISHES:
            turn.say(turn.texts.text("waiting-too-many", most=MOST_WISHES))
            turn.outcome = "waiting_too_many"
            return
        turn.outreach += [
            ConsentAnswered(kind=ConsentKind.WAITING_LIST, words=words, given=True),
            WaitingJoined(wish=wish),
        ]
        turn.say(turn.texts.text("waiting-joined", wish=wish_text(turn.texts, wish)))
        turn.outcome = "waiting_joined"

    async def _go_on(self, turn: Turn, id_: UUID, *, waits: bool) -> None:
        entry = next((one for one in await self._outreach.list_waiting(turn.dialogue) if one.id == id_), None)
        if entry is None:
            stale_button(turn)
            return
        turn.outreach.append(NextWanted(entry_id=id_) if waits else WaitingLeft(entry_id=id_))
        turn.say(turn.texts.text("waiting-next" if waits else "waiting-left"))
        turn.outcome = "waiting_goes_on" if waits else "waiting_left"

    async def _on_offer(self, turn: Turn, id_: UUID, *, wanted: bool) -> None:
        offer = await self._outreach.find_offer(turn.dialogue, id_)
        if offer is None:
            stale_button(turn)
        elif not wanted:
            if offer.outcome is OfferOutcome.OPEN:
                turn.outreach.append(OfferAnswered(offer_id=id_, outcome=OfferOutcome.DECLINED))
            self._still_waits(turn, offer, "waiting-passed")
            turn.outcome = "offer_declined"
        elif offer.outcome is OfferOutcome.BOOKED or offer.starts_at <= turn.now:
            stale_button(turn)
        elif offer.passed_on:
            self._still_waits(turn, offer, "waiting-offer-over")
            turn.outcome = "offer_over"
        else:
            await self._take(turn, offer)

    async def _take(self, turn: Turn, offer: WaitingOffer) -> None:
        """Read the time in the CRM again, and go on as with any time that the client chose."""
        branch = turn.scope.branch(offer.entry.branch_id)
        zone = ZoneInfo(branch.time_zone)
        slot: Slot | None = None
        try:
            crm = turn.scope.crm(branch.id)
            try:
                slots = await read_slots(crm, offer.entry, offer.starts_at, zone=zone, now=turn.now)
                slot = same_slot(slots, staff_id=offer.staff_id, starts_at=offer.starts_at)
                services = await find_services(turn.scope, branch, offer.entry.service_ids)
            except CRMNotFound:
                services = []
            if slot is None or len(services) < len(offer.entry.service_ids):
                turn.outreach.append(OfferAnswered(offer_id=offer.id, outcome=OfferOutcome.GONE))
                self._still_waits(turn, offer, "waiting-offer-gone")
                turn.outcome = "offer_gone"
                return
            kept_until = max(offer.expires_at, turn.now + PROPOSAL_LIFETIME)
            turn.outreach.append(OfferAnswered(offer_id=offer.id, outcome=OfferOutcome.TAKEN, until=kept_until))
            [chosen] = remember(turn, branch, services, [(slot,)])
            await self._flow.take(turn, chosen)
        except CRMError as error:
            crm_failed(turn, error, branch_id=branch.id)

    def _still_waits(self, turn: Turn, offer: WaitingOffer, key: str) -> None:
        """Say that this time is not theirs, and ask whether they want to hear of the next one: that is theirs."""
        row = (
            Button(text=turn.texts.text("waiting-tell-next"), action=f"{WAIT}:{NEXT}:{offer.entry.id}"),
            Button(text=turn.texts.text("waiting-leave"), action=f"{WAIT}:{LEAVE}:{offer.entry.id}"),
        )
        turn.replies.append(Reply(text=turn.texts.text(key), buttons=(row,)))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
