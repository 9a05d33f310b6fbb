"""A reply that says something was booked, moved or cancelled.

The agent itself writes nothing: what is done is told by code, with the record read back. So a deed may never stand in
the model's words. That a visit *stands* may, where the client's appointments were read from the CRM in this very turn,
and only at their times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestration.guards.phrases import Phrases, phrases, words
from orchestration.guards.plain import Sentence, plain, sentences

_TAG_QUESTION = re.compile(r",\s*(?:\S+\s*){1,2}$")


def find_deed(reply: str) -> str | None:
    """Return the words by which the reply says that a write was made; None where it does not."""
    return next((found for _, found in _claims(reply, phrases("claims", "done"))), None)


def find_standing(reply: str) -> Sentence | None:
    """Return the sentence by which the reply says that a visit of this client stands."""
    return next((sentence for sentence, _ in _claims(reply, phrases("claims", "stands"))), None)


def _claims(reply: str, kinds: tuple[Phrases, ...]) -> Iterator[tuple[Sentence, str]]:
    for sentence in sentences(plain(reply)):
        if _is_question(sentence) or any(one.search(sentence.text) for one in words("claims", "hours")):
            continue
        for kind in kinds:
            if found := kind.find(sentence):
                yield sentence, found


def _is_question(sentence: Sentence) -> bool:
    """Say whether the sentence asks; "you are booked for three, okay?" claims all the same."""
    return sentence.asks and not _TAG_QUESTION.search(sentence.text)
