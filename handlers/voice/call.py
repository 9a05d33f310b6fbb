"""One call on its line: what the caller says becomes turns, answers are spoken, silence and length are watched."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import structlog

from db.errors import DatabaseUnavailable, TooManyUpdates
from handlers.voice import frames
from handlers.voice.drawing import drawn
from handlers.voice.line import PhoneLine, Send, written_of
from locales import Translator
from orchestration.messages import CallEvent
from orchestration.speech import Speech, heard_of
from orchestration.turns import CallEnd, TurnAbandoned, TurnResult

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRules:
    """Times in seconds. `unclear`: at how many things in a row that cannot be understood a person takes over."""

    longest: float = 15 * 60
    warned_before: float = 60
    silence: float = 8
    digits_pause: float = 2
    unclear: int = 3
    after_interruption: float = 3
    """How long the rest of what the caller began to say is waited for."""
    last_words: float = 15
    """How long the line stands, at most, for the words before its end to be spoken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How time passes on the line: seconds of a clock that never goes back, and waiting by it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class TurnFailed(Exception):
    """The turn was tried again and again, and could not be made."""


class Turns(Protocol):
    """What a call needs of the engine. Each stores, claims and commits under the dialogue's lease."""

    async def hear(self, words: str, event: CallEvent | None = None, *, key: str | None = None) -> None:
        """Store what the caller said, or what happened to the call. `key`: a repeat of it changes nothing."""

    async def answer(self, speech: Speech) -> TurnResult | None:
        """Answer what is stored; None where nothing waits. Raises TurnAbandoned or TurnFailed."""

    async def cut(self, turn_id: UUID, heard: str, *, asked: bool) -> None:
        """Keep of an answer only what was heard; not `asked`: a question in it did not reach the caller."""


@dataclass(slots=True)
class Told:
    """The last answer, as it was spoken."""

    turn_id: UUID
    sentences: list[tuple[str, str]]


