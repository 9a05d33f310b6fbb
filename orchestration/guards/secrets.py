"""What is nobody's business: the rules given to the model, the names of its tools, ids, and addresses from nowhere."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

from orchestration.guards.phrases import phrases
from orchestration.guards.plain import plain, sentences

_OVERLAP = 7
"""So many of the rules' words in a row are the rules, not chance."""
_WORD = re.compile(r"\w+")
_IDS = re.compile(
    r"\b(?:slot|appointment|service|staff|branch|record|crm|company|dialogue)_id\b|\b[as]_[0-9a-f]{8,}\b"
    r"|\b(?:visitor_name|ask_before|time_from|date_from|in_order|get_\w+|unknown_topic)\b|===|\[system\]"
)
_LONG = re.compile(r"(?<![\w/])[A-Za-z0-9+/=_-]{40,}")
_LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>()\"'»]+|\b[\w.+-]+@[\w-]+\.[\w.]+|(?<![\w.])@[A-Za-z]\w{3,}", re.IGNORECASE
)
_BARE_DOMAIN = re.compile(
    r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:ru|com|net|org|info|biz|xyz|site|online|top|click|kz|io|me|link|shop)(?:/\S*)?\b"
)


def find_secret(reply: str, *, rules: str, tools: Collection[str]) -> str | None:
    """Return what of the reply is internal: a tool's name, an id, a piece of the rules, something encoded."""
    said = plain(reply)
    for name in tools:
        if name in said:
            return name
    if found := _IDS.search(said):
        return found.group()
    for long in _LONG.findall(reply):
        if not any(char in long for char in "-_") or re.search(r"\d", long):
            return str(long)[:20]
    for sentence in sentences(said):
        for kind in phrases("secrets", "told"):
            if told := kind.find(sentence):
                return told
    return _piece_of(said, rules)


def find_foreign_address(reply: str, *, known: Iterable[str]) -> str | None:
    """Return a link, a mail address or a name in a messenger that the company did not give."""
    said = plain(reply)
    found = [
        *(match.group() for match in _LINK.finditer(said)),
        *(match.group() for match in _BARE_DOMAIN.finditer(said)),
    ]
    if not found:
        return None
    texts = [plain(text) for text in known]
    bare = (one.rstrip(".,!?)/") for one in found)
    return next((one for one in bare if not any(one in text for text in texts)), None)


def _piece_of(said: str, rules: str) -> str | None:
    words = _WORD.findall(said)
    pieces = _pieces(rules)
    for index in range(len(words) - _OVERLAP + 1):
        piece = tuple(words[index : index + _OVERLAP])
        if piece in pieces:
            return " ".join(piece)
    return None


@lru_cache(maxsize=256)
def _pieces(rules: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(plain(rules))
    return frozenset(tuple(words[index : index + _OVERLAP]) for index in range(len(words) - _OVERLAP + 1))
