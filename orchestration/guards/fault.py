"""Why a reply may not leave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """`code` is one of a closed set (review.HINTS); `what` are the words at fault."""

    code: str
    what: str
