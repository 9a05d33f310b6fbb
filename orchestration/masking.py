"""What a model need not know of a person: phones, e-mail addresses and names leave us as placeholders, and come back as
themselves in what the model says and in what it asks of a tool.

Nothing is kept between questions: each is masked anew from the whole of what it shows, so that the same person has the
same placeholder all through it. What the company publishes or its CRM tells (phones, names of staff) stays readable. A
client's name is known by the messenger's profile, by how people introduce themselves, or as a common first name in the
client's own words; one that none of these gives away goes out as it was written, as does all that a recording says.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from locales import languages
from locales.ear import is_common_name
from orchestration.guards.phrases import words
from orchestration.guards.subjects import in_latin
from orchestration.phone_search import phones_in
from orchestration.ports import (
    CallPart,
    Content,
    Listener,
    Model,
    ModelAnswer,
    ModelRequest,
    Part,
    ResultPart,
    TextPart,
)

_PLACEHOLDER = re.compile(r"\b(?:NAME|PHONE|EMAIL)_\d{1,3}\b")
_UNFINISHED = re.compile(r"\b[A-Z]{1,5}(?:_\d{0,3})?\Z")
"""What may go on as a placeholder in the next piece of a stream."""
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
_WORD = re.compile(r"[^\W\d_]{2,}(?:-[^\W\d_]{2,})?")
_SHORTEST_STEM = 3
_SHORT = 300
"""Words of a client that are kept for their next turn; longer ones are read anew: nobody fills memory by them."""


@dataclass(slots=True)
class Mask:
    """What stands for what in one question.

    `published`: the company's own words, whose phones and addresses are no secret. `told`: what the CRM has told, which
    names staff.
    """

    published: str
    told: str = ""
    _by_value: dict[str, str] = field(default_factory=dict)
    _by_placeholder: dict[str, str] = field(default_factory=dict)
    _names: list[tuple[re.Pattern[str], str]] = field(default_factory=list)
    _latin: str | None = None
    _hidden: dict[str, str] = field(default_factory=dict)
    """What was looked at already: services, masters and days come again in every time that a tool tells."""

    def know_name(self, name: str) -> None:
        """Hide a name, whole and word by word, in any of its cases; one that staff have too stays readable."""
        for one in dict.fromkeys([" ".join(name.split()), *_WORD.findall(name)]):
            if not one or one.casefold() in self._by_value:
                continue
            pattern = _in_any_case(one)
            if not self._is_staffs(pattern, one):
                self._names.append((pattern, self._placeholder("NAME", one.casefold(), one)))

    def find_names(self, said: str) -> None:
        """Learn the names that a client's own words give away."""
        for name in _names_in_short(said) if len(said) <= _SHORT else _names_in(said):
            self.know_name(name)

    def hide(self, text: str) -> str:
        """Return the text with a placeholder for each person's data in it. No name is learnt any more then."""
        hidden = self._hidden.get(text)
        if hidden is None:
            hidden = self._hidden[text] = self._hide(text)
        return hidden

    def _hide(self, text: str) -> str:
        if "@" in text:
            text = _EMAIL.sub(self._hide_email, text)
        for start, end in reversed(phones_in(text)):
            text = text[:start] + self._hide_phone(text[start:end]) + text[end:]
        for pattern, placeholder in self._names:
            text = pattern.sub(placeholder, text)
        return text

    def show(self, text: str) -> str:
        """Return the text with the data back in the placeholders' places."""
        return _PLACEHOLDER.sub(lambda match: self._by_placeholder.get(match.group(), match.group()), text)

    def _is_staffs(self, pattern: re.Pattern[str], name: str) -> bool:
        if _is_published(pattern, self.published) or pattern.search(self.told):
            return True
        # Whoever writes in English calls Анна "Anna".
        if not name.isascii():
            return False
        if self._latin is None:
            self._latin = f"{_published_in_latin(self.published)} {_lines_in_latin(self.told.casefold())}"
        return pattern.search(self._latin) is not None

    def _hide_email(self, match: re.Match[str]) -> str:
        email = match.group()
        return email if email in self.published else self._placeholder("EMAIL", email.casefold(), email)

    def _hide_phone(self, phone: str) -> str:
        # However it is written: without its country's code, which a client may leave out.
        number = _digits(phone)[-10:]
        return phone if number in _digits(self.published) else self._placeholder("PHONE", number, phone)

    def _placeholder(self, kind: str, key: str, value: str) -> str:
        if key not in self._by_value:
            number = 1 + sum(one.startswith(kind) for one in self._by_placeholder)
            self._by_value[key] = f"{kind}_{number}"
            self._by_placeholder[f"{kind}_{number}"] = value
        return self._by_value[key]


