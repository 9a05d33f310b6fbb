"""The line to a caller's ear: what is spoken, how long that takes, and how much of it was heard."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence

from handlers.voice import frames
from locales.ear import for_the_ear
from orchestration.speech import heard_of

Send = Callable[[frames.Frame], Awaitable[None]]

CHARACTERS_A_SECOND = 14.0
"""How fast a synthetic voice reads, about: nobody tells when playback is over."""
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")


def written_of(sentences: Sequence[tuple[str, str]]) -> str:
    """Return (written, spoken) sentences as they were written."""
    return " ".join(written for written, _ in sentences)


class PhoneLine:
    """A Line (see orchestration/speech.py) over one call's stream."""

    def __init__(self, send: Send, now: Callable[[], float], *, language: str, greeting: int) -> None:
        """`now`: seconds of a clock that never goes back. `language`: how figures are read. `greeting`: characters that
        the provider speaks first."""
        self._send = send
        self._now = now
        self.language = language
        self.interrupted = asyncio.Event()
        self.sentences: list[tuple[str, str]] = []
        """What was said since the caller spoke last: as written, and as spoken."""
        self.quiet_at = now() + greeting / CHARACTERS_A_SECOND
        """When the last word will have been spoken, about."""
        self.utterance: str | None = None
        """What had been spoken of it when the caller spoke over it; None: they did not."""
        self._open = False

    def begin(self) -> None:
        """Begin an answer: what is said from now on is a new one."""
        self.sentences = []
        self.interrupted.clear()
        self.utterance = None

    async def say(self, text: str) -> None:
        """Speak a sentence after those before it."""
        spoken = for_the_ear(text, self.language)
        if not spoken:
            return
        self.sentences.append((text, spoken))
        await self._speak(spoken)

    async def say_all(self, text: str) -> None:
        """Speak a whole text, sentence by sentence, and close it."""
        for sentence in _SENTENCE.split(for_the_ear(text, self.language)):
            if sentence:
                self.sentences.append((sentence, sentence))
                await self._speak(sentence)
        await self.finish()

    async def fill(self, text: str) -> None:
        """Speak words that only bridge a pause: what comes next may take their place."""
        spoken = for_the_ear(text, self.language)
        await self._send(frames.text(spoken, last=True, preemptible=True))
        self.quiet_at = max(self._now(), self.quiet_at)

    async def finish(self) -> None:
        """Say that the answer is complete, where one was begun."""
        if self._open:
            self._open = False
            await self._send(frames.text("", last=True))

    def stop(self, utterance: str | None) -> None:
        """Be told that the caller speaks. `utterance`: what the provider had spoken; None: all of it."""
        self.interrupted.set()
        self._open = False
        if utterance is not None:
            self.utterance = utterance
            self.quiet_at = self._now()

    def heard(self) -> str:
        """Return what of the answer was heard, as it was written; all of it where that cannot be told."""
        heard = heard_of(self.sentences, self.utterance) if self.utterance is not None else None
        return written_of(self.sentences) if heard is None else heard

    async def _speak(self, spoken: str) -> None:
        self._open = True
        self.quiet_at = max(self._now(), self.quiet_at) + len(spoken) / CHARACTERS_A_SECOND
        await self._send(frames.text(f"{spoken} ", last=False))
