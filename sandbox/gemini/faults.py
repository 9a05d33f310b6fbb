"""Failures on request: the next calls are answered as Gemini answers on a bad day."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from sandbox.gemini.wire import GeminiError, Json

_WAITING = 1000


class FaultKind(StrEnum):
    """Names the failures; the comment says what the client sees."""

    RATE_LIMITED = "rate_limited"  # 429 RESOURCE_EXHAUSTED with RetryInfo
    UNAVAILABLE = "unavailable"  # 503 UNAVAILABLE
    INTERNAL = "internal"  # 500 INTERNAL
    HANG = "hang"  # no byte until the server stops
    CUT = "cut"  # the connection closes in the middle of the answer
    STREAM_ERROR = "stream_error"  # an error object after the first piece of a stream
    BLOCKED = "blocked"  # promptFeedback and no candidate
    SAFETY = "safety"  # a candidate without content, finishReason SAFETY
    MAX_TOKENS = "max_tokens"  # a candidate without content, finishReason MAX_TOKENS
    MALFORMED_CALL = "malformed_call"  # a candidate without content, finishReason MALFORMED_FUNCTION_CALL


EMPTY_FINISH = {
    FaultKind.SAFETY: "SAFETY",
    FaultKind.MAX_TOKENS: "MAX_TOKENS",
    FaultKind.MALFORMED_CALL: "MALFORMED_FUNCTION_CALL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One failure; retry_after is in seconds."""

    kind: FaultKind
    retry_after: float = 3
    block_reason: str = "PROHIBITED_CONTENT"

    def error(self) -> GeminiError | None:
        """Return the error answer of a fault that is one, else None."""
        if self.kind is FaultKind.RATE_LIMITED:
            delay = f"{self.retry_after:g}s"
            details: list[Json] = [
                {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "sandbox"}]},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay},
            ]
            message = (
                f"You exceeded your current quota, please check your plan and billing details. Please retry in {delay}."
            )
            return GeminiError(429, "RESOURCE_EXHAUSTED", message, details)
        if self.kind in (FaultKind.UNAVAILABLE, FaultKind.STREAM_ERROR):
            message = "The model is overloaded. Please try again later."
            return GeminiError(503, "UNAVAILABLE", message)
        if self.kind is FaultKind.INTERNAL:
            message = "An internal error has occurred. Please retry or report in Google AI Studio."
            return GeminiError(500, "INTERNAL", message)
        return None


class FaultQueue:
    """Holds the failures still to come, at most a thousand."""

    def __init__(self) -> None:
        self._waiting: deque[Fault] = deque()

    def add(self, fault: Fault, times: int) -> None:
        """Queue a fault for the next calls; raises ValueError when the queue would overflow."""
        if times < 1 or len(self._waiting) + times > _WAITING:
            raise ValueError(f"times must leave at most {_WAITING} faults waiting, not {times} more")
        self._waiting.extend([fault] * times)

    def take(self) -> Fault | None:
        """Remove and return the next fault, None when all is well."""
        return self._waiting.popleft() if self._waiting else None

    def clear(self) -> None:
        self._waiting.clear()

    def __len__(self) -> int:
        return len(self._waiting)
