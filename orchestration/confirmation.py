"""The client's answer to a proposal. Code, not the prompt, decides what counts as a yes to exactly the action shown."""

from __future__ import annotations

from uuid import UUID

from db.booking_records import IntentKind
from db.records import Dialogue
from orchestration.booking import BookingDesk
from orchestration.conversation import PROPOSAL_LIFETIME, Conversation, Proposal, Step
from orchestration.proposals import NO, YES, Proposals
from orchestration.turns import Turn

# "Book me in" is no yes to a cancellation, and "cancel" is a yes to nothing else.
_YES_TO = {
    IntentKind.CREATE: "yes-words-create",
    IntentKind.MOVE: "yes-words-move",
    IntentKind.CANCEL: "yes-words-cancel",
}
_NO_TO = {
    IntentKind.CREATE: "no-words-create",
    IntentKind.MOVE: "no-words-move",
    IntentKind.CANCEL: "no-words-cancel",
}


class Confirmation:
    """Reads a turn as an answer to the open proposal, and lets the desk act on a yes."""

    def __init__(self, desk: BookingDesk, proposals: Proposals) -> None:
        self._desk = desk
        self._proposals = proposals

    async def was_begun(self, dialogue: Dialogue, conversation: Conversation) -> bool:
        """Say whether the open proposal was confirmed before now."""
        proposal = conversation.proposal
        return proposal is not None and await self._desk.was_begun(dialogue, proposal.id)

    async def answer(self, turn: Turn) -> bool:
        """Act on the turn if it is such an answer, and say whether it was.

        A yes is the button of exactly this proposal, or a turn that is nothing but a listed yes to the question just
        asked. Raises TurnPostponed where it cannot be known yet whether an earlier try of the same write went through.
        """
        action = turn.messages[0].action if turn.messages else None
        if action is not None:
            verb, _, id_ = action.partition(":")
            if verb not in (YES, NO):
                return False
            await self._on_button(turn, verb, id_)
            return True
        proposal = turn.conversation.proposal
        if proposal is None or turn.conversation.step is not Step.CONFIRMING:
            return False
        words = turn.client_text
        if turn.texts.is_yes(words) or turn.texts.is_one_of(_YES_TO[proposal.kind], words):
            if turn.was_asked or await self._desk.was_begun(turn.dialogue, proposal.id):
                await self._on_yes(turn, proposal)
            else:
                # They said yes to something else: this question was still on its way to them.
                self._proposals.ask_again(turn, proposal)
            return True
        if turn.texts.is_no(words) or turn.texts.is_one_of(_NO_TO[proposal.kind], words):
            self._on_no(turn)
            return True
        # Something else was said: the button still counts, a later bare "yes" answers another question.
        turn.conversation = turn.conversation.model_copy(update={"step": None})
        return False

    async def _on_button(self, turn: Turn, verb: str, id_: str) -> None:
        proposal = turn.conversation.proposal
        if proposal is None or str(proposal.id) != id_:
            done = await self._desk.was_done(turn, _uuid(id_))
            turn.say(turn.texts.text("already-done" if done else "stale-button"))
            turn.outcome = "stale_button"
        elif verb == YES:
            await self._on_yes(turn, proposal)
        else:
            self._on_no(turn)

    async def _on_yes(self, turn: Turn, proposal: Proposal) -> None:
        if not turn.carries_out:
            turn.conversation = turn.conversation.at_rest()
            turn.say(turn.texts.text("preview-not-carried-out"))
            turn.outcome = "preview"
            return
        # A write that was begun in time is finished however long a crash took.
        if not await self._desk.was_begun(turn.dialogue, proposal.id):
            if turn.now - proposal.shown_at > PROPOSAL_LIFETIME:
                turn.conversation = turn.conversation.at_rest()
                turn.say(turn.texts.text("proposal-expired"))
                turn.outcome = "proposal_expired"
                return
            # Counted when it was proposed too; meanwhile they may have booked in another channel.
            if proposal.kind is IntentKind.CREATE and await self._proposals.are_too_many(
                turn, proposal.phone, proved=proposal.phone_proved
            ):
                return
        if turn.speech is not None:
            await turn.speech.bridge(turn.texts.text("call-writing"))
        await self._desk.carry_out(turn, proposal)

    def _on_no(self, turn: Turn) -> None:
        turn.conversation = turn.conversation.at_rest()
        turn.say(turn.texts.text("proposal-declined"))
        turn.outcome = "proposal_declined"


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
