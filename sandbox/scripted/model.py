"""A script that stands in for a language model: rules in Russian and English, no knowledge but the request itself.

It reads the system instruction, the declared tools and the conversation, calls the tools and uses what they return.
It remembers nothing between requests and never says a price, time or name that it was not given.
"""

import re
from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from sandbox.gemini.wire import Blob, GenerateRequest, Part, text_part
from sandbox.scripted.booking import book
from sandbox.scripted.catalogue import known_services, slots_of
from sandbox.scripted.context import UNREACHABLE, Unclear, View, media_words, read_view
from sandbox.scripted.facts import find_answer
from sandbox.scripted.handover import hand_over, handed_over
from sandbox.scripted.intents import Intent, find_intents, is_no, is_question, is_yes
from sandbox.scripted.phrases import Phrases, language_of
from sandbox.scripted.replies import (
    change_mine,
    tell_fact,
    tell_mine,
    tell_prices,
    tell_products,
    tell_services,
    tell_staff,
    tell_staff_names,
)
from sandbox.scripted.wish import Topic, Wish, find_groups, read_wish
from sandbox.scripted.words import best_matches, features

_OFFERED_WORD = re.compile(r"\b(?:single |one )?word\W{1,3}(?P<word>[A-Z]{4,})\b")
_MOST_CALLS = 10  # in one turn; a conversation that needs more is a person's
Reply: TypeAlias = Callable[[View, Wish, Phrases], list[Part]]


class ScriptedModel:
    """The policy that GeminiSandbox asks by default."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        """Take the day from this clock where the prompt tells none."""
        self._clock = clock

    def __call__(self, request: GenerateRequest) -> list[Part]:
        """Return the parts of the next model turn: words, or calls of declared functions."""
        if (recording := _to_write_down(request)) is not None:
            return [text_part(_written_down(request, recording))]
        if not request.declarations and (said := _noted_lines(request)):
            return [text_part(". ".join(said[-5:]))]
        view = read_view(request, self._clock())
        phrases = Phrases(language_of(view.client_texts, view.facts.language))
        parts = _next_step(view, read_wish(view, phrases), phrases)
        if view.forced and not any(part.function_call for part in parts):
            return _forced_call(view) or parts
        return parts


def _to_write_down(request: GenerateRequest) -> Blob | None:
    """Return the recording that a request without tools asks to be written down."""
    last = (request.contents or [])[-1:]
    blobs = [part.inline_data for content in last for part in content.parts or [] if part.inline_data is not None]
    sounds = [blob for blob in blobs if (blob.mime_type or "").startswith("audio/")]
    return sounds[0] if sounds and not request.declarations else None


def _noted_lines(request: GenerateRequest) -> list[str]:
    """Return the client's words in a conversation that a note is to be written of: a rule sums nothing up."""
    text = "\n".join(content.text for content in request.contents or [] if content.role != "model")
    return [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("CLIENT:")]


def _written_down(request: GenerateRequest, recording: Blob) -> str:
    """Return the words that the recording carries. A rule has no ears: without them it says so, in the word that the
    instruction offers for this."""
    words = media_words(recording)
    if words is not None:
        return words
    instruction = request.system_instruction.text if request.system_instruction else ""
    offered = _OFFERED_WORD.search(instruction)
    return offered["word"] if offered else "I cannot make out what is said."


def _next_step(view: View, wish: Wish, phrases: Phrases) -> list[Part]:
    handed = view.done("call_a_person")
    if handed is not None:
        return handed_over(view, handed, phrases)
    lost = next((one for one in view.turn if one.error in UNREACHABLE), None)
    if lost is not None or len(view.turn) >= _MOST_CALLS:
        return hand_over(view, lost.error if lost is not None and lost.error else "too_many_steps", phrases)
    if view.unclear is not None and not (view.text and (wish.touched or find_intents(view.text))):
        return [text_part(phrases("unseen" if view.unclear is Unclear.PICTURE else "unheard"))]
    return _reply_for(view, wish)(view, wish, phrases)


