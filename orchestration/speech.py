"""An answer that is heard while it is written: sentence by sentence, each looked at before it is spoken, and cut where
the client speaks over it."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from orchestration.guards.fault import Fault

T = TypeVar("T")

_ENDS = re.compile(r"(?<=[.!?…])[»\")]*\s+|\n+")
_CLAUSE = re.compile(r"(?<=[,;:–—])\s+")
_ABBREVIATION = re.compile(r"(?:^|[\s(«\"])[^\W\d]{1,2}\.$")
_LONG = 90
"""Characters: a sentence that grows longer is spoken up to its last comma, so that nobody waits for its end."""
_SHORTEST_CLAUSE = 40
_LONGEST_BRIDGE, _SURE = 6, 6
"""Words that may be skipped, and letters that have to be left then."""


class Interrupted(Exception):
    """The client speaks: nothing more is said."""


class HeldBack(Exception):
    """A sentence may not be said.

    `text`: what the model has written so far, that sentence included; `spoken`: what of it was said.
    """

    def __init__(self, text: str, spoken: str, faults: Sequence[Fault]) -> None:
        super().__init__(", ".join(fault.code for fault in faults))
        self.text = text
        self.spoken = spoken
        self.faults = faults


class Line(Protocol):
    """The client's ear. Written words go in; how they are pronounced is the line's."""

    interrupted: asyncio.Event
    """Set where the client speaks over what is being said, or before it."""

    async def say(self, text: str) -> None:
        """Speak a sentence after those before it."""

    async def fill(self, text: str) -> None:
        """Speak words that only bridge a pause: what comes next may take their place."""

    def heard(self) -> str:
        """Return what of this turn's sentences was heard, as it was written; all of it where that cannot be told."""


@dataclass(slots=True)
class Speech:
    """What one turn says aloud."""

    line: Line
    said: list[str] = field(default_factory=list)
    """Sentences that went to the line, in order."""
    bridged: bool = False

    @property
    def text(self) -> str:
        return " ".join(self.said)

    async def say(self, sentence: str) -> None:
        """Speak a sentence. Raises Interrupted."""
        if self.line.interrupted.is_set():
            raise Interrupted
        self.said.append(sentence)
        await self.line.say(sentence)

    async def bridge(self, text: str) -> None:
        """Let nobody listen to silence while something is looked up; once something was said, there is none."""
        if not self.said and not self.bridged and not self.line.interrupted.is_set():
            self.bridged = True
            await self.line.fill(text)

    async def unless_interrupted(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` comes to. Raises Interrupted as soon as the client speaks; `work` is cancelled then.

        Only for what may be stopped anywhere: a question to the model. A call of the CRM is not.
        """
        doing = asyncio.ensure_future(work)
        waiting = asyncio.ensure_future(self.line.interrupted.wait())
        try:
            await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                raise Interrupted
            return doing.result()
        finally:
            for task in (doing, waiting):
                task.cancel()
            await asyncio.gather(doing, waiting, return_exceptions=True)


class Reading:
    """One answer of the model on its way to the line."""

    def __init__(self, speech: Speech, check: Callable[[str], Sequence[Fault]]) -> None:
        """`check`: what is wrong with an answer that says this so far."""
        self._speech = speech
        self._check = check
        self._text = ""
        self._spoken = 0

    async def take(self, piece: str) -> None:
        """Take the next piece, and speak the sentences that are complete. Raises HeldBack, Interrupted."""
        self._text += piece
        while end := _end_of_sentence(self._text, self._spoken):
            await self._speak_until(end)

    async def finish(self) -> None:
        """Speak what is left. Raises HeldBack, Interrupted."""
        await self._speak_until(len(self._text))

    async def _speak_until(self, end: int) -> None:
        sentence = self._text[self._spoken : end].strip()
        if sentence:
            if faults := self._check(self._text[:end].strip()):
                raise HeldBack(self._text[:end].strip(), self._text[: self._spoken].strip(), faults)
            await self._speech.say(sentence)
        self._spoken = end


def _end_of_sentence(text: str, start: int) -> int | None:
    """Return where the first whole sentence from `start` on ends; a long one ends at a comma. None: it goes on."""
    for found in _ENDS.finditer(text, start):
        before = text[start : found.start()]
        goes_on = found.end() < len(text) and text[found.end()].islower() and "\n" not in found.group()
        if not before.strip() or goes_on or _ABBREVIATION.search(before):
            continue
        return found.end()
    if len(text) - start < _LONG:
        return None
    # Never within figures: a list of times is one thing, and is shortened as one.
    commas = [
        one.end()
        for one in _CLAUSE.finditer(text, start + _SHORTEST_CLAUSE)
        if text[one.end() : one.end() + 1].isalpha() and text[one.start() - 2 : one.start() - 1].isalpha()
    ]
    return commas[-1] if commas else None


def heard_of(sentences: Sequence[tuple[str, str]], utterance: str) -> str | None:
    """Return what of (written, spoken) sentences was heard, given what the provider says was spoken until then.

    Whole sentences are given as they were written; of the one that was cut, the spoken words that were heard. An
    utterance that names a later part only has everything before it heard. None: it is none of these words, and nothing
    can be told.
    """
    if not utterance.strip():
        return ""
    spoken = [_letters(said) for _, said in sentences]
    words = utterance.split()
    # Words that only bridged a pause may stand before it.
    for skipped in range(min(len(words), _LONGEST_BRIDGE) + 1):
        heard = _letters(" ".join(words[skipped:]))
        if skipped and len(heard) < _SURE:
            break
        for start in range(len(sentences) if heard else 0):
            rest = "".join(spoken[start:])
            if rest.startswith(heard) or heard.startswith(rest):
                return _cut(sentences, start, len(heard))
    return None


def _cut(sentences: Sequence[tuple[str, str]], start: int, letters: int) -> str:
    parts = [written for written, _ in sentences[:start]]
    for written, said in sentences[start:]:
        length = len(_letters(said))
        if letters >= length:
            parts.append(written)
            letters -= length
            continue
        if words := _first_words(said, letters):
            parts.append(f"{words}…")
        break
    return " ".join(part for part in parts if part)


def _first_words(said: str, letters: int) -> str:
    """Return as many whole words as `letters` letters hold."""
    words: list[str] = []
    for word in said.split():
        letters -= len(_letters(word))
        if letters < 0:
            break
        words.append(word)
    return " ".join(words)


def _letters(text: str) -> str:
    """Return the letters alone, accents and dots away: recognition and synthesis differ in the rest."""
    return "".join(one for one in unicodedata.normalize("NFD", text.casefold()) if one.isalnum())
