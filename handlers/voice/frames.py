"""The ConversationRelay protocol on the wire, as Twilio and Telnyx speak it and our VoxEngine scenario does.

After https://www.twilio.com/docs/voice/conversationrelay/websocket-messages. Never run against a live number: what the
page leaves open is read generously (a duration as a number or as text) and written by the letter.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

Frame = Mapping[str, Any]
_TAGS = {"ru": "ru-RU", "en": "en-US", "kk": "kk-KZ"}
MOST_BYTES = 64 * 1024


class _In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Setup(_In):
    """The first frame. `callSid` names the call; `customParameters` are what the start of the call put there."""

    type: Literal["setup"]
    call: str = Field(alias="callSid", min_length=1, max_length=128)
    caller: str | None = Field(None, alias="from", max_length=128)
    parameters: dict[str, str] = Field({}, alias="customParameters")


class Prompt(_In):
    """What the caller said."""

    type: Literal["prompt"]
    words: str = Field("", alias="voicePrompt", max_length=4000)
    last: bool = True


class Dtmf(_In):
    type: Literal["dtmf"]
    digit: str = Field(min_length=1, max_length=1)


class Interrupt(_In):
    """The caller speaks over us. `utterance`: what was spoken of it until then."""

    type: Literal["interrupt"]
    utterance: str = Field("", alias="utteranceUntilInterrupt", max_length=20_000)


class RelayError(_In):
    type: Literal["error"]
    description: str = Field("", max_length=2000)


Incoming = Setup | Prompt | Dtmf | Interrupt | RelayError
_INCOMING: TypeAdapter[Incoming] = TypeAdapter(Annotated[Incoming, Field(discriminator="type")])


def read(raw: str) -> Incoming | None:
    """Read a frame; None for one that is malformed or of a kind that we do not know: the call goes on."""
    try:
        return _INCOMING.validate_json(raw)
    except ValidationError:
        return None


def text(words: str, *, last: bool, preemptible: bool = False) -> Frame:
    """Let words be spoken; `last` closes what is said in one go. `preemptible`: what comes next may cut it."""
    frame: dict[str, Any] = {"type": "text", "token": words, "last": last}
    return {**frame, "preemptible": True} if preemptible else frame


def tag_of(code: str) -> str:
    """Return a language as providers name it: "ru-RU"."""
    return _TAGS.get(code, code)


def language(tag: str) -> Frame:
    """Speak and hear this language ("kk-KZ") from now on."""
    return {"type": "language", "ttsLanguage": tag, "transcriptionLanguage": tag}


def end(reason: str, transfer_to: str | None = None) -> Frame:
    """End the stream. What is handed on is a string, by the protocol: JSON of ours."""
    data = {"reason": reason, **({"transfer": transfer_to} if transfer_to else {})}
    return {"type": "end", "handoffData": json.dumps(data)}
