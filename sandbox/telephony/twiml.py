"""TwiML as Twilio reads it: what it does not know or allow ends the call.

After https://www.twilio.com/docs/voice/twiml (Say, Gather, Dial, Redirect, Hangup, Pause, Connect) and
https://www.twilio.com/docs/voice/twiml/connect/conversationrelay.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

_ALLOWED: Mapping[str, frozenset[str]] = {
    "Connect": frozenset({"action", "method"}),
    "ConversationRelay": frozenset(
        {
            "url", "welcomeGreeting", "welcomeGreetingLanguage", "welcomeGreetingInterruptible", "language",
            "ttsLanguage", "ttsProvider", "voice", "transcriptionLanguage", "transcriptionProvider", "speechModel",
            "interruptible", "interruptSensitivity", "dtmfDetection", "reportInputDuringAgentSpeech", "preemptible",
            "hints", "debug", "elevenlabsTextNormalization", "intelligenceService",
        }
    ),
    "Language": frozenset({"code", "ttsProvider", "voice", "transcriptionProvider", "speechModel"}),
    "Parameter": frozenset({"name", "value"}),
    "Gather": frozenset(
        {
            "input", "language", "speechTimeout", "speechModel", "timeout", "action", "method", "actionOnEmptyResult",
            "hints", "numDigits", "finishOnKey", "bargeIn", "profanityFilter", "enhanced",
        }
    ),
    "Say": frozenset({"language", "voice", "loop"}),
    "Dial": frozenset(
        {"action", "method", "timeout", "answerOnBridge", "callerId", "timeLimit", "record", "hangupOnStar"}
    ),
    "Number": frozenset({"statusCallback", "statusCallbackEvent", "sendDigits"}),
    "Redirect": frozenset({"method"}),
    "Pause": frozenset({"length"}),
    "Hangup": frozenset(),
    "Response": frozenset(),
}  # fmt: skip
_INSIDE: Mapping[str, frozenset[str]] = {
    "Response": frozenset({"Connect", "Gather", "Say", "Dial", "Redirect", "Pause", "Hangup"}),
    "Connect": frozenset({"ConversationRelay"}),
    "ConversationRelay": frozenset({"Language", "Parameter"}),
    "Gather": frozenset({"Say", "Pause"}),
    "Dial": frozenset({"Number"}),
}
_INTERRUPTIBLE = frozenset({"none", "dtmf", "speech", "any", "true", "false"})


class Refused(Exception):
    """An application error: the caller hears so, and the call is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One instruction; `text` is what stands in it, `inner` what stands below it."""

    name: str
    attributes: Mapping[str, str]
    text: str = ""
    inner: tuple[Verb, ...] = field(default=())

    def find(self, name: str) -> list[Verb]:
        return [one for one in self.inner if one.name == name]


def parse(content_type: str, document: str) -> tuple[Verb, ...]:
    """Return the instructions in order. Raises Refused."""
    if content_type.split(";")[0].strip() not in ("text/xml", "application/xml"):
        raise Refused(f"12300 Invalid Content-Type: {content_type}")
    try:
        root = ET.fromstring(document)  # noqa: S314 (our own server's answer)
    except ET.ParseError as error:
        raise Refused(f"12100 Document parse failure: {error}") from error
    if root.tag != "Response":
        raise Refused("12100 The root is no <Response>")
    verbs = _read(root).inner
    for verb in verbs:
        _check(verb)
    return verbs


def _read(element: ET.Element) -> Verb:
    if element.tag not in _ALLOWED:
        raise Refused(f"12200 <{element.tag}> is no verb")
    if unknown := set(element.attrib) - _ALLOWED[element.tag]:
        raise Refused(f"12200 <{element.tag}> has no attribute {sorted(unknown)[0]}")
    for child in element:
        if child.tag not in _INSIDE.get(element.tag, frozenset()):
            raise Refused(f"12200 <{child.tag}> may not stand in <{element.tag}>")
    inner = tuple(_read(child) for child in element)
    return Verb(name=element.tag, attributes=dict(element.attrib), text=(element.text or "").strip(), inner=inner)


def _check(verb: Verb) -> None:
    for name in ("action",):
        if name in verb.attributes and not verb.attributes[name].startswith("https://"):
            raise Refused(f"11200 {name} must be https://: {verb.attributes[name]}")
    match verb.name:
        case "Connect":
            relays = verb.find("ConversationRelay")
            if len(relays) != 1:
                raise Refused("12200 <Connect> needs one noun")
            if not relays[0].attributes.get("url", "").startswith("wss://"):
                raise Refused("64101 the url of <ConversationRelay> must be wss://")
            for name in ("interruptible", "welcomeGreetingInterruptible"):
                if relays[0].attributes.get(name, "any") not in _INTERRUPTIBLE:
                    raise Refused(f"64101 {name}: {relays[0].attributes[name]}")
            for one in relays[0].find("Parameter"):
                if not one.attributes.get("name") or "value" not in one.attributes:
                    raise Refused("64101 <Parameter> needs name and value")
        case "Gather":
            if set(verb.attributes.get("input", "dtmf").split()) - {"dtmf", "speech"}:
                raise Refused("13311 input")
        case "Say" if not verb.text:
            raise Refused("13520 <Say> without a text")
        case "Dial":
            numbers = [one.text for one in verb.find("Number")] or [verb.text]
            if not all(number.startswith("+") and number[1:].isdigit() for number in numbers):
                raise Refused(f"13223 {numbers} is no phone number")
        case "Redirect" if not verb.text.startswith("https://"):
            raise Refused("11100 Redirect must be https://")


def sign(auth_token: str, url: str, form: Mapping[str, str] | None = None) -> str:
    """Return X-Twilio-Signature: HMAC-SHA1 over the address and the sorted form."""
    signed = url + "".join(f"{name}{value}" for name, value in sorted((form or {}).items()))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()
