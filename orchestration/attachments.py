"""What clients send besides words: a voice note is heard, a picture goes to a person, the rest is answered kindly."""

from __future__ import annotations

import structlog

from orchestration.client_facts import learn_language
from orchestration.errors import MediaError, MediaTooLarge, ModelError
from orchestration.guards.topics import asks_of_picture
from orchestration.handover import hand_over
from orchestration.hearing import Hearing
from orchestration.messages import Attachment, AttachmentKind
from orchestration.trouble import budget_spent, model_failed
from orchestration.turns import Turn
from orchestration.wording import place_text
from orchestration.words import Words

log = structlog.get_logger()

_ANSWERS = {
    AttachmentKind.VIDEO: "attachment-video",
    AttachmentKind.DOCUMENT: "attachment-document",
    AttachmentKind.CONTACT: "attachment-contact",
    AttachmentKind.STICKER: "attachment-sticker",
    AttachmentKind.OTHER: "attachment-other",
}


class Attachments:
    """Answers the first attachment of a turn; a turn has no more than one."""

    def __init__(self, hearing: Hearing, words: Words) -> None:
        self._hearing = hearing
        self._words = words

    async def answer(self, turn: Turn, attachment: Attachment) -> None:
        """Raises TurnPostponed, where what was heard was a yes."""
        try:
            await self._answer(turn, attachment)
        except MediaTooLarge:
            turn.say(turn.texts.text("media-too-large"))
            turn.outcome = "media_too_large"
        except MediaError as error:
            log.warning("media_unavailable", kind=attachment.kind.value, error=str(error))
            turn.say(turn.texts.text("media-unavailable"))
            turn.outcome = "media_unavailable"

    async def _answer(self, turn: Turn, attachment: Attachment) -> None:
        match attachment.kind:
            case AttachmentKind.VOICE:
                await self._on_voice(turn, attachment)
            case AttachmentKind.IMAGE:
                await self._on_picture(turn)
            case _ if turn.client_text:
                # Words came with it: they are what the client wants to say.
                await self._words.answer(turn)
            case AttachmentKind.LOCATION:
                place = place_text(turn.scope, turn.scope.branches[0]) if turn.scope.branches else ""
                turn.say(turn.texts.text("attachment-location", place=place or turn.scope.company.name))
                turn.outcome = "attachment"
            case kind:
                turn.say(turn.texts.text(_ANSWERS[kind]))
                turn.outcome = "attachment"

    async def _on_picture(self, turn: Turn) -> None:
        """Send it to a person: nobody tells a price or a diagnosis from a picture. Words that are not about it are
        answered besides."""
        turn.saw_picture = True
        hand_over(turn, "photo", turn.client_text)
        if turn.client_text and not asks_of_picture(turn.client_text):
            await self._words.answer(turn)

    async def _on_voice(self, turn: Turn, attachment: Attachment) -> None:
        """Write a voice note down and go on as if the client had typed it."""
        if turn.is_over_budget:
            budget_spent(turn)
            return
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
        learn_language(turn)
        await self._words.answer(turn)
