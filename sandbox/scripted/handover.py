"""When the script is at its end: a person is called, a tool's own words are passed on, never a guess."""

from sandbox.gemini.wire import Part, text_part
from sandbox.scripted.context import UNREACHABLE, Called, Said, View
from sandbox.scripted.phrases import Phrases

_SUMMARY = 500


def hand_over(view: View, reason: str, phrases: Phrases) -> list[Part]:
    """Call a person with what the client wrote; say so where no such tool is declared."""
    said = [one.text for one in view.events if isinstance(one, Said) and one.by_client and one.text]
    summary = "\n".join(said[-3:])[-_SUMMARY:] or reason
    for each in _reasons(view, reason):
        if calls := view.call("call_a_person", reason=each, summary=summary):
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


def _reasons(view: View, reason: str) -> list[str]:
    """Return the reason, and the declared ones if the schema lists them: one of those has to do."""
    tool = view.tools.get("call_a_person")
    schema = (tool.parameters_json_schema or tool.parameters) if tool is not None else None
    listed = ((schema or {}).get("properties") or {}).get("reason", {}).get("enum") or []
    return [reason, *sorted(listed, key=lambda one: "other" not in str(one))]


def _phone(view: View, phrases: Phrases) -> str:
    return phrases("phone_hint", phone=view.facts.phone) if view.facts.phone else ""
