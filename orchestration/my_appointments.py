"""The client's appointments by buttons: the list, one of them, moving and cancelling it. It needs no model."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from crm.base import Capability
from crm.errors import CRMError, CRMNotConfigured
from orchestration.booking_flow import BookingFlow
from orchestration.conversation import ShownAppointment, Step
from orchestration.menu import MINE, menu_rows
from orchestration.messages import Button, Reply
from orchestration.own_appointments import OwnAppointments, why_not_cancelled
from orchestration.proposals import Proposals
from orchestration.trouble import ask_for_contact, crm_failed
from orchestration.turns import Turn
from orchestration.wording import appointment_text, short_moment_text

_OPEN, _MOVE, _CANCEL, _LIST = "open", "move", "cancel", "list"
_WAY_OUT = 1


class MyAppointments:
    """Shows only what is the client's own, and changes nothing but by a proposal that the client confirms."""

    def __init__(self, own: OwnAppointments, proposals: Proposals, flow: BookingFlow) -> None:
        self._own = own
        self._proposals = proposals
        self._flow = flow

    async def show(self, turn: Turn) -> None:
        """List them, or ask for the phone number that opens them."""
        try:
            await self._show(turn)
        except CRMError as error:
            crm_failed(turn, error)

    async def press(self, turn: Turn, what: str, appointment_id: str) -> None:
        """Act on a button of the list or of one appointment."""
        if what == _LIST:
            await self.show(turn)
            return
        shown = turn.conversation.find_appointment(appointment_id)
        if shown is None:
            turn.replies.append(Reply(text=turn.texts.text("tool-unknown-appointment"), buttons=menu_rows(turn)))
            turn.outcome = "stale_button"
            return
        try:
            await self._act(turn, what, shown)
        except CRMError as error:
            crm_failed(turn, error)

    async def change(self, turn: Turn, what: str, branch_id: UUID, record_id: str) -> None:
        """Begin to move or cancel an appointment that was shown otherwise than by the list."""
        try:
            found = await self._own.show(turn)
        except CRMError as error:
            crm_failed(turn, error)
            return
        wanted = [one.shown for one in found if (one.shown.branch_id, one.shown.record_id) == (branch_id, record_id)]
        if not wanted:
            turn.replies.append(Reply(text=turn.texts.text("reminder-gone"), buttons=menu_rows(turn)))
            turn.outcome = "stale_button"
            return
        await self.press(turn, what, wanted[0].id)

    async def _show(self, turn: Turn) -> None:
        if not turn.scope.has_crm:
            raise CRMNotConfigured("no CRM is set for this company")
        turn.conversation = turn.conversation.at_rest()
        found = await self._own.show(turn)
        if not found and turn.dialogue.proved_phone is None and turn.scope.can(Capability.LIST):
            turn.conversation = turn.conversation.model_copy(update={"step": Step.AWAITING_CONTACT, "wants_list": True})
            ask_for_contact(turn, turn.texts.text("need-proved-phone"))
            turn.outcome = "asked_phone"
            return
        if not found:
            turn.replies.append(Reply(text=turn.texts.text("my-none"), buttons=menu_rows(turn), in_place=True))
            return
        shown = [one.shown for one in found[: turn.choices.most - _WAY_OUT]]
        lines = "\n".join(appointment_text(turn, one) for one in shown)
        rows = tuple(
            (
                Button(
                    text=short_moment_text(turn, one.starts_at, one.branch_id),
                    action=f"{MINE}:{_OPEN}:{one.id}",
                    detail=", ".join(one.service_names),
                ),
            )
            for one in shown
        )
        turn.replies.append(
            Reply(text=turn.texts.text("my-list", appointments=lines), buttons=rows, drop_keyboard=True, in_place=True)
        )
        turn.outcome = "appointments_listed"

    async def _act(self, turn: Turn, what: str, shown: ShownAppointment) -> None:
        match what:
            case "move" if turn.scope.can(Capability.MOVE):
                if turn.conversation.find_rest_of_visit(shown):
                    # Its records stand one after another: none of them is moved alone.
                    ways = ((_button(turn, shown, "my-cancel", _CANCEL),), (_button(turn, shown, "flow-back", _LIST),))
                    turn.replies.append(Reply(text=turn.texts.text("move-visit"), buttons=ways, in_place=True))
                    return
                await self._flow.begin(turn, moves=shown)
            case "cancel" if turn.scope.can(Capability.CANCEL):
                await self._cancel(turn, shown, turn.conversation.find_rest_of_visit(shown))
            case "only" if turn.scope.can(Capability.CANCEL):
                await self._cancel(turn, shown, ())
            case _:
                turn.replies.append(
                    Reply(text=appointment_text(turn, shown), buttons=_changes(turn, shown), in_place=True)
                )
                turn.outcome = "appointment_shown"

    async def _cancel(self, turn: Turn, shown: ShownAppointment, others: Sequence[ShownAppointment]) -> None:
        if why_not := await why_not_cancelled(turn, shown, *others):
            turn.say(turn.texts.text(why_not))
            return
        self._proposals.propose_cancel(turn, shown, others)


def _changes(turn: Turn, shown: ShownAppointment) -> tuple[tuple[Button, ...], ...]:
    ways = (
        *([_button(turn, shown, "my-move", _MOVE)] if turn.scope.can(Capability.SLOTS, Capability.MOVE) else []),
        *([_button(turn, shown, "my-cancel", _CANCEL)] if turn.scope.can(Capability.CANCEL) else []),
    )
    return tuple(row for row in (ways, (_button(turn, shown, "flow-back", _LIST),)) if row)


def _button(turn: Turn, shown: ShownAppointment, key: str, what: str) -> Button:
    return Button(text=turn.texts.text(key), action=f"{MINE}:{what}:{shown.id}")
