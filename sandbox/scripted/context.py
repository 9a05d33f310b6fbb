"""The conversation as the scripted model sees it: what was said, called and answered, and whose turn it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from sandbox.gemini.signatures import current_turn_start, decode
from sandbox.gemini.wire import Blob, Content, FunctionDeclaration, GenerateRequest, Part, call_part
from sandbox.media import shown_in, words_in
from sandbox.scripted.facts import Facts, read_facts
from sandbox.scripted.kazakh import is_kazakh, to_russian
from sandbox.scripted.schema import fit_arguments

UNREACHABLE = ("crm_unavailable", "crm_auth_failed")


class Unclear(StrEnum):
    """What came beside the words and could not be read."""

    SOUND = "sound"
    PICTURE = "picture"


_AS_BEFORE = re.compile(
    r"\b(?:то же|тоже|так же)?,?\s*(?:что и|как)\s+(?:в\s+)?(?:прошл\w+ раз|всегда|обычно|раньше)"
    r"|\b(?:the )?(?:same )?as (?:last time|usual|before|always)\b|\b(?:my|the) usual\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Words of the client or of the model; unclear: what came with them and could not be read."""

    by_client: bool
    text: str
    """What the rules read: Kazakh is put into the Russian that they know."""
    written: str
    unclear: Unclear | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """One function call with what came back: data, or an error's code and message."""

    name: str
    args: dict[str, Any]
    data: dict[str, Any]
    error: str | None
    message: str

    def rows(self, key: str) -> list[dict[str, Any]]:
        """Return the list of objects under a key, empty when there is none."""
        found = self.data.get(key)
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


Event: TypeAlias = Said | Called


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that a decision may rest on; turn holds the calls since the client's last words."""

    facts: Facts
    tools: dict[str, FunctionDeclaration]
    events: tuple[Event, ...]
    turn: tuple[Called, ...]
    forced: bool

    @property
    def text(self) -> str:
        """Return the client's last words."""
        said = self._last(by_client=True)
        return said.text if said else ""

    @property
    def client_texts(self) -> list[str]:
        """List what the client wrote, the newest first."""
        return [one.written for one in reversed(self.events) if isinstance(one, Said) and one.by_client]

    @property
    def unclear(self) -> Unclear | None:
        """Tell what of the client's last message could not be read."""
        said = self._last(by_client=True)
        return said.unclear if said else None

    @property
    def before(self) -> str:
        """Return what the model said last."""
        said = self._last(by_client=False)
        return said.text if said else ""

    def _last(self, *, by_client: bool) -> Said | None:
        found = (one for one in reversed(self.events) if isinstance(one, Said) and one.by_client == by_client)
        return next(found, None)

    @property
    def calls(self) -> list[Called]:
        """List all calls of the conversation, the current turn's included."""
        return [one for one in self.events if isinstance(one, Called)]

    def last(self, name: str) -> Called | None:
        """Return the newest call of this function that brought no error, from any turn."""
        return next((one for one in reversed(self.calls) if one.name == name and one.error is None), None)

    @property
    def recent(self) -> tuple[Called, ...]:
        """Return the turn's calls since the last one that failed for its slot: what was known before is stale."""
        lost = [place for place, one in enumerate(self.turn) if one.error is not None and "slot_id" in one.args]
        return self.turn[lost[-1] + 1 :] if lost else self.turn

    def done(self, name: str) -> Called | None:
        """Return the newest call of this function in the current turn."""
        return next((one for one in reversed(self.turn) if one.name == name), None)

    def made(self, name: str, **wanted: Any) -> Called | None:
        """Find exactly this call among the turn's recent ones."""
        args = self._fitted(name, wanted)
        return next((one for one in self.recent if one.name == name and one.args == args), None)

    def call(self, name: str, **wanted: Any) -> list[Part]:
        """Make a call with the arguments that fit; empty when it is not declared, cannot be filled or was just made."""
        args = self._fitted(name, wanted)
        return [] if args is None or self.made(name, **wanted) else [call_part(name, args)]

    def _fitted(self, name: str, wanted: dict[str, Any]) -> dict[str, Any] | None:
        tool = self.tools.get(name)
        return fit_arguments(tool, wanted) if tool is not None else None


