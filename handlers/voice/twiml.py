"""What Twilio is told to do with a call, as TwiML (https://www.twilio.com/docs/voice/twiml).

Attributes of ConversationRelay: https://www.twilio.com/docs/voice/twiml/connect/conversationrelay. Defaults there have
changed over time, so language, voice and providers are named where the channel says them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

CONTENT_TYPE = "text/xml"
DIAL_S = 30
"""How long a transferred call rings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """How a channel speaks and hears: the provider's names, None for its default."""

    language: str
    voice: str | None = None
    tts: str | None = None
    stt: str | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any], language: str) -> Spoken:
        return cls(
            language=language,
            voice=options.get("voice"),
            tts=options.get("tts_provider"),
            stt=options.get("stt_provider"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A stream to us. `greeting`: what is spoken first, "" for nothing; `parameters` come back in its first frame."""

    url: str
    action: str
    spoken: Spoken
    greeting: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


def connect(stream: Stream) -> str:
    """Let the call talk to us over a stream; when it ends, ask `action` what comes next."""
    response = ET.Element("Response")
    outer = ET.SubElement(response, "Connect", {"action": stream.action})
    attributes = {
        "url": stream.url,
        "language": stream.spoken.language,
        "interruptible": "any",
        "dtmfDetection": "true",
        # Its default is said to have become "none" in May 2025: words spoken over an answer would never reach us.
        "reportInputDuringAgentSpeech": "any",
        "ttsProvider": stream.spoken.tts,
        "voice": stream.spoken.voice,
        "transcriptionProvider": stream.spoken.stt,
        "welcomeGreeting": stream.greeting,
        "welcomeGreetingInterruptible": "any" if stream.greeting else "",
    }
    relay = ET.SubElement(outer, "ConversationRelay", {name: value for name, value in attributes.items() if value})
    for name, value in stream.parameters.items():
        ET.SubElement(relay, "Parameter", {"name": name, "value": value})
    return _written(response)


def dial(number: str, *, action: str, first: str = "", spoken: Spoken | None = None) -> str:
    """Pass the call on to a person, after the words `first`; afterwards ask `action` whether they were reached."""
    response = ET.Element("Response")
    if first and spoken is not None:
        _say(response, first, spoken)
    outer = ET.SubElement(response, "Dial", {"action": action, "timeout": str(DIAL_S), "answerOnBridge": "true"})
    ET.SubElement(outer, "Number").text = number
    return _written(response)


def say_and_hang_up(text: str, spoken: Spoken) -> str:
    """Say words, and end the call."""
    response = ET.Element("Response")
    _say(response, text, spoken)
    ET.SubElement(response, "Hangup")
    return _written(response)


def hang_up() -> str:
    response = ET.Element("Response")
    ET.SubElement(response, "Hangup")
    return _written(response)


def gather(text: str, spoken: Spoken, *, action: str, timeout_s: int) -> str:
    """Say words and take what is said or keyed after them; silence is told to `action` too."""
    response = ET.Element("Response")
    attributes = {
        "input": "speech dtmf",
        "language": spoken.language,
        "speechTimeout": "auto",
        # The default model cannot be combined with an automatic end of speech (Twilio's warning 13335).
        "speechModel": "phone_call",
        "timeout": str(timeout_s),
        "action": action,
        "method": "POST",
        "actionOnEmptyResult": "true",
    }
    outer = ET.SubElement(response, "Gather", attributes)
    if text:
        _say(outer, text, spoken)
    return _written(response)


def say_and_ask_again(text: str, spoken: Spoken, *, url: str) -> str:
    """Say words that bridge a pause, and come back for the rest."""
    response = ET.Element("Response")
    if text:
        _say(response, text, spoken)
    else:
        ET.SubElement(response, "Pause", {"length": "1"})
    ET.SubElement(response, "Redirect", {"method": "POST"}).text = url
    return _written(response)


def _say(parent: ET.Element, text: str, spoken: Spoken) -> None:
    attributes = {"language": spoken.language, **({"voice": spoken.voice} if spoken.voice else {})}
    ET.SubElement(parent, "Say", attributes).text = text


def _written(response: ET.Element) -> str:
    return ET.tostring(response, encoding="unicode", xml_declaration=False)
