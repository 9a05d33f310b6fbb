"""The one write that follows a client's yes: intent recorded -> CRM called -> outcome kept. Also after a crash.

Every step before the CRM is committed by itself, so that whoever handles the same yes again (another worker, a repeated
update) finds how far it went: a call that may have gone through is looked up first, and a lookup that finds nothing
proves nothing before the first call's own time limit has passed. Every step proves the turn's lease first: a worker
that was frozen past its lease takes none when it wakes (LeaseLost), and so does not call the CRM.

What remains: a CRM knows no fence, so the call itself carries none. Its time limit begins before the intent is marked
as called, and a process that wakes after the limit drops the call; but one that is frozen for longer than CALL_LIMIT
between that committed mark and the HTTP request, just as it sends it, still sends it when it wakes, and by then another
worker may have made the same call. The same where the hosts' clocks differ by that much.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import structlog

from crm.base import Appointment, BaseCRMAdapter
from crm.errors import CRMError, CRMOutcomeUnknown, CRMRejected, SlotTaken
from db.records import Branch, Dialogue, Intent, IntentKind, IntentStatus
from orchestration.catalogue import OfferedService, list_offered_services
from orchestration.conversation import KeptPrice, Offer, Proposal
from orchestration.messages import Button, Reply
from orchestration.offers import find_alternatives, total_price
from orchestration.ports import ClaimedTimes, Intents
from orchestration.proposals import SLOT, Proposals
from orchestration.trouble import client_label, crm_failed, outcome_unknown
from orchestration.turns import StaffNotice, Turn, TurnPostponed
from orchestration.wording import offers_text, receipt_text, short_moment_text
from orchestration.writes import (
    as_booked,
    booked_appointment,
    branch_id_of,
    call_crm,
    can_look_up,
    external_id_of,
    find_changed,
    offer_of,
    time_of,
    wish_again,
)

log = structlog.get_logger()

CALL_LIMIT = timedelta(seconds=40)
"""No write to a CRM lasts longer than this."""
GIVE_UP_AFTER = timedelta(minutes=10)
"""When it still cannot be found out whether a write went through, a person is told."""
_ASK_AGAIN_IN = timedelta(seconds=15)
TIME_HELD_FOR = GIVE_UP_AFTER + timedelta(minutes=5)
"""How long a time is claimed from each call of the CRM: longer than anything may still come of that call.

