"""A text in pieces that a channel takes, cut where a person would cut it."""

from __future__ import annotations

from collections.abc import Callable


def utf16_units(character: str) -> int:
    """Count a character as Telegram does: one outside the BMP counts two, whole."""
    return 2 if ord(character) > 0xFFFF else 1


def one_each(character: str) -> int:
    return 1


def split_text(text: str, limit: int, size: Callable[[str], int] = one_each) -> list[str]:
    """Cut a text into pieces of at most `limit`, at paragraphs, lines or spaces where it can be."""
    pieces = []
    rest = text.strip()
    while rest:
        head = _fitting(rest, limit, size)
        if len(head) < len(rest):
            cut = max(head.rfind("\n\n"), head.rfind("\n"), head.rfind(" "))
            head = head[:cut] if cut > 0 else head
        pieces.append(head.rstrip())
        rest = rest[len(head) :].lstrip()
    return pieces


def shortened(text: str, limit: int) -> str:
    """Return a label of at most `limit` characters, cut at a word where it can be."""
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > limit // 2 else head).rstrip(" ,;:·-") + "…"


def _fitting(text: str, limit: int, size: Callable[[str], int]) -> str:
    taken = 0
    for index, character in enumerate(text):
        taken += size(character)
        if taken > limit:
            return text[:index]
    return text
