"""What a turn teaches of the client: a name, a proved phone, and the language of their words."""

from __future__ import annotations

from dataclasses import replace

from locales import Translator
from orchestration.turns import Turn


def learn(turn: Turn) -> None:
    """Take over what the channel says of the client, and the language of what they write."""
    for message in turn.messages:
        if message.sender.name and turn.dialogue.client_name is None:
            turn.dialogue = replace(turn.dialogue, client_name=message.sender.name)
        if proved := message.proved_phone or message.sender.phone:
            turn.dialogue = replace(turn.dialogue, proved_phone=proved)
        if (caller := message.sender.caller) and turn.dialogue.typed_phone is None:
            turn.dialogue = replace(turn.dialogue, typed_phone=caller)
    learn_language(turn)


def learn_language(turn: Turn) -> None:
    """Speak the client's language: what they chose, else what they write in, else what their messenger is set to."""
    dialogue = turn.dialogue
    if not dialogue.language_chosen:
        spoken = Translator.language_of(turn.client_text, dialogue.language)
        turn.dialogue = dialogue = replace(dialogue, language=spoken or dialogue.language or _hinted(turn))
    turn.texts = Translator.for_language(
        dialogue.language, default=turn.scope.agent.language, spoken=turn.call is not None
    )


def _hinted(turn: Turn) -> str | None:
    """Return the language of the client's messenger, where we have texts in it: it counts until they write words."""
    hints = (Translator.find_language(message.sender.language) for message in turn.messages)
    return next((hint for hint in hints if hint), None)
