"""What the agent may never give by words: discounts, refunds, free corrections; and medical advice."""

from __future__ import annotations

from collections.abc import Collection

from orchestration.guards.figures import percents
from orchestration.guards.phrases import phrases
from orchestration.guards.plain import plain, sentences


def find_promise(reply: str, *, published: Collection[str] = ()) -> str | None:
    """Return the words of a promise; None where there is none.

    `published`: the percentages that the company itself announces to all; a sentence about one of them is information.
    """
    for sentence in sentences(plain(reply)):
        told = percents(sentence.text)
        if sentence.asks or (told and all(one in published for one in told)):
            continue
        for kind in phrases("promises", "made"):
            if found := kind.find(sentence):
                return found
    return None


def find_advice(reply: str) -> str | None:
    """Return the words in which a reply answers a question of health; None where it does not."""
    for sentence in sentences(plain(reply)):
        for kind in phrases("advice", "given"):
            if found := kind.find(sentence):
                return found
    return None
