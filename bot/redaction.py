"""What never stands in a log: secrets and personal data, cut by the field's name and by their look.

A net for slips, not a licence: events carry ids. What has no look of its own, a name in the middle of a sentence, is
cut only where a field or a record's own writing says that it is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any

CUT = "<cut>"
_MOST_DEEP = 6

_PERSONAL = (
    "client_name",
    "visitor_name",
    "first_name",
    "last_name",
    "full_name",
    "proved_phone",
    "typed_phone",
    "phone",
    "caller",
    "email",
    "text",
    "summary",
    "transcript",
    "words",
    "comment",
)
_NEVER = frozenset(
    {
        *_PERSONAL,
        "name",
        "username",
        "payload",
        "body",
        "token",
        "prompt",
        "password",
        "secret",
        "authorization",
        "card",
    }
)
_NEVER_ENDS = ("_phone", "_name", "_email", "_text", "_token", "_password", "_secret", "_authorization")
# Ids and moments have digits and dashes of their own, the others are words of our code: they are not searched.
_SAFE = frozenset(
    {"timestamp", "level", "request_id", "route", "method", "channel", "kind", "company_id", "channel_id"}
)

_PLAIN = re.compile(r"[a-z_-]{1,60}")
"""One word of our own, as events and outcomes are: nothing below fits it, and thirteen searches are spared."""
_GAP = r"[\s().\-\u2010-\u2015]*"
_SPACED = r"[\d\s()\-\u2010-\u2015]"
_DIGITS = re.compile(r"\D")


def _card(match: re.Match[str]) -> str:
    """Cut what a card's check digit fits; anything else is left to the patterns of phones."""
    digits = [int(digit) for digit in _DIGITS.sub("", match[0])][::-1]
    total = sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return "<card>" if total % 10 == 0 else match[0]


_PATTERNS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"\d{6,}:[A-Za-z0-9_-]{30,}"), "<bot token>"),
    (re.compile(r"(?i)bearer\s+[^\s,;]+"), "Bearer <cut>"),
    (re.compile(r"/webhook/[^\s/?\"']+"), "/webhook/<cut>"),
    # A message's id of WhatsApp is its sender's number in base64.
    (re.compile(r"wamid\.[A-Za-z0-9+/=_-]+"), "wamid.<cut>"),
    # PostgreSQL quotes whole rows there.
    (re.compile(r"(?m)^(\s*DETAIL:).*$"), r"\1 <cut>"),
    # asyncpg quotes what it could not send.
    (re.compile(r"(invalid input for query argument \$\d+: ).*"), r"\1<cut>"),
    # How Python and JSON write a record: client_name='Anna', "phone": "…".
    (
        re.compile(rf"""(["']?)\b({"|".join(_PERSONAL)})\1(\s*[:=]\s*)(["'])(?:\\.|(?!\4).)*\4"""),
        r"\1\2\1\3\4<cut>\4",
    ),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "<email>"),
    (re.compile(r"(?<!\d)\d(?:[ \u00a0-]?\d){12,18}(?!\d)"), _card),
    (re.compile(rf"(?<!\w)\+\d(?:{_SPACED}|\.){{7,}}\d(?!\w)"), "<phone>"),
    # Russian numbers in any spelling, with 8 or 7 or without.
    (
        re.compile(rf"(?<![\w.])[78]{_GAP}\d{{3}}{_GAP}\d{{3}}{_GAP}\d{{2}}{_GAP}\d{{2}}(?![\w.]\d)(?!\w)"),
        "<phone>",
    ),
    (re.compile(rf"(?<![\w.])\(?9\d{{2}}{_GAP}\d{{3}}{_GAP}\d{{2}}{_GAP}\d{{2}}(?!\w)"), "<phone>"),
    (re.compile(rf"(?<!\w)\+?\d{_SPACED}{{9,}}\d(?!\w)"), "<phone>"),
)


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut secrets and personal data out of an event, by the field's name and by its look, however deep they lie."""
    for name, value in event.items():
        if name not in _SAFE:
            event[name] = _cut(name, value, _MOST_DEEP)
    return event


def redacted(text: str) -> str:
    """Return the text without what looks like a secret, a phone number, an address of e-mail or a card's number."""
    if _PLAIN.fullmatch(text):
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _cut(name: str, value: Any, depth: int) -> Any:
    if value is None:
        return None
    if name in _NEVER or name.endswith(_NEVER_ENDS) or depth == 0:
        return CUT
    if isinstance(value, bool | int | float) or name in _SAFE or name.endswith("_id"):
        return value
    if isinstance(value, Mapping):
        return {str(key): _cut(str(key), one, depth - 1) for key, one in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [_cut(name, one, depth - 1) for one in value]
    # What the renderer would write of anything else.
    return redacted(value if isinstance(value, str) else repr(value))
