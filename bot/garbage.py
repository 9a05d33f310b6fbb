"""Python's collector of garbage, set for a process that lives for weeks: what was made at the start stays."""

from __future__ import annotations

import gc

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 50
"""A webhook makes some thousand objects, nearly all of which go by themselves: at Python's own 700 the collector looks
through them twice a request, and again and again through all that was imported."""


def settle() -> None:
    """Leave out of the collector's sight what is there now; it never goes. Called once a process has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
