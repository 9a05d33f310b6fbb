"""One turn from the client's words to everything that is committed: the path is chosen here, and nowhere else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from db.records import Dialogue, DialogueState, InCharge
from locales import Translator
from orchestration.agent import Agent
from orchestration.confirmation import Confirmation
from orchestration.conversation import Conversation, Step
from orchestration.identity import find_phones
from orchestration.messages import Command, Message, Reply
from orchestration.ports import Content, TextPart
from orchestration.proposals import SLOT, Proposals
from orchestration.trouble import ask_for_contact, client_label
from orchestration.turns import StaffNotice, Turn, TurnResult


class Orchestrator:
    """Answers one turn. Writes nothing itself but CRM intents: the caller commits the result as a whole."""

    def __init__(self, agent: Agent, confirmation: Confirmation, proposals: Proposals) -> None:
        self._agent = agent
        self._confirmation = confirmation
        self._proposals = proposals
        self._commands: Mapping[Command, Callable[[Turn], Awaitable[None]]] = {
            Command.START: self._on_start,
            Command.HELP: self._on_help,
            Command.PERSON: self._on_person,
            Command.MY: self._on_my,
        }

    async def run_turn(self, turn: Turn) -> TurnResult:
        """Answer the turn's messages. Raises TurnPostponed where it must be handled again later."""
        _learn(turn)
        if turn.dialogue.in_charge is InCharge.PERSON:
            # A person answers; the agent only keeps what the client said.
            turn.outcome = "person_in_charge"
        else:
            await self._answer(turn)
            _acknowledge(turn)
            _greet(turn)
        _remember(turn)
        return turn.result()

    def leave_unanswered(self, turn: Turn, *, tell: bool) -> TurnResult:
        """Keep what a client who writes too much said, as history of the next turn; `tell` them so.

        Where a person answers, nothing is told: that person sees it.
        """
        _learn(turn)
        if tell and turn.dialogue.in_charge is InCharge.AGENT:
            turn.say(turn.texts.text("too-many-messages"))
        turn.outcome = "too_many_messages"
        _remember(turn)
        return turn.result()

    async def has_begun_write(self, dialogue: Dialogue, state: DialogueState) -> bool:
        """Say whether a yes to the open proposal was taken before and its turn did not come to its end.

        Then that yes is a turn by itself again: with what the client wrote since, it would be a yes no more, and nobody
        would ask the CRM whether the visit stands.
        """
        return await self._confirmation.was_begun(dialogue, Conversation.from_state(state))

    async def _answer(self, turn: Turn) -> None:
        message = turn.messages[0]
        if message.command is not None:
            await self._commands[message.command](turn)
        elif message.foreign_contact:
            ask_for_contact(turn, turn.texts.text("ask-contact-foreign"))
        elif message.proved_phone is not None:
            await self._on_contact(turn)
        elif message.action is not None:
            await self._on_button(turn, message)
        elif turn.client_text:
            await self._on_words(turn)
        else:
            turn.say(turn.texts.text("unsupported-attachment"))
            turn.outcome = "unsupported"

    async def _on_words(self, turn: Turn) -> None:
        if turn.conversation.step is Step.AWAITING_CONTACT and await self._on_typed_phone(turn):
            return
        if not await self._confirmation.answer(turn):
            await self._agent.answer(turn, turn.client_text)

    async def _on_typed_phone(self, turn: Turn) -> bool:
        """Take a typed number for the booking that waits for one; it opens nothing else."""
        phones = find_phones(turn.client_text)
        wish = turn.conversation.wish
        if not phones or wish is None or turn.dialogue.proved_phone is not None:
            return False
        turn.dialogue = replace(turn.dialogue, typed_phone=phones[-1])
        await self._proposals.propose_booking(turn, wish)
        return True

    async def _on_contact(self, turn: Turn) -> None:
        wish = turn.conversation.wish
        if wish is not None:
            await self._proposals.propose_booking(turn, wish)
            return
        turn.conversation = turn.conversation.at_rest()
        await self._agent.answer(turn, turn.texts.text("contact-shared"))
        if turn.replies:
            turn.replies[0] = turn.replies[0].model_copy(update={"drop_keyboard": not turn.replies[0].ask_contact})

    async def _on_button(self, turn: Turn, message: Message) -> None:
        verb, _, offer_id = (message.action or "").partition(":")
        if verb == SLOT:
            offer = turn.conversation.find_offer(offer_id, turn.now)
            wish = turn.conversation.wish
            if offer is not None and wish is not None:
                await self._proposals.propose_booking(turn, wish.model_copy(update={"offer": offer}))
                return
        elif await self._confirmation.answer(turn):
            return
        turn.say(turn.texts.text("stale-button"))
        turn.outcome = "stale_button"

    async def _on_start(self, turn: Turn) -> None:
        turn.conversation = turn.conversation.at_rest()
        turn.say(_greeting(turn))
        turn.dialogue = replace(turn.dialogue, greeted_at=turn.now)

    async def _on_help(self, turn: Turn) -> None:
        turn.say(turn.texts.text("help", company=turn.scope.company.name))

    async def _on_person(self, turn: Turn) -> None:
        kind, label = "asked_for", client_label(turn)
        notice = turn.texts.text("staff-call-person", kind=kind, client=label, summary="/person")
        turn.call_person(kind, "/person", notice=StaffNotice(text=notice))
        turn.say(turn.texts.text("person-called"))
        turn.outcome = "person_called"

    async def _on_my(self, turn: Turn) -> None:
        await self._agent.answer(turn, turn.texts.text("command-my"))


def _learn(turn: Turn) -> None:
    """Take over what the channel says of the client: a name, a proved phone; and the language of the client's words."""
    dialogue = turn.dialogue
    for message in turn.messages:
        if message.sender.name and dialogue.client_name is None:
            dialogue = replace(dialogue, client_name=message.sender.name)
        if message.proved_phone:
            dialogue = replace(dialogue, proved_phone=message.proved_phone)
    default = turn.scope.agent.language
    spoken = Translator.language_of(turn.client_text)
    if spoken is not None and spoken != dialogue.language:
        dialogue = replace(dialogue, language=spoken)
    turn.dialogue = dialogue
    turn.texts = Translator.for_language(dialogue.language, default=default)


def _acknowledge(turn: Turn) -> None:
    """Tie the answer to the pressed button, so that the channel can end its spinner and use the buttons up."""
    message = turn.messages[0]
    if message.action is None or message.press_id is None:
        return
    first = turn.replies[0] if turn.replies else Reply()
    acknowledged = first.model_copy(
        update={"acknowledges": message.press_id, "closes_buttons_of": message.pressed_message_id}
    )
    turn.replies[:1] = [acknowledged]


def _greet(turn: Turn) -> None:
    """Say at first contact who answers: a digital assistant."""
    if turn.dialogue.greeted_at is not None or not turn.replies:
        return
    first = turn.replies[0]
    turn.replies[0] = first.model_copy(update={"text": f"{_greeting(turn)}\n\n{first.text}"})
    turn.dialogue = replace(turn.dialogue, greeted_at=turn.now)


def _greeting(turn: Turn) -> str:
    return turn.texts.text("greeting", company=turn.scope.company.name)


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
