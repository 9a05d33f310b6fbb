"""One turn from the client's words to everything that is committed: the path is chosen here, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

from db.records import Dialogue, DialogueState, InCharge
from orchestration.after_visit import note_stop
from orchestration.attachments import Attachments
from orchestration.buttons import Buttons, acknowledge, keep_choices
from orchestration.callers import Callers
from orchestration.client_facts import learn
from orchestration.commands import Commands, greeting
from orchestration.contacts import Contacts
from orchestration.handover import bring_in_after_failures
from orchestration.menu import AGENT_AGAIN, menu_rows
from orchestration.messages import Reply
from orchestration.pause import answer_paused, goes_to_person
from orchestration.ports import Content, TextPart
from orchestration.privacy_notice import tell_of_processing
from orchestration.trouble import ask_for_contact
from orchestration.turns import Turn, TurnResult
from orchestration.words import Words


class Orchestrator:
    """Answers one turn. Writes nothing itself but CRM intents: the caller commits the result as a whole."""

    def __init__(
        self,
        words: Words,
        attachments: Attachments,
        contacts: Contacts,
        commands: Commands,
        buttons: Buttons,
        callers: Callers,
    ) -> None:
        self._words = words
        self._callers = callers
        self._attachments = attachments
        self._contacts = contacts
        self._commands = commands
        self._buttons = buttons

    async def run_turn(self, turn: Turn) -> TurnResult:
        """Answer the turn's messages. Raises TurnPostponed where it must be handled again later, TurnAbandoned."""
        learn(turn)
        wants_agent = turn.messages[0].action == AGENT_AGAIN and turn.scope.company.paused_at is None
        if turn.dialogue.in_charge is InCharge.PERSON and wants_agent:
            turn.hands_back = True
            turn.replies.append(Reply(text=turn.texts.text("agent-again"), buttons=menu_rows(turn)))
            turn.outcome = "agent_again"
            acknowledge(turn)
        elif turn.dialogue.in_charge is InCharge.PERSON:
            # A person answers; the agent only keeps what the client said.
            turn.outcome = "person_in_charge"
            note_stop(turn)
        else:
            await self._answer(turn)
            bring_in_after_failures(turn)
            if turn.proof_wanted:
                await self._callers.prove(turn)
            tell_of_processing(turn)
            _greet(turn)
            keep_choices(turn)
            acknowledge(turn)
        _remember(turn)
        return turn.result()

    def leave_unanswered(self, turn: Turn, *, outcome: str, told: str | None = None) -> TurnResult:
        """Keep what a client said as history of the next turn, and say no more than the text of the key `told`.

        Where a person answers, nothing is told: that person sees it.
        """
        learn(turn)
        if told is not None and turn.dialogue.in_charge is InCharge.AGENT:
            turn.say(turn.texts.text(told))
        note_stop(turn)
        turn.outcome = outcome
        _remember(turn)
        return turn.result()

    async def has_begun_write(self, dialogue: Dialogue, state: DialogueState) -> bool:
        """Say whether a yes to the open proposal was taken before and its turn did not come to its end."""
        return await self._words.has_begun_write(dialogue, state)

    async def _answer(self, turn: Turn) -> None:
        message = turn.messages[0]
        if goes_to_person(turn) and not await self.has_begun_write(turn.dialogue, _state(turn)):
            answer_paused(turn)
        elif message.call_event is not None:
            await self._callers.happen(turn, message.call_event)
        elif message.command is not None:
            await self._commands.run(turn, message.command, message.argument)
        elif message.foreign_contact:
            ask_for_contact(turn, turn.texts.text("ask-contact-foreign"))
        elif message.proved_phone is not None:
            await self._contacts.take_proved(turn)
        elif message.action is not None:
            await self._buttons.press(turn, message.action)
        elif message.attachments:
            await self._attachments.answer(turn, message.attachments[0])
        else:
            await self._words.answer(turn)


def _state(turn: Turn) -> DialogueState:
    return turn.conversation.to_state(turn.state_version)


def _greet(turn: Turn) -> None:
    """Say at first contact who answers: a digital assistant."""
    if turn.dialogue.greeted_at is not None or not turn.replies:
        return
    if turn.call is not None:
        # The line itself has greeted the caller.
        turn.dialogue = replace(turn.dialogue, greeted_at=turn.now)
        return
    first = turn.replies[0]
    turn.replies[0] = first.model_copy(update={"text": f"{greeting(turn)}\n\n{first.text}"})
    turn.dialogue = replace(turn.dialogue, greeted_at=turn.now)


def _remember(turn: Turn) -> None:
    """Let the model know the next time what happened in a turn that it took no part in."""
    if turn.said or not turn.replies:
        return
    message = turn.messages[0]
    command = f"/{message.command}" if message.command is not None else ""
    words = turn.client_text or message.label or command or turn.texts.text("contact-shared")
    answer = "\n\n".join(reply.text for reply in turn.replies if reply.text)
    turn.said = [
        Content(role="user", parts=(TextPart(text=words),)),
        Content(role="model", parts=(TextPart(text=answer or "…"),)),
    ]
