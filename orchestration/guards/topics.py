"""What a client's words are about, where that alone sends them to a person: a complaint, a question of health."""

from __future__ import annotations

from enum import StrEnum

from orchestration.guards.phrases import words
from orchestration.guards.plain import plain


class Topic(StrEnum):
    """Also the kind of the call for a person."""

    COMPLAINT = "complaint"
    HEALTH = "health"


def find_topic(text: str) -> Topic | None:
    """Return the topic that is a person's; None where the agent may answer.

    "A tooth hurts, can I come tomorrow?" asks for a time, which is the agent's; "is it safe while pregnant?" is not.
    """
    said = plain(text)
    if _any(said, "complaint") and not _any(said, "complaint_unless"):
        return Topic.COMPLAINT
    if _any(said, "health") and _any(said, "asks") and not _any(said, "health_unless"):
        return Topic.HEALTH
    return None


def asks_of_picture(caption: str) -> bool:
    """Say whether the words under a picture ask about it: what is seen there, only a person can judge."""
    return _any(plain(caption), "picture")


def _any(said: str, key: str) -> bool:
    return any(pattern.search(said) for pattern in words("topics", key))
