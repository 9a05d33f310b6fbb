"""The client's phone number, shared or typed: what was waiting for it goes on."""

from __future__ import annotations

from dataclasses import replace

from orchestration.conversation import Step
from orchestration.identity import find_phones
from orchestration.my_appointments import MyAppointments
from orchestration.proposals import Proposals
from orchestration.turns import Turn


class Contacts:
    """Takes numbers; a typed one opens nothing but the booking that waits for it."""

    def __init__(self, proposals: Proposals, mine: MyAppointments) -> None:
        self._proposals = proposals
        self._mine = mine

    async def take_proved(self, turn: Turn) -> bool:
        """Go on with what waited for a proved number; say whether anything did."""
        if turn.conversation.wish is not None:
            await self._proposals.propose_booking(turn, turn.conversation.wish)
        elif turn.conversation.wants_list:
            await self._mine.show(turn)
        else:
            turn.conversation = turn.conversation.at_rest()
            return False
        return True

    async def take_typed(self, turn: Turn) -> bool:
        """Take a number in the client's words for the booking that waits for one; say whether there was."""
        wish = turn.conversation.wish
        if (
            turn.conversation.step is not Step.AWAITING_CONTACT
            or wish is None
            or turn.dialogue.proved_phone is not None
        ):
            return False
        phones = find_phones(turn.client_text)
        if not phones:
            return False
        turn.dialogue = replace(turn.dialogue, typed_phone=phones[-1])
        await self._proposals.propose_booking(turn, wish)
        return True
