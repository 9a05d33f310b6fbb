"""The booking by buttons: a state machine that says what to ask and what to offer. It needs no model.

Branch, service, specialist, day, time, the service's own questions, name; then the phone and the confirmation, which
are the same as everywhere (proposals.py). A move asks for specialist, day and time. Channels draw what comes out: a
keyboard in one message, a list, numbered lines. What a step offers is read anew each time (booking_steps.py), so that
an old button never chooses what is no longer there. What is chosen stays when the CRM fails: the client may tap on.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

from crm.base import Capability
from crm.errors import CRMError, CRMNotConfigured, CRMNotFound, CRMUnsupported
from db.records import BranchId
from orchestration.booking_steps import (
    ANSWERED_IN_WORDS,
    Gone,
    Options,
    read_answer,
    read_wish,
    steps,
)
from orchestration.conversation import Ask, Flow, Offer, ShownAppointment, Wish
from orchestration.menu import BACK, CANCEL, LATER, SOONER, TELL_ME, flow_button, menu_rows, ways
from orchestration.messages import Button, Reply
from orchestration.own_appointments import why_not_moved
from orchestration.ports import ClaimedTimes
from orchestration.proposals import Proposals
from orchestration.trouble import crm_failed
from orchestration.turns import Turn
from orchestration.waiting_list import ask_to_wait
from orchestration.wording import chosen_text, place_text

_BOOKING = (Ask.BRANCH, Ask.SERVICE, Ask.STAFF, Ask.DAY, Ask.TIME, Ask.ANSWERS, Ask.NAME)
_MOVING = (Ask.STAFF, Ask.DAY, Ask.TIME)


class BookingFlow:
    """Takes the client from step to step; whatever is chosen ends in a proposal, never in a write."""

    def __init__(self, proposals: Proposals, claimed: ClaimedTimes) -> None:
        self._proposals = proposals
        self._steps = steps(claimed)

    async def begin(self, turn: Turn, *, moves: ShownAppointment | None = None) -> None:
        """Ask the first question of a booking, or of moving an appointment; where clients book on a page, give it."""
        if moves is None and turn.scope.has_crm and not turn.scope.can(Capability.CATALOGUE, Capability.CREATE):
            await self._give_page(turn)
            return
        id_ = secrets.token_hex(3)
        flow = Flow(id=id_, asks=_BOOKING[0])
        if moves is not None:
            flow = Flow(
                id=id_,
                asks=_MOVING[0],
                branch_id=moves.branch_id,
                service_ids=moves.service_ids,
                service_names=moves.service_names,
                moves=moves,
            )
        await self._carefully(turn, flow)

    async def _give_page(self, turn: Turn) -> None:
        try:
            for branch in turn.scope.branches:
                link = await turn.scope.crm(branch.id).get_booking_page()
                place = place_text(turn.scope, branch)
                turn.say("\n".join(part for part in (place, turn.texts.text("booking-page", link=link)) if part))
        except CRMUnsupported:
            turn.say(turn.texts.text("crm-not-configured"))
        except CRMError as error:
            crm_failed(turn, error)
        turn.outcome = "link_given"

    async def press(self, turn: Turn, flow_id: str, verb: str, argument: str) -> None:
        """Act on a button of the flow. One of an earlier flow, or of what is gone, is answered with what there is."""
        flow = turn.conversation.flow
        if flow is None or flow.id != flow_id:
            turn.replies.append(Reply(text=turn.texts.text("stale-button"), buttons=menu_rows(turn)))
            turn.outcome = "stale_button"
            return
        match verb:
            case _ if verb == CANCEL:
                turn.conversation = turn.conversation.at_rest()
                turn.replies.append(
                    Reply(text=turn.texts.text("flow-cancelled"), buttons=menu_rows(turn), in_place=True)
                )
                turn.outcome = "flow_cancelled"
            case _ if verb == BACK:
                await self._carefully(turn, _back(flow))
            case _ if verb == TELL_ME:
                await self._ask_to_wait(turn, flow, argument)
            case _ if verb in (LATER, SOONER):
                page = max(0, flow.page + (1 if verb == LATER else -1))
                await self._carefully(turn, flow.model_copy(update={"page": page}))
            case _:
                await self._choose(turn, flow, verb, argument)

    async def take(self, turn: Turn, offer: Offer) -> None:
        """Go on from a time that was offered: what its services ask before, the name, the confirmation."""
        branch = turn.scope.branch(BranchId(offer.branch_id))
        flow = Flow(
            id=secrets.token_hex(3),
            asks=Ask.TIME,
            trail=(Ask.BRANCH, Ask.SERVICE, Ask.STAFF, Ask.DAY),
            branch_id=branch.id,
            service_ids=offer.service_ids,
            service_names=offer.service_names,
            staff_id=offer.parts[0].staff_id,
            staff_name=offer.staff_name,
            day=turn.local(offer.starts_at, branch).date(),
            offer=offer,
        )
        await self._carefully(turn, flow, answered=Ask.TIME)

    async def hear(self, turn: Turn) -> bool:
        """Take free words as the answer where the flow waits for words; say whether they were one.

        Anything else is the agent's to answer, and the flow stays where it is.
        """
        flow = turn.conversation.flow
        if flow is None or flow.asks not in ANSWERED_IN_WORDS or turn.conversation.asks_elsewhere:
            return False
        answer = read_answer(flow.asks, turn.client_text)
        if answer is None:
            return False
        if flow.asks is Ask.NAME:
            turn.dialogue = replace(turn.dialogue, client_name=answer)
        else:
            flow = flow.model_copy(update={"comment": answer})
        await self._carefully(turn, flow, answered=flow.asks)
        return True

    async def _ask_to_wait(self, turn: Turn, flow: Flow, argument: str) -> None:
        """Ask whether the client wants to be told of a time in these days."""
        wish = read_wish(turn, flow, argument)
        if wish is None:
            await self._carefully(turn, flow, note="flow-choose-again")
            return
        ask_to_wait(turn, wish)

    async def _choose(self, turn: Turn, flow: Flow, verb: str, argument: str) -> None:
        """Take a choice of the step at hand, or of one before it: then all that was chosen after it is asked again."""
        asked = Ask(verb) if verb in set(Ask) else None
        if asked is None or asked not in (*flow.trail, flow.asks):
            await self._carefully(turn, flow, note="flow-choose-again")
            return
        trail = flow.trail[: flow.trail.index(asked)] if asked in flow.trail else flow.trail
        at_step = flow.model_copy(update={"asks": asked, "trail": trail})
        try:
            chosen = await self._steps[asked].choose(turn, at_step, argument)
        except Gone:
            await self._carefully(turn, at_step, note="flow-gone")
        except CRMError as error:
            crm_failed(turn, error)
        else:
            await self._carefully(turn, chosen, answered=asked)

    async def _carefully(self, turn: Turn, flow: Flow, *, answered: Ask | None = None, note: str = "") -> None:
        try:
            await self._go_on(turn, flow, answered, note)
        except CRMNotFound:
            # A service or a master that was chosen is no longer offered: begin again, and say why.
            await self._again(turn, flow)
        except CRMError as error:
            crm_failed(turn, error)

    async def _again(self, turn: Turn, flow: Flow) -> None:
        fresh = Flow(id=flow.id, asks=_BOOKING[0])
        try:
            await self._go_on(turn, fresh, None, "flow-gone")
        except CRMError as error:
            crm_failed(turn, error)

    async def _go_on(self, turn: Turn, flow: Flow, answered: Ask | None, note: str) -> None:
        """Ask the flow's open question, or the next one after an answer; one that has a single answer is not asked."""
        if not turn.scope.has_crm:
            raise CRMNotConfigured("no CRM is set for this company")
        asks: Ask | None = flow.asks
        if answered is not None:
            flow = flow.model_copy(update={"trail": (*flow.trail, answered), "page": 0})
            asks = _after(flow, answered)
        while asks is not None:
            flow = flow.model_copy(update={"asks": asks})
            options = await self._steps[asks].options(turn, flow)
            if options is not None and options.only is None:
                self._ask(turn, flow, options, note)
                return
            if options is not None and options.only is not None:
                flow = await self._steps[asks].choose(turn, flow, options.only)
            asks = _after(flow, asks)
        turn.conversation = turn.conversation.flowing(flow.model_copy(update={"asks": flow.trail[-1]}))
        await self._propose(turn, flow)

    def _ask(self, turn: Turn, flow: Flow, options: Options, note: str) -> None:
        turn.conversation = turn.conversation.flowing(flow)
        rows = [*options.rows, *_navigation(turn, flow, options)]
        parts = (turn.texts.text(note) if note else "", chosen_text(turn, flow), options.question)
        turn.replies.append(Reply(text="\n\n".join(part for part in parts if part), buttons=tuple(rows), in_place=True))
        turn.outcome = f"asked_{flow.asks}"

    async def _propose(self, turn: Turn, flow: Flow) -> None:
        if flow.offer is None:
            raise AssertionError("a flow ends with a time")
        if flow.moves is not None:
            if why_not := await why_not_moved(turn, flow.moves):
                turn.conversation = turn.conversation.at_rest()
                turn.say(turn.texts.text(why_not))
                return
            self._proposals.propose_move(turn, flow.moves, flow.offer)
        else:
            wish = Wish(offer=flow.offer, client_name=turn.dialogue.client_name or "", comment=flow.comment)
            await self._proposals.propose_booking(turn, wish)
        turn.replies[-1] = turn.replies[-1].model_copy(update={"in_place": True})


def _after(flow: Flow, asked: Ask) -> Ask | None:
    order = _BOOKING if flow.moves is None else _MOVING
    return order[order.index(asked) + 1] if asked is not order[-1] else None


def _back(flow: Flow) -> Flow:
    """Return to what was asked before; from the confirmation, that is the last thing asked."""
    if not flow.trail:
        return flow.model_copy(update={"page": 0})
    return flow.model_copy(update={"asks": flow.trail[-1], "trail": flow.trail[:-1], "page": 0})


def _navigation(turn: Turn, flow: Flow, options: Options) -> list[tuple[Button, ...]]:
    """Return the rows under the choices: being told of a time that becomes free, other pages, back, cancel."""
    pages = [
        *([flow_button(turn, flow, "flow-sooner", SOONER)] if options.has_sooner else []),
        *([flow_button(turn, flow, "flow-later", LATER)] if options.has_later else []),
    ]
    tell = [] if options.waits is None else [flow_button(turn, flow, "flow-tell-me", TELL_ME, options.waits)]
    return [tuple(row) for row in (tell, pages, ways(turn, flow)) if row]
