"""When the script is at its end: a person is called, a tool's own words are passed on, never a guess."""

import re
from itertools import product

from sandbox.gemini.wire import Part, text_part
from sandbox.scripted.context import UNREACHABLE, Called, Said, View
from sandbox.scripted.phrases import Phrases
from sandbox.scripted.words import plain

_SUMMARY = 500
_KINDS = {"unknown_question": "unknown_topic", "client_asked": "asked_for"}
_MATTERS = {
    "health": re.compile(
        r"\bаллерг|\bберемен|\bболит|\bболь(?:но)?\b|\bпротивопоказан|\bлекарств|\bсыпь"
        r"|\ballerg|\bpregnan|\bhurts?\b|\bpain|\brash\b"
    ),
    "complaint": re.compile(
        r"\bжал(?:об|у)|\bпожаловат|\bнедовол|\bужасн|\bиспорт|\bверните|\bвозврат денег"
        r"|\bcomplain|\brefund|\bterrible|\bruined\b"
    ),
}


def hand_over(view: View, reason: str, phrases: Phrases) -> list[Part]:
    """Call a person with what the client wrote; say so where no such tool is declared."""
    said = [one.text for one in view.events if isinstance(one, Said) and one.by_client and one.text]
    summary = "\n".join(said[-3:])[-_SUMMARY:] or reason
    kinds, reasons = _declared(view, "kind", _kind(view, reason)), _declared(view, "reason", reason)
    for kind, each in product(kinds, reasons):
        if calls := view.call("call_a_person", kind=kind, reason=each, summary=summary):
            return calls
    return [text_part(phrases("no_person", phone=_phone(view, phrases)))]


def handed_over(view: View, call: Called, phrases: Phrases) -> list[Part]:
    """Answer after call_a_person returned."""
    if call.error is not None:
        return [text_part(phrases("no_person", phone=_phone(view, phrases)))]
    unreachable = any(one.error in UNREACHABLE for one in view.turn)
    return [text_part(phrases("unreachable" if unreachable else "handed_over"))]


def recover(view: View, call: Called, phrases: Phrases) -> list[Part]:
    """Answer to a tool's error: a person for a schedule out of reach, else the tool's own message."""
    if call.error in UNREACHABLE or not call.message:
        return hand_over(view, call.error or "error", phrases)
    return [text_part(phrases("sorry", message=call.message))]


def _kind(view: View, reason: str) -> str:
    """Say what it is about: what the client wrote tells more than why the script came to its end."""
    if reason not in _KINDS:
        return "other"
    words = plain(view.text)
    return next((kind for kind, pattern in _MATTERS.items() if pattern.search(words)), _KINDS[reason])


def _declared(view: View, argument: str, wanted: str) -> list[str]:
    """Return the value, and the declared ones if the schema lists them: one of those has to do."""
    tool = view.tools.get("call_a_person")
    schema = (tool.parameters_json_schema or tool.parameters) if tool is not None else None
    listed = ((schema or {}).get("properties") or {}).get(argument, {}).get("enum") or []
    return [wanted, *sorted(listed, key=lambda one: "other" not in str(one))]


def _phone(view: View, phrases: Phrases) -> str:
    return phrases("phone_hint", phone=view.facts.phone) if view.facts.phone else ""