class Call:
    """Runs until the caller or we hang up. `run` returns how it ended."""

    def __init__(
        self,
        turns: Turns,
        texts: Translator,
        send: Send,
        *,
        rules: CallRules,
        pace: Pace | None = None,
        greeting: int = 0,
    ) -> None:
        """`texts`: the company's language, in which the line begins. `greeting`: characters that are spoken first."""
        self._turns = turns
        self._texts = texts
        self._send = send
        self._rules = rules
        self._pace = pace or Pace()
        self._now = self._pace.now
        self._line = PhoneLine(send, self._now, language=texts.language, greeting=greeting)
        self._waiting = False
        self._working: asyncio.Task[None] | None = None
        self._more = asyncio.Event()
        self._told: Told | None = None
        self._digits = ""
        self._digits_at: float = 0
        self._heard_at = self._now()
        self._silences = 0
        self._unclear = 0
        self._last_words: tuple[str, float] = ("", -10.0)
        self._ending: asyncio.Task[None] | None = None
        self._outcome: str | None = None
        self._over = asyncio.Event()

    async def run(self, incoming: AsyncIterator[frames.Incoming], first: CallEvent | None = None) -> str:
        """Serve the call until its stream is over, and let a turn that runs come to its end.

        `first`: what happened before the line was opened, and is to be answered first.
        """
        watching = asyncio.create_task(self._watch())
        try:
            if first is not None:
                await self._hear("", first)
            async for frame in incoming:
                await self._take(frame)
                if self._over.is_set():
                    break
        finally:
            watching.cancel()
            self._line.interrupted.set()
            self._waiting = False
            rest = [task for task in (self._working, self._ending) if task is not None]
            if rest:
                await asyncio.wait(rest, timeout=self._rules.last_words * 2)
            for task in (watching, *rest):
                task.cancel()
            await asyncio.gather(watching, *rest, return_exceptions=True)
        return self._outcome or "hung_up"

    # ---- what comes in -----------------------------------------------------------------------------------------------

    async def _take(self, frame: frames.Incoming) -> None:
        if self._ending is not None:
            return
        match frame:
            case frames.Prompt() if frame.last:
                await self._on_words(frame.words.strip())
            case frames.Interrupt():
                await self._on_interrupt(frame.utterance)
            case frames.Dtmf():
                self._heard_at = self._digits_at = self._now()
                if frame.digit != "#":
                    self._digits += frame.digit
                elif self._digits:
                    await self._take_digits()
            case frames.RelayError():
                log.warning("relay_error", description=frame.description[:200])

    async def _on_words(self, words: str) -> None:
        now = self._now()
        again = words == self._last_words[0] and now - self._last_words[1] < 1 and self._working is not None
        self._heard_at, self._silences = now, 0
        if again:
            # A provider that repeats a message: the same words within a second, while they are being answered.
            return
        self._last_words = (words, now)
        if not any(character.isalnum() for character in words):
            await self._on_unclear()
            return
        self._unclear = 0
        await self._hear(words)

    async def _on_unclear(self) -> None:
        """Ask back what was not understood; nobody is asked for ever."""
        self._unclear += 1
        if self._unclear >= self._rules.unclear:
            self._unclear = 0
            await self._hear("", CallEvent.UNCLEAR)
        elif self._working is None:
            await self._say_aside("call-not-understood")

    async def _say_aside(self, key: str) -> None:
        """Say words of the line's own. What was answered before was heard: its speaking is over."""
        self._told = None
        self._line.begin()
        await self._line.say_all(self._texts.text(key))

    async def _on_interrupt(self, utterance: str) -> None:
        """Stop speaking at once; of what was said counts what was heard."""
        self._heard_at = self._now()
        if self._working is not None and self._line.sentences:
            self._line.stop(utterance)
            return
        told, self._told = self._told, None
        self._line.stop(utterance if self._working is None else None)
        if told is not None:
            await self._cut(told, utterance)

    async def _cut(self, told: Told, utterance: str) -> None:
        """Keep what was heard of an answer. A question counts as asked once all but its last sentence was heard."""
        whole = written_of(told.sentences)
        heard = heard_of(told.sentences, utterance)
        if heard == whole:
            return
        before = told.sentences[:-1]
        asked = bool(before) and heard is not None and heard_of(before, utterance) == written_of(before)
        await self._keep_heard(told.turn_id, whole if heard is None else heard, asked=asked)

    async def _keep_heard(self, turn_id: UUID, heard: str, *, asked: bool) -> None:
        try:
            await self._turns.cut(turn_id, heard, asked=asked)
        except DatabaseUnavailable as error:
            # The history says more than was heard, and no more than that is lost.
            log.error("answer_not_cut", error=str(error))

    async def _take_digits(self) -> None:
        digits, self._digits = self._digits, ""
        await self._hear(digits)

    async def _hear(self, words: str, event: CallEvent | None = None) -> None:
        try:
            await self._turns.hear(words, event)
        except (DatabaseUnavailable, TooManyUpdates) as error:
            log.error("words_not_stored", error=str(error))
            await self._say_aside("something-went-wrong")
            return
        self._waiting = True
        self._more.set()
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        elif not self._line.interrupted.is_set():
            # What was spoken of the answer was heard to its end, or nothing was: then both are answered together.
            self._line.stop(None)

    # ---- what goes out -----------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        """Answer until nothing waits."""
        try:
            while self._waiting and self._ending is None:
                self._waiting = False
                self._more.clear()
                self._line.begin()
                try:
                    result = await self._turns.answer(Speech(self._line))
                except TurnAbandoned:
                    await self._wait_for_the_rest()
                    continue
                except TurnFailed:
                    await self._say_aside("something-went-wrong")
                    self._end(CallEnd(reason="failed"))
                    return
                await self._line.finish()
                if result is not None:
                    await self._tell(result)
        finally:
            self._working = None

    async def _wait_for_the_rest(self) -> None:
        """Wait for what the caller went on to say; a cough that nothing follows leaves the question as it was."""
        if not self._waiting:
            rest = asyncio.create_task(self._more.wait())
            pause = asyncio.ensure_future(self._pace.sleep(self._rules.after_interruption))
            await asyncio.wait({rest, pause}, return_when=asyncio.FIRST_COMPLETED)
            for task in (rest, pause):
                task.cancel()
        self._waiting = True

    async def _tell(self, result: TurnResult) -> None:
        """Speak what is not heard yet. What the model led to is left out where the caller has gone on speaking."""
        unheard = [reply for reply in result.replies if not reply.spoken and reply.text]
        if self._line.utterance is not None and result.outcome != "interrupted":
            # They spoke while it was being kept: it was kept whole.
            await self._cut(Told(result.turn_id, list(self._line.sentences)), self._line.utterance)
        if unheard and self._waiting and result.usage.calls and self._line.interrupted.is_set():
            await self._keep_heard(result.turn_id, self._line.heard(), asked=False)
            return
        language = Translator.find_language(result.dialogue.language) or self._texts.language
        if language != self._line.language:
            self._texts = Translator.for_language(language, spoken=True)
            self._line.language = language
            await self._send(frames.language(frames.tag_of(language)))
        if unheard:
            self._line.interrupted.clear()
        for reply in unheard:
            await self._line.say_all(drawn(reply, self._texts))
        self._told = Told(result.turn_id, list(self._line.sentences))
        self._heard_at = max(self._heard_at, self._now())
        if result.ends_call is not None:
            self._end(result.ends_call)

    def _end(self, how: CallEnd) -> None:
        """End the call once its last words are spoken."""
        if self._ending is None:
            self._outcome = how.reason
            self._ending = asyncio.create_task(self._end_after_last_words(how))

    async def _end_after_last_words(self, how: CallEnd) -> None:
        await self._pace.sleep(min(self._rules.last_words, max(0.0, self._line.quiet_at - self._now())))
        await self._send(frames.end(how.reason, how.transfer_to))
        self._over.set()

    # ---- time --------------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Look after silence, keyed digits and the length of the call."""
        started, warned = self._now(), False
        while self._ending is None:
            await self._pace.sleep(max(0.05, min(self._due(), started + self._rules.longest - self._now(), 1.0)))
            now = self._now()
            if self._digits and now - self._digits_at >= self._rules.digits_pause:
                await self._take_digits()
            if now - started >= self._rules.longest:
                self._line.stop(None)
                await self._say_aside("call-too-long")
                self._end(CallEnd(reason="too_long"))
            elif self._working is None and not warned and started + self._rules.longest - now < self._warned_before():
                warned = True
                await self._say_aside("call-minute-left")
            elif self._working is None and self._due() <= 0:
                await self._on_silence()

    def _warned_before(self) -> float:
        return min(self._rules.warned_before, self._rules.longest / 2)

    def _due(self) -> float:
        """Return how long until silence counts, from the end of what either side said last."""
        return max(self._line.quiet_at, self._heard_at) + self._rules.silence - self._now()

    async def _on_silence(self) -> None:
        """Ask twice, then hang up kindly."""
        self._silences += 1
        self._heard_at = self._now()
        match self._silences:
            case 1:
                await self._say_aside("call-still-there")
            case 2:
                await self._say_aside("call-last-question")
            case _:
                await self._say_aside("call-silence-goodbye")
                self._end(CallEnd(reason="silence"))
