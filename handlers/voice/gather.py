"""Calls without a stream: each thing that is said is a request, each answer a document that asks for the next.

For providers and networks where no WebSocket may be opened: nothing is heard before the whole answer is there, and
speaking over it stops it only within `<Gather>`. Twilio waits 15 seconds for a document, so a slow answer is bridged
and asked for again (https://www.twilio.com/docs/voice/twiml/gather). Turns that run are this process' own: what the
provider asks about a call has to reach the process that began it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog

from db.calls import CallRecord
from db.errors import DatabaseUnavailable, TooManyUpdates
from handlers.voice import frames, twiml
from handlers.voice.call import Pace, TurnFailed, Turns
from handlers.voice.drawing import drawn
from handlers.voice.line import PhoneLine
from handlers.voice.twiml import Spoken
from locales import Translator
from orchestration.messages import CallEvent
from orchestration.speech import Speech
from orchestration.turns import CallEnd

log = structlog.get_logger()

ANSWER_S = 6.0
"""How long a request is kept waiting for the answer before a pause is bridged."""
SILENCE_S = 8
MOST_TURNS = 1000
_LONGEST_TURN = 16
_SILENCES = ("call-still-there", "call-last-question")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A call without a stream, as a request finds it. `action`: where what is said next goes."""

    record: CallRecord
    turns: Turns
    action: str
    spoken: Spoken
    texts: Translator

    def ask(self, text: str, **query: str) -> str:
        """Say words and take what follows, under a name of its own: a repeat of that request has the same one."""
        query = query or {"turn": secrets.token_hex(4)}
        return twiml.gather(text, self.spoken, action=self._address(query), timeout_s=SILENCE_S)

    def bridge(self, text: str, turn: str) -> str:
        """Say words, or pause, and come back for the answer."""
        return twiml.say_and_ask_again(text, self.spoken, url=self._address({"turn": turn, "wait": "1"}))

    def _address(self, query: Mapping[str, str]) -> str:
        return f"{self.action}?{urlencode(query)}"


class Gathering:
    """Makes the turns of such calls, and the documents that answer them."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._answers: OrderedDict[tuple[str, str], asyncio.Task[tuple[str, CallEnd | None]]] = OrderedDict()

    async def take(self, call: Asked, query: Mapping[str, str], form: Mapping[str, str]) -> tuple[str, CallEnd | None]:
        """Return the document for what was said; where the call ends with it, the words alone, and how it ends."""
        turn = _turn_of(query)
        words = (form.get("SpeechResult") or form.get("Digits") or "").strip()
        if not words and "wait" not in query:
            return self._on_silence(call, query.get("silent", ""), turn)
        return await self._answered(call, turn, words, None, waits="wait" in query)

    def knows(self, record: CallRecord, query: Mapping[str, str]) -> bool:
        """Say whether the request is one that was answered before: it gets the same answer, even after the end."""
        return (record.key, _turn_of(query)) in self._answers

    async def tell(self, call: Asked, event: CallEvent) -> tuple[str, CallEnd | None]:
        """Return the document for what happened to the call."""
        return await self._answered(call, event.value, "", event, waits=False)

    async def _answered(
        self, call: Asked, turn: str, words: str, event: CallEvent | None, *, waits: bool
    ) -> tuple[str, CallEnd | None]:
        key = (call.record.key, turn)
        answer = self._answers.get(key)
        if answer is None:
            answer = asyncio.create_task(_answer(call, words, event, turn, self._pace))
            self._keep(key, answer)
        pause = asyncio.ensure_future(self._pace.sleep(ANSWER_S))
        await asyncio.wait({answer, pause}, return_when=asyncio.FIRST_COMPLETED)
        pause.cancel()
        if not answer.done():
            return call.bridge("" if waits else call.texts.text("call-one-moment"), turn), None
        text, ends = answer.result()
        return (text, ends) if ends is not None else (call.ask(text), None)

    def _on_silence(self, call: Asked, silent: str, turn: str) -> tuple[str, CallEnd | None]:
        times = int(silent) if silent in ("1", "2") else 0
        if times >= len(_SILENCES):
            return call.texts.text("call-silence-goodbye"), CallEnd(reason="silence")
        return call.ask(call.texts.text(_SILENCES[times]), turn=turn, silent=str(times + 1)), None

    def _keep(self, key: tuple[str, str], answer: asyncio.Task[tuple[str, CallEnd | None]]) -> None:
        self._answers[key] = answer
        while len(self._answers) > MOST_TURNS:
            self._answers.popitem(last=False)


def _turn_of(query: Mapping[str, str]) -> str:
    """Return the name that we gave a turn; what is none of ours names none."""
    turn = query.get("turn", "")
    return turn if turn.isascii() and turn.isalnum() and len(turn) <= _LONGEST_TURN else ""


async def _answer(
    call: Asked, words: str, event: CallEvent | None, turn: str, pace: Pace
) -> tuple[str, CallEnd | None]:
    """Make the turn; return what is to be said, and how the call ends, if it does."""
    turns, texts = call.turns, call.texts
    said: list[str] = []

    async def hear(frame: frames.Frame) -> None:
        if frame["type"] == "text" and not frame.get("preemptible"):
            said.append(str(frame["token"]))

    line = PhoneLine(hear, pace.now, language=texts.language, greeting=0)
    try:
        await turns.hear(words, event, key=f"{call.record.key}:{turn}")
        result = await turns.answer(Speech(line))
    except (TurnFailed, DatabaseUnavailable, TooManyUpdates) as error:
        log.error("call_turn_failed", error=type(error).__name__)
        return texts.text("something-went-wrong"), CallEnd(reason="failed")
    if result is None:
        # It was answered before, by a process that is gone.
        return texts.text("call-again"), None
    line.language = Translator.find_language(result.dialogue.language) or texts.language
    for reply in result.replies:
        if reply.text and not reply.spoken:
            await line.say_all(drawn(reply, Translator.for_language(line.language, spoken=True)))
    return "".join(said).strip(), result.ends_call
