"""Errors of orchestration.

OrchestrationError
└─ ModelError          the model gave no usable answer; carries what the caller may do
   ├─ ModelUnavailable  overloaded, out of quota, too slow or unreachable: another way of answering takes over
   ├─ ModelRefused      our request was refused (key, model name, malformed): the platform's admins are told
   └─ ModelBlocked      the provider blocked the question or the answer, or it came out empty
"""

from __future__ import annotations


class OrchestrationError(Exception):
    """The root."""


class ModelError(OrchestrationError):
    """The model gave no usable answer."""


class ModelUnavailable(ModelError):
    """Overloaded, out of quota, too slow or unreachable."""


class ModelRefused(ModelError):
    """The provider refused the request itself: key, model name or shape."""


class ModelBlocked(ModelError):
    """Blocked, empty or malformed: the provider's reason is the message."""
