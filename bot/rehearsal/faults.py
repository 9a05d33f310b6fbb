"""Why a conversation failed: a closed set of kinds, each with what it is about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """The value is what it is called in a terminal; the report's page says it in the company's language."""

    NO_APPOINTMENT = "no appointment"
    TOO_MANY = "an appointment too many"
    TOUCHED = "somebody else's appointment was touched"
    NOT_CALLED = "no person was called"
    CALLED = "a person was called"
    NEVER_SAID = "never said"
    SAID = "said"
    NO_BUTTON = "there was no button"
    NOT_DONE = "the client was not done after so many messages"
    CLIENT_FAILED = "the client's model failed"
    NO_ANSWER = "no answer came"


@dataclass(frozen=True, slots=True)
class Fault:
    kind: FaultKind
    what: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.what}" if self.what else self.kind.value