def read_view(request: GenerateRequest, clock: datetime) -> View:
    """Read a request; clock is the moment if the prompt tells none."""
    contents = request.contents or []
    prompt = request.system_instruction.text if request.system_instruction else ""
    if contents and contents[0].role != "model" and contents[0].text.startswith("==="):
        # Beside a cached instruction, what changes of it comes as the first content.
        prompt, contents = f"{prompt}\n\n{contents[0].text}", contents[1:]
    start = current_turn_start(contents)
    facts = read_facts(prompt, clock)
    before, now = (
        [_with_usual(one, facts.usual) for one in _events(part)] for part in (contents[:start], contents[start:])
    )
    return View(
        facts=facts,
        tools={one.name or "": one for one in request.callable_declarations},
        events=(*before, *now),
        turn=tuple(one for one in now if isinstance(one, Called)),
        forced=request.calling.mode == "ANY",
    )


def _with_usual(event: Event, usual: str | None) -> Event:
    """Put what the client had before in the place of "as the last time"."""
    if usual is None or not isinstance(event, Said) or not event.by_client:
        return event
    return replace(event, text=_AS_BEFORE.sub(lambda _: usual, event.text))


def _events(contents: Sequence[Content]) -> list[Event]:
    events: list[Event] = []
    for index, content in enumerate(contents):
        if content.calls:
            following = contents[index + 1] if index + 1 < len(contents) else None
            events += _called(content, following)
        if content.text or not (content.calls or content.responses):
            events.append(_said(content))
    return events


def _said(content: Content) -> Said:
    """Take what a recording or picture tells for words beside those that were written."""
    blobs = [part.inline_data for part in content.parts or [] if part.inline_data is not None]
    told = [media_words(blob) for blob in blobs]
    dark = [blob for blob, words in zip(blobs, told, strict=True) if words is None]
    unclear = (Unclear.SOUND if _is_sound(dark[0]) else Unclear.PICTURE) if dark else None
    text = ". ".join(one for one in (*told, content.text.strip()) if one)
    by_client = content.role != "model"
    heard = to_russian(text) if by_client and is_kazakh(text) else text
    return Said(by_client=by_client, text=heard, written=text, unclear=unclear)


def _is_sound(blob: Blob) -> bool:
    return (blob.mime_type or "").startswith("audio/")


def media_words(blob: Blob) -> str | None:
    """Return what the sandboxes' people put into a recording or a picture (see sandbox/media.py); None: nothing."""
    data = decode(blob.data or "") or b""
    return words_in(data) if _is_sound(blob) else shown_in(data)


def _called(content: Content, following: Content | None) -> list[Called]:
    answers = following.responses if following is not None else []
    called: list[Called] = []
    for place, call in enumerate(content.calls):
        by_id = [one for one in answers if one.id == call.id and call.id is not None]
        answer = by_id[0] if by_id else (answers[place] if place < len(answers) else None)
        data = answer.response if answer is not None and isinstance(answer.response, dict) else {}
        data = _unwrapped(data)
        error = data.get("error")
        code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (error, error)
        called.append(
            Called(
                name=call.name or "",
                args=dict(call.args or {}),
                data=data,
                error=None if error is None else str(code or "error"),
                message=str(message or ""),
            )
        )
    return called


def _unwrapped(data: dict[str, Any]) -> dict[str, Any]:
    # Google's guides wrap a result as {"result": ...} or {"output": ...}.
    for key in ("result", "output"):
        inner = data.get(key)
        if isinstance(inner, dict) and len(data) == 1:
            return inner
    return data
