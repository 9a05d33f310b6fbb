"""Why a CRM is being asked: what decides whose turn it is, and what no adapter has to care for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum

HEAD_START = 8
"""A booking is some eight calls. So many turns it goes before readings, and so many a refresh stands behind them."""


class Purpose(Enum):
    BROWSE = "browse"
    WRITE = "write"
    """A client has said yes and waits for it; checks before and reading back are part of it."""
    PROOF = "proof"
    """Finds out what became of a write: asked even of a CRM that is left in peace."""
    REFRESH = "refresh"
    """Nobody waits for it."""
    CHECK = "check"
    """An admin wants to know what the CRM itself says now."""

    @property
    def ahead(self) -> int:
        """How many turns of a company it goes before a reading; below 0: behind."""
        if self in (Purpose.WRITE, Purpose.PROOF):
            return HEAD_START
        return -HEAD_START if self is Purpose.REFRESH else 0


_purpose: ContextVar[Purpose] = ContextVar("crm_purpose", default=Purpose.BROWSE)


def current_purpose() -> Purpose:
    return _purpose.get()


@contextmanager
def acting(purpose: Purpose) -> Iterator[None]:
    """Make the calls inside for this purpose, those of tasks that are begun inside too."""
    token = _purpose.set(purpose)
    try:
        yield
    finally:
        _purpose.reset(token)
