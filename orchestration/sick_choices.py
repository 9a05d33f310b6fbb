"""A client chooses what becomes of a visit that the salon cannot hold: through the same flows and the same yes as ever.

The salon asks for it: its own deadlines for moving and cancelling do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from crm.base import Capability
from crm.errors import CRMError
from db.booking_records import BookedAppointment
from db.records import Branch, BranchId
from orchestration.booking_flow import BookingFlow
from orchestration.catalogue import OfferedService, find_services, list_offered_services
from orchestration.conversation import Offer, ShownAppointment, Wish
from orchestration.menu import menu_rows
from orchestration.messages import Reply
from orchestration.offers import free_slots, remember
from orchestration.own_appointments import OwnAppointments
from orchestration.ports import Appointments, ClaimedTimes
from orchestration.proposals import Proposals
from orchestration.sick_day import CANCEL, SAME, mark_of
from orchestration.trouble import crm_failed
from orchestration.turns import Turn


class SickChoices:
    def __init__(
        self,
        own: OwnAppointments,
        made_here: Appointments,
        proposals: Proposals,
        flow: BookingFlow,
        claimed: ClaimedTimes,
    ) -> None:
        self._made_here = made_here
        self._own = own
        self._proposals = proposals
        self._flow = flow
        self._claimed = claimed

    async def press(self, turn: Turn, way: str, mark: str) -> None:
        """Act on a choice. A visit that is gone meanwhile, or is somebody else's, is answered with what there is."""
        try:
            shown = await self._find(turn, mark)
            if shown is None and (off := await self._find_off(turn, mark)) is not None:
                await self._book_again(turn, way, off)
            elif shown is None:
                turn.replies.append(Reply(text=turn.texts.text("stale-button"), buttons=menu_rows(turn)))
                turn.outcome = "stale_button"
            elif way == CANCEL:
                self._proposals.propose_cancel(turn, shown, turn.conversation.find_rest_of_visit(shown))
            else:
                await self._move(turn, way, shown)
        except CRMError as error:
            crm_failed(turn, error)

    async def _find(self, turn: Turn, mark: str) -> ShownAppointment | None:
        """Return the client's own appointment; from here on the conversation knows that the salon asks for a change."""
        found = await self._own.show(turn)
        shown = next((one.shown for one in found if mark_of(one.shown.branch_id, one.shown.record_id) == mark), None)
        if shown is None:
            return None
        asked = shown.model_copy(update={"by_salon": True})
        every = tuple(asked if one.id == shown.id else one for one in turn.conversation.appointments)
        turn.conversation = turn.conversation.with_appointments(every)
        return asked

    async def _find_off(self, turn: Turn, mark: str) -> BookedAppointment | None:
        """Return the visit where the salon has cancelled it already."""
        off = await self._made_here.list_cancelled_here(turn.dialogue)
        return next((one for one in off if mark_of(one.branch_id, one.crm_record_id) == mark), None)

    async def _book_again(self, turn: Turn, way: str, off: BookedAppointment) -> None:
        """Offer a new booking in the place of a cancelled one. Raises CRMError."""
        branch = turn.scope.branch(off.branch_id)
        offered = await list_offered_services(turn.scope, branch)
        services = [one for name in off.service_names for one in offered if one.name == name]
        if way == SAME and len(services) == len(off.service_names):
            offer = await self._free_then(turn, branch, services, off.starts_at, off.staff_name)
            if offer is not None:
                wish = Wish(offer=offer, client_name=off.client_name, visitor_name=off.visitor_name)
                await self._proposals.propose_booking(turn, wish)
                return
            turn.say(turn.texts.text("sick-nobody-then"))
        await self._flow.begin(turn)

    async def _move(self, turn: Turn, way: str, shown: ShownAppointment) -> None:
        offer = await self._same_time(turn, shown) if way == SAME else None
        if offer is not None:
            self._proposals.propose_move(turn, shown, offer)
            return
        if way == SAME:
            turn.say(turn.texts.text("sick-nobody-then"))
        await self._flow.begin(turn, moves=shown)

    async def _same_time(self, turn: Turn, shown: ShownAppointment) -> Offer | None:
        """Return the same time with another master; None where nobody else is free then. Raises CRMError."""
        alone = not turn.conversation.find_rest_of_visit(shown)
        if not (alone and shown.service_ids and turn.scope.can(Capability.SLOTS, Capability.MOVE)):
            return None
        branch = turn.scope.branch(BranchId(shown.branch_id))
        services = await find_services(turn.scope, branch, shown.service_ids)
        if len(services) != len(shown.service_ids):
            return None
        return await self._free_then(turn, branch, services, shown.starts_at, shown.staff_name)

    async def _free_then(
        self, turn: Turn, branch: Branch, services: Sequence[OfferedService], at: datetime, but: str
    ) -> Offer | None:
        """Return a time that begins then, with anybody but this master. Raises CRMError."""
        day = turn.local(at, branch).date()
        slots = await free_slots(turn, branch, services, self._claimed, first=day, last=day)
        fitting = [one for one in slots if one.starts_at == at and one.staff.name != but]
        return remember(turn, branch, services, [(fitting[0],)])[0] if fitting else None
