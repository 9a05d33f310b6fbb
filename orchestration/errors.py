"""Errors of orchestration.

OrchestrationError
├─ MediaError          a file that came with a message cannot be used: the client is told, kindly
│  ├─ MediaTooLarge     longer or larger than we take
│  └─ MediaUnavailable  the channel does not give it (now, or any more)
└─ ModelError          the model gave no usable answer; carries what the caller may do
   ├─ ModelUnavailable  overloaded, out of quota, too slow or unreachable: another way of answering takes over
   ├─ ModelRefused      our request was refused (key, model name, malformed): the platform's admins are told
   └─ ModelBlocked      the provider blocked the question or the answer, or it came out empty
"""

from __future__ import annotations


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


class ModelBlocked(ModelError):
    """Blocked, empty or malformed: the provider's reason is the message."""
