"""Free words on their way: a button's label, a command's name, a number that was asked for, a yes to a reminder or a
proposal, an answer to the booking's question; and all else is the agent's."""

from __future__ import annotations

from db.records import Author, Dialogue, DialogueState
from orchestration.agent import Agent
from orchestration.buttons import Buttons
from orchestration.callers import Callers
from orchestration.confirmation import Confirmation
from orchestration.contacts import Contacts
from orchestration.conversation import Conversation, Step
from orchestration.guards.plain import plain
from orchestration.guards.subjects import find_mentions
from orchestration.guards.topics import find_topic
from orchestration.handover import hand_over
from orchestration.turns import Turn

_QUOTED_ENOUGH = 40


class Words:
    """Reads what a client wrote, or said in a voice note."""

    def __init__(
        self, agent: Agent, buttons: Buttons, contacts: Contacts, confirmation: Confirmation, callers: Callers
    ) -> None:
        self._agent = agent
        self._callers = callers
        self._buttons = buttons
        self._contacts = contacts
        self._confirmation = confirmation

    async def answer(self, turn: Turn) -> None:
        """Answer the turn's words. Raises TurnPostponed, and on the telephone TurnAbandoned."""
        if turn.call is not None and await self._callers.hear(turn):
            return
        if turn.messages[0].edits is not None or _answers_another_message(turn):
            # Changed words, and a reply to some earlier message, are no answer to the question that was asked last.
            if turn.conversation.step is Step.CONFIRMING:
                turn.conversation = turn.conversation.model_copy(update={"step": None})
        elif (
            await self._buttons.read(turn)
            or await self._contacts.take_typed(turn)
            or await self._buttons.hear_reminded(turn)
            or await self._confirmation.answer(turn)
            or await self._buttons.hear(turn)
        ):
            return
        if topic := find_topic(turn.client_text):
            hand_over(turn, topic, turn.client_text)
            return
        if find_mentions(plain(turn.client_text), turn.scope.agent.people.topics):
            hand_over(turn, "listed_topic", turn.client_text)
            return
        await self._agent.answer(turn, _for_agent(turn))

    async def has_begun_write(self, dialogue: Dialogue, state: DialogueState) -> bool:
        """Say whether a yes to the open proposal was taken before and its turn did not come to its end.

        Then that yes is a turn by itself again: with what the client wrote since, it would be a yes no more, and nobody
        would ask the CRM whether the visit stands.
        """
        if state.data.get("proposal") is None:
            return False
        return await self._confirmation.was_begun(dialogue, Conversation.from_state(state))


def _answers_another_message(turn: Turn) -> bool:
    """Say whether the client replied to a message that is not the last one they were sent."""
    quoted = turn.messages[0].quoted
    if quoted is None:
        return False
    last = next((message.text for message in reversed(turn.history) if message.author is not Author.CLIENT), "")
    return quoted[:_QUOTED_ENOUGH].strip() not in last


def _for_agent(turn: Turn) -> str:
    """Return the client's words with what the agent has to know of them: that they are changed, or reply to others."""
    first, words = turn.messages[0], turn.client_text
    if first.edits is not None:
        return turn.texts.text("words-edited", words=words)
    if first.quoted is not None and _answers_another_message(turn):
        return turn.texts.text("words-with-quote", quoted=first.quoted, words=words)
    return words
