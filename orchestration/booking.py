"""What follows a client's yes: its writes to the CRM, one after another, and all of them or none.

A visit of several records is booked record by record, each write recorded, looked up and kept by itself
(recorded_writes.py). Where a later one is refused, those before it are cancelled again: these cancellations are
recorded writes too. So whoever goes on after a crash finds, write by write, how far it went. What cannot be taken back
or found out is told exactly, and staff are called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from uuid import UUID

from crm.errors import CRMError, CRMOutcomeUnknown, CRMRateLimited, CRMUnavailable, SlotTaken
from db.booking_records import Intent, IntentKind, IntentStatus
from db.records import Branch, Dialogue
from orchestration.booking_told import State, tell_done, tell_in_part, tell_refused
from orchestration.catalogue import find_services
from orchestration.conversation import KeptPrice, Part, Proposal
from orchestration.offers import total_price
from orchestration.ports import ClaimedTimes, Intents
from orchestration.proposals import Proposals
from orchestration.recorded_writes import ASK_AGAIN_IN, GIVE_UP_AFTER, NeverKnown, RecordedWrites
from orchestration.turns import Turn, TurnPostponed
from orchestration.writes import Made, branch_id_of, taking_back, times_of, wish_again, writes_of


class BookingDesk:
    """Carries out confirmed proposals, each at most once."""

    def __init__(self, intents: Intents, claimed: ClaimedTimes, proposals: Proposals) -> None:
        self._intents = intents
        self._writes = RecordedWrites(intents)
        self._claimed = claimed
        self._proposals = proposals

    async def was_begun(self, dialogue: Dialogue, proposal_id: UUID) -> bool:
        """Say whether this proposal was confirmed before now."""
        return await self._intents.find(dialogue, proposal_id) is not None

    async def was_done(self, turn: Turn, proposal_id: UUID | None) -> bool:
        """Say whether this proposal was confirmed and stands in the CRM, all of it."""
        first = await self._intents.find(turn.dialogue, proposal_id) if proposal_id else None
        if first is None:
            return False
        found = [
            await self._intents.find(turn.dialogue, write.id)
            for write in writes_of(Proposal.model_validate(first.action))
        ]
        return all(intent is not None and intent.status is IntentStatus.DONE for intent in found)

    async def carry_out(self, turn: Turn, proposal: Proposal) -> None:
        """Make the writes, or find that they were made, and tell the client what stands. Raises TurnPostponed."""
        branch = turn.scope.branch(branch_id_of(proposal))
        writes = writes_of(proposal)
        recorded = [await self._writes.record(turn, branch, write) for write in writes]
        made: list[Made] = []
        try:
            if not await self._still_as_shown(turn, proposal, branch, recorded):
                return
            for write, intent in zip(writes, recorded, strict=True):
                made.append(await self._writes.make(turn, branch, write, intent, times_of(writes)))
        except CRMOutcomeUnknown as error:
            raise TurnPostponed(ASK_AGAIN_IN, str(error)) from error
        except CRMError as error:
            await self._refused(turn, proposal, branch, made, error)
        except NeverKnown:
            await self._never_known(turn, proposal, branch, made)
        else:
            tell_done(turn, proposal, branch, made)

    async def _still_as_shown(self, turn: Turn, proposal: Proposal, branch: Branch, recorded: Sequence[Intent]) -> bool:
        """Ask the CRM again right before the first write, and before a later one after a crash.

        Raises SlotTaken. A changed price or length is asked anew while nothing is booked; later it is SlotTaken too.
        """
        if proposal.offer is None:
            return True
        fresh = [
            await self._fresh(turn, proposal, branch, part) if intent.status is IntentStatus.CONFIRMED else part
            for part, intent in zip(proposal.offer.parts, recorded, strict=True)
        ]
        if tuple(fresh) == proposal.offer.parts:
            return True
        begun = any(intent.status is not IntentStatus.CONFIRMED for intent in recorded)
        if begun or any(later.starts_at < part.ends_at for part, later in pairwise(fresh)):
            raise SlotTaken("the slot has changed")
        for write in writes_of(proposal):
            await self._writes.refuse(turn, write, "changed")
        changed = proposal.offer.model_copy(update={"parts": tuple(fresh), "shown_at": turn.now})
        if proposal.kind is IntentKind.MOVE and proposal.appointment:
            self._proposals.propose_move(turn, proposal.appointment, changed)
        else:
            await self._proposals.propose_booking(turn, wish_again(proposal, changed))
        asked = turn.replies[-1]
        turn.replies[-1] = asked.model_copy(update={"text": f"{turn.texts.text('proposal-changed')}\n\n{asked.text}"})
        return False

    async def _fresh(self, turn: Turn, proposal: Proposal, branch: Branch, part: Part) -> Part:
        """Return the part with the price and the length that the CRM says now. Raises SlotTaken."""
        wanted = part.slot()
        day = turn.local(part.starts_at, branch).date()
        crm = turn.scope.crm(branch.id)
        slots = await crm.get_fresh_slots(wanted.service_ids, first=day, last=day, staff_id=wanted.staff.id)
        slot = next((slot for slot in slots if slot.starts_at == part.starts_at), None)
        if slot is None:
            if proposal.kind is IntentKind.MOVE:
                # A visit may be moved into time that it holds itself; only the CRM can say.
                return part
            raise SlotTaken("the slot is no longer free")
        price = KeptPrice.of(total_price(await find_services(turn.scope, branch, part.service_ids), slot))
        return part.model_copy(update={"price": price, "duration": slot.duration})

    async def _refused(
        self, turn: Turn, proposal: Proposal, branch: Branch, made: Sequence[Made], error: CRMError
    ) -> None:
        """Let go of what is left of a proposal, and of what was booked for it already; say what came of it."""
        writes = writes_of(proposal)
        for write in writes[len(made) :]:
            await self._writes.refuse(turn, write, error.code)
        states = {write.id: State.NOT_MADE for write in writes}
        if proposal.kind is IntentKind.CREATE:
            states |= await self._take_back(turn, branch, made)
        else:
            states |= {one.write.id: State.MADE for one in made}
        if any(state is not State.NOT_MADE for state in states.values()):
            tell_in_part(turn, proposal, branch, states)
            return
        await tell_refused(turn, proposal, branch, error, self._claimed)

    async def _never_known(self, turn: Turn, proposal: Proposal, branch: Branch, made: Sequence[Made]) -> None:
        """Make nothing further, and take nothing back: what the record at hand is, only a person can see."""
        writes = writes_of(proposal)
        for write in writes[len(made) + 1 :]:
            await self._writes.refuse(turn, write, "the one before is not known")
        states = {write.id: State.NOT_MADE for write in writes}
        states |= {one.write.id: State.MADE for one in made} | {writes[len(made)].id: State.UNKNOWN}
        tell_in_part(turn, proposal, branch, states)

    async def _take_back(self, turn: Turn, branch: Branch, made: Sequence[Made]) -> Mapping[UUID, State]:
        """Cancel what was booked, the latest first; return what came of each. Raises TurnPostponed."""
        states = {}
        for one in reversed(made):
            back = taking_back(one)
            intent = await self._writes.record(turn, branch, back)
            try:
                await self._writes.make(turn, branch, back, intent, {})
                states[one.write.id] = State.NOT_MADE
            except NeverKnown:
                states[one.write.id] = State.UNKNOWN
            except CRMError as error:
                later = isinstance(error, CRMUnavailable | CRMRateLimited | CRMOutcomeUnknown)
                if later and turn.now - intent.created_at < GIVE_UP_AFTER:
                    raise TurnPostponed(ASK_AGAIN_IN, f"taking back: {error.code}") from error
                await self._writes.refuse(turn, back, error.code)
                states[one.write.id] = State.MADE
        return states
