"""Errors of orchestration.

OrchestrationError
├─ MediaError          a file that came with a message cannot be used: the client is told, kindly
│  ├─ MediaTooLarge     longer or larger than we take
│  └─ MediaUnavailable  the channel does not give it (now, or any more)
└─ ModelError          the model gave no usable answer; carries what the caller may do
   ├─ ModelUnavailable  overloaded, out of quota, too slow or unreachable: another way of answering takes over
   ├─ ModelRefused      our request was refused (key, model name, malformed): the platform's admins are told
   └─ ModelBlocked      the provider blocked the question or the answer, or it came out empty, cut or malformed
"""

from __future__ import annotations

from enum import StrEnum


class OrchestrationError(Exception):
    """The root."""


class MediaError(OrchestrationError):
    """A file that came with a message cannot be used."""


class MediaTooLarge(MediaError):
    """Longer or larger than we take."""


class MediaUnavailable(MediaError):
    """The channel does not give it."""


class ModelError(OrchestrationError):
    """The model gave no usable answer."""


class ModelUnavailable(ModelError):
    """Overloaded, out of quota, too slow or unreachable."""


class ModelRefused(ModelError):
    """The provider refused the request itself: key, model name or shape."""


class Blocked(StrEnum):
    """Why an answer cannot be used."""

    REFUSED = "refused"
    """The provider will not have the question or the answer: asking again changes nothing."""
    EMPTY = "empty"
    TOO_LONG = "too_long"
    """Cut off at the limit of its length."""
    MALFORMED = "malformed"
    """A call of a tool that cannot be read."""


class ModelBlocked(ModelError):
    """Blocked, empty, cut off or malformed; the provider's own reason is the message."""

    def __init__(self, message: str, kind: Blocked = Blocked.REFUSED) -> None:
        super().__init__(message)
        self.kind = kind
