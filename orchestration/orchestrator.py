"""One turn from the client's words to everything that is committed: the path is chosen here, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import structlog

from db.records import Author, Dialogue, DialogueState, InCharge
from locales import Translator
from orchestration.agent import Agent
from orchestration.booking_flow import BookingFlow
from orchestration.buttons import Buttons, acknowledge, keep_choices, named_action
from orchestration.commands import Commands, greeting
from orchestration.confirmation import Confirmation
from orchestration.conversation import Conversation, Step
from orchestration.errors import MediaError, MediaTooLarge, ModelError
from orchestration.hearing import Hearing
from orchestration.identity import find_phones
from orchestration.messages import Attachment, AttachmentKind, Message
from orchestration.ports import Content, MediaPart, TextPart
from orchestration.proposals import Proposals
from orchestration.trouble import ask_for_contact, model_failed
from orchestration.turns import Turn, TurnResult
from orchestration.wording import place_text

log = structlog.get_logger()

_ATTACHMENT_ANSWERS = {
    AttachmentKind.VIDEO: "attachment-video",
    AttachmentKind.DOCUMENT: "attachment-document",
    AttachmentKind.CONTACT: "attachment-contact",
    AttachmentKind.STICKER: "attachment-sticker",
    AttachmentKind.OTHER: "attachment-other",
}
_QUOTED_ENOUGH = 40


class Orchestrator:
    """Answers one turn. Writes nothing itself but CRM intents: the caller commits the result as a whole."""

    def __init__(
        self,
        agent: Agent,
        hearing: Hearing,
        confirmation: Confirmation,
        proposals: Proposals,
        flow: BookingFlow,
        commands: Commands,
        buttons: Buttons,
    ) -> None:
        self._agent = agent
        self._hearing = hearing
        self._confirmation = confirmation
        self._proposals = proposals
        self._flow = flow
        self._commands = commands
        self._buttons = buttons

    async def run_turn(self, turn: Turn) -> TurnResult:
        """Answer the turn's messages. Raises TurnPostponed where it must be handled again later."""
        _learn(turn)
        if turn.dialogue.in_charge is InCharge.PERSON:
            # A person answers; the agent only keeps what the client said.
            turn.outcome = "person_in_charge"
        else:
            await self._answer(turn)
            _greet(turn)
            keep_choices(turn)
            acknowledge(turn)
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
            await self._commands.run(turn, message.command, message.argument)
        elif message.foreign_contact:
            ask_for_contact(turn, turn.texts.text("ask-contact-foreign"))
        elif message.proved_phone is not None:
            await self._on_contact(turn)
        elif message.action is not None:
            await self._buttons.press(turn, message.action)
        elif message.attachments:
            await self._on_attachment(turn, message, message.attachments[0])
        else:
            await self._on_words(turn)

    async def _on_words(self, turn: Turn) -> None:
        if turn.messages[0].edits is None:
            action = named_action(turn, turn.messages[0]) if len(turn.messages) == 1 else None
            if action is not None:
                turn.press(action)
                await self._buttons.press(turn, action)
                return
            if (command := self._commands.find(turn)) is not None:
                await self._commands.run(turn, command)
                return
            if turn.conversation.step is Step.AWAITING_CONTACT and await self._on_typed_phone(turn):
                return
            if not _answers_another_message(turn) and await self._confirmation.answer(turn):
                return
            if await self._flow.hear(turn):
                return
        await self._agent.answer(turn, _words_for_agent(turn))

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
        if turn.conversation.wants_list:
            await self._commands.show_mine(turn)
            return
        turn.conversation = turn.conversation.at_rest()
        await self._agent.answer(turn, turn.texts.text("contact-shared"))
        if turn.replies:
            turn.replies[0] = turn.replies[0].model_copy(update={"drop_keyboard": not turn.replies[0].ask_contact})

    async def _on_attachment(self, turn: Turn, message: Message, attachment: Attachment) -> None:
        """Hear a voice note, look at a picture, and answer fittingly what is neither."""
        try:
            match attachment.kind:
                case AttachmentKind.VOICE:
                    await self._on_voice(turn, attachment)
                case AttachmentKind.IMAGE:
                    picture = await self._hearing.look(turn, attachment)
                    await self._agent.answer(turn, _picture_words(turn), media=(picture,))
                case _ if message.text:
                    # Words came with it: they are what the client wants to say.
                    await self._on_words(turn)
                case AttachmentKind.LOCATION:
                    place = place_text(turn.scope, turn.scope.branches[0]) if turn.scope.branches else ""
                    turn.say(turn.texts.text("attachment-location", place=place or turn.scope.company.name))
                    turn.outcome = "attachment"
                case kind:
                    turn.say(turn.texts.text(_ATTACHMENT_ANSWERS[kind]))
                    turn.outcome = "attachment"
        except MediaTooLarge:
            turn.say(turn.texts.text("media-too-large"))
            turn.outcome = "media_too_large"
        except MediaError as error:
            log.warning("media_unavailable", kind=attachment.kind.value, error=str(error))
            turn.say(turn.texts.text("media-unavailable"))
            turn.outcome = "media_unavailable"

    async def _on_voice(self, turn: Turn, attachment: Attachment) -> None:
        """Write a voice note down and go on as if the client had typed it."""
        try:
            words = await self._hearing.listen(turn, attachment)
        except ModelError as error:
            log.error("model_failed", error=f"{type(error).__name__}: {error}")
            model_failed(turn, "model_unavailable")
            return
        if words is None:
            turn.say(turn.texts.text("voice-not-understood"))
            turn.outcome = "voice_not_understood"
            return
        turn.hear(words)
        _learn(turn)
        await self._on_words(turn)


