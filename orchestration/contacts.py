"""The client's phone number, shared or typed: what was waiting for it goes on."""

from __future__ import annotations

from dataclasses import replace

from locales.ear import read_digits
from orchestration.agent import Agent
from orchestration.conversation import Step
from orchestration.identity import find_phones
from orchestration.my_appointments import MyAppointments
from orchestration.proposals import Proposals
from orchestration.turns import Turn


class Contacts:
    """Takes numbers; a typed one opens nothing but the booking that waits for it."""

    def __init__(self, agent: Agent, proposals: Proposals, mine: MyAppointments) -> None:
        self._agent = agent
        self._proposals = proposals
        self._mine = mine

    async def take_proved(self, turn: Turn) -> None:
        """Go on with what waited for a proved number; where nothing did, the agent hears that it was shared."""
        if turn.conversation.wish is not None:
            await self._proposals.propose_booking(turn, turn.conversation.wish)
        elif turn.conversation.wants_list:
            await self._mine.show(turn)
        else:
            turn.conversation = turn.conversation.at_rest()
            await self._agent.answer(turn, turn.texts.text("contact-shared"))
            if turn.replies:
                first = turn.replies[0]
                turn.replies[0] = first.model_copy(update={"drop_keyboard": not first.ask_contact})

    async def take_typed(self, turn: Turn) -> bool:
        """Take a number in the client's words for the booking that waits for one; say whether there was."""
        wish = turn.conversation.wish
        if (
            turn.conversation.step is not Step.AWAITING_CONTACT
            or wish is None
            or turn.dialogue.proved_phone is not None
        ):
            return False
        # A recogniser may write a spoken number as words.
        spoken = read_digits(turn.client_text, turn.texts.language) if turn.call else ""
        phones = find_phones(turn.client_text) or find_phones(spoken)
        if not phones:
            return False
        turn.dialogue = replace(turn.dialogue, typed_phone=phones[-1])
        await self._proposals.propose_booking(turn, wish)
        return True