def _reply_for(view: View, wish: Wish) -> Reply:
    """Choose what the client's last words ask for."""
    intents = find_intents(view.text)
    dated = wish.touched and (wish.days is not None or bool(wish.at))
    for intent in intents:
        if intent in _FLOWS:
            break
        # "Кто из мастеров свободен завтра?" asks for times, "какие у вас мастера?" for names.
        if intent in _REPLIES and not (intent in _ABOUT_BOOKING and Intent.BOOK in intents and dated):
            return _REPLIES[intent]
    if wish.touched and wish.topic is not None:
        return book if wish.topic is Topic.BOOK else change_mine
    if intents and intents[0] in _COURTESIES:
        return _COURTESIES[intents[0]]
    return _small_talk


def _small_talk(view: View, wish: Wish, phrases: Phrases) -> list[Part]:
    """Answer what carries no matter of its own: yes, no, a service's name with a question mark, or nothing known."""
    if is_yes(view.text):
        return _agreed(view, wish, phrases)
    if is_no(view.text) and wish.topic is not None:
        return [text_part(phrases("not_booked"))]
    if (answer := find_answer(view.facts, view.text)) is not None:
        return [text_part(answer)]
    services = known_services(view)
    if not services and (calls := view.call("get_services")):
        return calls  # perhaps it is the name of a service
    if find_groups(view.text, services) or best_matches(features(view.text), [name for name, _ in view.facts.services]):
        return tell_prices(view, wish, phrases)
    if is_question(view.text) or phrases.asked("clarify", view.before):
        return hand_over(view, "unknown_question", phrases)
    return [text_part(phrases("clarify"))]


def _agreed(view: View, wish: Wish, phrases: Phrases) -> list[Part]:
    """Act on a yes that answers our own last question."""
    if phrases.asked("no_slots", view.before) or phrases.asked("robot", view.before):
        return hand_over(view, "client_asked", phrases)
    if wish.topic is None and not ("?" in view.before and known_services(view)):
        return [text_part(phrases("clarify"))]
    shown = view.last("get_available_slots")
    slots = slots_of(shown, view.facts.currency) if shown is not None else []
    if len(slots) == 1 and slots[0].clock is not None:
        wish.at = (slots[0].clock,)
    return change_mine(view, wish, phrases) if wish.topic in (Topic.MOVE, Topic.CANCEL) else book(view, wish, phrases)


def _call_person(view: View, _wish: Wish, phrases: Phrases) -> list[Part]:
    return hand_over(view, "client_asked", phrases)


def _tell_policy(view: View, _wish: Wish, phrases: Phrases) -> list[Part]:
    answer = find_answer(view.facts, view.text)
    return [text_part(answer)] if answer is not None else hand_over(view, "unknown_question", phrases)


def _greet(view: View, _wish: Wish, phrases: Phrases) -> list[Part]:
    company = phrases("of_company", company=view.facts.company) if view.facts.company else ""
    return [text_part(phrases("hello", of_company=company))]


def _say(key: str) -> Reply:
    return lambda _view, _wish, phrases: [text_part(phrases(key))]


def _forced_call(view: View) -> list[Part]:
    """Obey mode ANY: a person if one can be called, else the first function that needs no arguments."""
    if (parts := hand_over(view, "forced", Phrases("en")))[0].function_call is not None:
        return parts
    return next((calls for name in view.tools if (calls := view.call(name))), [])


_FLOWS = (Intent.CANCEL, Intent.MOVE, Intent.BOOK)
_REPLIES: dict[Intent, Reply] = {
    Intent.PERSON: _call_person,
    Intent.ROBOT: _say("robot"),
    Intent.POLICY: _tell_policy,
    Intent.LATE: tell_staff("late"),
    Intent.NOTE: tell_staff("note"),
    Intent.MINE: tell_mine,
    Intent.PRODUCTS: tell_products,
    Intent.PRICES: tell_prices,
    Intent.HOURS: tell_fact("hours"),
    Intent.ADDRESS: tell_fact("address"),
    Intent.PHONE: tell_fact("phone"),
    Intent.SERVICES: tell_services,
    Intent.STAFF: tell_staff_names,
}
_ABOUT_BOOKING = (Intent.PRICES, Intent.HOURS, Intent.SERVICES, Intent.STAFF)
_COURTESIES: dict[Intent, Reply] = {
    Intent.THANKS: _say("thanks"),
    Intent.GREETING: _greet,
    Intent.BYE: _say("bye"),
}