A claim is given back when the write is refused or the visit leaves the time again, and not when it stands: whoever read
the free times before the CRM kept the visit, or reads a list of them that is behind, still cannot call the CRM for it.
"""


class BookingDesk:
    """Carries out confirmed proposals, each at most once."""

    def __init__(self, intents: Intents, claimed: ClaimedTimes, proposals: Proposals) -> None:
        self._intents = intents
        self._claimed = claimed
        self._proposals = proposals

    async def was_begun(self, dialogue: Dialogue, proposal_id: UUID) -> bool:
        """Say whether this proposal was confirmed before now."""
        return await self._intents.find(dialogue, proposal_id) is not None

    async def was_done(self, turn: Turn, proposal_id: UUID | None) -> bool:
        """Say whether this proposal was confirmed and stands in the CRM."""
        intent = await self._intents.find(turn.dialogue, proposal_id) if proposal_id else None
        return intent is not None and intent.status is IntentStatus.DONE

    async def carry_out(self, turn: Turn, proposal: Proposal) -> None:
        """Make the write, or find that it was made, and tell the client what stands. Raises TurnPostponed."""
        branch = turn.scope.branch(branch_id_of(proposal))
        intent = await self._intents.record(
            turn.claim,
            intent_id=proposal.id,
            branch_id=branch.id,
            kind=proposal.kind,
            # Ours, and short: the CRM keeps it with the record, and a crash is looked up by it.
            external_id=external_id_of(proposal),
            action=proposal.model_dump(mode="json"),
        )
        try:
            await self._carry_on(turn, proposal, branch, intent)
        except CRMRejected as error:
            await self._intents.mark_refused(turn.claim, intent.id, error.code)
            await self._refused(turn, proposal, branch, error)
        except CRMOutcomeUnknown as error:
            raise TurnPostponed(_ASK_AGAIN_IN, str(error)) from error
        except CRMError as error:
            # Nothing was written: the call did not reach the CRM.
            await self._intents.mark_refused(turn.claim, intent.id, error.code)
            turn.conversation = turn.conversation.at_rest()
            crm_failed(turn, error, branch_id=branch.id)

    async def _carry_on(self, turn: Turn, proposal: Proposal, branch: Branch, intent: Intent) -> None:
        """Go on from wherever this intent stands."""
        crm = turn.scope.crm(branch.id)
        match intent.status:
            case IntentStatus.DONE:
                self._tell_done(turn, proposal)
            case IntentStatus.REFUSED:
                raise SlotTaken(intent.error or "refused before")
            case IntentStatus.UNKNOWN:
                self._tell_unknown(turn, proposal, branch)
            case IntentStatus.CALLED:
                await self._look_up(turn, proposal, branch, intent, crm)
            case IntentStatus.CONFIRMED:
                if await self._still_as_shown(turn, proposal, branch, intent):
                    await self._write(turn, proposal, branch, crm)

    async def _look_up(
        self, turn: Turn, proposal: Proposal, branch: Branch, intent: Intent, crm: BaseCRMAdapter
    ) -> None:
        """Find out whether an earlier call went through, before anything else."""
        called_at = intent.called_at or intent.created_at
        if turn.now - called_at > GIVE_UP_AFTER or not can_look_up(crm, proposal):
            await self._intents.mark_unknown(turn.claim, intent.id, "could not be looked up")
            self._tell_unknown(turn, proposal, branch)
            return
        try:
            if await self._found(turn, proposal, branch, crm):
                return
        except CRMError as error:
            if isinstance(error, CRMRejected):
                raise
            raise TurnPostponed(_ASK_AGAIN_IN, f"lookup: {error.code}") from error
        passed = turn.now - called_at
        if passed < CALL_LIMIT:
            raise TurnPostponed(CALL_LIMIT - passed, "the first call may still be under way")
        await self._write(turn, proposal, branch, crm)

    async def _found(self, turn: Turn, proposal: Proposal, branch: Branch, crm: BaseCRMAdapter) -> bool:
        """Look the write up in the CRM; where it stands, keep that and tell the client."""
        appointment: Appointment | None
        if proposal.kind is IntentKind.CREATE:
            offer = offer_of(proposal)
            day = turn.local(offer.starts_at, branch).date()
            appointment = await crm.find_appointment(external_id_of(proposal), day=day)
        else:
            appointment = await find_changed(crm, proposal)
            if appointment is None:
                return False
        if appointment is None:
            return False
        if appointment.cancelled and proposal.kind is IntentKind.CREATE:
            # The write went through, and staff have deleted the visit since: it is not there to be told of.
            raise CRMRejected("the visit was deleted in the CRM meanwhile")
        await self._keep(turn, proposal, branch, appointment)
        return True

    async def _write(self, turn: Turn, proposal: Proposal, branch: Branch, crm: BaseCRMAdapter) -> None:
        try:
            async with asyncio.timeout(CALL_LIMIT.total_seconds()):
                await self._claim_time(turn, proposal)
                appointment = await call_crm(turn, proposal, crm)
        except (TimeoutError, CRMOutcomeUnknown) as error:
            log.warning("crm_outcome_unknown", operation=proposal.kind, error=str(error))
            try:
                # A record that is found is proof at once; one that is not found is none before the limit has passed.
                if can_look_up(crm, proposal) and await self._found(turn, proposal, branch, crm):
                    return
            except CRMError as lookup:
                log.warning("crm_lookup_failed", code=lookup.code)
            raise TurnPostponed(CALL_LIMIT, "outcome unknown") from error
        await self._keep(turn, proposal, branch, appointment)

    async def _claim_time(self, turn: Turn, proposal: Proposal) -> None:
        """Mark the intent as called, with a claim on its time. Raises SlotTaken where somebody else has one."""
        called = await self._intents.mark_called(
            turn.claim,
            proposal.id,
            time=time_of(proposal),
            held_for=TIME_HELD_FOR,
            visit=proposal.appointment.record_id if proposal.appointment else None,
        )
        if not called:
            raise SlotTaken("somebody else is booking this time")

    async def _still_as_shown(self, turn: Turn, proposal: Proposal, branch: Branch, intent: Intent) -> bool:
        """Ask the CRM again right before the write. Raises SlotTaken; a changed price or length is asked anew."""
        if proposal.offer is None:
            return True
        offer = proposal.offer
        services = await _services(turn, branch, offer)
        day = turn.local(offer.starts_at, branch).date()
        crm = turn.scope.crm(branch.id)
        wanted = offer.slot()
        slots = await crm.get_fresh_slots(wanted.service_ids, first=day, last=day, staff_id=wanted.staff.id)
        slot = next((slot for slot in slots if slot.starts_at == wanted.starts_at), None)
        if slot is None:
            if proposal.kind is IntentKind.MOVE:
                # A visit may be moved into time that it holds itself; only the CRM can say.
                return True
            raise SlotTaken("the slot is no longer free")
        price = KeptPrice.of(total_price(services, slot))
        if price == offer.price and slot.duration == offer.duration:
            return True
        await self._intents.mark_refused(turn.claim, intent.id, "changed")
        changed = offer.model_copy(update={"price": price, "duration": slot.duration, "shown_at": turn.now})
        if proposal.kind is IntentKind.MOVE and proposal.appointment:
            self._proposals.propose_move(turn, proposal.appointment, changed)
        else:
            await self._proposals.propose_booking(turn, wish_again(proposal, changed))
        asked = turn.replies[-1]
        turn.replies[-1] = asked.model_copy(update={"text": f"{turn.texts.text('proposal-changed')}\n\n{asked.text}"})
        return False

    async def _keep(self, turn: Turn, proposal: Proposal, branch: Branch, appointment: Appointment) -> None:
        """Keep what stands in the CRM, then tell it from the record read back."""
        booked = None
        if proposal.kind is not IntentKind.CANCEL:
            booked = booked_appointment(turn, proposal, branch, appointment)
        await self._intents.mark_done(
            turn.claim, proposal.id, crm_record_id=appointment.id, appointment=booked, cancelled=booked is None
        )
        self._tell_done(turn, as_booked(proposal, appointment))
        if proposal.kind is IntentKind.CREATE and not proposal.phone_proved:
            when = turn.staff_texts.moment(turn.local(appointment.starts_at, branch))
            notice = turn.staff_texts.text("staff-unconfirmed-booking", client=client_label(turn), when=when)
            turn.notices.append(StaffNotice(text=notice, branch_id=branch.id))

    def _tell_done(self, turn: Turn, proposal: Proposal) -> None:
        turn.conversation = turn.conversation.at_rest()
        turn.replies.append(Reply(text=receipt_text(turn, proposal), drop_keyboard=True))
        turn.outcome = {
            IntentKind.CREATE: "booked",
            IntentKind.MOVE: "moved",
            IntentKind.CANCEL: "cancelled",
        }[proposal.kind]

    def _tell_unknown(self, turn: Turn, proposal: Proposal, branch: Branch) -> None:
        turn.conversation = turn.conversation.at_rest()
        outcome_unknown(turn, receipt_text(replace(turn, texts=turn.staff_texts), proposal), branch)

    async def _refused(self, turn: Turn, proposal: Proposal, branch: Branch, error: CRMRejected) -> None:
        """Say kindly that it is not possible, with other times where time was the reason."""
        turn.conversation = turn.conversation.at_rest()
        turn.outcome = error.code
        if proposal.offer is None or not isinstance(error, SlotTaken):
            turn.say(turn.texts.text("crm-rejected"))
            notice = turn.staff_texts.text(
                "staff-crm-down", client=client_label(turn), wish=turn.client_text or proposal.kind, reason=error.code
            )
            turn.call_person(error.code, str(error), notice=StaffNotice(text=notice, branch_id=branch.id))
            return
        try:
            services = await _services(turn, branch, proposal.offer)
            others = await find_alternatives(turn, proposal.offer, branch, services, self._claimed)
        except CRMError as failure:
            crm_failed(turn, failure, branch_id=branch.id)
            return
        if not others:
            turn.say(turn.texts.text("slot-taken-none"))
            return
        if proposal.kind is IntentKind.CREATE:
            turn.conversation = turn.conversation.retrying(wish_again(proposal, others[0]))
        buttons = tuple(
            (
                Button(
                    text=short_moment_text(turn, other.starts_at, other.branch_id),
                    action=f"{SLOT}:{other.id}",
                    detail=other.staff_name,
                ),
            )
            for other in others
            if proposal.kind is IntentKind.CREATE
        )
        turn.replies.append(Reply(text=turn.texts.text("slot-taken", times=offers_text(turn, others)), buttons=buttons))


async def _services(turn: Turn, branch: Branch, offer: Offer) -> list[OfferedService]:
    offered = await list_offered_services(turn.scope, branch)
    return [service for service in offered if service.id in offer.service_ids]