def _learn(turn: Turn) -> None:
    """Take over what the channel says of the client: a name, a proved phone; and the language of the client's words."""
    dialogue = turn.dialogue
    for message in turn.messages:
        if message.sender.name and dialogue.client_name is None:
            dialogue = replace(dialogue, client_name=message.sender.name)
        if proved := message.proved_phone or message.sender.phone:
            dialogue = replace(dialogue, proved_phone=proved)
    if not dialogue.language_chosen:
        spoken = Translator.language_of(turn.client_text, dialogue.language)
        dialogue = replace(dialogue, language=spoken or dialogue.language or _hinted_language(turn))
    turn.dialogue = dialogue
    turn.texts = Translator.for_language(dialogue.language, default=turn.scope.agent.language)


def _hinted_language(turn: Turn) -> str | None:
    """Return the language of the client's messenger, where we have texts in it: it counts until they write words."""
    hints = (Translator.find_language(message.sender.language) for message in turn.messages)
    return next((hint for hint in hints if hint), None)


def _answers_another_message(turn: Turn) -> bool:
    """Say whether the client replied to a message that is not the last one they were sent: a yes to it is no yes to the
    question that was asked last."""
    quoted = turn.messages[0].quoted
    if quoted is None:
        return False
    last = next((message.text for message in reversed(turn.history) if message.author is not Author.CLIENT), "")
    return quoted[:_QUOTED_ENOUGH].strip() not in last


def _words_for_agent(turn: Turn) -> str:
    """Return the client's words with what the agent has to know of them: that they are changed, or reply to others."""
    first, words = turn.messages[0], turn.client_text
    if first.edits is not None:
        return turn.texts.text("words-edited", words=words)
    if first.quoted is not None and _answers_another_message(turn):
        return turn.texts.text("words-with-quote", quoted=first.quoted, words=words)
    return words


def _picture_words(turn: Turn) -> str:
    return turn.client_text or turn.texts.text("picture-shown")


def _greet(turn: Turn) -> None:
    """Say at first contact who answers: a digital assistant."""
    if turn.dialogue.greeted_at is not None or not turn.replies:
        return
    first = turn.replies[0]
    turn.replies[0] = first.model_copy(update={"text": f"{greeting(turn)}\n\n{first.text}"})
    turn.dialogue = replace(turn.dialogue, greeted_at=turn.now)


def _remember(turn: Turn) -> None:
    """Let the model know the next time what happened in a turn that it took no part in, and keep no file."""
    turn.said = [_without_media(turn, content) for content in turn.said]
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


def _without_media(turn: Turn, content: Content) -> Content:
    if not any(isinstance(part, MediaPart) for part in content.parts):
        return content
    note = TextPart(text=turn.texts.text("picture-was-here"))
    return content.model_copy(
        update={"parts": tuple(note if isinstance(part, MediaPart) else part for part in content.parts)}
    )
