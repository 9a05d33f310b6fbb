"""What came of the inputs, by target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_EXAMPLES = 20


@dataclass(slots=True, kw_only=True)
class Tally:
    """One target's figures.

    `server_errors`: answers of 500 and above, and exceptions where there is no answer to give. `lost`: updates that
    were answered 200 and do not stand in the inbox, or stand there twice. `stuck`: dialogues (or calls, or branches)
    that take nothing more, or whose work fails each time it is tried.
    """

    target: str
    inputs: int = 0
    server_errors: int = 0
    lost: int = 0
    stuck: int = 0
    seconds: float = 0.0
    examples: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.server_errors or self.lost or self.stuck)

    def server_error(self, what: str, *, of: object) -> None:
        self.server_errors += 1
        self._keep("5xx", what, of)

    def lose(self, what: str, *, of: object) -> None:
        self.lost += 1
        self._keep("lost", what, of)

    def stick(self, what: str, *, of: object) -> None:
        self.stuck += 1
        self._keep("stuck", what, of)

    def _keep(self, kind: str, what: str, of: object) -> None:
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(f"{kind}: {what}: {of!r}"[:2000])


def lines_of(tallies: Iterable[Tally]) -> list[str]:
    """Return the table."""
    rows = list(tallies)
    total = Tally(target="all")
    for one in rows:
        total.inputs += one.inputs
        total.server_errors += one.server_errors
        total.lost += one.lost
        total.stuck += one.stuck
        total.seconds += one.seconds
    lines = [f"{'target':<28}{'inputs':>9}{'5xx':>6}{'lost':>6}{'stuck':>7}{'seconds':>9}"]
    for one in (*rows, total):
        counts = f"{one.inputs:>9}{one.server_errors:>6}{one.lost:>6}{one.stuck:>7}{one.seconds:>9.1f}"
        lines.append(f"{one.target:<28}{counts}")
    return lines