class MaskingModel:
    """A Model that hides a person's data from another one, where the question says that it is to be."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def generate(self, request: ModelRequest) -> ModelAnswer:
        if request.private is None:
            return await self._model.generate(request)
        mask = _mask_for(request)
        hearing = _Unmasking(mask, request.listener) if request.listener else None
        answer = await self._model.generate(
            replace(
                request,
                system=request.stable + mask.hide(request.system.removeprefix(request.stable)),
                contents=[_changed(content, mask.hide) for content in request.contents],
                listener=Listener(hearing.take) if hearing else None,
            )
        )
        if hearing is not None:
            await hearing.finish()
        return replace(answer, content=_changed(answer.content, mask.show))


class _Unmasking:
    """Passes a stream on with the data in it; what may be the beginning of a placeholder waits for its end."""

    def __init__(self, mask: Mask, listener: Listener) -> None:
        self._mask = mask
        self._listener = listener
        self._kept = ""

    async def take(self, piece: str) -> None:
        text = self._kept + piece
        unfinished = _UNFINISHED.search(text)
        cut = unfinished.start() if unfinished else len(text)
        self._kept = text[cut:]
        await self._listener.hear(self._mask.show(text[:cut]))

    async def finish(self) -> None:
        kept, self._kept = self._kept, ""
        await self._listener.hear(self._mask.show(kept))


def _mask_for(request: ModelRequest) -> Mask:
    """Learn who is spoken of from all that the question shows."""
    parts = [(content.role, part) for content in request.contents for part in content.parts]
    told: list[str] = []
    for _, part in parts:
        if isinstance(part, ResultPart):
            _gather_texts(part.response, told)
    mask = Mask(request.stable, "\n".join(told))
    for name in request.private or ():
        mask.know_name(name)
    for role, part in parts:
        if role == "user" and isinstance(part, TextPart):
            mask.find_names(part.text)
    return mask


def _changed(content: Content, change: Callable[[str], str]) -> Content:
    """Return what was said with every text in it changed; where nothing does, what was given."""
    parts = tuple(_changed_part(part, change) for part in content.parts)
    if all(new is old for new, old in zip(parts, content.parts, strict=True)):
        return content
    return content.model_copy(update={"parts": parts})


def _changed_part(part: Part, change: Callable[[str], str]) -> Part:
    match part:
        case TextPart():
            text = change(part.text)
            return part if text == part.text else part.model_copy(update={"text": text})
        case CallPart():
            return part.model_copy(update={"arguments": _changed_json(part.arguments, change)})
        case ResultPart():
            return part.model_copy(update={"response": _changed_json(part.response, change)})
        case _:
            return part


def _changed_json(value: Any, change: Callable[[str], str]) -> Any:
    # A tool tells hundreds of values in a turn: `match` takes twice as long.
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _changed_json(one, change) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_changed_json(one, change) for one in value]
    return value


def _gather_texts(value: Any, texts: list[str]) -> None:
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, dict):
        for one in value.values():
            _gather_texts(one, texts)
    elif isinstance(value, list | tuple):
        for one in value:
            _gather_texts(one, texts)


def _digits(text: str) -> str:
    """Return the digits, line by line."""
    return re.sub(r"[^\d\n]", "", text)


@lru_cache(maxsize=1024)
def _in_any_case(name: str) -> re.Pattern[str]:
    """Return what finds a name with any ending that its language declines it by."""
    return re.compile(r"\b" + r"\s+".join(_declined(one) for one in name.split()) + r"\b", re.IGNORECASE)


def _declined(word: str) -> str:
    for ending in words("persons", "ending"):
        stem = ending.sub("", word)
        if ending.search(word) and len(stem) >= _SHORTEST_STEM:
            return re.escape(stem) + r"[^\W\d_]{0,3}"
    return re.escape(word)


def _names_in(said: str) -> tuple[str, ...]:
    """Return what people call themselves in their words, and common first names that are no master's."""
    introduced = [match["name"] for pattern in words("persons", "introduced") for match in pattern.finditer(said)]
    common = [
        match.group()
        for match in _WORD.finditer(said)
        if any(is_common_name(match.group(), one) for one in languages()) and not _is_of_staff(match)
    ]
    return (*introduced, *common)


@lru_cache(maxsize=1024)
def _names_in_short(said: str) -> tuple[str, ...]:
    """A client's words are read again in every later turn of theirs."""
    return _names_in(said)


@lru_cache(maxsize=256)
def _is_published(name: re.Pattern[str], published: str) -> bool:
    return name.search(published) is not None


@lru_cache(maxsize=64)
def _published_in_latin(published: str) -> str:
    return in_latin(published.casefold())


def _lines_in_latin(text: str) -> str:
    lines = text.split("\n")
    latin = {line: in_latin(line) for line in set(lines)}
    return "\n".join([latin[line] for line in lines])


def _is_of_staff(name: re.Match[str]) -> bool:
    """Say whether the client speaks of a master: what stands before the name says so."""
    before = name.string[: name.start()].casefold()
    return any(re.search(rf"\b(?:{role.pattern})\W+\Z", before) for role in words("names", "roles"))
