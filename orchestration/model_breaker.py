"""Models that fail rest for a while, so that the next clients do not wait for them; then one question tries whether
they are back. Kept by each process for itself: a restart is not needed, and forgets it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

FAILURES = 3
"""In a row; one failure is bad luck."""
FIRST_REST_S, LONGEST_REST_S = 20.0, 300.0


@dataclass(slots=True)
class _State:
    failures: int = 0
    rests_until: float = 0.0
    rest: float = FIRST_REST_S
    being_tried: bool = False


@dataclass(slots=True)
class ModelBreaker:
    """By the model's name. `now`: seconds of a clock that never goes back."""

    now: Callable[[], float] = time.monotonic
    _states: dict[str, _State] = field(default_factory=dict)

    def may_ask(self, model: str) -> bool:
        """Say whether to ask; after a rest, one question at a time may."""
        state = self._states.get(model)
        if state is None or state.failures < FAILURES:
            return True
        if self.now() < state.rests_until or state.being_tried:
            return False
        state.being_tried = True
        return True

    def rests(self, model: str) -> bool:
        """Say whether it is left in peace: it failed so often in a row, and has not been tried well since."""
        state = self._states.get(model)
        return state is not None and state.failures >= FAILURES

    def worked(self, model: str) -> None:
        self._states.pop(model, None)

    def failed(self, model: str) -> None:
        """Count a failure; from the third on it rests, each time twice as long."""
        state = self._states.setdefault(model, _State())
        state.failures += 1
        state.being_tried = False
        if state.failures >= FAILURES:
            state.rests_until = self.now() + state.rest
            state.rest = min(LONGEST_REST_S, state.rest * 2)

    def let_go(self, model: str) -> None:
        """Say that a question came to no end that tells anything: its asker gave up."""
        if (state := self._states.get(model)) is not None:
            state.being_tried = False
